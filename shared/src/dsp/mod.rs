//! Framing, windows, and the short-time Fourier transform.
//!
//! Two implementations of one transform: [`stft`] as tensor code (differentiable, on any backend, for the networks) and
//! [`spectrum`] on slices through `realfft` (for data preparation). Both follow the convention of `torch.stft` with
//! `center=True, pad_mode="constant"` and a periodic Hann window, and both cover a signal of `L` samples with
//! `ceil(L / hop_length) + 1` frames.
//!
//! ```
//! use shared::dsp::StftConfig;
//! use shared::dsp::spectrum::SpectrumPlan;
//!
//! let plan = SpectrumPlan::new(StftConfig::SPEECH);
//! let signal = vec![0.5; 1_000];
//! let spectrum = plan.forward(&signal);
//! assert_eq!((spectrum.frames().len(), spectrum.bins), (5, 513));
//! let back = plan.inverse(&spectrum, signal.len());
//! assert!(back.iter().zip(&signal).all(|(a, b)| (a - b).abs() < 1e-6));
//! ```

pub mod frame;
pub mod spectrum;
pub mod stft;

use core::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The sizes of a short-time Fourier transform, in samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StftConfig {
    /// Length of a frame and of its transform: even, a multiple of `hop_length`, at most 65 536.
    pub n_fft: usize,
    /// Distance between the starts of two frames; at most a quarter of `n_fft` (half for
    /// [`RnnformerConfig`](crate::nn::RnnformerConfig)), so that frames overlap enough for the inverse to stay smooth when
    /// coefficients change.
    pub hop_length: usize,
}

impl StftConfig {
    /// The paper's analysis at 16 kHz: 64 ms frames every 16 ms.
    pub const SPEECH: Self = Self { n_fft: 1024, hop_length: 256 };

    /// Checks the ranges given at the fields.
    ///
    /// # Errors
    /// When a field is outside its range.
    pub fn validate(&self) -> Result<()> {
        self.validate_overlap(4)
    }

    /// The same, where so many frames overlap at least.
    pub(crate) fn validate_overlap(&self, least: usize) -> Result<()> {
        let Self { n_fft, hop_length } = *self;
        if !(4..=65_536).contains(&n_fft) || n_fft % 2 != 0 {
            return Err(Error::config("n_fft", "an even number from 4 to 65536", n_fft));
        }
        if hop_length == 0 || n_fft % hop_length != 0 || n_fft / hop_length < least {
            let share = if least == 4 { "a quarter" } else { "half" };
            let expected = format!("a divisor of {n_fft}, at most {share} of it");
            return Err(Error::config("hop_length", expected, hop_length));
        }
        Ok(())
    }

    /// Coefficients per frame, `n_fft / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Frames that cover `len` samples, `ceil(len / hop_length) + 1`.
    pub fn frames(&self, len: usize) -> usize {
        len.div_ceil(self.hop_length) + 1
    }
}

/// The periodic Hann window: `sin²(π i / len)` for `i` in `0..len`.
pub fn hann_window(len: usize) -> Vec<f64> {
    (0..len).map(|i| 0.5 - 0.5 * (TAU * i as f64 / len as f64).cos()).collect()
}
