//! Any recording, block by block.

use std::io::{Read, Seek};

use crate::error::{Error, Result};
use crate::format::{Damage, Format};

/// Samples of each channel in a block, all of one length; full scale is ±1.
pub type Block = Vec<Vec<f32>>;

/// Bytes of a recording: a file, or a browser's blob. Decoders may move it to another thread.
pub trait Source: Read + Seek + Send + Sync {}

impl<T: Read + Seek + Send + Sync> Source for T {}

/// A recording being read.
pub struct Reader {
    format: Format,
}

impl Reader {
    /// Reads as much of a recording as tells its format. The bytes decide the format; names do not matter.
    ///
    /// # Errors
    /// When the bytes are no recording, its codec is not supported, or the source fails.
    pub fn new(source: impl Source + 'static) -> Result<Self> {
        let _ = source;
        Err(Error::UnknownFormat)
    }

    /// What is known about the recording.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// The next samples of each channel, thousands of them; none at the end.
    ///
    /// What cannot be decoded is silence of the same length, and noted in [`Reader::damage`].
    ///
    /// # Errors
    /// When the source fails, or rate or number of channels change.
    pub fn read(&mut self) -> Result<Option<Block>> {
        Ok(None)
    }

    /// What could not be decoded of the part read so far, in order. All of it is known after [`Reader::read`] gave none.
    pub fn damage(&self) -> &[Damage] {
        &[]
    }
}
