//! A source that seems to go on after its end, for readers that refuse a file because it is cut off.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use symphonia::core::io::MediaSource;

use crate::bytes::sought;
use crate::content::ByteSource;

/// Most zeros that are given: more than a packet has, which is as far as anybody reads on.
const MAX_ZEROS: u64 = 1 << 23;

/// A source, and zeros after it.
pub struct Padded {
    source: Box<dyn ByteSource>,
    /// Bytes that are there.
    real_bytes: u64,
    /// Bytes that it seems to have.
    bytes: u64,
    position: u64,
    /// Zeros that may still be given: broken sizes must not have memory filled with them.
    zeros_left: u64,
    past_end: Arc<AtomicBool>,
    /// Bytes that are read as others than are there, and where.
    patch: Option<(u64, Vec<u8>)>,
}

/// How long a file says that it is.
pub struct StatedExtent {
    /// Bytes it says it has; at least those it has.
    pub bytes: u64,
    /// Bytes to read in place of others, and where: for readers that refuse what the file says.
    pub patch: Option<(u64, Vec<u8>)>,
}

impl Padded {
    /// `source` with its `real_bytes`, and zeros up to `extent`, unless that has a patch by which the end is no surprise.
    pub fn new(mut source: Box<dyn ByteSource>, real_bytes: u64, extent: StatedExtent) -> io::Result<Self> {
        source.rewind()?;
        let StatedExtent { bytes, patch } = extent;
        let bytes = if patch.is_some() { real_bytes } else { bytes.max(real_bytes) };
        Ok(Self { source, real_bytes, bytes, position: 0, zeros_left: MAX_ZEROS, past_end: Arc::default(), patch })
    }

    /// Becomes true once zeros after the end have been read, ahead of time perhaps.
    pub fn past_end(&self) -> Arc<AtomicBool> {
        self.past_end.clone()
    }

    /// Puts the patch over what was read from the current position on.
    fn patch(&self, read: &mut [u8]) {
        let Some((place, patch)) = &self.patch else { return };
        for (at, byte) in (*place..).zip(patch) {
            let there = at.checked_sub(self.position).and_then(|index| read.get_mut(usize::try_from(index).ok()?));
            if let Some(there) = there {
                *there = *byte;
            }
        }
    }
}

impl Read for Padded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = |left: u64| buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = if self.position < self.real_bytes {
            let most = most(self.real_bytes - self.position);
            match self.source.read(&mut buffer[..most])? {
                0 if most > 0 => return Err(io::Error::other("the file is shorter than it was")),
                count => {
                    self.patch(&mut buffer[..count]);
                    count
                }
            }
        } else {
            let count = most(self.bytes.saturating_sub(self.position).min(self.zeros_left));
            buffer[..count].fill(0);
            self.zeros_left -= count as u64;
            if count > 0 {
                self.past_end.store(true, Ordering::Relaxed);
            }
            count
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Padded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.bytes)?;
        self.source.seek(SeekFrom::Start(self.position.min(self.real_bytes)))?;
        Ok(self.position)
    }
}

impl MediaSource for Padded {
    /// A file with a patch is read from front to back: its index is beyond its end.
    fn is_seekable(&self) -> bool {
        self.patch.is_none()
    }

    fn byte_len(&self) -> Option<u64> {
        self.is_seekable().then_some(self.bytes)
    }
}
