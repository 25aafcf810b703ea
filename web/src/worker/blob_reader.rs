//! A file of the browser's, read in blocks as if it were on a disk.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use web_sys::{Blob, FileReaderSync};

/// Bytes that are asked of the browser at a time.
const BLOCK_BYTES: u64 = 1 << 18;

thread_local! {
    /// The files that are open. Decoders want readers that may go to other threads, which the browser's objects may
    /// not: readers hold a number in place of them.
    static BLOBS: RefCell<HashMap<u32, Blob>> = RefCell::default();
    static NEXT: Cell<u32> = const { Cell::new(0) };
}

/// A file being read. One block of it is in memory.
pub struct BlobReader {
    number: u32,
    length: u64,
    position: u64,
    block: Vec<u8>,
    block_start: u64,
}

impl BlobReader {
    /// Opens a file at its start.
    pub fn open(blob: &Blob) -> Self {
        let number = NEXT.replace(NEXT.get().wrapping_add(1));
        BLOBS.with_borrow_mut(|blobs| blobs.insert(number, blob.clone()));
        Self { number, length: blob.size() as u64, position: 0, block: Vec::new(), block_start: 0 }
    }

    /// Has the browser read the block around the position.
    fn load(&mut self) -> io::Result<()> {
        let start = self.position / BLOCK_BYTES * BLOCK_BYTES;
        let end = (start + BLOCK_BYTES).min(self.length);
        let blob = BLOBS.with_borrow(|blobs| blobs.get(&self.number).cloned());
        let blob = blob.ok_or_else(|| io::Error::other("the file was closed"))?;
        // Throws when the file was changed or removed meanwhile.
        let buffer = blob
            .slice_with_f64_and_f64(start as f64, end as f64)
            .and_then(|part| FileReaderSync::new()?.read_as_array_buffer(&part))
            .map_err(|_| io::Error::other("the browser cannot read the file any more"))?;
        (self.block, self.block_start) = (Uint8Array::new(&buffer).to_vec(), start);
        if self.block.len() as u64 != end - start {
            return Err(io::Error::other("the file is shorter than it was"));
        }
        Ok(())
    }

    /// What of the block lies at the position and after it.
    fn ahead(&self) -> &[u8] {
        let index = self.position.checked_sub(self.block_start).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.block.get(index..)).unwrap_or_default()
    }
}

impl Drop for BlobReader {
    fn drop(&mut self) {
        BLOBS.with_borrow_mut(|blobs| blobs.remove(&self.number));
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead().is_empty() && self.position < self.length {
            self.load()?;
        }
        let ahead = self.ahead();
        let count = ahead.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ahead[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = media::sought(to, self.position, self.length)?;
        Ok(self.position)
    }
}
