//! Containers of packets that Symphonia takes apart: Ogg, FLAC, MP4, Matroska and WebM, CAF.
//!
//! Where a packet belongs is taken from its timestamp, not from what was decoded before it: sound that is lost becomes
//! silence, and what follows stays in time.

mod codec;
mod extent;
mod mp4;
mod ogg;
mod tags;

use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use symphonia::core::errors::Error as PacketError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, TimeBase};

use crate::content::{Block, ByteSource, Opened, SampleContent};
use crate::error::{Error, Result};
use crate::format::{Damage, Format};
use crate::layout;
use crate::padded::Padded;
use crate::timeline::Timeline;
use crate::window::SourceWindow;
use codec::PacketCodec;

/// Packets in a row that may be broken before a file is taken to end there.
const MAX_BROKEN_PACKETS: usize = 1_000;
/// Longest gap between timestamps that is filled with silence, in seconds. Beyond it, timestamps are wrong.
const MAX_GAP_SECONDS: u64 = 3_600;
/// How far timestamps rounded to milliseconds, by programs that are not exact, may be off, in seconds.
const ROUNDING_SECONDS: f64 = 0.1;
/// By how much a file may be shorter than it says without being cut off, in seconds.
const MISCOUNT_SECONDS: f64 = 0.5;
/// Streams recorded off the air start at any time; sound lost at the start of a file is shorter than this, in seconds.
const LATE_START_SECONDS: i64 = 10;

/// A container of packets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Container {
    Ogg,
    Flac,
    Mp4,
    Matroska,
    Caf,
}

impl Container {
    /// The container of a file that starts with these bytes.
    fn of(start: &[u8]) -> Option<Self> {
        let mp4_boxes: [&[u8]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
        match start {
            start if start.starts_with(b"OggS") => Some(Self::Ogg),
            start if start.starts_with(b"fLaC") => Some(Self::Flac),
            start if start.starts_with(b"caff") => Some(Self::Caf),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Self::Matroska),
            start if start.get(4..8).is_some_and(|name| mp4_boxes.contains(&name)) => Some(Self::Mp4),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ogg => "Ogg",
            Self::Flac => "FLAC",
            Self::Mp4 => "MP4",
            Self::Matroska => "Matroska",
            Self::Caf => "CAF",
        }
    }
}

/// Whether a file that starts with these bytes is one of them.
pub fn is_known(start: &[u8]) -> bool {
    Container::of(start).is_some()
}

/// Opens such a file.
pub fn open(mut source: Box<dyn ByteSource>, mut file_bytes: u64) -> Result<Opened> {
    let mut start = [0; 8];
    source.read_exact(&mut start)?;
    let container = Container::of(&start).ok_or(Error::UnknownFormat)?;
    let mut edit = None;
    if container == Container::Mp4 {
        let moov = mp4::moov(&mut source, file_bytes)?.ok_or_else(|| Error::Malformed {
            container: container.name(),
            reason: "it has no index (the box moov) by which anything in it can be found; it may be cut off".into(),
        })?;
        edit = mp4::edit(&moov);
    }
    let mut is_cut = false;
    if container == Container::Ogg {
        if let Some(codec) = ogg::unsupported_codec(&mut source)? {
            return Err(Error::UnsupportedCodec { container: container.name(), codec: codec.into() });
        }
        let (pages, ends_within) = ogg::pages(&mut source)?;
        let pages = SourceWindow::new(source, pages)?;
        (file_bytes, is_cut) = (pages.length(), ends_within);
        source = Box::new(pages);
    }
    if file_bytes == 0 {
        return Err(Error::Malformed { container: container.name(), reason: "no part of it is whole".into() });
    }
    let extent = extent::stated(container, &mut source, file_bytes)?;
    is_cut |= extent.bytes > file_bytes;
    let source = Padded::new(source, file_bytes, extent)?;
    let past_end = source.past_end();
    let malformed = |error: PacketError| match error {
        PacketError::IoError(error) if error.kind() != ErrorKind::UnexpectedEof => Error::Io(error),
        error => Error::Malformed { container: container.name(), reason: error.to_string() },
    };
    let stream = MediaSourceStream::new(Box::new(source), Default::default());
    let mut packets = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, Default::default(), Default::default())
        .map_err(malformed)?;
    let ((metadata, mask), other_tracks) = (tags::read(&mut *packets), other_tracks(&*packets));
    let track = packets.default_track(TrackType::Audio).ok_or(Error::NoSound { container: container.name() })?;
    let codec = PacketCodec::new(container.name(), track)?;
    let place = TrackPlace::new(container, track, &codec, edit);
    let (sample_rate_hz, channels) = (codec.sample_rate_hz, codec.channels);
    let length = place.length.or_else(|| duration(&*packets, sample_rate_hz));
    let format = Format {
        container: container.name(),
        codec: codec.name.clone(),
        sample_rate_hz,
        channels,
        channel_mask: mask.and_then(|mask| layout::checked(mask, channels)).or(codec.channel_mask),
        encoding: codec.encoding,
        length,
        other_tracks,
        metadata,
    };
    let content = Packets {
        container,
        packets,
        codec,
        place,
        past_end,
        is_cut,
        stated_length: length,
        timeline: Timeline::new(channels),
        last_length: 0,
        next: None,
        reset: false,
        ended: false,
    };
    Ok(Opened { format, content: Box::new(content) })
}

/// The length of a file by its own account, rounded, in samples per channel.
fn duration(packets: &dyn FormatReader, sample_rate_hz: u32) -> Option<u64> {
    let (base, duration) = (packets.media_info().time_base?, packets.media_info().duration?);
    let seconds = duration.get() as f64 * f64::from(base.numer.get()) / f64::from(base.denom.get());
    Some((seconds * f64::from(sample_rate_hz)) as u64).filter(|&length| length > 0)
}

fn other_tracks(packets: &dyn FormatReader) -> usize {
    let is_sound = |track: &&Track| track.codec_params.as_ref().is_some_and(|parameters| parameters.audio().is_some());
    packets.tracks().iter().filter(is_sound).count().saturating_sub(1)
}

/// Which of a track's samples are the recording, and where they belong.
struct TrackPlace {
    track_id: u32,
    time_base: Option<TimeBase>,
    /// Samples of the track before the recording starts; less than 0 where it starts late.
    start: i64,
    /// Samples per channel of the recording, where the file says exactly.
    length: Option<u64>,
    /// By how many samples timestamps may be off. Where they may be, packets follow each other until one is further off.
    slack: i64,
    /// Whether the first packet has been seen.
    started: bool,
}

impl TrackPlace {
    fn new(container: Container, track: &Track, codec: &PacketCodec, edit: Option<mp4::Edit>) -> Self {
        let frames = track.num_frames.filter(|&frames| frames > 0);
        let pre_skip = codec.pre_skip();
        let (start, length) = match (container, edit) {
            (_, Some(edit)) => edit.in_samples(codec.sample_rate_hz, frames),
            // Ogg's timestamps of Vorbis are less than 0 before the start; those of Opus are not.
            (Container::Ogg | Container::Mp4, None) => {
                (pre_skip as i64, frames.map(|frames| frames.saturating_sub(pre_skip)))
            }
            (Container::Matroska, None) => (0, None),
            (Container::Flac | Container::Caf, None) => (0, frames),
        };
        let rounding_seconds = if container == Container::Matroska { ROUNDING_SECONDS } else { 0.0 };
        let rounding = (rounding_seconds * f64::from(codec.sample_rate_hz)) as i64;
        Self {
            track_id: track.id,
            time_base: track.time_base,
            start,
            length,
            slack: rounding.max(codec.jitter()),
            started: false,
        }
    }
}

/// A recording in such a container, being read.
struct Packets {
    container: Container,
    packets: Box<dyn FormatReader>,
    codec: PacketCodec,
    place: TrackPlace,
    past_end: Arc<AtomicBool>,
    /// Whether the file is shorter than it says.
    is_cut: bool,
    /// Samples per channel that the file says it has, rounded perhaps.
    stated_length: Option<u64>,
    timeline: Timeline,
    /// Samples per channel of the last packet that could be decoded.
    last_length: u64,
    /// Where the next packet belongs if none is missing.
    next: Option<i64>,
    /// Whether the decoder was reset for the packet before.
    reset: bool,
    ended: bool,
}

impl SampleContent for Packets {
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
            match self.packet()? {
                Some(packet) => self.take(packet)?,
                None => self.end(),
            }
        }
    }
}

impl Packets {
    /// The next packet of the track; none at the end.
    fn packet(&mut self) -> Result<Option<Packet>> {
        for _ in 0..MAX_BROKEN_PACKETS {
            match self.packets.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.place.track_id => return Ok(Some(packet)),
                Ok(Some(_)) => continue,
                Ok(None) => return Ok(None),
                Err(PacketError::ResetRequired) => self.next_recording()?,
                Err(PacketError::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                    self.is_cut = true;
                    return Ok(None);
                }
                Err(PacketError::IoError(error)) => return Err(error.into()),
                Err(_) => continue,
            }
        }
        self.is_cut = true;
        Ok(None)
    }

    /// Continues with the recording that follows in the same file, as in chained Ogg.
    fn next_recording(&mut self) -> Result<()> {
        let container = self.container.name();
        let track = self.packets.default_track(TrackType::Audio).ok_or(Error::NoSound { container })?;
        let codec = PacketCodec::new(container, track)?;
        self.check(codec.sample_rate_hz, codec.channels)?;
        let mut place = TrackPlace::new(self.container, track, &codec, None);
        let position = self.timeline.position() as i64;
        place.start -= position;
        self.next = Some(position);
        place.length = None;
        // What it says of its start is of its own time.
        place.started = true;
        (self.codec, self.place) = (codec, place);
        Ok(())
    }

    /// Refuses another rate or number of channels than at the start.
    fn check(&self, sample_rate_hz: u32, channels: usize) -> Result<()> {
        self.timeline.check((self.codec.sample_rate_hz, self.codec.channels), (sample_rate_hz, channels))
    }

    /// Decodes a packet and finds its place.
    fn take(&mut self, packet: Packet) -> Result<()> {
        // Past the end of a file that is cut off come zeros.
        let zeros = packet.data.iter().rev().take_while(|&&byte| byte == 0).count();
        if self.past_end.load(Ordering::Relaxed) && zeros >= packet.data.len().min(16) {
            self.ended = true;
            self.timeline.cut();
            return Ok(());
        }
        let rate_hz = i64::from(self.codec.sample_rate_hz);
        let samples = |ticks: i128| match self.place.time_base {
            Some(base) => {
                let (numerator, denominator) = (i128::from(base.numer.get()), i128::from(base.denom.get()));
                (ticks * numerator * i128::from(rate_hz)).div_euclid(denominator) as i64
            }
            None => ticks as i64,
        };
        let ticks = |duration: Duration| i128::from(duration.get());
        let whole = samples(ticks(packet.dur) + ticks(packet.trim_start) + ticks(packet.trim_end));
        let timestamp = samples(packet.pts.get().into());
        let trim_end = if self.container == Container::Ogg { samples(ticks(packet.trim_end)) } else { 0 };
        if !std::mem::replace(&mut self.place.started, true) {
            if self.container == Container::Ogg && timestamp > LATE_START_SECONDS * rate_hz {
                self.place.start += timestamp;
            }
            // Matroska's timestamps have the delay taken off, rounded; that of Opus is known exactly.
            let pre_skip = self.codec.pre_skip() as i64;
            self.next = Some(-pre_skip).filter(|_| self.container == Container::Matroska && pre_skip > 0);
        }
        let stamped = timestamp - self.place.start;
        let mut at = self.next.filter(|next| (stamped - next).abs() <= self.place.slack).unwrap_or(stamped);
        let counted = self.timeline.position() as i64;
        if at - counted > MAX_GAP_SECONDS as i64 * rate_hz {
            self.place.start += at - counted;
            at = counted;
        }
        if at > counted {
            self.timeline.lose((at - counted) as u64, "data is missing or damaged");
            // What comes after a gap of the decoder's own, which needs a packet to begin, would open the next.
            if !std::mem::replace(&mut self.reset, true) {
                self.codec.reset();
            }
        } else {
            self.reset = false;
        }
        let decoded = self.codec.decode(packet);
        let mut block = match decoded {
            Ok((block, sample_rate_hz)) => {
                if block.first().is_none_or(Vec::is_empty) {
                    // Timestamps of Ogg say where the sound of the next begins; rounded ones do not.
                    self.next = Some(at).filter(|_| self.container != Container::Ogg);
                    return Ok(());
                }
                self.check(sample_rate_hz.unwrap_or(self.codec.sample_rate_hz), block.len())?;
                block
            }
            Err(reason) => {
                let length = if whole > 0 { whole as u64 } else { self.last_length };
                self.next = Some(at + length as i64);
                let early = (self.timeline.position() as i64 - at).max(0) as u64;
                self.timeline.lose(length.saturating_sub(early + trim_end as u64), &reason);
                self.codec.reset();
                self.reset = true;
                return Ok(());
            }
        };
        self.last_length = block[0].len() as u64;
        self.next = Some(at + self.last_length as i64);
        let first = (self.timeline.position() as i64 - at).clamp(0, block[0].len() as i64) as usize;
        let most = self.place.length.map_or(i64::MAX, |length| (length as i64).saturating_sub(at));
        let last = (block[0].len() as i64 - trim_end.max(0)).min(most).max(first as i64) as usize;
        for channel in &mut block {
            channel.truncate(last);
            channel.drain(..first);
        }
        self.timeline.add(block);
        Ok(())
    }

    /// Notes what is missing at the end.
    fn end(&mut self) {
        self.ended = true;
        let position = self.timeline.position();
        let missing = self.stated_length.map_or(0, |length| length.saturating_sub(position));
        // Some programs count a few samples more than there are.
        let many = missing as f64 > MISCOUNT_SECONDS * f64::from(self.codec.sample_rate_hz);
        if many || self.is_cut {
            self.timeline.cut();
        }
    }
}
