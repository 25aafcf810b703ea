//! A whole recording through a network: to its rate and level, piece by piece, and back.

use burn::prelude::*;

use crate::audio::{Audio, rms};
use crate::bundle::Bundle;
use crate::error::{Error, Result};
use crate::nn::{Network, NetworkConfig};
use crate::resample::resample;

/// The root mean square to which recordings are brought before a network sees them, in training and afterwards.
pub const INPUT_RMS: f32 = 0.1;

/// Samples a network denoises at a time, apart from the context around them: 8 s at 16 kHz. Bounds memory, and is long enough
/// for the context to be a small part of the work.
const PIECE_LENGTH: usize = 128_000;

/// A network that is ready to denoise.
#[derive(Debug)]
pub struct Denoiser<B: Backend> {
    network: Network<B>,
    config: NetworkConfig,
    sample_rate_hz: u32,
    piece_length: usize,
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
        Self { network, config, sample_rate_hz, piece_length: PIECE_LENGTH, device }
    }

    /// The same, working on at least `samples` at a time.
    pub fn with_piece_length(self, samples: usize) -> Self {
        Self { piece_length: samples.max(1), ..self }
    }

    /// Denoises a recording: rate, channels and length of the result are those of the input.
    ///
    /// Channels are denoised one by one. What lies above half the network's sampling rate is lost. Digital silence stays
    /// digital silence. After every piece `progress` is called with the share that is done, 0 to 1.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn denoise(&self, audio: &Audio, mut progress: impl FnMut(f64)) -> Result<Audio> {
        let count = audio.channels().len() as f64;
        let mut channels = Vec::with_capacity(audio.channels().len());
        for (index, channel) in audio.channels().iter().enumerate() {
            let before = index as f64;
            channels
                .push(self.channel(channel, audio.sample_rate_hz(), |part| progress((before + part) / count)).await?);
        }
        Audio::new(audio.sample_rate_hz(), channels)
            .map_err(|_| Error::Device("the network's output was not a finite number".into()))
    }

    async fn channel(&self, samples: &[f32], rate_hz: u32, mut progress: impl FnMut(f64)) -> Result<Vec<f32>> {
        let mut signal = resample(samples, rate_hz, self.sample_rate_hz)?;
        let level = rms(&signal);
        if level == 0.0 {
            progress(1.0);
            return Ok(vec![0.0; samples.len()]);
        }
        // In two steps, because their product overflows at extreme levels.
        signal.iter_mut().for_each(|sample| *sample = *sample / level * INPUT_RMS);
        let mut denoised = self.pieces(&signal, progress).await?;
        denoised.iter_mut().for_each(|sample| *sample = *sample / INPUT_RMS * level);
        let mut output = resample(&denoised, self.sample_rate_hz, rate_hz)?;
        output.resize(samples.len(), 0.0);
        Ok(output)
    }

    /// The network's output for a whole signal at its own rate and level, computed in pieces.
    ///
    /// Every piece is seen with as much context as the receptive field reaches, and starts where the network's strides would
    /// have started: the pieces join to what the whole signal would have given.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn pieces(&self, signal: &[f32], mut progress: impl FnMut(f64)) -> Result<Vec<f32>> {
        let alignment = self.config.alignment();
        let context = (self.config.receptive_field() / 2).next_multiple_of(alignment);
        let length = self.piece_length.next_multiple_of(alignment);
        let mut output = Vec::with_capacity(signal.len());
        while output.len() < signal.len() {
            let start = output.len();
            let end = (start + length).min(signal.len());
            let first = start.saturating_sub(context);
            let last = (end + context).min(signal.len());
            let piece = self.run(&signal[first..last]).await?;
            output.extend_from_slice(&piece[start - first..end - first]);
            progress(end as f64 / signal.len() as f64);
        }
        Ok(output)
    }

    async fn run(&self, samples: &[f32]) -> Result<Vec<f32>> {
        let data = TensorData::new(samples.to_vec(), [1, 1, samples.len()]);
        let output = self.network.forward(Tensor::from_data(data, &self.device));
        let data = output.into_data_async().await.map_err(|error| Error::Device(error.to_string()))?;
        Ok(data.iter::<f32>().collect())
    }
}
