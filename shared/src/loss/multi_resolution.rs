//! The multi-resolution STFT loss; see [`super::Loss::MultiResolutionStft`].

use core::f64::consts::TAU;

use burn::prelude::*;
use burn::tensor::ops::PadMode;

use super::signals::{EPSILON, Signals};
use crate::dsp::frame::frame;
use crate::dsp::hann_window;

/// Added to squared magnitudes, so that silence has a logarithm.
const MAGNITUDE_EPSILON: f64 = 1e-7;

/// One of the transforms by which signals are compared; sizes in samples.
struct Resolution {
    n_fft: usize,
    hop_length: usize,
    window: usize,
}

/// The paper's (table 1), for 24 kHz; others use them at 16 kHz, too.
const RESOLUTIONS: [Resolution; 3] = [
    Resolution { n_fft: 1024, hop_length: 120, window: 600 },
    Resolution { n_fft: 2048, hop_length: 240, window: 1200 },
    Resolution { n_fft: 512, hop_length: 50, window: 240 },
];

/// The transforms' bases, on their device.
pub(super) struct MultiResolution<B: Backend> {
    bases: [Tensor<B, 3>; RESOLUTIONS.len()],
}

impl<B: Backend> MultiResolution<B> {
    pub fn new(device: &B::Device) -> Self {
        Self { bases: RESOLUTIONS.map(|resolution| resolution.basis(device)) }
    }

    /// `[batch, 1, samples]` → `[batch]`
    pub fn compare(&self, Signals { clean, estimate, .. }: Signals<B>) -> Tensor<B, 1> {
        let compare = |(resolution, basis): (&Resolution, &Tensor<B, 3>)| {
            resolution.compare(clean.clone(), estimate.clone(), basis.clone())
        };
        let losses = RESOLUTIONS.iter().zip(&self.bases).map(compare).collect();
        Tensor::cat(losses, 2).mean_dim(2).flatten(0, 2)
    }
}

impl Resolution {
    /// `[batch, 1, samples]` → `[batch, 1, 1]`
    fn compare<B: Backend>(&self, clean: Tensor<B, 3>, estimate: Tensor<B, 3>, basis: Tensor<B, 3>) -> Tensor<B, 3> {
        let (s, s_hat) = (self.magnitudes(clean, basis.clone()), self.magnitudes(estimate, basis));
        let norm = |x: Tensor<B, 3>| (x.square().sum_dim(1).sum_dim(2) + EPSILON).sqrt();
        let convergence = norm(s.clone() - s_hat.clone()) / norm(s.clone());
        let distance = (s.log() - s_hat.log()).abs().mean_dim(1).mean_dim(2);
        convergence + distance
    }

    /// Length of a frame: the window, and zeros after it up to a whole number of hops.
    fn frame(&self) -> usize {
        self.window.next_multiple_of(self.hop_length)
    }

    /// `[1, frame, 2 * bins]`: windowed cosines, then windowed sines. Their signs and phases do not matter here.
    fn basis<B: Backend>(&self, device: &B::Device) -> Tensor<B, 3> {
        let bins = self.n_fft / 2 + 1;
        let cosines: Vec<f64> = (0..self.n_fft).map(|i| (TAU * i as f64 / self.n_fft as f64).cos()).collect();
        let mut basis = vec![0.0; self.frame() * 2 * bins];
        for (sample, gain) in hann_window(self.window).into_iter().enumerate() {
            for bin in 0..bins {
                let angle = bin * sample % self.n_fft;
                let quarter_earlier = (angle + self.n_fft - self.n_fft / 4) % self.n_fft;
                basis[sample * 2 * bins + bin] = (gain * cosines[angle]) as f32;
                basis[sample * 2 * bins + bins + bin] = (gain * cosines[quarter_earlier]) as f32;
            }
        }
        Tensor::from_data(TensorData::new(basis, [1, self.frame(), 2 * bins]), device)
    }

    /// `[batch, 1, samples]` → `[batch, samples / hop_length + 1, bins]`, frame `t` centred on sample `t * hop_length`.
    fn magnitudes<B: Backend>(&self, signal: Tensor<B, 3>, basis: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, _, samples] = signal.dims();
        let last = samples / self.hop_length * self.hop_length;
        let left = self.window / 2;
        let right = last + self.frame() - left - samples;
        let signal = signal.reshape([batch, samples]).pad([(0, 0), (left, right)], PadMode::Constant(0.0));
        let spectrum = frame(signal, self.frame(), self.hop_length).matmul(basis);
        let bins = self.n_fft / 2 + 1;
        let power = spectrum.square();
        (power.clone().narrow(2, 0, bins) + power.narrow(2, bins, bins) + MAGNITUDE_EPSILON).sqrt()
    }
}
