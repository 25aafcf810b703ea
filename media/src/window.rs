//! A part of a source, as a source of its own.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::reader::Source;

/// A part of a source.
pub struct Window {
    source: Box<dyn Source>,
    range: Range<u64>,
    position: u64,
}

impl Window {
    /// The bytes `range` of `source`.
    pub fn new(mut source: Box<dyn Source>, range: Range<u64>) -> io::Result<Self> {
        source.seek(SeekFrom::Start(range.start))?;
        Ok(Self { source, range, position: 0 })
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = (self.range.end - self.range.start).saturating_sub(self.position);
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.source.read(&mut buffer[..most])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => (self.range.end - self.range.start).checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let absolute = position.and_then(|position| self.range.start.checked_add(position));
        let (Some(position), Some(absolute)) = (position, absolute) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a place before the start or beyond all numbers"));
        };
        self.source.seek(SeekFrom::Start(absolute))?;
        self.position = position;
        Ok(position)
    }
}
