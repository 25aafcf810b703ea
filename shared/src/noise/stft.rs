//! The report's noise, made on STFT coefficients: the small ones zeroed, or raised. Phases are kept.
//!
//! Zeroing takes away what is quiet, as aggressive coders and bad noise gates do: speech sounds hollow and warbles. Raising
//! lifts everything quiet to a floor, which sounds like a metallic hiss shaped by the speech itself.

use realfft::num_complex::Complex32;

use crate::dsp::StftConfig;
use crate::dsp::spectrum::{Spectrum, SpectrumPlan};
use crate::error::{Error, Result};

/// The transform on which corruption is done, at whatever rate the signal has.
pub const STFT: StftConfig = StftConfig::SPEECH;

/// What counts as a small coefficient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// The magnitude below which this share of all the signal's coefficients lies, 0 to 1.
    Quantile(f32),
    /// A magnitude on the scale of an unnormalised transform of ±1 samples under a Hann window, from 0. The report raised to 1.
    Magnitude(f32),
}

/// One of the report's two corruptions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// Coefficients below the threshold become 0.
    ZeroSmall(Threshold),
    /// Coefficients below the threshold get its magnitude and keep their phase; those that are exactly 0 get phase 0.
    RaiseSmall(Threshold),
}

impl Corruption {
    /// Corrupts a signal: transform, change, inverse. The length stays.
    ///
    /// # Errors
    /// When the threshold is outside its range.
    pub fn apply(self, plan: &SpectrumPlan, signal: &[f32]) -> Result<Vec<f32>> {
        let mut spectrum = plan.forward(signal);
        self.apply_to(&mut spectrum)?;
        Ok(plan.inverse(&spectrum, signal.len()))
    }

    /// Corrupts a spectrum in place.
    ///
    /// # Errors
    /// When the threshold is outside its range.
    pub fn apply_to(self, spectrum: &mut Spectrum) -> Result<()> {
        let (Self::ZeroSmall(threshold) | Self::RaiseSmall(threshold)) = self;
        let threshold = threshold.magnitude(spectrum)?;
        for coefficient in &mut spectrum.coefficients {
            let magnitude = coefficient.norm();
            if magnitude >= threshold {
                continue;
            }
            *coefficient = match self {
                Self::ZeroSmall(_) => Complex32::default(),
                // Direction first: the quotient of threshold and magnitude could overflow.
                Self::RaiseSmall(_) if magnitude > 0.0 => *coefficient / magnitude * threshold,
                Self::RaiseSmall(_) => Complex32::new(threshold, 0.0),
            };
        }
        Ok(())
    }
}

impl Threshold {
    fn magnitude(self, spectrum: &Spectrum) -> Result<f32> {
        match self {
            Self::Quantile(share) if (0.0..=1.0).contains(&share) => {
                let mut magnitudes: Vec<f32> = spectrum.coefficients.iter().map(|c| c.norm()).collect();
                let rank = ((f64::from(share) * magnitudes.len() as f64) as usize).min(magnitudes.len() - 1);
                Ok(*magnitudes.select_nth_unstable_by(rank, f32::total_cmp).1)
            }
            Self::Quantile(share) => Err(Error::config("quantile", "0 to 1", share)),
            Self::Magnitude(magnitude) if magnitude >= 0.0 && magnitude.is_finite() => Ok(magnitude),
            Self::Magnitude(magnitude) => Err(Error::config("magnitude", "a finite number from 0", magnitude)),
        }
    }
}
