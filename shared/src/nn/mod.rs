//! The three networks, waveform to waveform: `[batch, 1, samples]` in and the same shape out, for any number of samples.

pub mod autoencoder;
pub mod complex;
pub mod dcunet;
pub mod inference;
pub mod needs;
pub mod wavenet;

use core::fmt::Display;
use core::ops::RangeInclusive;

use burn::prelude::*;
use burn::tensor::DType;
use serde::{Deserialize, Serialize};

pub use autoencoder::{Autoencoder, AutoencoderConfig};
pub use dcunet::{Dcunet, DcunetConfig};
pub use inference::{InferenceNetwork, Phrasing};
pub use wavenet::{Estimate, Wavenet, WavenetConfig};

use crate::bundle::Precision;
use crate::error::{Error, Result};

/// The root mean square to which recordings are brought before a network sees them, in training and afterwards.
pub const INPUT_RMS: f32 = 0.1;

/// Which network, and its shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "network", rename_all = "kebab-case")]
pub enum NetworkConfig {
    /// The report's one-layer convolutional autoencoder.
    Autoencoder(AutoencoderConfig),
    /// The Denoising WaveNet.
    Wavenet(WavenetConfig),
    /// The Deep Complex U-Net.
    Dcunet(DcunetConfig),
}

impl NetworkConfig {
    /// Every preset by name, in the order in which people should meet them.
    pub fn presets() -> Vec<(&'static str, Self)> {
        vec![
            ("autoencoder", Self::Autoencoder(AutoencoderConfig::report())),
            ("wavenet-small", Self::Wavenet(WavenetConfig::small())),
            ("wavenet-small-blend", Self::Wavenet(WavenetConfig::small_blend())),
            ("wavenet", Self::Wavenet(WavenetConfig::paper())),
            ("dcunet-small", Self::Dcunet(DcunetConfig::small())),
            ("dcunet-medium", Self::Dcunet(DcunetConfig::medium())),
            ("dcunet-10", Self::Dcunet(DcunetConfig::dcunet_10())),
            ("dcunet-16", Self::Dcunet(DcunetConfig::dcunet_16())),
            ("dcunet-20", Self::Dcunet(DcunetConfig::dcunet_20())),
            ("large-dcunet-20", Self::Dcunet(DcunetConfig::large_dcunet_20())),
        ]
    }

    /// The preset of that name.
    ///
    /// # Errors
    /// When there is none; the message lists those there are.
    pub fn preset(name: &str) -> Result<Self> {
        let presets = Self::presets();
        let names: Vec<&str> = presets.iter().map(|(name, _)| *name).collect();
        let expected = format!("one of {}", names.join(", "));
        let found = presets.into_iter().find(|(preset, _)| *preset == name);
        found.map(|(_, config)| config).ok_or_else(|| Error::config("preset", expected, name))
    }

    /// Checks every field against its documented range, and that the whole needs no more than [`needs`] allows.
    ///
    /// # Errors
    /// When a field is outside its range, or the network would take too much memory, computation or context.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Autoencoder(config) => config.validate(),
            Self::Wavenet(config) => config.validate(),
            Self::Dcunet(config) => config.validate(),
        }?;
        self.validate_needs()
    }

    /// Samples between two positions at which the network behaves the same.
    pub fn alignment(&self) -> usize {
        match self {
            Self::Autoencoder(config) => config.stride,
            Self::Wavenet(config) => config.frame_length,
            Self::Dcunet(config) => config.alignment(),
        }
    }

    /// Input samples that one output sample depends on, at most.
    pub fn receptive_field(&self) -> usize {
        match self {
            Self::Autoencoder(config) => config.receptive_field(),
            Self::Wavenet(config) => config.receptive_field(),
            Self::Dcunet(config) => config.receptive_field(),
        }
    }

    /// How far a streamed output lags behind its input, in samples: what must have come in after a sample before it can go out.
    ///
    /// None of the networks is causal. A sample's output needs the [`NetworkConfig::context`] that follows it, and waits for the
    /// rest of its own aligned block; hence `context + alignment`. Time for computing comes on top.
    pub fn latency(&self) -> usize {
        self.context() + self.alignment()
    }

    /// Samples on either side of a stretch that its output depends on, at most: half the receptive field, rounded up to the
    /// [`NetworkConfig::alignment`].
    pub fn context(&self) -> usize {
        (self.receptive_field() / 2).next_multiple_of(self.alignment())
    }

    /// Multiply-accumulate operations on real numbers for a second of a long signal, in convolutions and matrix products.
    /// How each network counts is said at its configuration's `macs`.
    pub fn macs_per_second(&self, sample_rate_hz: u32) -> f64 {
        let block = match self {
            Self::Autoencoder(config) => config.macs(),
            Self::Wavenet(config) => config.macs(),
            Self::Dcunet(config) => config.macs(),
        };
        block as f64 * f64::from(sample_rate_hz) / self.alignment() as f64
    }

    /// Bytes of all weights in a bundle, without the names, the card, and what frames them (a few kilobytes).
    pub fn weight_bytes(&self, precision: Precision) -> u64 {
        let statistics = match self {
            Self::Autoencoder(_) | Self::Wavenet(_) => 0,
            Self::Dcunet(config) => config.statistics(),
        };
        // Normalisation layers learn as many numbers as they track, and those are never halved.
        let halved = self.parameters() - statistics;
        let size = match precision {
            Precision::F32 => 4,
            Precision::F16 => 2,
        };
        size * halved + 4 * 2 * statistics
    }

    /// Memory of one training step on `samples` samples of audio, all items together, estimated in bytes.
    ///
    /// Four numbers for each parameter (weight, gradient, two moments), and what the backward pass needs of every activation. How much
    /// that is was measured on the CPU backend (`docs/benchmarks.md`); others differ.
    pub fn training_bytes(&self, samples: u64) -> u64 {
        let (activations, kept) = match self {
            // Values of a block of samples, and how many numbers are held for each of them at the worst moment.
            Self::Autoencoder(config) => (config.stride as u64, 70.0),
            Self::Wavenet(config) => (config.activations(), 1.3),
            Self::Dcunet(config) => (config.activations(), 6.0),
        };
        let values = activations as f64 * kept / self.alignment() as f64 * samples as f64;
        size_of::<f32>() as u64 * (4 * self.parameters() + values as u64)
    }

    /// Learned numbers in the network.
    pub fn parameters(&self) -> u64 {
        match self {
            Self::Autoencoder(config) => config.parameters(),
            Self::Wavenet(config) => config.parameters(),
            Self::Dcunet(config) => config.parameters(),
        }
    }

    /// The network, with random weights.
    ///
    /// # Panics
    /// When [`NetworkConfig::validate`] would refuse the configuration.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Network<B> {
        match self {
            Self::Autoencoder(config) => Network::Autoencoder(config.init(device)),
            Self::Wavenet(config) => Network::Wavenet(config.init(device)),
            Self::Dcunet(config) => Network::Dcunet(config.init(device)),
        }
    }
}

/// One of the three networks. Make one with [`NetworkConfig::init`].
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "one per process, and Burn's derive needs the variants plain")]
pub enum Network<B: Backend> {
    /// The report's one-layer convolutional autoencoder.
    Autoencoder(Autoencoder<B>),
    /// The Denoising WaveNet.
    Wavenet(Wavenet<B>),
    /// The Deep Complex U-Net.
    Dcunet(Dcunet<B>),
}

impl<B: Backend> Network<B> {
    /// See [`Dcunet::with_frozen_statistics`]; the others have no statistics.
    pub fn with_frozen_statistics(self) -> Self {
        match self {
            Self::Dcunet(network) => Self::Dcunet(network.with_frozen_statistics()),
            other => other,
        }
    }

    /// Waveforms and estimates are in 32 bits. What is between is computed in the precision of the weights, but for transforms and
    /// normalisation.
    ///
    /// # Shapes
    /// `[batch, 1, samples]` → the same, for any number of samples from 1.
    pub fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        match self {
            Self::Autoencoder(network) => {
                in_precision(network.encoder_weight.val().dtype(), waveform, |x| network.forward(x))
            }
            Self::Wavenet(network) => {
                in_precision(network.input.weight.val().dtype(), waveform, |x| network.forward(x))
            }
            Self::Dcunet(network) => network.forward(waveform),
        }
    }
}

/// `[batch, channels, samples]` with zeros on both sides. Burn's own padding knows only the default precision.
fn pad_samples<B: Backend>(x: Tensor<B, 3>, left: usize, right: usize) -> Tensor<B, 3> {
    let [batch, channels, _] = x.dims();
    let zeros = |samples: usize| Tensor::zeros([batch, channels, samples], (&x.device(), x.dtype()));
    let parts = [zeros(left), x.clone(), zeros(right)];
    Tensor::cat(parts.into_iter().filter(|part| part.dims()[2] > 0).collect(), 2)
}

/// What `compute` makes of `x`, brought to `precision` before and back after it.
fn in_precision<B: Backend, const D: usize>(
    precision: DType,
    x: Tensor<B, D>,
    compute: impl FnOnce(Tensor<B, D>) -> Tensor<B, D>,
) -> Tensor<B, D> {
    let outside = x.dtype();
    if outside == precision {
        return compute(x);
    }
    compute(x.cast(precision)).cast(outside)
}

fn check_range<T: PartialOrd + Display>(field: &'static str, value: T, range: RangeInclusive<T>) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::config(field, format!("{} to {}", range.start(), range.end()), value))
}

/// The product of a few valid sizes; 64 bits hold it wherever the page runs.
fn count(factors: &[usize]) -> u64 {
    factors.iter().map(|&factor| factor as u64).product()
}

/// The product of a few factors from a configuration, at most `usize::MAX`.
fn product(factors: impl Iterator<Item = usize>) -> usize {
    factors.fold(1, usize::saturating_mul)
}
