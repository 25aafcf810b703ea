//! The distance of compressed spectra; see [`super::Loss::CompressedSpectrum`].

use burn::prelude::*;

use super::signals::Signals;
use crate::dsp::StftConfig;
use crate::dsp::stft::Stft;

/// Frames of 32 ms every 8 ms at 16 kHz.
const TRANSFORM: StftConfig = StftConfig { n_fft: 512, hop_length: 128 };

/// What magnitudes are raised to.
const EXPONENT: f64 = 0.3;

/// Weight of the distance that knows phase; the one of magnitudes has 1.
const COMPLEX_WEIGHT: f64 = 0.5;

/// Added to squared magnitudes, so that silence has a gradient. Those of white noise of unit variance are 192.
const POWER_EPSILON: f64 = 1e-6;

/// The transform, on its device.
pub(super) struct CompressedSpectrum<B: Backend> {
    stft: Stft<B>,
}

impl<B: Backend> CompressedSpectrum<B> {
    pub fn new(device: &B::Device) -> Self {
        Self { stft: TRANSFORM.init(device) }
    }

    /// `[batch, 1, samples]` → `[batch]`
    pub fn compare(&self, signals: Signals<B>) -> Tensor<B, 1> {
        let level = signals.level();
        let Signals { clean, estimate, .. } = signals;
        let (magnitude, complex) = self.compressed(clean / level.clone());
        let (estimated_magnitude, estimated_complex) = self.compressed(estimate / level);
        let magnitude_distance = (magnitude - estimated_magnitude).square();
        let complex_distance = (complex - estimated_complex).square().sum_dim(1);
        let distance: Tensor<B, 3> = (magnitude_distance + complex_distance * COMPLEX_WEIGHT).flatten(1, 2);
        distance.mean_dim(2).mean_dim(1).flatten(0, 2)
    }

    /// Compressed magnitudes `[batch, 1, bins, frames]`, and with their phases `[batch, 2, bins, frames]`.
    fn compressed(&self, signal: Tensor<B, 3>) -> (Tensor<B, 4>, Tensor<B, 4>) {
        let spectrum = self.stft.forward(signal.flatten(1, 2));
        let power = spectrum.clone().square().sum_dim(1) + POWER_EPSILON;
        let complex = spectrum * power.clone().powf_scalar((EXPONENT - 1.0) / 2.0);
        (power.powf_scalar(EXPONENT / 2.0), complex)
    }
}
