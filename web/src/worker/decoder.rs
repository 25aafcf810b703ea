//! FLAC, MP3, OGG, M4A and whatever else Symphonia decodes.

use std::io::ErrorKind;

use symphonia::core::codecs::audio::well_known::{CODEC_ID_ALAC, CODEC_ID_FLAC};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as DecodeError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use web::protocol::Failure;

use crate::file::File;
use crate::source::Block;

/// A recording that Symphonia decodes.
pub struct Decoder {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    length: Option<u64>,
    bits: u16,
    sample_rate_hz: u32,
    channels: usize,
    /// The packet that told the rate and the number of channels; handed out first.
    first: Option<Block>,
    /// Whether a packet could not be decoded.
    broken: bool,
}

impl Decoder {
    /// Opens a file and reads as much as tells its rate and channels.
    ///
    /// # Errors
    /// When it is none of these, or ends before its first sample.
    pub fn open(file: File) -> Result<Self, Failure> {
        let not_audio = |_| Failure::NotAudio;
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let probe = symphonia::default::get_probe();
        let format = probe.probe(&Hint::new(), stream, Default::default(), Default::default()).map_err(not_audio)?;
        let track = format.default_track(TrackType::Audio).ok_or(Failure::NotAudio)?;
        let (track_id, length) = (track.id, track.num_frames);
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.ok_or(Failure::NotAudio)?;
        // Lossy ones have no such number, whatever their files say, and are not worth more.
        let lossless = [CODEC_ID_FLAC, CODEC_ID_ALAC].contains(&parameters.codec);
        let bits = if lossless && parameters.bits_per_sample.is_some_and(|bits| bits > 16) { 24 } else { 16 };
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(not_audio)?;
        let mut this = Self {
            format,
            decoder,
            track_id,
            length,
            bits,
            sample_rate_hz: 0,
            channels: 0,
            first: None,
            broken: false,
        };
        let first = match this.packet()? {
            Some(first) => first,
            // The browser may know this dialect.
            None if this.broken => return Err(Failure::NotAudio),
            None => return Err(Failure::Empty),
        };
        this.channels = first.len();
        this.first = Some(first);
        Ok(this)
    }

    /// Samples per second.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Samples per channel, as far as the file says how many.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Bits per sample, as the protocol wants them.
    pub fn bits(&self) -> u16 {
        self.bits
    }

    /// The next samples; none at the end.
    ///
    /// # Errors
    /// When the browser cannot read the file any more, or its rate or number of channels changes.
    pub fn read(&mut self) -> Result<Option<Block>, Failure> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let sample_rate_hz = self.sample_rate_hz;
        let packet = self.packet()?;
        if packet.as_ref().is_some_and(|packet| packet.len() != self.channels || self.sample_rate_hz != sample_rate_hz)
        {
            return Err(Failure::Other("the recording's rate or number of channels changes midway".into()));
        }
        Ok(packet)
    }

    /// The next packet that can be decoded. Broken ones are skipped, and a broken file ends where it breaks, as for players.
    fn packet(&mut self) -> Result<Option<Block>, Failure> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Err(DecodeError::IoError(error)) if error.kind() != ErrorKind::UnexpectedEof => {
                    return Err(Failure::Other(error.to_string()));
                }
                Ok(None) | Err(_) => return Ok(None),
            };
            if packet.track_id != self.track_id {
                continue;
            }
            let Ok(decoded) = self.decoder.decode(&packet) else {
                self.broken = true;
                continue;
            };
            let mut channels = Vec::new();
            decoded.copy_to_vecs_planar(&mut channels);
            self.sample_rate_hz = decoded.spec().rate();
            if channels.first().is_some_and(|channel: &Vec<f32>| !channel.is_empty()) {
                return Ok(Some(channels));
            }
        }
    }
}
