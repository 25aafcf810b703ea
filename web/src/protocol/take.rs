//! What page and workers both know of a take: its pieces, its limits, its noise, its scores.

use serde::{Deserialize, Serialize};

use crate::steps::Steps;

/// Length of a piece of a track in seconds; the last of a track may be shorter.
pub const PIECE_SECONDS: u32 = 4;

/// Minutes of stereo at 48 kHz that a recording may have: the browser holds it and the result as 32-bit floats, on disk
/// or in memory as it sees fit.
pub const MAX_MINUTES: usize = 70;

/// [`MAX_MINUTES`] as samples over all channels.
pub const MAX_SAMPLES: usize = 2 * 48_000 * 60 * MAX_MINUTES;

/// Samples over all channels of a recording that noise is made on: some noise depends on all of it, so it is held in
/// memory.
pub const MAX_NOISY_SAMPLES: usize = 2 * 48_000 * 60 * 5;

/// Channels that a recording may have: as many as browsers play.
pub const MAX_CHANNELS: usize = 32;

/// Noise that is made before a recording is denoised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedNoise {
    /// What is done, step by step.
    pub chain: Steps,
    /// What all that is random in it depends on.
    pub seed: u32,
}

/// How a track compares with the clean recording; decibels, except STOI from 0 to 1. `None` where it is not defined:
/// for silence, or speech of less than 0.4 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrackScores {
    /// Signal-to-noise ratio.
    pub snr_db: Option<f64>,
    /// Scale-invariant signal-to-distortion ratio.
    pub si_sdr_db: Option<f64>,
    /// Weighted signal-to-distortion ratio, −1 to 1, higher is better.
    pub wsdr: Option<f64>,
    /// Short-time objective intelligibility.
    pub stoi: Option<f64>,
}
