//! Apple's AIFF and AIFF-C files.

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_PCM_ALAW, CODEC_ID_PCM_F32BE, CODEC_ID_PCM_F64BE, CODEC_ID_PCM_MULAW, CODEC_ID_PCM_S8, CODEC_ID_PCM_S16BE,
    CODEC_ID_PCM_S16LE, CODEC_ID_PCM_S24BE, CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S32BE, CODEC_ID_PCM_S32LE,
    CODEC_ID_PCM_U8,
};

use crate::bytes::{read_at, u16_be, u32_be, u64_be};
use crate::content::{ByteSource, Opened};
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::samples::{SampleCodec, SamplePlace, StoredRecording};

const CONTAINER: &str = "AIFF";
/// Most bytes of a text chunk that is kept.
const MAX_TEXT_BYTES: u64 = 1 << 16;

/// Whether a file that starts with these bytes is one.
pub fn is_aiff(start: &[u8]) -> bool {
    start.starts_with(b"FORM") && matches!(start.get(8..12), Some(b"AIFF" | b"AIFC"))
}

/// Opens such a file.
pub fn open(mut source: Box<dyn ByteSource>, file_bytes: u64) -> Result<Opened> {
    let malformed = |reason: &str| Error::Malformed { container: CONTAINER, reason: reason.into() };
    let (mut common, mut sound) = (None, None);
    let mut metadata = Metadata::default();
    let mut position = 12;
    while position < file_bytes {
        let header = read_at(&mut source, position, 8)?;
        if header.len() < 8 {
            break;
        }
        let (start, size) = (position + 8, u64::from(u32_be(&header, 4)));
        match &header[..4] {
            b"COMM" => common = Some(read_at(&mut source, start, size.min(64) as usize)?),
            b"SSND" => {
                let offset = u64::from(u32_be(&read_at(&mut source, start, 4)?, 0));
                let first = (start + 8).saturating_add(offset).min(file_bytes);
                let end = (start + size).max(first);
                let there = end.min(file_bytes);
                sound = Some(SamplePlace { bytes: first..there, missing_bytes: end - there, most: None });
            }
            name @ (b"NAME" | b"AUTH" | b"ANNO" | b"(c) ") => {
                let text = read_at(&mut source, start, size.min(MAX_TEXT_BYTES) as usize)?;
                let text = String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned();
                let info = match name {
                    b"NAME" => *b"INAM",
                    b"AUTH" => *b"IART",
                    b"ANNO" => *b"ICMT",
                    _ => *b"ICOP",
                };
                metadata.info.push((info, text));
            }
            b"ID3 " => metadata.leave_out("ID3 tags"),
            b"MARK" => metadata.leave_out("markers"),
            b"INST" => metadata.leave_out("sampler settings"),
            _ => {}
        }
        position = (start + size).next_multiple_of(2);
    }
    let common = common.filter(|common| common.len() >= 18).ok_or_else(|| malformed("it has no common chunk"))?;
    let (channels, bits) = (usize::from(u16_be(&common, 0)), u16_be(&common, 6));
    let sample_rate_hz = extended(&common[8..18]).ok_or_else(|| malformed("its sampling rate is no number"))?;
    let Some(place) = sound else {
        return Err(malformed("it has no samples; it may be cut off"));
    };
    let mut compression = [0; 4];
    compression.copy_from_slice(common.get(18..22).unwrap_or(b"NONE"));
    let pcm = |ids: [_; 4]| {
        let bytes = u64::from(bits.div_ceil(8)).clamp(1, 4);
        SampleCodec::plain(format!("{bits}-bit PCM"), ids[bytes as usize - 1], bytes, channels, bits.into())
    };
    let codec = match &compression {
        _ if bits > 32 && !matches!(&compression, b"fl64" | b"FL64") => None,
        b"NONE" | b"twos" => Some(pcm([CODEC_ID_PCM_S8, CODEC_ID_PCM_S16BE, CODEC_ID_PCM_S24BE, CODEC_ID_PCM_S32BE])),
        b"sowt" => Some(pcm([CODEC_ID_PCM_S8, CODEC_ID_PCM_S16LE, CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S32LE])),
        b"in24" => Some(SampleCodec::plain("24-bit PCM", CODEC_ID_PCM_S24BE, 3, channels, 24)),
        b"in32" => Some(SampleCodec::plain("32-bit PCM", CODEC_ID_PCM_S32BE, 4, channels, 32)),
        b"raw " => Some(SampleCodec::plain("8-bit PCM", CODEC_ID_PCM_U8, 1, channels, 8)),
        b"fl32" | b"FL32" => Some(SampleCodec::float(CODEC_ID_PCM_F32BE, 4, channels)),
        b"fl64" | b"FL64" => Some(SampleCodec::float(CODEC_ID_PCM_F64BE, 8, channels)),
        b"ulaw" | b"ULAW" => Some(SampleCodec::plain("mu-law", CODEC_ID_PCM_MULAW, 1, channels, 16)),
        b"alaw" | b"ALAW" => Some(SampleCodec::plain("A-law", CODEC_ID_PCM_ALAW, 1, channels, 16)),
        _ => None,
    };
    let codec = codec.ok_or_else(|| Error::UnsupportedCodec {
        container: CONTAINER,
        codec: format!("{:?}, {bits} bits", String::from_utf8_lossy(&compression)),
    })?;
    StoredRecording { container: CONTAINER, sample_rate_hz, channels, channel_mask: None, codec, place, metadata }
        .open(source)
}

/// A sampling rate as an 80-bit floating-point number: sign and exponent in 16 bits, then 64 bits with the one in front.
fn extended(bytes: &[u8]) -> Option<u32> {
    let (exponent, mantissa) = (i32::from(u16_be(bytes, 0)), u64_be(bytes, 2));
    let shift = 16_383 + 63 - exponent;
    let whole = if (0..64).contains(&shift) { mantissa >> shift } else { return None };
    u32::try_from(whole).ok().filter(|&rate_hz| rate_hz > 0)
}
