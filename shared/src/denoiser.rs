//! A network that is ready to denoise recordings.

use burn::prelude::*;

use crate::audio::Audio;
use crate::bundle::Bundle;
use crate::error::{Error, Result};
use crate::nn::{Network, NetworkConfig, Phrasing};
use crate::runner::Runner;
#[cfg(not(target_family = "wasm"))]
use crate::stream::ParallelStream;
use crate::stream::{Pieces, Stream, StreamOptions};

/// A network that is ready to denoise. A clone shares the weights.
#[derive(Clone, Debug)]
pub struct Denoiser<B: Backend> {
    runner: Runner<B>,
    options: StreamOptions,
}

impl<B: Backend> Denoiser<B> {
    /// A denoiser from a bundle, its weights on `device`. `phrasing` is what suits the backend: [`Phrasing::Products`] for Burn's
    /// CPU backend, [`Phrasing::Convolutions`] for graphics processors.
    ///
    /// # Errors
    /// As [`Bundle::network`].
    pub fn new(bundle: &Bundle, phrasing: Phrasing, device: B::Device) -> Result<Self> {
        let runner = Runner::from_bundle(bundle, phrasing, device)?;
        Ok(Self { runner, options: StreamOptions::default() })
    }

    /// A denoiser from a network of the given shape that works at `sample_rate_hz`.
    pub fn from_network(
        network: Network<B>,
        config: NetworkConfig,
        sample_rate_hz: u32,
        phrasing: Phrasing,
        device: B::Device,
    ) -> Self {
        let runner = Runner::new(network, config, sample_rate_hz, phrasing, device);
        Self { runner, options: StreamOptions::default() }
    }

    /// The same network, used otherwise.
    pub fn with_options(self, options: StreamOptions) -> Self {
        Self { options, ..self }
    }

    /// How recordings are denoised.
    pub fn options(&self) -> StreamOptions {
        self.options
    }

    /// The network's shape.
    pub fn config(&self) -> &NetworkConfig {
        self.runner.config()
    }

    /// Sampling rate that the network works at, in Hz.
    pub fn sample_rate_hz(&self) -> u32 {
        self.runner.sample_rate_hz()
    }

    /// A recording that comes bit by bit.
    ///
    /// # Errors
    /// When the rate is outside [`crate::audio::MIN_SAMPLE_RATE_HZ`]`..=`[`crate::audio::MAX_SAMPLE_RATE_HZ`], there is no
    /// channel, or an option is outside its range.
    pub fn stream(&self, sample_rate_hz: u32, channels: usize) -> Result<Stream<B>> {
        Stream::new(self.runner.clone(), self.options, sample_rate_hz, channels)
    }

    /// The same for files: on all threads of the current rayon pool.
    ///
    /// # Errors
    /// As [`Denoiser::stream`].
    #[cfg(not(target_family = "wasm"))]
    pub fn parallel_stream(&self, sample_rate_hz: u32, channels: usize) -> Result<ParallelStream<B>> {
        ParallelStream::new(self.runner.clone(), self.options, sample_rate_hz, channels)
    }

    /// Denoises a whole recording: rate, channels and length of the result are those of the input, and so is what lies above
    /// half the network's rate, as far as it isn't noise. See [`crate::stream`] for what is done to it.
    ///
    /// Every now and then `progress` is called with the share that is done, 0 to 1.
    ///
    /// # Errors
    /// When an option is outside its range, the output is not finite, or the device fails.
    pub async fn denoise(&self, audio: &Audio, mut progress: impl FnMut(f64)) -> Result<Audio> {
        let mut stream = self.stream(audio.sample_rate_hz(), audio.channels().len())?;
        let mut channels: Vec<Vec<f32>> =
            audio.channels().iter().map(|channel| Vec::with_capacity(channel.len())).collect();
        let mut append = |blocks: Vec<Vec<f32>>| {
            for (channel, block) in channels.iter_mut().zip(blocks) {
                channel.extend(block);
            }
            progress(channels[0].len() as f64 / audio.len() as f64);
        };
        let second = audio.sample_rate_hz() as usize;
        for start in (0..audio.len()).step_by(second) {
            let end = (start + second).min(audio.len());
            let block: Vec<&[f32]> = audio.channels().iter().map(|channel| &channel[start..end]).collect();
            append(stream.push(&block).await?);
        }
        append(stream.flush().await?);
        Audio::new(audio.sample_rate_hz(), channels).map_err(|_| Error::NotFinite)
    }

    /// [`Denoiser::denoise`] for programs that are not asynchronous: waits for the device.
    ///
    /// # Errors
    /// As [`Denoiser::denoise`].
    #[cfg(not(target_family = "wasm"))]
    pub fn denoise_blocking(&self, audio: &Audio, progress: impl FnMut(f64)) -> Result<Audio> {
        pollster::block_on(self.denoise(audio, progress))
    }

    /// The network's output for a whole signal at its own rate and level, computed in pieces that join to what the whole signal
    /// would have given.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn pieces(&self, signal: &[f32], mut progress: impl FnMut(f64)) -> Result<Vec<f32>> {
        let mut pieces = Pieces::new(self.config(), self.options.piece_length);
        pieces.input().extend_from_slice(signal);
        let mut output = Vec::with_capacity(signal.len());
        let mut memory = self.runner.memory();
        while let Some((seen, range)) = pieces.next(true) {
            let piece = &self.runner.run(seen.to_vec(), memory.as_mut()).await?[range];
            if !piece.is_empty() {
                output.extend_from_slice(piece);
                progress(output.len() as f64 / signal.len() as f64);
            }
        }
        Ok(output)
    }

    /// [`Denoiser::pieces`] for programs that are not asynchronous: waits for the device.
    ///
    /// # Errors
    /// As [`Denoiser::pieces`].
    #[cfg(not(target_family = "wasm"))]
    pub fn pieces_blocking(&self, signal: &[f32], progress: impl FnMut(f64)) -> Result<Vec<f32>> {
        pollster::block_on(self.pieces(signal, progress))
    }
}
