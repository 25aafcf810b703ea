//! What a reader of a container takes, and what it gives.

use std::io::{Read, Seek};

use crate::error::Result;
use crate::format::{Damage, Format};

/// Samples of each channel in a block, all of one length; full scale is ±1.
pub type Block = Vec<Vec<f32>>;

/// Bytes of a recording: a file, or a browser's blob. Decoders may move it to another thread.
pub trait ByteSource: Read + Seek + Send + Sync {}

impl<T: Read + Seek + Send + Sync> ByteSource for T {}

/// What is in a container, being decoded.
pub(crate) trait SampleContent: Send {
    /// As [`crate::Reader::read`].
    fn read(&mut self) -> Result<Option<Block>>;

    /// As [`crate::Reader::damage`].
    fn damage(&self) -> &[Damage];
}

/// A recording whose format is known.
pub(crate) struct Opened {
    /// Rate, channels, precision, length and text.
    pub format: Format,
    /// Its sound.
    pub content: Box<dyn SampleContent>,
}
