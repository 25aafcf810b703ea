//! The `fmt ` chunk of a WAV file: how its samples are stored.

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS, CODEC_ID_PCM_ALAW, CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64LE,
    CODEC_ID_PCM_MULAW, CODEC_ID_PCM_S16LE, CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S32LE, CODEC_ID_PCM_U8,
};

use crate::bytes::{u16_le, u32_le};
use crate::error::{Error, Result};
use crate::format::Encoding;
use crate::layout;
use crate::samples::SampleCodec;

/// The end of the GUIDs that stand for a format tag (`KSDATAFORMAT_SUBTYPE_*`), after the tag itself.
pub const TAG_GUID: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/// The same for samples of an ambisonic sound field in B-format.
const AMBISONIC_GUID: [u8; 14] = [0, 0, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0];
/// The format tag that says that the tag is in a GUID.
const EXTENSIBLE: u16 = 0xfffe;

/// What the `fmt ` chunk says.
#[derive(Debug, PartialEq)]
pub struct FormatChunk {
    /// Channels, at least 1.
    pub channels: usize,
    /// Samples per second and channel, at least 1.
    pub sample_rate_hz: u32,
    /// Speakers, where the file names one for each channel.
    pub channel_mask: Option<u32>,
    /// How the samples are stored.
    pub content: StoredAs,
}

/// How the samples are stored.
#[derive(Debug, PartialEq)]
pub enum StoredAs {
    /// One after the other.
    Samples(SampleCodec),
    /// As a stream of MPEG audio frames.
    Mpeg,
}

impl FormatChunk {
    /// Reads the chunk's content.
    pub fn parse(container: &'static str, bytes: &[u8]) -> Result<Self> {
        let malformed = |reason: &str| Error::Malformed { container, reason: reason.into() };
        if bytes.len() < 14 {
            return Err(malformed("its format chunk is cut off"));
        }
        let (channels, sample_rate_hz) = (usize::from(u16_le(bytes, 2)), u32_le(bytes, 4));
        let (block_bytes, bits) = (u64::from(u16_le(bytes, 12)), u16_le(bytes, 14));
        if channels == 0 {
            return Err(malformed("it says that it has no channels"));
        }
        let mut tag = u16_le(bytes, 0);
        let (mut channel_mask, mut valid_bits) = (None, bits);
        if tag == EXTENSIBLE {
            let guid = bytes.get(24..40).ok_or_else(|| malformed("its format chunk is cut off"))?;
            tag = u16_le(guid, 0);
            if guid[2..] != TAG_GUID && guid[2..] != AMBISONIC_GUID {
                let codec = guid.iter().map(|byte| format!("{byte:02x}")).collect();
                return Err(Error::UnsupportedCodec { container, codec });
            }
            // Some programs leave the number of valid bits out.
            valid_bits = Some(u16_le(bytes, 18)).filter(|valid| (1..=bits).contains(valid)).unwrap_or(bits);
            channel_mask = layout::checked(u32_le(bytes, 20), channels);
        }
        // The container of a sample is what the blocks have room for. Samples of fewer bits are at its upper end.
        let sample_bytes = match block_bytes / channels as u64 {
            0 => u64::from(bits).div_ceil(8),
            bytes => bytes,
        };
        let unsupported = |codec: String| Error::UnsupportedCodec { container, codec };
        let samples = |codec| Ok(StoredAs::Samples(codec));
        let content = match (tag, sample_bytes) {
            (0x0001, bytes @ 1..=4) => {
                let ids = [CODEC_ID_PCM_U8, CODEC_ID_PCM_S16LE, CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S32LE];
                let name = format!("{valid_bits}-bit PCM");
                samples(SampleCodec::plain(name, ids[bytes as usize - 1], bytes, channels, valid_bits.into()))
            }
            (0x0003, 4) => samples(SampleCodec::float(CODEC_ID_PCM_F32LE, 4, channels)),
            (0x0003, 8) => samples(SampleCodec::float(CODEC_ID_PCM_F64LE, 8, channels)),
            (0x0001, _) => Err(unsupported(format!("{bits}-bit PCM"))),
            (0x0003, _) => Err(unsupported(format!("{bits}-bit float"))),
            (0x0006, _) => samples(SampleCodec::plain("A-law", CODEC_ID_PCM_ALAW, 1, channels, 16)),
            (0x0007, _) => samples(SampleCodec::plain("mu-law", CODEC_ID_PCM_MULAW, 1, channels, 16)),
            (0x0002 | 0x0011, _) if channels > 2 => Err(unsupported(format!("ADPCM with {channels} channels"))),
            // A header of 7 bytes a channel has two samples; then two samples a byte.
            (0x0002, _) => adpcm("MS ADPCM", CODEC_ID_ADPCM_MS, block_bytes, 7, 2, channels, container),
            // A header of 4 bytes a channel has one sample; then words of 8 samples.
            (0x0011, _) => adpcm("IMA ADPCM", CODEC_ID_ADPCM_IMA_WAV, block_bytes, 4, 1, channels, container),
            (0x0050 | 0x0055, _) => Ok(StoredAs::Mpeg),
            (tag, _) => Err(unsupported(name(tag))),
        };
        Ok(Self { channels, sample_rate_hz, channel_mask, content: content? })
    }
}

fn adpcm(
    name: &str,
    id: symphonia::core::codecs::audio::AudioCodecId,
    block_bytes: u64,
    header_bytes: u64,
    header_length: u64,
    channels: usize,
    container: &'static str,
) -> Result<StoredAs> {
    let per_channel = block_bytes / channels as u64;
    let body = per_channel.saturating_sub(header_bytes);
    // IMA interleaves words of 4 bytes.
    let unit = if id == CODEC_ID_ADPCM_IMA_WAV { 4 } else { 1 };
    if body == 0 || !block_bytes.is_multiple_of(channels as u64) || !body.is_multiple_of(unit) {
        let reason = format!("{name} in blocks of {block_bytes} bytes, which cannot be");
        return Err(Error::Malformed { container, reason });
    }
    let block_length = header_length + 2 * body;
    Ok(StoredAs::Samples(SampleCodec { name: name.into(), id, block_bytes, block_length, encoding: Encoding::Pcm16 }))
}

/// Names of the codecs that are met in WAV files and not read here (from Microsoft's `mmreg.h`).
fn name(tag: u16) -> String {
    let known = match tag {
        0x0010 => "OKI ADPCM",
        0x0022 => "TrueSpeech",
        0x0031 => "GSM 6.10",
        0x0040 | 0x0045 | 0x0064 | 0x0140 => "G.726 ADPCM",
        0x0042 => "G.723.1",
        0x0065 | 0x028f => "G.722",
        0x0069 => "IMA ADPCM of the Xbox",
        0x0083 => "G.729",
        0x0092 | 0x2000 => "AC-3",
        0x00ff | 0x1600 | 0x1601 | 0x1610 => "AAC",
        0x0130 => "Sipro ACELP",
        0x0160..=0x0163 => "Windows Media Audio",
        0x0270 => "ATRAC3",
        0x2001 => "DTS",
        0x674f..=0x6771 => "Vorbis",
        0x704f => "Opus",
        0xa109 => "Speex",
        0xf1ac => "FLAC",
        _ => return format!("number 0x{tag:04x}"),
    };
    known.into()
}
