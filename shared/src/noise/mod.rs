//! Making recordings noisy: the report's two corruptions of STFT coefficients, and additive noise at a requested SNR.

pub mod additive;
pub mod stft;

pub use additive::{brown, loop_to, mix, white};
pub use stft::{Corruption, Threshold};
