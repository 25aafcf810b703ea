//! The short-time Fourier transform as tensor code: differentiable, on any backend, linear in the signal's length.

use core::f64::consts::TAU;

use burn::prelude::*;
use burn::tensor::ops::PadMode;

use super::frame::{frame, overlap_add};
use super::{StftConfig, hann_window};

/// A short-time Fourier transform and its inverse.
///
/// The transform of a frame is one matrix product with a fixed basis that has the window in it. That is `O(n_fft)` per sample
/// where an FFT is `O(log n_fft)`, yet small beside any of the networks, and unlike Burn's FFT it has a gradient.
#[derive(Module, Debug)]
pub struct Stft<B: Backend> {
    /// `[n_fft, 2 * bins]`: windowed cosines, then windowed negative sines. A constant, neither trained nor saved.
    pub(crate) analysis: Tensor<B, 2>,
    /// `[2 * bins, n_fft]`: the windowed inverse.
    pub(crate) synthesis: Tensor<B, 2>,
    /// `[n_fft]`: the squared window.
    pub(crate) squared_window: Tensor<B, 1>,
    n_fft: usize,
    hop_length: usize,
}

impl StftConfig {
    /// The transform, with its bases on `device`.
    ///
    /// # Panics
    /// When the sizes are not those of [`StftConfig::validate`], but that half of `n_fft` is enough of a hop.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Stft<B> {
        self.validate_overlap(2).expect("validated sizes");
        let (n_fft, bins) = (self.n_fft, self.bins());
        let window = hann_window(n_fft);
        let circle: Vec<_> = (0..n_fft).map(|i| (TAU * i as f64 / n_fft as f64).sin_cos()).collect();
        let angle = |bin: usize, sample: usize| circle[bin * sample % n_fft];
        let mut analysis = Vec::with_capacity(n_fft * 2 * bins);
        for (sample, gain) in window.iter().enumerate() {
            analysis.extend((0..bins).map(|bin| (gain * angle(bin, sample).1) as f32));
            analysis.extend((0..bins).map(|bin| (-gain * angle(bin, sample).0) as f32));
        }
        // Every bin but the first and the last stands for two conjugate ones.
        let weight = |bin: usize| if bin == 0 || bin == n_fft / 2 { 1.0 } else { 2.0 } / n_fft as f64;
        let mut synthesis = Vec::with_capacity(2 * bins * n_fft);
        for part in [|(_, cosine): (f64, f64)| cosine, |(sine, _): (f64, f64)| -sine] {
            for bin in 0..bins {
                let row = (0..n_fft).map(|sample| (weight(bin) * part(angle(bin, sample)) * window[sample]) as f32);
                synthesis.extend(row);
            }
        }
        let squared_window: Vec<f32> = window.iter().map(|gain| (gain * gain) as f32).collect();
        Stft {
            analysis: Tensor::from_data(TensorData::new(analysis, [n_fft, 2 * bins]), device),
            synthesis: Tensor::from_data(TensorData::new(synthesis, [2 * bins, n_fft]), device),
            squared_window: Tensor::from_data(TensorData::new(squared_window, [n_fft]), device),
            n_fft,
            hop_length: self.hop_length,
        }
    }
}

impl<B: Backend> Stft<B> {
    /// The sizes this transform was made with.
    pub fn config(&self) -> StftConfig {
        StftConfig { n_fft: self.n_fft, hop_length: self.hop_length }
    }

    /// The transform of signals of any length; frame `t` is centred on sample `t * hop_length`, zeros assumed outside.
    ///
    /// # Shapes
    /// `[batch, samples]` → `[batch, 2, bins, frames]`, real parts before imaginary parts, with
    /// `frames = ceil(samples / hop_length) + 1`.
    pub fn forward(&self, signal: Tensor<B, 2>) -> Tensor<B, 4> {
        let [batch, samples] = signal.dims();
        let config = self.config();
        let frames = config.frames(samples);
        let half = self.n_fft / 2;
        let padded = (frames - 1) * self.hop_length;
        let signal = signal.pad([(0, 0), (half, half + padded - samples)], PadMode::Constant(0.0));
        let framed = frame(signal, self.n_fft, self.hop_length);
        // In this order the product lies in memory as it is given back: on the CPU views of another order are slow to work on.
        let spectrum = self.analysis.clone().transpose().unsqueeze().matmul(framed.swap_dims(1, 2));
        spectrum.reshape([batch, 2, config.bins(), frames])
    }

    /// The least-squares inverse (Griffin and Lim 1984, eq. 6), trimmed to `samples`.
    ///
    /// # Shapes
    /// `[batch, 2, bins, frames]` → `[batch, samples]`
    ///
    /// # Panics
    /// When `frames` is fewer than `samples` need.
    pub fn inverse(&self, spectrum: Tensor<B, 4>, samples: usize) -> Tensor<B, 2> {
        let [batch, _, bins, frames] = spectrum.dims();
        assert!(frames >= self.config().frames(samples), "{frames} frames do not cover {samples} samples");
        let framed =
            spectrum.reshape([batch, 2 * bins, frames]).swap_dims(1, 2).matmul(self.synthesis.clone().unsqueeze());
        let envelope = self.squared_window.clone().reshape([1, 1, self.n_fft]).expand([1, frames, self.n_fft]);
        let half = self.n_fft / 2;
        let signal = overlap_add(framed, self.hop_length).narrow(1, half, samples);
        let envelope = overlap_add(envelope, self.hop_length).narrow(1, half, samples);
        signal / envelope
    }
}
