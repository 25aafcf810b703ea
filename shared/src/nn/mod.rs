//! The three networks, waveform to waveform: `[batch, 1, samples]` in and the same shape out, for any number of samples.

pub mod autoencoder;
pub mod complex;
pub mod dcunet;
pub mod inference;
pub mod wavenet;

use core::fmt::Display;
use core::ops::RangeInclusive;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

pub use autoencoder::{Autoencoder, AutoencoderConfig};
pub use dcunet::{Dcunet, DcunetConfig};
pub use inference::{InferenceNetwork, Phrasing};
pub use wavenet::{Wavenet, WavenetConfig};

use crate::bundle::Precision;
use crate::error::{Error, Result};

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
            ("wavenet", Self::Wavenet(WavenetConfig::paper())),
            ("dcunet-small", Self::Dcunet(DcunetConfig::small())),
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

    /// Checks every field against its documented range.
    ///
    /// # Errors
    /// When a field is outside its range.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Autoencoder(config) => config.validate(),
            Self::Wavenet(config) => config.validate(),
            Self::Dcunet(config) => config.validate(),
        }
    }

    /// Samples between two positions at which the network behaves the same.
    pub fn alignment(&self) -> usize {
        match self {
            Self::Autoencoder(config) => config.stride,
            Self::Wavenet(_) => 1,
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
    /// # Shapes
    /// `[batch, 1, samples]` → the same, for any number of samples from 1.
    pub fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        match self {
            Self::Autoencoder(network) => network.forward(waveform),
            Self::Wavenet(network) => network.forward(waveform),
            Self::Dcunet(network) => network.forward(waveform),
        }
    }
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
