//! Any recording, block by block.

use std::io::{Seek, SeekFrom};

use crate::bytes::read_at;
use crate::content::{Block, ByteSource, Opened};
use crate::error::{Error, Result};
use crate::format::{Damage, Format};
use crate::window::SourceWindow;
use crate::{aiff, au, mpeg, packets, riff, signature};

/// A recording being read.
pub struct Reader(Opened);

impl Reader {
    /// Reads as much of a recording as shows its format. The bytes decide the format; names do not matter.
    ///
    /// # Errors
    /// When the bytes are no recording, its codec is not supported, or the source fails.
    pub fn new(source: impl ByteSource + 'static) -> Result<Self> {
        let mut source: Box<dyn ByteSource> = Box::new(source);
        let all_bytes = source.seek(SeekFrom::End(0))?;
        if all_bytes == 0 {
            return Err(Error::Empty);
        }
        let mut range = 0..all_bytes;
        let mut start = read_at(&mut source, 0, 16)?;
        // Tags of MP3 files are found in front of others, too.
        if let Some(tag_bytes) = mpeg::tag_bytes(&start).filter(|&bytes| bytes < all_bytes) {
            start = read_at(&mut source, tag_bytes, 16)?;
            range.start = tag_bytes;
        }
        let file_bytes = range.end - range.start;
        let part = || SourceWindow::new(source, [range]).map(|window| Box::new(window) as Box<dyn ByteSource>);
        let opened = match &*start {
            start if riff::is_wave(start) => riff::open(part()?, file_bytes),
            start if aiff::is_aiff(start) => aiff::open(part()?, file_bytes),
            start if start.starts_with(b".snd") => au::open(part()?, file_bytes),
            start if packets::is_known(start) => packets::open(part()?, file_bytes),
            start => mpeg::open(part()?).map_err(|error| match error {
                Error::UnknownFormat => signature::refusal(start),
                error => error,
            }),
        };
        let mut opened = opened?;
        if file_bytes < all_bytes {
            opened.format.metadata.leave_out("ID3 tags");
        }
        Ok(Self(opened))
    }

    /// What is known about the recording.
    pub fn format(&self) -> &Format {
        &self.0.format
    }

    /// The next samples of each channel, thousands of them; none at the end.
    ///
    /// What cannot be decoded is silence of the same length, and noted in [`Reader::damage`].
    ///
    /// # Errors
    /// When the source fails, or rate or number of channels change.
    pub fn read(&mut self) -> Result<Option<Block>> {
        self.0.content.read()
    }

    /// What could not be decoded of the part read so far, in order. All of it is known after [`Reader::read`] gave none.
    pub fn damage(&self) -> &[Damage] {
        self.0.content.damage()
    }
}
