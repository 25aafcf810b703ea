//! Parts of a source, one after the other, as a source of their own.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::bytes::sought;
use crate::content::ByteSource;

/// Parts of a source.
pub struct SourceWindow {
    source: Box<dyn ByteSource>,
    parts: Vec<WindowPart>,
    bytes: u64,
    position: u64,
}

struct WindowPart {
    /// Where it is in the source.
    range: Range<u64>,
    /// Bytes of the parts before it.
    before: u64,
}

impl SourceWindow {
    /// The bytes of `source` in these ranges, one after the other.
    pub fn new(source: Box<dyn ByteSource>, ranges: impl IntoIterator<Item = Range<u64>>) -> io::Result<Self> {
        let mut bytes = 0;
        let part = |range: Range<u64>| {
            let before = bytes;
            bytes += range.end - range.start;
            WindowPart { range, before }
        };
        let parts = ranges.into_iter().map(part).collect();
        let mut window = Self { source, parts, bytes, position: 0 };
        window.rewind()?;
        Ok(window)
    }

    /// Bytes of all parts.
    pub fn length(&self) -> u64 {
        self.bytes
    }

    /// The place in the source that the position is at, and how many bytes follow in the same part.
    fn place(&self) -> Option<(u64, u64)> {
        let index = self.parts.partition_point(|part| part.before <= self.position);
        let WindowPart { range, before } = self.parts.get(index.checked_sub(1)?)?;
        let place = range.start + (self.position - before);
        (place < range.end).then(|| (place, range.end - place))
    }
}

impl Read for SourceWindow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((_, left)) = self.place() else { return Ok(0) };
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.source.read(&mut buffer[..most])?;
        self.position += count as u64;
        if count as u64 == left {
            // The next part is elsewhere.
            if let Some((place, _)) = self.place() {
                self.source.seek(SeekFrom::Start(place))?;
            }
        }
        Ok(count)
    }
}

impl Seek for SourceWindow {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.bytes)?;
        if let Some((place, _)) = self.place() {
            self.source.seek(SeekFrom::Start(place))?;
        }
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn parts_are_read_as_one() {
        let mut window =
            SourceWindow::new(Box::new(Cursor::new(*b"0123456789")), [1..3, 5..5, 6..9]).expect("a source");
        let mut rest = |from: SeekFrom| {
            let mut bytes = Vec::new();
            window.seek(from).and_then(|_| window.read_to_end(&mut bytes)).expect("within it");
            bytes
        };
        assert_eq!(rest(SeekFrom::Start(0)), b"12678");
        assert_eq!(rest(SeekFrom::Start(3)), b"78");
        assert_eq!(rest(SeekFrom::End(-1)), b"8");
        assert_eq!(rest(SeekFrom::Start(9)), b"");
        window.seek(SeekFrom::Current(-20)).expect_err("before the start");
    }
}
