//! Denoising a recording of any length as it comes, in constant memory.
//!
//! Blocks of any size go in; out comes the same recording without its noise, sample for sample, some [`Stream::latency`] later.
//! On the way each channel is
//!
//! 1. brought to the network's rate ([`crate::resample`]) and to the level at which it was trained ([`level`]),
//! 2. cut into pieces with the network's whole receptive field around them, so that they join to what it would have made of the
//!    whole signal (`pieces`),
//! 3. brought back, with what lies above the network's band attenuated as the octave under it was (`upper_band`),
//! 4. mixed with the input as far as the attenuation limit says, and silent where the input is (`silence`).

mod channel;
pub mod level;
#[cfg(not(target_family = "wasm"))]
mod parallel;
mod pieces;
mod silence;
mod upper_band;

use burn::prelude::*;

#[cfg(not(target_family = "wasm"))]
pub use parallel::ParallelStream;
pub(crate) use pieces::Pieces;

use crate::audio::{check_channels, check_rate};
use crate::error::{Error, Result};
use crate::pipeline::Denoiser;
use channel::{Back, Denoised, Front, Piece, latency};

/// Attenuation limit from which on nothing of the noise is kept, in dB.
pub const MAX_ATTENUATION_DB: f32 = 100.0;

/// How a recording is denoised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// By how many dB noise may be attenuated: 0 leaves the recording as it is, [`MAX_ATTENUATION_DB`] removes all that the
    /// network takes for noise. In between, `10^(-limit / 20)` of what it removes stays, in phase.
    pub attenuation_limit_db: f32,
    /// Samples at the network's rate that it denoises at a time, at least, apart from the context around them. Fewer mean less
    /// latency and memory, and more work for the context.
    pub piece_length: usize,
    /// How far ahead the level is measured, in seconds from 0.
    pub lookahead_seconds: f64,
}

impl Default for Options {
    /// For files: all noise removed, 8 s at 16 kHz at a time, levels measured 4 s ahead.
    fn default() -> Self {
        Self { attenuation_limit_db: MAX_ATTENUATION_DB, piece_length: 128_000, lookahead_seconds: 4.0 }
    }
}

impl Options {
    /// Checks the ranges given at the fields.
    ///
    /// # Errors
    /// When a field is outside its range.
    pub fn validate(&self) -> Result<()> {
        if !(0.0..=MAX_ATTENUATION_DB).contains(&self.attenuation_limit_db) {
            let expected = format!("0 to {MAX_ATTENUATION_DB} dB");
            return Err(Error::config("attenuation_limit_db", expected, self.attenuation_limit_db));
        }
        if !(0.0..=60.0).contains(&self.lookahead_seconds) {
            return Err(Error::config("lookahead_seconds", "0 to 60 s", self.lookahead_seconds));
        }
        Ok(())
    }

    /// Share of what the network removes that stays all the same.
    fn kept(&self) -> f32 {
        match self.attenuation_limit_db {
            MAX_ATTENUATION_DB => 0.0,
            limit_db => crate::audio::db_to_amplitude(-limit_db),
        }
    }
}

/// A recording being denoised. Make one with [`Denoiser::stream`].
pub struct Stream<B: Backend> {
    denoiser: Denoiser<B>,
    sample_rate_hz: u32,
    channels: Vec<(Front, Back)>,
}

impl<B: Backend> Stream<B> {
    pub(crate) fn new(denoiser: Denoiser<B>, sample_rate_hz: u32, channels: usize) -> Result<Self> {
        let channels = start(&denoiser, sample_rate_hz, channels)?;
        Ok(Self { denoiser, sample_rate_hz, channels })
    }

    /// Samples per second and channel, in and out.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Samples per channel that are held back, at most: after `n` samples have gone in, `n - latency` at least have come out.
    pub fn latency(&self) -> usize {
        self.channels.iter().map(|(front, back)| latency(front, back)).max().unwrap_or(0)
    }

    /// Takes a block of each channel, all of one length, any length. Gives what is denoised of each, all of one length again.
    ///
    /// # Errors
    /// When the number of channels is another, they differ in length, or a sample is not finite: nothing was taken. When the
    /// device fails: [`Stream::reset`] before going on.
    pub async fn push(&mut self, block: &[impl AsRef<[f32]>]) -> Result<Vec<Vec<f32>>> {
        check_block(block, self.channels.len())?;
        let mut output = vec![Vec::new(); block.len()];
        for (((front, back), samples), output) in self.channels.iter_mut().zip(block).zip(&mut output) {
            let samples = samples.as_ref();
            let denoised = through(&self.denoiser, front.push(samples)).await?;
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
        for ((front, back), output) in self.channels.iter_mut().zip(&mut output) {
            let denoised = through(&self.denoiser, front.flush()).await?;
            back.push(&[], denoised, output);
            back.flush(output);
        }
        self.reset();
        Ok(output)
    }

    /// Forgets all that went in.
    pub fn reset(&mut self) {
        self.channels = start(&self.denoiser, self.sample_rate_hz, self.channels.len()).expect("what was taken before");
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
/// As [`Denoiser::stream`].
fn start<B: Backend>(denoiser: &Denoiser<B>, sample_rate_hz: u32, channels: usize) -> Result<Vec<(Front, Back)>> {
    denoiser.options().validate()?;
    check_rate(sample_rate_hz)?;
    if channels == 0 {
        return Err(Error::audio("channels", "at least 1", 0));
    }
    let channel = |_| Ok((Front::new(denoiser, sample_rate_hz)?, Back::new(denoiser, sample_rate_hz)?));
    (0..channels).map(channel).collect()
}

/// Takes pieces through the network, one after the other.
async fn through<B: Backend>(denoiser: &Denoiser<B>, pieces: Vec<Piece>) -> Result<Vec<Denoised>> {
    let mut denoised = Vec::with_capacity(pieces.len());
    for piece in pieces {
        denoised.push(piece.denoise(denoiser).await?);
    }
    Ok(denoised)
}
