//! The distance of loudness; see [`super::Loss::Loudness`].

use burn::prelude::*;
use burn::tensor::activation::relu;

use super::signals::Signals;
use crate::dsp::stft::Stft;
use crate::dsp::{StftConfig, hann_window};

/// Frames of 32 ms every 8 ms at 16 kHz; P.862 has them every 16 ms.
const TRANSFORM: StftConfig = StftConfig { n_fft: 512, hop_length: 128 };

/// Samples a second that frequencies are told by.
const RATE_HZ: f64 = 16_000.0;

/// Bands, all equally wide on the Bark scale.
const BANDS: usize = 49;

/// Mean power of the clean signal, as a share of that at 0 dB SPL: 75 dB, so that speech with its pauses has P.862's 79 dB while it is active.
const LISTENING_POWER: f64 = 3.162_277_7e7;

/// Zwicker's exponent, and his factor as P.862 has it at 16 kHz.
const LOUDNESS_EXPONENT: f64 = 0.23;
const LOUDNESS_SCALE: f64 = 0.1866;

/// A difference of this share of the quieter loudness is not heard.
const MASKED_SHARE: f64 = 0.25;

/// Added to the power of a frame before gains are compared, and the gains that are made up for.
const GAIN_POWER: f64 = 5e3;
const GAINS: [f64; 2] = [3e-4, 5.0];

/// What was added disturbs more than what was taken away, by the ratio of powers, to which the first is added, to the second; the third at most.
const ASYMMETRY_POWER: f64 = 50.0;
const ASYMMETRY_EXPONENT: f64 = 1.2;
const LARGEST_ASYMMETRY: f64 = 12.0;

/// Weight of differences times their asymmetry, beside differences alone.
const ASYMMETRY_WEIGHT: f64 = 0.15;

/// No frame disturbs more than this.
const LARGEST_DISTURBANCE: f64 = 45.0;

/// Added under a root, and under the logarithm, so that a perfect estimate has a gradient.
const SQUARE_EPSILON: f64 = 1e-8;
const DISTURBANCE_FLOOR: f64 = 0.05;

/// The transform and the bands, on their device.
pub(super) struct Loudness<B: Backend> {
    stft: Stft<B>,
    /// `[1, bands, bins]`: a band's share of every bin's power, of a signal of one unit of mean power.
    bands: Tensor<B, 3>,
    /// `[1, bands, 1]`: the power of the faintest sound that is heard.
    threshold: Tensor<B, 3>,
}

impl<B: Backend> Loudness<B> {
    pub fn new(device: &B::Device) -> Self {
        let bins = TRANSFORM.bins();
        let shares = TensorData::new(shares(), [1, BANDS, bins]);
        let threshold = TensorData::new(thresholds(), [1, BANDS, 1]);
        Self {
            stft: TRANSFORM.init(device),
            bands: Tensor::from_data(shares, device),
            threshold: Tensor::from_data(threshold, device),
        }
    }

    /// `[batch, 1, samples]` → `[batch]`
    pub fn compare(&self, signals: Signals<B>) -> Tensor<B, 1> {
        let level = signals.level() / LISTENING_POWER.sqrt();
        let Signals { clean, estimate, .. } = signals;
        let clean = self.power(clean / level.clone());
        let estimate = self.at_the_gain_of(&clean, self.power(estimate / level));
        let disturbance = self.disturbance(clean, estimate);
        let root_mean_square = (disturbance.square().mean_dim(2) + SQUARE_EPSILON).sqrt();
        (root_mean_square + DISTURBANCE_FLOOR).log().flatten(0, 2)
    }

    /// The power in every band, `[batch, bands, frames]`.
    fn power(&self, signal: Tensor<B, 3>) -> Tensor<B, 3> {
        let power: Tensor<B, 3> = self.stft.forward(signal.flatten(1, 2)).square().sum_dim(1).squeeze_dim(1);
        self.bands.clone().matmul(power)
    }

    /// What is quieter or louder from frame to frame is heard less than what sounds different.
    fn at_the_gain_of(&self, clean: &Tensor<B, 3>, estimate: Tensor<B, 3>) -> Tensor<B, 3> {
        let total = |power: &Tensor<B, 3>| power.clone().sum_dim(1) + GAIN_POWER;
        let gain = (total(clean) / total(&estimate)).clamp(GAINS[0], GAINS[1]);
        estimate * gain
    }

    /// Of every frame, `[batch, 1, frames]`, from 0 to [`LARGEST_DISTURBANCE`].
    fn disturbance(&self, clean: Tensor<B, 3>, estimate: Tensor<B, 3>) -> Tensor<B, 3> {
        let ratio = (estimate.clone() + ASYMMETRY_POWER) / (clean.clone() + ASYMMETRY_POWER);
        let asymmetry = ratio.powf_scalar(ASYMMETRY_EXPONENT).clamp_max(LARGEST_ASYMMETRY);
        let (clean, estimate) = (self.loudness(clean), self.loudness(estimate));
        let masked = clean.clone().min_pair(estimate.clone()) * MASKED_SHARE;
        let heard = relu((estimate - clean).abs() - masked);
        let width = bark(RATE_HZ / 2.0) / BANDS as f64;
        let symmetric = (heard.clone().square().mean_dim(1) + SQUARE_EPSILON).sqrt() * (width * BANDS as f64);
        let asymmetric = (heard * asymmetry).sum_dim(1) * width;
        let disturbance = symmetric + asymmetric * ASYMMETRY_WEIGHT;
        disturbance.clone() / (disturbance / LARGEST_DISTURBANCE + 1.0)
    }

    /// Specific loudness in sones by power.
    fn loudness(&self, power: Tensor<B, 3>) -> Tensor<B, 3> {
        let scale = (self.threshold.clone() * 2.0).powf_scalar(LOUDNESS_EXPONENT) * LOUDNESS_SCALE;
        let above = (power / self.threshold.clone() * 0.5 + 0.5).powf_scalar(LOUDNESS_EXPONENT) - 1.0;
        relu(above) * scale
    }
}

/// Place on the Bark scale: Schroeder, Atal and Hall 1979.
fn bark(frequency_hz: f64) -> f64 {
    7.0 * (frequency_hz / 650.0).asinh()
}

/// The inverse of [`bark`].
fn frequency_hz(bark: f64) -> f64 {
    650.0 * (bark / 7.0).sinh()
}

/// `[bands, bins]`: the part of each bin's width that lies in a band, times what makes powers add up to the mean square.
fn shares() -> Vec<f32> {
    let (n_fft, bins) = (TRANSFORM.n_fft, TRANSFORM.bins());
    let window_energy: f64 = hann_window(n_fft).iter().map(|gain| gain * gain).sum();
    let unit = 2.0 / (n_fft as f64 * window_energy);
    let (width_hz, top_hz) = (RATE_HZ / n_fft as f64, RATE_HZ / 2.0);
    let edge_hz = |band: usize| frequency_hz(bark(top_hz) * band as f64 / BANDS as f64);
    let share = |band: usize, bin: usize| {
        let centre_hz = bin as f64 * width_hz;
        let lower_hz = edge_hz(band).max(centre_hz - width_hz / 2.0);
        let upper_hz = edge_hz(band + 1).min(centre_hz + width_hz / 2.0);
        (upper_hz - lower_hz).max(0.0) / width_hz * unit
    };
    (0..BANDS).flat_map(|band| (0..bins).map(move |bin| share(band, bin) as f32)).collect()
}

/// `[bands]`: Terhardt 1979, equation 1, at the middle of each band, 60 dB SPL at most.
fn thresholds() -> Vec<f32> {
    let threshold = |band: usize| {
        let khz = frequency_hz(bark(RATE_HZ / 2.0) * (band as f64 + 0.5) / BANDS as f64) / 1000.0;
        let db = 3.64 * khz.powf(-0.8) - 6.5 * (-0.6 * (khz - 3.3).powi(2)).exp() + 1e-3 * khz.powi(4);
        10f64.powf(db.min(60.0) / 10.0) as f32
    };
    (0..BANDS).map(threshold).collect()
}
