//! What bad sampling rate converters leave behind.

use serde::{Deserialize, Serialize};

use super::drawn::DrawnStep;
use super::parameters::{Context, InvalidField, Parameters};
use super::pick::Pick;
use super::value::{Number, Value};
use crate::error::Result;

/// How a bad converter goes back up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// Every sample is held until the next: strong images of the spectrum above half the lower rate.
    #[default]
    Hold,
    /// Straight lines between samples: weaker images, and duller.
    Linear,
}

/// What becomes of a signal of `len` samples at `from_hz` that goes to `to_hz` and back without any filter.
///
/// On the way down the nearest sample is taken, so that what lies above `to_hz / 2` comes back as an alias,
/// `low[k] = x[round(k · from / to)]`; on the way up samples are held or joined by lines. Nothing is lost where `to_hz` is
/// not the lower rate.
pub fn down_and_up(len: usize, from_hz: u32, to_hz: f64, interpolation: Interpolation) -> Pick {
    let ratio = (f64::from(from_hz) / to_hz).max(1.0);
    let nearest = |k: f64| ((k * ratio).round() as usize).min(len.saturating_sub(1)) as u32;
    let positions = (0..len).map(|i| i as f64 / ratio);
    // A sample that is on the lower grid but for rounding.
    let floor = |position: f64| (position + 1e-9).floor();
    let fraction = |position: f64| match interpolation {
        Interpolation::Hold => 0.0,
        Interpolation::Linear => (position - floor(position)).max(0.0) as f32,
    };
    Pick {
        index: [0.0, 1.0].map(|next| positions.clone().map(|position| nearest(floor(position) + next)).collect()),
        weight: [
            positions.clone().map(|position| 1.0 - fraction(position)).collect(),
            positions.clone().map(fraction).collect(),
        ],
    }
}

/// To a lower rate and back, badly; see [`down_and_up`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resample {
    /// The lower rate, 500 to 384 000 Hz. One above the signal's own does nothing.
    pub rate_hz: Value,
    /// `hold` (the default) or `linear`: how it goes back up.
    pub interpolation: Interpolation,
}

impl Default for Resample {
    fn default() -> Self {
        Self { rate_hz: 8_000.0.into(), interpolation: Interpolation::Hold }
    }
}

impl Parameters for Resample {
    fn numbers(&self) -> Vec<Number> {
        vec![Number::new("rate_hz", self.rate_hz, 500.0..=384_000.0)]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let to_hz = context.number(self.rate_hz);
        Ok(DrawnStep::Picked(down_and_up(context.len, context.sample_rate_hz, to_hz, self.interpolation)))
    }
}
