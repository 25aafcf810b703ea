//! A network that is ready to denoise recordings.

use burn::prelude::*;

use crate::audio::Audio;
use crate::bundle::Bundle;
use crate::error::{Error, Result};
use crate::nn::{InferenceNetwork, Network, NetworkConfig, Phrasing};
#[cfg(not(target_family = "wasm"))]
use crate::stream::ParallelStream;
use crate::stream::{Options, Pieces, Stream};

/// A network that is ready to denoise. A clone shares the weights.
#[derive(Clone, Debug)]
pub struct Denoiser<B: Backend> {
    network: InferenceNetwork<B>,
    config: NetworkConfig,
    sample_rate_hz: u32,
    options: Options,
    device: B::Device,
}

impl<B: Backend> Denoiser<B> {
    /// A denoiser from a bundle, its weights on `device`.
    ///
    /// # Errors
    /// As [`Bundle::network`].
    pub fn new(bundle: &Bundle, device: B::Device) -> Result<Self> {
        let (network, config) = (bundle.network(&device)?, bundle.config.network.clone());
        Ok(Self::from_network(network, config, bundle.config.sample_rate_hz, device))
    }

    /// A denoiser from a network of the given shape that works at `sample_rate_hz`.
    pub fn from_network(network: Network<B>, config: NetworkConfig, sample_rate_hz: u32, device: B::Device) -> Self {
        // The phrasing of sums that docs/benchmarks.md found faster on Burn's CPU backend; others are graphics processors.
        let phrasing = if B::name(&device) == "flex" { Phrasing::Products } else { Phrasing::Convolutions };
        let network = network.for_inference(phrasing);
        Self { network, config, sample_rate_hz, options: Options::default(), device }
    }

    /// The same network, used otherwise.
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// How recordings are denoised.
    pub fn options(&self) -> Options {
        self.options
    }

    /// The network's shape.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Sampling rate that the network works at, in Hz.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// A recording that comes bit by bit.
    ///
    /// # Errors
    /// When the rate is outside [`crate::audio::MIN_SAMPLE_RATE_HZ`]`..=`[`crate::audio::MAX_SAMPLE_RATE_HZ`], there is no
    /// channel, or an option is outside its range.
    pub fn stream(&self, sample_rate_hz: u32, channels: usize) -> Result<Stream<B>> {
        Stream::new(self.clone(), sample_rate_hz, channels)
    }

    /// The same for files: on all threads of the current rayon pool.
    ///
    /// # Errors
    /// As [`Denoiser::stream`].
    #[cfg(not(target_family = "wasm"))]
    pub fn parallel_stream(&self, sample_rate_hz: u32, channels: usize) -> Result<ParallelStream<B>> {
        ParallelStream::new(self.clone(), sample_rate_hz, channels)
    }

    /// Denoises a whole recording: rate, channels and length of the result are those of the input, and so is what lies above
    /// half the network's rate, as far as it isn't noise. See [`crate::stream`] for what is done to it.
    ///
    /// Every now and then `progress` is called with the share that is done, 0 to 1.
    ///
    /// # Errors
    /// When an option is outside its range, or the device fails.
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
        Audio::new(audio.sample_rate_hz(), channels)
            .map_err(|_| Error::Device("the network's output was not a finite number".into()))
    }

    /// The network's output for a whole signal at its own rate and level, computed in pieces that join to what the whole signal
    /// would have given.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn pieces(&self, signal: &[f32], mut progress: impl FnMut(f64)) -> Result<Vec<f32>> {
        let mut pieces = Pieces::new(&self.config, self.options.piece_length);
        pieces.input().extend_from_slice(signal);
        let mut output = Vec::with_capacity(signal.len());
        while let Some((seen, range)) = pieces.next(true) {
            output.extend_from_slice(&self.run(seen.to_vec()).await?[range]);
            progress(output.len() as f64 / signal.len() as f64);
        }
        Ok(output)
    }

    /// The network's output for samples at its own rate and level, all at once.
    pub(crate) async fn run(&self, samples: Vec<f32>) -> Result<Vec<f32>> {
        let shape = [1, 1, samples.len()];
        let data = TensorData::new(samples, shape);
        let output = self.network.forward(Tensor::from_data(data, &self.device));
        let data = output.into_data_async().await.map_err(|error| Error::Device(error.to_string()))?;
        Ok(data.iter::<f32>().collect())
    }
}
