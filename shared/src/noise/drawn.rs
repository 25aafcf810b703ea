//! Noise with nothing random left in it: what is done to a signal, on slices or on a device.

use burn::prelude::*;

use super::active_level::{active_power, active_power_on, energy};
use super::clipping::{ClipShape, Limit, clip, clip_on};
use super::fir::Fir;
use super::pick::Pick;
use super::stft::{Corruption, STFT};
use crate::dsp::spectrum::SpectrumPlan;

/// Largest difference between [`DrawnChain::apply`] and [`DrawnChain::forward`], relative to the largest sample of the result, for
/// signals with peaks from 0.001 to 10 and chains without STFT steps.
pub const AGREEMENT: f32 = 1e-5;

/// The same for chains with STFT steps, as root mean square of the difference over that of the result. Single samples may differ
/// by more: coefficients within rounding of a threshold may fall on its other side, and what is raised from hardly more than
/// rounding has the phase of its rounding.
pub const STFT_AGREEMENT: f32 = 1e-3;

/// One step with nothing random left in it.
#[derive(Clone, Debug, PartialEq)]
pub enum DrawnStep {
    /// STFT coefficients zeroed or raised.
    Stft(Corruption),
    /// Something added.
    Added(Added),
    /// Multiplied by this.
    Gain(f32),
    /// Clipped.
    Clipped(Limit, ClipShape),
    /// Convolved: a room, or a limited band.
    Filtered(Fir),
    /// Put together from samples of its own: lost packets, bad resampling.
    Picked(Pick),
}

/// Samples that are added to a signal of the same length, and how loud.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// Of a mean square of 1, or silent.
    noise: Vec<f32>,
    snr_db: f64,
    sample_rate_hz: u32,
}

impl Added {
    /// `noise` at `snr_db`, which is −100 to 100 dB, in a signal of this rate: `y = x + g · noise`, with the `g` that makes
    /// `10 log10(`[`active_power`]`(x) / mean(|g · noise|²))` that. A silent signal has no level to set a ratio to, and stays
    /// silent.
    pub fn new(mut noise: Vec<f32>, snr_db: f64, sample_rate_hz: u32) -> Self {
        let rms = (energy(&noise) / noise.len().max(1) as f64).sqrt();
        if rms > 0.0 {
            noise.iter_mut().for_each(|sample| *sample = (f64::from(*sample) / rms) as f32);
        }
        Self { noise, snr_db, sample_rate_hz }
    }

    /// Over the amplitude of the active signal, 1.
    fn gain(&self) -> f64 {
        10f64.powf(-self.snr_db / 20.0)
    }

    /// Adds it to `signal`, as loud as `reference` asks for: [`Added::new`]'s `x`.
    fn add(&self, signal: &mut [f32], reference: &[f32]) {
        let gain = self.gain() * active_power(reference, self.sample_rate_hz).sqrt();
        let sum = |signal: &mut f32, noise: &f32| *signal = (f64::from(*signal) + gain * f64::from(*noise)) as f32;
        signal.iter_mut().zip(&self.noise).for_each(|(signal, noise)| sum(signal, noise));
    }

    fn add_on<B: Backend>(&self, signals: Tensor<B, 2>, reference: Tensor<B, 2>) -> Tensor<B, 2> {
        let samples = self.noise.len();
        let data = TensorData::new(self.noise.clone(), [1, samples]);
        let noise = Tensor::<B, 2>::from_data(data, &signals.device());
        let gain = active_power_on(reference, self.sample_rate_hz).sqrt() * self.gain();
        signals + noise * gain
    }
}

impl DrawnStep {
    /// What becomes of a signal of the length it was drawn for.
    fn apply(&self, signal: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Stft(corruption) => {
                corruption.apply(&SpectrumPlan::new(STFT), &signal).expect("thresholds are checked with the chain")
            }
            Self::Added(added) => {
                let mut sum = signal.clone();
                added.add(&mut sum, &signal);
                sum
            }
            Self::Gain(gain) => signal.into_iter().map(|sample| gain * sample).collect(),
            Self::Clipped(limit, shape) => clip(&signal, *limit, *shape),
            Self::Filtered(fir) => fir.apply(&signal),
            Self::Picked(pick) => pick.apply(&signal),
        }
    }

    fn forward<B: Backend>(&self, signals: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::Stft(corruption) => corruption
                .forward(&STFT.init(&signals.device()), signals)
                .expect("thresholds are checked with the chain"),
            Self::Added(added) => added.add_on(signals.clone(), signals),
            Self::Gain(gain) => signals * *gain,
            Self::Clipped(limit, shape) => clip_on(signals, *limit, *shape),
            Self::Filtered(fir) => fir.forward(signals),
            Self::Picked(pick) => pick.forward(signals),
        }
    }
}

/// A chain with nothing random left in it, for signals of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DrawnChain(Vec<DrawnStep>);

impl DrawnChain {
    pub(crate) fn new(steps: Vec<DrawnStep>) -> Self {
        Self(steps)
    }

    /// The steps, those that happen.
    pub fn steps(&self) -> &[DrawnStep] {
        &self.0
    }

    /// The noisy signal.
    ///
    /// Noises that are added one after the other are all as loud as the signal before the first of them asks for, so that
    /// each has the ratio to the speech that it was given.
    ///
    /// # Panics
    /// When the signal is not as long as those the chain was drawn for.
    pub fn apply(&self, signal: &[f32]) -> Vec<f32> {
        let mut signal = signal.to_vec();
        let mut reference: Option<Vec<f32>> = None;
        for step in &self.0 {
            if let DrawnStep::Added(added) = step {
                assert_eq!(added.noise.len(), signal.len(), "a chain fits signals of one length");
                let reference = reference.get_or_insert_with(|| signal.clone());
                added.add(&mut signal, reference);
            } else {
                reference = None;
                signal = step.apply(signal);
            }
        }
        signal
    }

    /// [`DrawnChain::apply`] as tensor code, of every row by itself: the same noise in each, at a level of its own. Both agree
    /// within [`AGREEMENT`] or [`STFT_AGREEMENT`].
    ///
    /// # Shapes
    /// `[batch, samples]` → `[batch, samples]`
    ///
    /// # Panics
    /// When the signals are not as long as those the chain was drawn for.
    pub fn forward<B: Backend>(&self, signals: Tensor<B, 2>) -> Tensor<B, 2> {
        let mut signals = signals;
        let mut reference: Option<Tensor<B, 2>> = None;
        for step in &self.0 {
            if let DrawnStep::Added(added) = step {
                let reference = reference.get_or_insert_with(|| signals.clone()).clone();
                signals = added.add_on(signals, reference);
            } else {
                reference = None;
                signals = step.forward(signals);
            }
        }
        signals
    }

    /// What a denoiser should make of the noisy signal: the clean one with the chain's gains. Everything else, reverberation
    /// and clipping too, is to be undone.
    pub fn target(&self, clean: &[f32]) -> Vec<f32> {
        let gain = |step: &DrawnStep| if let DrawnStep::Gain(gain) = step { *gain } else { 1.0 };
        let gain: f32 = self.0.iter().map(gain).product();
        clean.iter().map(|sample| gain * sample).collect()
    }
}
