//! WAV files and their relatives for more than 4 GiB: RF64, BW64, Wave64.

mod chunks;
mod codec;
mod metadata;

use crate::content::{ByteSource, Opened};
use crate::error::Result;
use crate::mpeg;
use crate::samples::StoredRecording;
use crate::window::SourceWindow;
use chunks::Chunks;
use codec::FormatChunk;
pub use codec::TAG_GUID;

/// Whether a file that starts with these bytes is one.
pub fn is_wave(start: &[u8]) -> bool {
    let is_riff = [b"RIFF", b"RF64", b"BW64"].iter().any(|name| start.starts_with(*name));
    is_riff && start.get(8..12) == Some(b"WAVE") || start.starts_with(&chunks::W64_START)
}

/// Opens such a file.
pub fn open(mut source: Box<dyn ByteSource>, file_bytes: u64) -> Result<Opened> {
    let Chunks { container, format, mut place, metadata } = Chunks::read(&mut source, file_bytes)?;
    let FormatChunk { channels, sample_rate_hz, channel_mask, content } = FormatChunk::parse(container, &format)?;
    let codec = match content {
        codec::StoredAs::Samples(codec) => codec,
        codec::StoredAs::Mpeg => {
            let stream = SourceWindow::new(source, [place.bytes])?;
            let mut opened = mpeg::open(Box::new(stream))?;
            (opened.format.container, opened.format.metadata) = (container, metadata);
            return Ok(opened);
        }
    };
    // The number of samples is wrong in many files, and needed only where the last block has more.
    if codec.block_length == 1 {
        place.most = None;
    }
    StoredRecording { container, sample_rate_hz, channels, channel_mask, codec, place, metadata }.open(source)
}
