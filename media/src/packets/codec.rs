//! The codec of a track, whoever decodes it.

use symphonia::core::checksum::Crc16Ansi;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_AC3, CODEC_ID_ALAC, CODEC_ID_EAC3, CODEC_ID_FLAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3,
    CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as DecodeError;
use symphonia::core::formats::Track;
use symphonia::core::io::Monitor;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;

use crate::content::Block;
use crate::error::{Error, Result};
use crate::format::Encoding;
use crate::layout;
use crate::opus::{self, OpusStream};
use crate::vorbis::VorbisStream;

/// The codec of a track, ready to decode.
pub struct PacketCodec {
    /// Name for people.
    pub name: String,
    /// Samples per second and channel.
    pub sample_rate_hz: u32,
    /// Channels.
    pub channels: usize,
    /// As [`crate::Format::channel_mask`].
    pub channel_mask: Option<u32>,
    /// As [`crate::Format::encoding`].
    pub encoding: Encoding,
    is_flac: bool,
    decoder: Decoder,
}

enum Decoder {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<OpusStream>),
    Vorbis(Box<VorbisStream>),
}

impl PacketCodec {
    /// The codec of a track of a file in `container`.
    pub fn new(container: &'static str, track: &Track) -> Result<Self> {
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.ok_or(Error::NoSound { container })?;
        let name = name(parameters);
        let malformed = |reason: String| Error::Malformed { container, reason: format!("{name}: {reason}") };
        let extra = parameters.extra_data.as_deref().unwrap_or_default();
        if parameters.codec == CODEC_ID_OPUS {
            let channels = parameters.channels.as_ref().map_or(1, |channels| channels.count());
            // CAF has the header of a stream of one or two channels in fields of its own.
            let head = if extra.is_empty() { opus::head(channels, track.delay.unwrap_or(0)) } else { extra.to_vec() };
            let stream = OpusStream::new(&head).map_err(malformed)?;
            return Ok(Self {
                sample_rate_hz: opus::SAMPLE_RATE_HZ,
                channels: stream.channels(),
                channel_mask: stream.channel_mask,
                encoding: Encoding::Pcm16,
                is_flac: false,
                decoder: Decoder::Opus(Box::new(stream)),
                name,
            });
        }
        if parameters.codec == CODEC_ID_VORBIS {
            let stream = VorbisStream::new(extra).map_err(malformed)?;
            if stream.channels() > 2 {
                return Ok(Self {
                    sample_rate_hz: stream.sample_rate_hz(),
                    channels: stream.channels(),
                    channel_mask: stream.channel_mask(),
                    encoding: Encoding::Pcm16,
                    is_flac: false,
                    decoder: Decoder::Vorbis(Box::new(stream)),
                    name,
                });
            }
        }
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|_| Error::UnsupportedCodec { container, codec: name.clone() })?;
        let known = decoder.codec_params();
        let sample_rate_hz = known.sample_rate.or(parameters.sample_rate).filter(|&rate_hz| rate_hz > 0);
        let channels = known.channels.as_ref().or(parameters.channels.as_ref()).filter(|channels| channels.count() > 0);
        let (Some(sample_rate_hz), Some(channels)) = (sample_rate_hz, channels) else {
            return Err(malformed("it does not say its rate or its number of channels".into()));
        };
        Ok(Self {
            sample_rate_hz,
            channels: channels.count(),
            channel_mask: layout::of(channels),
            encoding: encoding(parameters),
            is_flac: parameters.codec == CODEC_ID_FLAC,
            decoder: Decoder::Symphonia(decoder),
            name,
        })
    }

    /// Samples at the start of an Opus stream that are not part of the recording.
    pub fn pre_skip(&self) -> u64 {
        match &self.decoder {
            Decoder::Opus(stream) => stream.pre_skip,
            _ => 0,
        }
    }

    /// By how many samples the length of a packet may be off. lewton gives some of the samples of a packet with the one before.
    pub fn jitter(&self) -> i64 {
        match &self.decoder {
            Decoder::Vorbis(_) => 1 << 13,
            _ => 0,
        }
    }

    /// Decodes all of a packet; the rate, where the decoder says it.
    pub fn decode(&mut self, mut packet: Packet) -> Result<(Block, Option<u32>), String> {
        match &mut self.decoder {
            Decoder::Opus(stream) => stream.decode(&packet.data).map(|block| (block, None)),
            Decoder::Vorbis(stream) => stream.decode(&packet.data).map(|block| (block, None)),
            Decoder::Symphonia(decoder) => {
                // Of FLAC in another container nobody has checked this.
                if self.is_flac && !has_flac_checksum(&packet.data) {
                    return Err("a checksum does not match".into());
                }
                // What to leave out is decided by place.
                (packet.trim_start, packet.trim_end) = (Duration::ZERO, Duration::ZERO);
                let decoded = decoder.decode(&packet).map_err(reason)?;
                let mut block = Block::new();
                decoded.copy_to_vecs_planar(&mut block);
                Ok((block, Some(decoded.spec().rate())))
            }
        }
    }

    /// Forgets what came before, after which there is a gap.
    pub fn reset(&mut self) {
        match &mut self.decoder {
            Decoder::Symphonia(decoder) => decoder.reset(),
            Decoder::Vorbis(stream) => stream.reset(),
            // It hides losses by itself.
            Decoder::Opus(_) => {}
        }
    }
}

/// Whether the checksum at the end of a FLAC frame is that of the frame (RFC 9639, section 9.3).
fn has_flac_checksum(frame: &[u8]) -> bool {
    let Some((content, stated)) = frame.split_last_chunk::<2>() else { return false };
    let mut checksum = Crc16Ansi::new(0);
    checksum.process_buf_bytes(content);
    checksum.crc() == u16::from_be_bytes(*stated)
}

/// What a decoder says about a packet, without the kind of the error, which is always the same.
fn reason(error: DecodeError) -> String {
    match error {
        DecodeError::DecodeError(reason) | DecodeError::Unsupported(reason) => reason.into(),
        error => error.to_string(),
    }
}

fn name(parameters: &AudioCodecParameters) -> String {
    let known = match parameters.codec {
        CODEC_ID_AAC => "AAC",
        CODEC_ID_AC3 => "AC-3",
        CODEC_ID_ALAC => "ALAC",
        CODEC_ID_EAC3 => "E-AC-3",
        CODEC_ID_FLAC => "FLAC",
        CODEC_ID_MP1 => "MP1",
        CODEC_ID_MP2 => "MP2",
        CODEC_ID_MP3 => "MP3",
        CODEC_ID_OPUS => "Opus",
        CODEC_ID_VORBIS => "Vorbis",
        other => {
            let registered = symphonia::default::get_codecs().get_audio_decoder(other);
            return registered.map_or_else(|| other.to_string(), |decoder| decoder.codec.info.long_name.to_owned());
        }
    };
    let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count());
    match known {
        "AAC" if channels > 2 => format!("AAC with {channels} channels"),
        known => known.into(),
    }
}

/// What keeps the precision of a codec. Lossy ones have no number of bits, whatever their files say.
fn encoding(parameters: &AudioCodecParameters) -> Encoding {
    let bits = parameters.bits_per_sample.or(parameters.bits_per_coded_sample);
    match parameters.codec {
        CODEC_ID_FLAC => Encoding::of_integers(bits.unwrap_or(16)),
        // ALACSpecificConfig: a frame length of 4 bytes, a version, the number of bits.
        CODEC_ID_ALAC => {
            let bits = parameters.extra_data.as_deref().and_then(|config| config.get(5));
            Encoding::of_integers(bits.map_or(16, |&bits| bits.into()))
        }
        codec => {
            let registered = symphonia::default::get_codecs().get_audio_decoder(codec);
            match registered.map(|decoder| decoder.codec.info.short_name) {
                Some(name) if name.starts_with("pcm_f") => Encoding::Float32,
                Some(name) if name.starts_with("pcm_s") || name.starts_with("pcm_u") => {
                    Encoding::of_integers(bits.unwrap_or(16))
                }
                _ => Encoding::Pcm16,
            }
        }
    }
}
