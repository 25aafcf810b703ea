//! MP3 and its relatives, and AAC in ADTS: streams of frames without a container.
//!
//! Symphonia decodes the frames; where they are is found here, because its readers guess the length of files without a header
//! and drop what comes after it, stop where a second file was joined on, and leave lost frames out of the time.

mod frames;
mod header;

use std::ops::Range;

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketBuilder;
use symphonia::core::units::{Duration, Timestamp};

use crate::content::{Block, ByteSource, Opened, SampleContent};
use crate::error::{Error, Result};
use crate::format::{Damage, Encoding, Format};
use crate::layout;
use crate::metadata::Metadata;
use crate::timeline::Timeline;
pub use frames::tag_bytes;
use frames::{FrameEvent, Frames, Info};
use header::{FrameKind, Header};

/// Samples of silence that may come at a time in place of lost frames.
const MAX_LOST_LENGTH: u64 = 1 << 32;

/// Opens such a stream. All of it is read once, without decoding, to know its length.
pub fn open(source: Box<dyn ByteSource>) -> Result<Opened> {
    let mut plan = FramePlan::new(Frames::new(source));
    let (mut first, mut length) = (None, 0);
    while let Some(step) = plan.next()? {
        length += match step {
            FrameStep::Frame { header, kept, .. } => {
                first.get_or_insert(header);
                kept.end - kept.start
            }
            FrameStep::Lost(length) => length,
            FrameStep::Cut => 0,
        };
    }
    let first = first.ok_or(Error::UnknownFormat)?;
    let (name, decoder) = decoder(&first)?;
    let format = Format {
        container: name,
        codec: name.into(),
        sample_rate_hz: first.sample_rate_hz,
        channels: first.channels,
        channel_mask: if first.channels == 1 { Some(layout::FRONT_CENTRE) } else { Some(0x3) },
        encoding: Encoding::Pcm16,
        length: Some(length),
        other_tracks: 0,
        metadata: Metadata::default(),
    };
    let timeline = Timeline::new(first.channels);
    let content = MpegStream { plan: FramePlan::new(plan.frames.restart()?), first, decoder, timeline, ended: false };
    Ok(Opened { format, content: Box::new(content) })
}

/// The name of a codec, and its decoder.
fn decoder(first: &Header) -> Result<(&'static str, Box<dyn AudioDecoder>)> {
    let (name, id) = match first.kind {
        FrameKind::Layer(1) => ("MP1", CODEC_ID_MP1),
        FrameKind::Layer(2) => ("MP2", CODEC_ID_MP2),
        FrameKind::Layer(_) => ("MP3", CODEC_ID_MP3),
        FrameKind::Adts => ("AAC", CODEC_ID_AAC),
    };
    let positions = match first.channels {
        1 => Position::FRONT_CENTER,
        2 => Position::FRONT_LEFT | Position::FRONT_RIGHT,
        count => {
            return Err(Error::UnsupportedCodec { container: name, codec: format!("{name} with {count} channels") });
        }
    };
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(id).with_sample_rate(first.sample_rate_hz).with_channels(Channels::Positioned(positions));
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| Error::Malformed { container: name, reason: error.to_string() })?;
    Ok((name, decoder))
}

/// What to do next to read a stream.
enum FrameStep {
    /// Decode a frame, and keep these of its samples.
    Frame { header: Header, frame: Vec<u8>, kept: Range<u64>, restarts: bool },
    /// So many samples are lost.
    Lost(u64),
    /// The stream is cut off.
    Cut,
}

/// The steps to read a stream, which may be several joined ones.
struct FramePlan {
    frames: Frames,
    /// What the current one says about itself, and its frames so far.
    info: Option<Info>,
    frames_done: u64,
    last: Option<Header>,
    /// Whether the decoder is to forget what came before.
    restarts: bool,
    ended: bool,
}

impl FramePlan {
    fn new(frames: Frames) -> Self {
        Self { frames, info: None, frames_done: 0, last: None, restarts: false, ended: false }
    }

    fn next(&mut self) -> Result<Option<FrameStep>> {
        loop {
            if self.ended {
                return Ok(None);
            }
            match self.frames.next()? {
                FrameEvent::Frame(header, frame) => {
                    if let Some(info) = Info::parse(&header, &frame) {
                        (self.info, self.frames_done, self.restarts) = (Some(info), 0, self.last.is_some());
                        continue;
                    }
                    let kept = self.kept(&header);
                    self.frames_done += 1;
                    self.last = Some(header);
                    let restarts = std::mem::take(&mut self.restarts);
                    return Ok(Some(FrameStep::Frame { header, frame, kept, restarts }));
                }
                FrameEvent::Junk(bytes) => {
                    let Some(last) = self.last else { continue };
                    let lost = (bytes as f64 / last.bytes as f64).round() as u64;
                    self.frames_done += lost;
                    let length = lost * last.length;
                    if lost > 0 && length < MAX_LOST_LENGTH {
                        return Ok(Some(FrameStep::Lost(length)));
                    }
                }
                FrameEvent::Cut => {
                    self.ended = true;
                    return Ok(Some(FrameStep::Cut));
                }
                FrameEvent::End => {
                    self.ended = true;
                    let stated = self.info.and_then(|info| info.frames).unwrap_or(0);
                    // Some encoders count their header as a frame.
                    return Ok((self.frames_done + 1 < stated).then_some(FrameStep::Cut));
                }
            }
        }
    }

    /// The samples of the next frame that are sound of the recording, as far as the encoder says so.
    fn kept(&self, header: &Header) -> Range<u64> {
        let Some(Info { frames, trim: Some([before, after]) }) = self.info else { return 0..header.length };
        let start = self.frames_done * header.length;
        let end = frames.map_or(u64::MAX, |frames| (frames * header.length).saturating_sub(after));
        // What comes after all frames that were counted is another recording.
        let is_counted = frames.is_none_or(|frames| self.frames_done < frames);
        let clamp = |at: u64| at.saturating_sub(start).min(header.length);
        let first = clamp(before);
        first..if is_counted { clamp(end).max(first) } else { header.length }
    }
}

/// A stream being read.
struct MpegStream {
    plan: FramePlan,
    first: Header,
    decoder: Box<dyn AudioDecoder>,
    timeline: Timeline,
    ended: bool,
}

impl SampleContent for MpegStream {
    fn damage(&self) -> &[Damage] {
        self.timeline.damage()
    }

    fn read(&mut self) -> Result<Option<Block>> {
        loop {
            if let Some(block) = self.timeline.next() {
                return Ok(Some(block));
            }
            if self.ended {
                return Ok(None);
            }
            match self.plan.next()? {
                Some(FrameStep::Frame { header, frame, kept, restarts }) => {
                    if restarts {
                        self.decoder.reset();
                    }
                    self.decode(&header, &frame, kept)?;
                }
                Some(FrameStep::Lost(length)) => self.timeline.lose(length, "data is missing or damaged"),
                Some(FrameStep::Cut) => self.timeline.cut(),
                None => self.ended = true,
            }
        }
    }
}

impl MpegStream {
    fn decode(&mut self, header: &Header, frame: &[u8], kept: Range<u64>) -> Result<()> {
        let shape = |header: &Header| (header.sample_rate_hz, header.channels);
        self.timeline.check(shape(&self.first), shape(header))?;
        // AAC comes without its header, MPEG audio with it.
        let start = if header.kind == FrameKind::Adts { header.header_bytes } else { 0 };
        let packet = PacketBuilder::new()
            .track_id(0)
            .pts(Timestamp::ZERO)
            .dur(Duration::new(header.length))
            .data(&frame[start..])
            .build();
        match self.decoder.decode(&packet) {
            Ok(decoded) => {
                let mut block = Block::new();
                decoded.copy_to_vecs_planar(&mut block);
                let expected = header.length as usize;
                if block.len() != self.first.channels || block[0].len() != expected {
                    self.timeline.lose(kept.end - kept.start, "a frame decoded to another length");
                    return Ok(());
                }
                for channel in &mut block {
                    channel.truncate(kept.end as usize);
                    channel.drain(..kept.start as usize);
                }
                self.timeline.add(block);
            }
            Err(error) => self.timeline.lose(kept.end - kept.start, &error.to_string()),
        }
        Ok(())
    }
}
