//! The report's first network: one convolution in, one transposed convolution out, nothing between.
//!
//! `Conv1d(1 → 32, kernel 2048, stride 32, padding 1023)` and `ConvTranspose1d(32 → 1, …)`, as in the "Denoising Autoencoder"
//! chapter of G. Schuller's Machine Learning for Audio Signals. It maps every 32 samples onto 32 numbers, so the identity is
//! within its reach ([`AutoencoderConfig::identity`]), but neither the report's training nor ours finds it from random weights.
//!
//! The weights have the shapes of those two layers. The arithmetic is done on blocks of one stride: a signal in blocks of 32
//! samples is a sequence of 32 channels, on which a 2048-wide kernel with stride 32 is a 64-wide kernel with stride 1. That is
//! the same sum, and backends are far better at it.

use core::f64::consts::PI;

use burn::module::{Initializer, Param};
use burn::prelude::*;
use burn::tensor::module::conv1d;
use burn::tensor::ops::{ConvOptions, PaddedConvOptions};

use super::config::AutoencoderConfig;
use super::inference::AutoencoderInference;
use crate::error::{Error, Result};
use crate::nn::form::{Phrasing, TrainableNetwork};
use crate::nn::shape::NetworkShape;
use crate::nn::tensors::{in_precision, pad_samples};

/// The network. Make one with [`AutoencoderConfig::init`].
#[derive(Module, Debug)]
pub struct Autoencoder<B: Backend> {
    /// `[channels, 1, kernel_size]`
    pub(super) encoder_weight: Param<Tensor<B, 3>>,
    pub(super) encoder_bias: Param<Tensor<B, 1>>,
    /// `[channels, 1, kernel_size]`
    pub(super) decoder_weight: Param<Tensor<B, 3>>,
    pub(super) decoder_bias: Param<Tensor<B, 1>>,
    pub(super) stride: usize,
    pub(super) padding: usize,
}

impl<B: Backend> Autoencoder<B> {
    /// The network, initialised as PyTorch initialises the two layers.
    ///
    /// # Panics
    /// When [`AutoencoderConfig::validate`] would refuse the configuration.
    pub(super) fn new(config: &AutoencoderConfig, device: &B::Device) -> Self {
        config.validate().expect("validated configuration");
        let uniform = |fan_in: usize| {
            let bound = 1.0 / (fan_in as f64).sqrt();
            Initializer::Uniform { min: -bound, max: bound }
        };
        let AutoencoderConfig { channels, kernel_size, stride } = *config;
        // PyTorch takes a transposed layer's fan-in from its second dimension: 1 output channel.
        let (encoder, decoder) = (uniform(kernel_size), uniform(kernel_size));
        Self {
            encoder_weight: encoder.init([channels, 1, kernel_size], device),
            encoder_bias: encoder.init([channels], device),
            decoder_weight: decoder.init([channels, 1, kernel_size], device),
            decoder_bias: decoder.init([1], device),
            stride,
            padding: config.padding(),
        }
    }

    /// A network that gives back what it is given, but for its very ends: both kernels hold the modified discrete cosine transform
    /// of two strides in their middle, which is its own inverse once its halves are added up. Princen, Johnson and Bradley 1987,
    /// "Subband/Transform Coding Using Filter Bank Designs Based on Time Domain Aliasing Cancellation", with a sine window.
    ///
    /// # Errors
    /// When there are not as many channels as samples in a stride, or the kernel is shorter than two strides.
    ///
    /// # Panics
    /// When [`AutoencoderConfig::validate`] would refuse the configuration.
    pub fn identity(config: &AutoencoderConfig, device: &B::Device) -> Result<Self> {
        config.validate().expect("validated configuration");
        let AutoencoderConfig { channels, kernel_size, stride } = *config;
        if channels != stride {
            return Err(Error::config("channels", format!("as many as the stride, {stride}"), channels));
        }
        let margin = kernel_size.checked_sub(2 * stride).map(|rest| rest / 2);
        let margin =
            margin.ok_or_else(|| Error::config("kernel_size", format!("at least {}", 2 * stride), kernel_size))?;
        let mut kernels = vec![0.0; channels * kernel_size];
        let width = stride as f64;
        for (channel, kernel) in kernels.chunks_exact_mut(kernel_size).enumerate() {
            for (n, tap) in kernel[margin..margin + 2 * stride].iter_mut().enumerate() {
                let time = n as f64 + 0.5;
                let window = (PI / (2.0 * width) * time).sin();
                let cosine = (PI / width * (time + width / 2.0) * (channel as f64 + 0.5)).cos();
                *tap = ((2.0 / width).sqrt() * window * cosine) as f32;
            }
        }
        let kernels = || Param::from_data(TensorData::new(kernels.clone(), [channels, 1, kernel_size]), device);
        let zeros = |count: usize| Param::from_data(TensorData::zeros::<f32, _>([count]), device);
        Ok(Self {
            encoder_weight: kernels(),
            encoder_bias: zeros(channels),
            decoder_weight: kernels(),
            decoder_bias: zeros(1),
            stride,
            padding: config.padding(),
        })
    }

    /// [`TrainableNetwork::forward`] in the precision of the weights.
    fn convolve(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, _, samples] = waveform.dims();
        let [channels, _, kernel_size] = self.encoder_weight.dims();
        let (stride, taps) = (self.stride, kernel_size / self.stride);
        // The layers map `s` samples to `(s - 2) / stride + 1` codes, and `c` codes to `(c - 1) * stride + 2` samples.
        let codes = samples.saturating_sub(2).div_ceil(stride) + 1;

        // Enough blocks for `codes` windows of the padded signal.
        let blocks = codes - 1 + taps;
        let right = blocks * stride - self.padding - samples;
        let padded = pad_samples(waveform, self.padding, right).reshape([batch, blocks, stride]).swap_dims(1, 2); // [batch, stride, blocks]
        // Tap `stride * j + i` of the wide kernel is tap `j` on channel `i`.
        let weight = self.encoder_weight.val().reshape([channels, taps, stride]).swap_dims(1, 2);
        let options = |padding: usize| PaddedConvOptions::from(ConvOptions::new([1], [padding], [1], 1));
        let code = conv1d(padded, weight, Some(self.encoder_bias.val()), options(0)); // [batch, channels, codes]

        // A transposed convolution is a convolution with the kernel turned around, on a fully padded input.
        let weight = self.decoder_weight.val().reshape([channels, taps, stride]).flip([1]).permute([2, 0, 1]);
        let blocks = conv1d(code, weight, None, options(taps - 1)); // [batch, stride, codes - 1 + taps]
        let total = (codes - 1 + taps) * stride;
        let output = blocks.swap_dims(1, 2).reshape([batch, 1, total]).narrow(2, self.padding, samples);
        output + self.decoder_bias.val().reshape([1, 1, 1])
    }
}

impl<B: Backend> TrainableNetwork<B> for Autoencoder<B> {
    type Inference = AutoencoderInference<B>;

    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        in_precision(self.encoder_weight.val().dtype(), waveform, |x| self.convolve(x))
    }

    fn for_inference(self, phrasing: Phrasing) -> AutoencoderInference<B> {
        AutoencoderInference::new(self, phrasing)
    }
}
