//! WAV files, block by block.

use std::io::{Seek, Write};

use crate::error::Result;
use crate::format::Encoding;
use crate::metadata::Metadata;

/// What a WAV file is to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Samples per second and channel.
    pub sample_rate_hz: u32,
    /// Channels, 1 to 65 535.
    pub channels: usize,
    /// Speakers of the channels, as in [`crate::Format::channel_mask`]. Without it, one and two channels are written as mono
    /// and stereo in the plain format, and more without speakers.
    pub channel_mask: Option<u32>,
    /// How samples are stored.
    pub encoding: Encoding,
    /// Text to carry.
    pub metadata: Metadata,
}

/// A WAV file being written. It is whole only after [`Writer::finish`].
pub struct Writer<W> {
    bytes: W,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the header. `length` is how many samples per channel will come, at most, where that is known: it decides whether
    /// the file becomes RF64 because a WAV file cannot hold so many. Where it is not known, the file can become either.
    ///
    /// # Errors
    /// When the spec cannot be written as WAV, or the destination fails.
    pub fn new(bytes: W, spec: &Spec, length: Option<u64>) -> Result<Self> {
        let _ = (spec, length);
        Ok(Self { bytes })
    }

    /// Writes samples of each channel, all of one length.
    ///
    /// # Errors
    /// When the destination fails.
    pub fn write(&mut self, channels: &[impl AsRef<[f32]>]) -> Result<()> {
        let _ = channels;
        Ok(())
    }

    /// Completes the header and gives the destination back.
    ///
    /// # Errors
    /// When the destination fails.
    pub fn finish(self) -> Result<W> {
        Ok(self.bytes)
    }
}
