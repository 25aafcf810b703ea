//! What training minimises. Waveforms are `[batch, 1, samples]`; each loss is a scalar tensor, the mean over the batch.

mod multi_resolution;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

pub use multi_resolution::multi_resolution_stft;

/// Added to energies under a root or a division.
const EPSILON: f64 = 1e-8;

/// A loss by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Mean absolute error.
    L1,
    /// Mean squared error.
    Mse,
    /// Weighted source-to-distortion ratio.
    #[default]
    Wsdr,
    /// Multi-resolution STFT loss.
    MultiResolutionStft,
}

impl Loss {
    /// The loss of `estimate` against `clean`, given the network's input `noisy`.
    pub fn forward<B: Backend>(self, noisy: Tensor<B, 3>, clean: Tensor<B, 3>, estimate: Tensor<B, 3>) -> Tensor<B, 1> {
        match self {
            Self::L1 => l1(clean, estimate),
            Self::Mse => mse(clean, estimate),
            Self::Wsdr => wsdr(noisy, clean, estimate),
            Self::MultiResolutionStft => multi_resolution_stft(clean, estimate),
        }
    }
}

/// Mean absolute error.
pub fn l1<B: Backend>(clean: Tensor<B, 3>, estimate: Tensor<B, 3>) -> Tensor<B, 1> {
    (clean - estimate).abs().mean()
}

/// Mean squared error.
pub fn mse<B: Backend>(clean: Tensor<B, 3>, estimate: Tensor<B, 3>) -> Tensor<B, 1> {
    (clean - estimate).square().mean()
}

/// Weighted source-to-distortion ratio, from -1 (perfect) to 1: Choi et al. 2019, "Weighted-SDR loss".
///
/// With the noise `z = x - y` and its estimate `ẑ = x - ŷ` it is `-α cos(y, ŷ) - (1 - α) cos(z, ẑ)`, where
/// `α = |y|² / (|y|² + |z|²)`: clean items are judged by their speech, noise by what is left out.
pub fn wsdr<B: Backend>(noisy: Tensor<B, 3>, clean: Tensor<B, 3>, estimate: Tensor<B, 3>) -> Tensor<B, 1> {
    let noise = noisy.clone() - clean.clone();
    let estimated_noise = noisy - estimate.clone();
    let energy = |x: &Tensor<B, 3>| x.clone().square().sum_dim(2);
    let cosine = |a: &Tensor<B, 3>, b: &Tensor<B, 3>| {
        let dot = (a.clone() * b.clone()).sum_dim(2);
        dot / ((energy(a) + EPSILON) * (energy(b) + EPSILON)).sqrt()
    };
    let weight = energy(&clean) / (energy(&clean) + energy(&noise) + EPSILON);
    let speech_term = weight.clone() * cosine(&clean, &estimate);
    let noise_term = weight.neg().add_scalar(1.0) * cosine(&noise, &estimated_noise);
    (speech_term + noise_term).neg().mean()
}
