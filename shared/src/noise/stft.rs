//! The report's noise, made on STFT coefficients: the small ones zeroed, or raised.
//!
//! Zeroing takes away what is quiet, as aggressive coders and bad noise gates do: speech sounds hollow and warbles. Raising
//! lifts everything quiet to a floor, which sounds like a metallic hiss shaped by the speech itself, or, with random phases,
//! like plain hiss in its gaps.
//!
//! The transform is [`STFT`] at whatever rate the signal has. It is held in memory whole, 16 bytes a sample.

use burn::prelude::*;
use burn::tensor::Int;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use realfft::num_complex::Complex32;

use crate::audio::db_to_amplitude;
use crate::dsp::StftConfig;
use crate::dsp::spectrum::{Spectrum, SpectrumPlan};
use crate::dsp::stft::Stft;
use crate::error::{Error, Result};

/// The transform on which corruption is done, at whatever rate the signal has.
pub const STFT: StftConfig = StftConfig::SPEECH;

/// Halvings in which a quantile is found on a device: to 2^-40 of the largest magnitude.
const HALVINGS: usize = 40;

/// Which coefficients are small: those whose magnitude is below this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// The magnitude below which this share of all the signal's coefficients lies, 0 to 1.
    Quantile(f32),
    /// A magnitude on the scale of an unnormalised transform of ±1 samples under a Hann window, from 0. The report raised to 1.
    Magnitude(f32),
    /// The largest magnitude of the same frame plus this many dB, −200 to 0.
    FramePeakDb(f32),
    /// The largest magnitude of the whole signal plus this many dB, −200 to 0.
    FilePeakDb(f32),
}

/// What becomes of the phases of raised coefficients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RaisedPhase {
    /// They stay; those of coefficients that are exactly 0 become 0. Digital silence stays silence: coefficients of one phase
    /// are an impulse at the frame's edge, where the window is 0.
    #[default]
    Kept,
    /// They are drawn, all angles equally likely, by a generator with this seed.
    Random(u64),
}

/// One of the report's two corruptions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// Coefficients below the threshold become 0.
    ZeroSmall(Threshold),
    /// Coefficients below the threshold get its magnitude.
    RaiseSmall(Threshold, RaisedPhase),
}

impl Corruption {
    /// Checks the range of the threshold.
    ///
    /// # Errors
    /// When it is outside its range.
    pub fn validate(self) -> Result<()> {
        match self.threshold() {
            Threshold::Quantile(share) if (0.0..=1.0).contains(&share) => Ok(()),
            Threshold::Quantile(share) => Err(Error::config("quantile", "0 to 1", share)),
            Threshold::Magnitude(magnitude) if magnitude >= 0.0 && magnitude.is_finite() => Ok(()),
            Threshold::Magnitude(magnitude) => Err(Error::config("magnitude", "a finite number from 0", magnitude)),
            Threshold::FramePeakDb(db) | Threshold::FilePeakDb(db) if (-200.0..=0.0).contains(&db) => Ok(()),
            Threshold::FramePeakDb(db) => Err(Error::config("frame_peak_db", "-200 to 0 dB", db)),
            Threshold::FilePeakDb(db) => Err(Error::config("file_peak_db", "-200 to 0 dB", db)),
        }
    }

    fn threshold(self) -> Threshold {
        let (Self::ZeroSmall(threshold) | Self::RaiseSmall(threshold, _)) = self;
        threshold
    }

    /// Corrupts a signal: transform, change, inverse. The length stays.
    ///
    /// # Errors
    /// When the threshold is outside its range.
    pub fn apply(self, plan: &SpectrumPlan, signal: &[f32]) -> Result<Vec<f32>> {
        let mut spectrum = plan.forward(signal);
        self.apply_to(&mut spectrum)?;
        Ok(plan.inverse(&spectrum, signal.len()))
    }

    /// The magnitude below which a coefficient is small, for each frame of a spectrum.
    ///
    /// # Errors
    /// When the threshold is outside its range.
    pub fn thresholds(self, spectrum: &Spectrum) -> Result<Vec<f32>> {
        self.validate()?;
        let of_file = self.threshold().of_file(spectrum);
        Ok(spectrum.frames().map(|frame| of_file.unwrap_or_else(|gain| gain * peak(frame))).collect())
    }

    /// Corrupts a spectrum in place.
    ///
    /// # Errors
    /// When the threshold is outside its range.
    pub fn apply_to(self, spectrum: &mut Spectrum) -> Result<()> {
        let thresholds = self.thresholds(spectrum)?;
        let bins = spectrum.bins;
        let mut phases = match self {
            Self::RaiseSmall(_, RaisedPhase::Random(seed)) => Some(ChaCha8Rng::seed_from_u64(seed)),
            _ => None,
        };
        for (frame, threshold) in spectrum.coefficients.chunks_exact_mut(bins).zip(thresholds) {
            for coefficient in frame {
                // DrawnStep for all, so that a draw belongs to its coefficient whatever the others are.
                let direction = phases.as_mut().map(random_direction);
                let magnitude = coefficient.norm();
                if magnitude >= threshold {
                    continue;
                }
                *coefficient = match (self, direction) {
                    (Self::ZeroSmall(_), _) => Complex32::default(),
                    (Self::RaiseSmall(..), Some(direction)) => direction * threshold,
                    // Direction first: the quotient of threshold and magnitude could overflow.
                    (Self::RaiseSmall(..), None) if magnitude > 0.0 => *coefficient / magnitude * threshold,
                    (Self::RaiseSmall(..), None) => Complex32::new(threshold, 0.0),
                };
            }
        }
        Ok(())
    }

    /// [`Corruption::apply`] as tensor code, on every row by itself; random phases are the same in all rows.
    ///
    /// Agrees with it to rounding, but for coefficients within rounding of the threshold, which may fall on its other side, and
    /// for the phases of those within rounding of 0.
    ///
    /// # Shapes
    /// `[batch, samples]` → `[batch, samples]`
    ///
    /// # Errors
    /// When the threshold is outside its range.
    pub fn forward<B: Backend>(self, stft: &Stft<B>, signals: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        let samples = signals.dims()[1];
        Ok(stft.inverse(self.forward_spectrum(stft.forward(signals))?, samples))
    }

    /// [`Corruption::apply_to`] as tensor code.
    ///
    /// # Shapes
    /// `[batch, 2, bins, frames]` → `[batch, 2, bins, frames]`, as of [`Stft::forward`]
    ///
    /// # Errors
    /// When the threshold is outside its range.
    fn forward_spectrum<B: Backend>(self, spectrum: Tensor<B, 4>) -> Result<Tensor<B, 4>> {
        self.validate()?;
        let [batch, _, bins, frames] = spectrum.dims();
        let device = spectrum.device();
        let magnitudes = spectrum.clone().powi_scalar(2).sum_dim(1).sqrt();
        let threshold = self.threshold().on_device(magnitudes.clone()).expand([batch, 1, bins, frames]);
        let small = magnitudes.clone().lower(threshold.clone()).expand([batch, 2, bins, frames]);
        let raised = match self {
            Self::ZeroSmall(_) => return Ok(spectrum.mask_fill(small, 0.0)),
            Self::RaiseSmall(_, RaisedPhase::Kept) => {
                let silent = magnitudes.clone().equal_elem(0.0);
                let direction = spectrum.clone() / magnitudes.mask_fill(silent.clone(), 1.0);
                let [real, imaginary] = [0, 1].map(|part| direction.clone().narrow(1, part, 1));
                Tensor::cat(vec![real.mask_fill(silent, 1.0), imaginary], 1) * threshold
            }
            Self::RaiseSmall(_, RaisedPhase::Random(seed)) => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let directions: Vec<Complex32> = (0..frames * bins).map(|_| random_direction(&mut rng)).collect();
                let parts = directions.iter().map(|c| c.re).chain(directions.iter().map(|c| c.im)).collect();
                let data = TensorData::new::<f32, _>(parts, [1, 2, frames, bins]);
                Tensor::from_data(data, &device).swap_dims(2, 3) * threshold
            }
        };
        Ok(spectrum.mask_where(small, raised))
    }
}

fn random_direction(rng: &mut ChaCha8Rng) -> Complex32 {
    Complex32::cis(rng.random_range(-core::f32::consts::PI..core::f32::consts::PI))
}

fn peak(coefficients: &[Complex32]) -> f32 {
    coefficients.iter().map(|coefficient| coefficient.norm()).fold(0.0, f32::max)
}

/// Index, in ascending order, of the magnitude that has a share of `count` magnitudes below it.
fn rank(share: f32, count: usize) -> usize {
    ((f64::from(share) * count as f64) as usize).min(count - 1)
}

impl Threshold {
    /// The magnitude for all the signal, or, if every frame has its own, what its peak is to be multiplied with.
    fn of_file(self, spectrum: &Spectrum) -> Result<f32, f32> {
        match self {
            Self::Quantile(share) => {
                let mut magnitudes: Vec<f32> = spectrum.coefficients.iter().map(|c| c.norm()).collect();
                let rank = rank(share, magnitudes.len());
                Ok(*magnitudes.select_nth_unstable_by(rank, f32::total_cmp).1)
            }
            Self::Magnitude(magnitude) => Ok(magnitude),
            Self::FilePeakDb(db) => Ok(db_to_amplitude(db) * peak(&spectrum.coefficients)),
            Self::FramePeakDb(db) => Err(db_to_amplitude(db)),
        }
    }

    /// `[batch, 1, bins, frames]` → `[batch, 1, 1, 1 or frames]`
    fn on_device<B: Backend>(self, magnitudes: Tensor<B, 4>) -> Tensor<B, 4> {
        let [batch, _, bins, frames] = magnitudes.dims();
        match self {
            Self::Magnitude(magnitude) => Tensor::full([batch, 1, 1, 1], magnitude, &magnitudes.device()),
            Self::FramePeakDb(db) => magnitudes.max_dim(2) * db_to_amplitude(db),
            Self::FilePeakDb(db) => magnitudes.max_dim(3).max_dim(2) * db_to_amplitude(db),
            Self::Quantile(share) => {
                // Burn sorts on the CPU, which a page cannot wait for. Halving needs sums alone: at most `rank` magnitudes
                // are below `low`, more are below `high`.
                let flat: Tensor<B, 2> = magnitudes.reshape([batch, bins * frames]);
                let rank = rank(share, bins * frames) as i64;
                let mut high = flat.clone().max_dim(1);
                let mut low = high.zeros_like();
                for _ in 0..HALVINGS {
                    let middle = (low.clone() + high.clone()) * 0.5;
                    let below: Tensor<B, 2, Int> =
                        flat.clone().lower(middle.clone().expand(flat.dims())).int().sum_dim(1);
                    let few = below.lower_equal_elem(rank);
                    low = low.mask_where(few.clone(), middle.clone());
                    high = middle.mask_where(few, high);
                }
                low.reshape([batch, 1, 1, 1])
            }
        }
    }
}
