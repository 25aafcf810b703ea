//! Files that are written in blocks and handed to the browser in parts: our own memory holds little of them.

use std::io::{self, Seek, SeekFrom, Write};

/// Bytes that are handed over at a time.
const PART_BYTES: usize = 1 << 20;

/// A file being written: complete parts go to `hand_over`. Only its beginning can be written again.
pub struct PartWriter<F: FnMut(&[u8])> {
    hand_over: F,
    /// The first part, kept until the end: a header is there.
    head: Vec<u8>,
    tail: Vec<u8>,
    length: u64,
    position: u64,
}

impl<F: FnMut(&[u8])> PartWriter<F> {
    /// An empty file. `hand_over` gets all of its bytes in order, except those of the first part.
    pub fn new(hand_over: F) -> Self {
        Self { hand_over, head: Vec::new(), tail: Vec::new(), length: 0, position: 0 }
    }

    /// Hands over the rest, and gives what comes before everything that was handed over.
    pub fn finish(mut self) -> Vec<u8> {
        if !self.tail.is_empty() {
            (self.hand_over)(&self.tail);
        }
        self.head
    }
}

impl<F: FnMut(&[u8])> Write for PartWriter<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Not as an index: that has 32 bits in the browser.
        let count = if self.position < self.head.len() as u64 {
            let start = self.position as usize;
            let count = bytes.len().min(self.head.len() - start);
            self.head[start..start + count].copy_from_slice(&bytes[..count]);
            count
        } else if self.position != self.length {
            return Err(io::Error::other("only the first part can be written again"));
        } else if self.head.len() < PART_BYTES {
            self.head.extend_from_slice(bytes);
            bytes.len()
        } else {
            self.tail.extend_from_slice(bytes);
            if self.tail.len() >= PART_BYTES {
                (self.hand_over)(&self.tail);
                self.tail.clear();
            }
            bytes.len()
        };
        self.position += count as u64;
        self.length = self.length.max(self.position);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(&[u8])> Seek for PartWriter<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = media::sought(to, self.position, self.length)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Encoding, Spec, Writer};

    #[test]
    fn a_wav_file_in_parts_is_the_same_file() {
        let samples: Vec<f32> = (0..900_000).map(|i| (i % 1000) as f32 / 1000.0).collect();
        for length in [10, 900_000] {
            let (channels, channel_mask, encoding) = (1, None, Encoding::Pcm24);
            let spec = Spec { sample_rate_hz: 16_000, channels, channel_mask, encoding, metadata: Default::default() };
            let mut later = Vec::new();
            let mut parts = PartWriter::new(|bytes: &[u8]| later.extend_from_slice(bytes));
            let mut writer = Writer::new(&mut parts, &spec, Some(length as u64)).expect("a header");
            for block in samples[..length].chunks(70_001) {
                writer.write(&[block]).expect("fits");
            }
            writer.finish().expect("written");
            let mut whole = parts.finish();
            whole.extend(later);
            assert!(whole == media::encode(&[&samples[..length]], &spec).expect("fits"), "{length}");
        }
    }

    #[test]
    fn what_was_handed_over_cannot_be_written_again() {
        let mut parts = PartWriter::new(|_| ());
        parts.write_all(&vec![0; 3 * PART_BYTES]).expect("written");
        parts.write_all(&vec![0; PART_BYTES]).expect("written");
        parts.seek(SeekFrom::Start(3 * PART_BYTES as u64 + 5)).expect("a place in the file");
        parts.write_all(&[1]).expect_err("too late");
        parts.seek(SeekFrom::Current(-(4 << 20))).expect_err("before the start");
    }
}
