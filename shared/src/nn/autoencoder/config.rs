//! The shape of the autoencoder.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::network::Autoencoder;
use crate::error::{Error, Result};
use crate::nn::arithmetic::{check_range, count};
use crate::nn::shape::NetworkShape;

/// The shape of the autoencoder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderConfig {
    /// Channels between the two layers, 1 to 1024.
    pub channels: usize,
    /// Kernel of both layers in samples: a multiple of `stride`, 2 to 16 384.
    pub kernel_size: usize,
    /// Stride of both layers in samples, 1 to 4096.
    pub stride: usize,
}

impl AutoencoderConfig {
    /// The report's figures; 131 105 parameters.
    pub fn report() -> Self {
        Self { channels: 32, kernel_size: 2048, stride: 32 }
    }

    /// Padding of both layers in samples, `kernel_size / 2 - 1`.
    pub(super) fn padding(&self) -> usize {
        self.kernel_size / 2 - 1
    }
}

impl NetworkShape for AutoencoderConfig {
    type Network<B: Backend> = Autoencoder<B>;

    fn presets() -> Vec<(&'static str, Self)> {
        vec![("autoencoder", Self::report())]
    }

    fn tiny() -> Self {
        Self { channels: 3, kernel_size: 16, stride: 4 }
    }

    fn init<B: Backend>(&self, device: &B::Device) -> Autoencoder<B> {
        Autoencoder::<B>::new(self, device)
    }

    fn identity<B: Backend>(&self, device: &B::Device) -> Result<Autoencoder<B>> {
        Autoencoder::<B>::identity(self, device)
    }

    fn kind(&self) -> &'static str {
        "autoencoder"
    }

    fn validate(&self) -> Result<()> {
        check_range("channels", self.channels, 1..=1024)?;
        check_range("stride", self.stride, 1..=4096)?;
        check_range("kernel_size", self.kernel_size, 2..=16_384)?;
        if !self.kernel_size.is_multiple_of(self.stride) || !self.kernel_size.is_multiple_of(2) {
            let expected = format!("an even multiple of the stride {}", self.stride);
            return Err(Error::config("kernel_size", expected, self.kernel_size));
        }
        Ok(())
    }

    fn alignment(&self) -> usize {
        self.stride
    }

    fn receptive_field(&self) -> Option<usize> {
        Some(2 * self.kernel_size - 1)
    }

    /// Multiplications for every `stride` samples of a long signal: `2 · channels · kernel_size`, one code that goes in through
    /// the encoder's kernels and out through the decoder's.
    fn macs(&self) -> u64 {
        count(&[2, self.channels, self.kernel_size])
    }

    fn parameters(&self) -> u64 {
        count(&[2, self.channels, self.kernel_size]) + self.channels as u64 + 1
    }

    fn statistics(&self) -> u64 {
        0
    }

    fn is_halvable(&self, _weight: &str) -> bool {
        true
    }

    /// Measured: 70 numbers for each sample.
    fn training_values(&self) -> f64 {
        self.stride as f64 * 70.0
    }

    /// The padded signal, codes, and blocks.
    fn working_values(&self, samples: u64) -> u64 {
        let codes = samples.div_ceil(self.stride as u64) + 1;
        3 * (samples + self.kernel_size as u64) + 3 * self.channels as u64 * codes
    }
}
