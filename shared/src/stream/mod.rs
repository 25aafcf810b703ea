//! Denoising a recording of any length as it comes, in constant memory.
//!
//! Blocks of any size go in; out comes the same recording without its noise, sample for sample, some [`Stream::latency`] later.
//! On the way each channel is
//!
//! 1. brought to the network's rate ([`crate::resample`]) and to the level at which it was trained (`level`),
//! 2. cut into pieces that join to what the network would have made of the whole signal (`pieces`): with its whole receptive field
//!    around them, or, for a recurrent network, which remembers what was before, as they are,
//! 3. brought back, with what lies above the network's band attenuated as the octave under it was (`upper_band`),
//! 4. mixed with the input as far as the attenuation limit says, and silent where the input is (`silence`).

mod channel;
mod level;
mod options;
#[cfg(not(target_family = "wasm"))]
mod parallel;
mod pieces;
mod silence;
mod upper_band;

use burn::prelude::*;

pub use options::{MAX_ATTENUATION_DB, StreamOptions};
#[cfg(not(target_family = "wasm"))]
pub use parallel::ParallelStream;
pub(crate) use pieces::Pieces;

use crate::audio::{check_channels, check_rate};
use crate::error::{Error, Result};
use crate::nn::Memory;
use crate::runner::Runner;
use channel::{Back, DenoisedPiece, Front, SeenPiece, latency};

/// A recording being denoised. Make one with [`crate::Denoiser::stream`].
pub struct Stream<B: Backend> {
    runner: Runner<B>,
    options: StreamOptions,
    sample_rate_hz: u32,
    channels: Vec<Channel<B>>,
}

/// One channel, before, in and after the network.
struct Channel<B: Backend> {
    front: Front,
    /// What a recurrent network remembers of it.
    memory: Option<Memory<B>>,
    back: Back,
}

impl<B: Backend> Stream<B> {
    pub(crate) fn new(runner: Runner<B>, options: StreamOptions, sample_rate_hz: u32, channels: usize) -> Result<Self> {
        let channels = start(&runner, options, sample_rate_hz, channels)?;
        Ok(Self { runner, options, sample_rate_hz, channels })
    }

    /// Samples per second and channel, in and out.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Samples per channel that are held back, at most: after `n` samples have gone in, `n - latency` at least have come out.
    pub fn latency(&self) -> usize {
        self.channels.iter().map(|channel| latency(&channel.front, &channel.back)).max().unwrap_or(0)
    }

    /// Takes a block of each channel, all of one length, any length. Gives what is denoised of each, all of one length again.
    ///
    /// # Errors
    /// When the number of channels is another, they differ in length, or a sample is not finite: nothing was taken. When the
    /// device fails: [`Stream::reset`] before going on.
    pub async fn push(&mut self, block: &[impl AsRef<[f32]>]) -> Result<Vec<Vec<f32>>> {
        check_block(block, self.channels.len())?;
        let mut output = vec![Vec::new(); block.len()];
        for ((Channel { front, memory, back }, samples), output) in self.channels.iter_mut().zip(block).zip(&mut output)
        {
            let samples = samples.as_ref();
            let denoised = through(&self.runner, front.push(samples), memory.as_mut()).await?;
            back.push(samples, denoised, output);
        }
        Ok(output)
    }

    /// What was held back, as the recording ends here; then the stream is as new.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn flush(&mut self) -> Result<Vec<Vec<f32>>> {
        let mut output = vec![Vec::new(); self.channels.len()];
        for (Channel { front, memory, back }, output) in self.channels.iter_mut().zip(&mut output) {
            let denoised = through(&self.runner, front.flush(), memory.as_mut()).await?;
            back.push(&[], denoised, output);
            back.flush(output);
        }
        self.reset();
        Ok(output)
    }

    /// [`Stream::push`] for programs that are not asynchronous: waits for the device.
    ///
    /// # Errors
    /// As [`Stream::push`].
    #[cfg(not(target_family = "wasm"))]
    pub fn push_blocking(&mut self, block: &[impl AsRef<[f32]>]) -> Result<Vec<Vec<f32>>> {
        pollster::block_on(self.push(block))
    }

    /// [`Stream::flush`] for programs that are not asynchronous: waits for the device.
    ///
    /// # Errors
    /// As [`Stream::flush`].
    #[cfg(not(target_family = "wasm"))]
    pub fn flush_blocking(&mut self) -> Result<Vec<Vec<f32>>> {
        pollster::block_on(self.flush())
    }

    /// Forgets all that went in.
    pub fn reset(&mut self) {
        let channels = start(&self.runner, self.options, self.sample_rate_hz, self.channels.len());
        self.channels = channels.expect("what was taken before");
    }
}

fn check_block(block: &[impl AsRef<[f32]>], channels: usize) -> Result<()> {
    if block.len() != channels {
        return Err(Error::audio("channels", channels.to_string(), block.len()));
    }
    check_channels(block)
}

/// The start of a recording.
///
/// # Errors
/// As [`crate::Denoiser::stream`].
fn start<B: Backend>(
    runner: &Runner<B>,
    options: StreamOptions,
    sample_rate_hz: u32,
    channels: usize,
) -> Result<Vec<Channel<B>>> {
    options.validate()?;
    check_rate(sample_rate_hz)?;
    if channels == 0 {
        return Err(Error::audio("channels", "at least 1", 0));
    }
    let channel = |_| {
        Ok(Channel {
            front: Front::new(runner, options, sample_rate_hz)?,
            memory: runner.memory(),
            back: Back::new(runner, options, sample_rate_hz)?,
        })
    };
    (0..channels).map(channel).collect()
}

/// Takes pieces through the network, one after the other.
async fn through<B: Backend>(
    runner: &Runner<B>,
    pieces: Vec<SeenPiece>,
    mut memory: Option<&mut Memory<B>>,
) -> Result<Vec<DenoisedPiece>> {
    let mut denoised = Vec::with_capacity(pieces.len());
    for piece in pieces {
        denoised.push(piece.denoise(runner, memory.as_deref_mut()).await?);
    }
    Ok(denoised)
}
