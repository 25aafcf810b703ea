//! Sun and NeXT's AU files (`.au`, `.snd`).

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_PCM_ALAW, CODEC_ID_PCM_F32BE, CODEC_ID_PCM_F64BE, CODEC_ID_PCM_MULAW, CODEC_ID_PCM_S8, CODEC_ID_PCM_S16BE,
    CODEC_ID_PCM_S24BE, CODEC_ID_PCM_S32BE,
};

use crate::bytes::{read_at, u32_be};
use crate::content::{ByteSource, Opened};
use crate::error::{Error, Result};
use crate::samples::{SampleCodec, SamplePlace, StoredRecording};

const CONTAINER: &str = "AU";

/// Opens a file that starts with `.snd`.
pub fn open(mut source: Box<dyn ByteSource>, file_bytes: u64) -> Result<Opened> {
    let header = read_at(&mut source, 0, 24)?;
    if header.len() < 24 {
        return Err(Error::Malformed { container: CONTAINER, reason: "its header is cut off".into() });
    }
    let [start, size, encoding, sample_rate_hz, channels] = [4, 8, 12, 16, 20].map(|offset| u32_be(&header, offset));
    let channels = channels as usize;
    let codec = match encoding {
        1 => SampleCodec::plain("mu-law", CODEC_ID_PCM_MULAW, 1, channels, 16),
        2 => SampleCodec::plain("8-bit PCM", CODEC_ID_PCM_S8, 1, channels, 8),
        3 => SampleCodec::plain("16-bit PCM", CODEC_ID_PCM_S16BE, 2, channels, 16),
        4 => SampleCodec::plain("24-bit PCM", CODEC_ID_PCM_S24BE, 3, channels, 24),
        5 => SampleCodec::plain("32-bit PCM", CODEC_ID_PCM_S32BE, 4, channels, 32),
        6 => SampleCodec::float(CODEC_ID_PCM_F32BE, 4, channels),
        7 => SampleCodec::float(CODEC_ID_PCM_F64BE, 8, channels),
        27 => SampleCodec::plain("A-law", CODEC_ID_PCM_ALAW, 1, channels, 16),
        other => {
            let codec = format!("number {other}");
            return Err(Error::UnsupportedCodec { container: CONTAINER, codec });
        }
    };
    let start = u64::from(start).clamp(24, file_bytes.max(24));
    let there = file_bytes.saturating_sub(start);
    // A size of all ones means "all there is".
    let size = if size == u32::MAX { there } else { u64::from(size) };
    let place =
        SamplePlace { bytes: start..start + size.min(there), missing_bytes: size.saturating_sub(there), most: None };
    StoredRecording {
        container: CONTAINER,
        sample_rate_hz,
        channels,
        channel_mask: None,
        codec,
        place,
        metadata: Default::default(),
    }
    .open(source)
}
