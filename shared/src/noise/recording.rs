//! Recorded noise, repeated without a seam where it is too short.

use core::f64::consts::FRAC_PI_2;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::additive::{DEFAULT_SNR_DB, added, snr};
use super::drawn::DrawnStep;
use super::parameters::{Context, InvalidField, Parameters};
use super::value::{Number, Value};
use crate::error::Result;

/// `len` samples of a recording from `offset` on, repeated for as long as it takes. Where its end meets its start the two
/// overlap by `fade` samples (at most half the recording), faded so that the power stays what it is:
/// `start · sin(x) + end · cos(x)`, `x` from 0 to π/2.
///
/// With a `fade` of `F` a recording of `n` samples has a period of `n − F`. Silence if it has no samples.
pub fn loop_to(recording: &[f32], offset: usize, fade: usize, len: usize) -> Vec<f32> {
    let fade = fade.min(recording.len() / 2);
    let period = (recording.len() - fade).max(1);
    let sample = |i: usize| {
        let position = (offset % period + i) % period;
        let Some(&sample) = recording.get(position) else {
            return 0.0;
        };
        if position >= fade {
            return sample;
        }
        let (start, end) = (FRAC_PI_2 * (position as f64 + 0.5) / fade as f64).sin_cos();
        (start * f64::from(sample) + end * f64::from(recording[period + position])) as f32
    };
    (0..len).map(sample).collect()
}

/// `len` samples from anywhere in a recording; one that is too short is [repeated](loop_to). Sure to have some sound in them if
/// the recording has any: of what is drawn, the first of eight stretches that is not silent, and else one around its peak.
pub(crate) fn anywhere(recording: &[f32], len: usize, fade: usize, rng: &mut impl Rng) -> Vec<f32> {
    let Some(slack) = recording.len().checked_sub(len) else {
        return loop_to(recording, rng.random_range(0..recording.len().max(1)), fade, len);
    };
    let stretch = |start: usize| &recording[start..start + len];
    let starts: [usize; 8] = core::array::from_fn(|_| rng.random_range(0..=slack));
    let has_sound = |start: &usize| stretch(*start).iter().any(|sample| sample.abs() > 1e-5);
    let start = starts.into_iter().find(has_sound).unwrap_or_else(|| {
        let loudest = (0..recording.len()).max_by(|&a, &b| recording[a].abs().total_cmp(&recording[b].abs()));
        loudest.unwrap_or(0).saturating_sub(len / 2).min(slack)
    });
    stretch(start).to_vec()
}

/// A recording, from anywhere on; every channel has another part of it. It is repeated with cross-fades
/// ([`loop_to`]) where it is too short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordedNoise {
    /// Name of the recording; which names there are is up to who applies the chain. `*`, the default, is any of them.
    pub file: String,
    /// Active speech over noise, −100 to 100 dB.
    pub snr_db: Value,
    /// Length of a cross-fade, 0 to 1000 ms; half the recording at most.
    pub crossfade_ms: Value,
}

impl Default for RecordedNoise {
    fn default() -> Self {
        Self { file: "*".into(), snr_db: DEFAULT_SNR_DB, crossfade_ms: 50.0.into() }
    }
}

impl Parameters for RecordedNoise {
    fn numbers(&self) -> Vec<Number> {
        vec![snr(self.snr_db), Number::new("crossfade_ms", self.crossfade_ms, 0.0..=1000.0)]
    }

    fn check(&self) -> Result<(), InvalidField> {
        if self.file.is_empty() { Err(InvalidField::new("file", "the name of a recording", "\"\"")) } else { Ok(()) }
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let recording = context.recording("file", &self.file)?;
        let fade = (context.number(self.crossfade_ms) * 1e-3 * f64::from(context.sample_rate_hz)) as usize;
        let noise = anywhere(&recording, context.len, fade, &mut context.own);
        Ok(added(context, self.snr_db, noise))
    }
}
