//! Level and clipping.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::drawn::Drawn;
use super::step::{Context, Kind, Wrong};
use super::value::{Number, Value};
use crate::audio::db_to_amplitude;
use crate::error::Result;

/// `10^(g/20) · x`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gain {
    /// The gain `g`, −100 to 100 dB.
    pub gain_db: Value,
}

impl Default for Gain {
    fn default() -> Self {
        Self { gain_db: Value::Number(-20.0) }
    }
}

impl Kind for Gain {
    fn numbers(&self) -> Vec<Number> {
        vec![Number::new("gain_db", self.gain_db, -100.0..=100.0)]
    }

    fn draw(&self, context: &mut Context) -> Result<Drawn, Wrong> {
        Ok(Drawn::Gain(db_to_amplitude(context.number(self.gain_db) as f32)))
    }
}

/// Where a signal is clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// At this amplitude, above 0.
    Level(f32),
    /// At the signal's own peak times this, above 0.
    OfPeak(f32),
}

/// How a signal is clipped at a limit `c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClipShape {
    /// `min(max(x, −c), c)`, as converters do.
    #[default]
    Hard,
    /// `c tanh(x / c)`, as overdriven amplifiers do.
    Soft,
}

/// The clipped signal. Silence has no peak, and stays.
pub fn clip(signal: &[f32], limit: Limit, shape: ClipShape) -> Vec<f32> {
    let limit = match limit {
        Limit::Level(level) => level,
        Limit::OfPeak(share) => share * signal.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs())),
    };
    let limit = limit.max(f32::MIN_POSITIVE);
    match shape {
        ClipShape::Hard => signal.iter().map(|sample| sample.clamp(-limit, limit)).collect(),
        ClipShape::Soft => signal.iter().map(|sample| limit * (sample / limit).tanh()).collect(),
    }
}

/// [`clip`] as tensor code, every row by its own peak.
///
/// # Shapes
/// `[batch, samples]` → `[batch, samples]`
pub fn clip_on<B: Backend>(signals: Tensor<B, 2>, limit: Limit, shape: ClipShape) -> Tensor<B, 2> {
    let [batch, samples] = signals.dims();
    let limit = match limit {
        Limit::Level(level) => Tensor::full([batch, 1], level, &signals.device()),
        Limit::OfPeak(share) => signals.clone().abs().max_dim(1) * share,
    };
    let limit = limit.clamp_min(f32::MIN_POSITIVE);
    match shape {
        ClipShape::Hard => {
            let limit = limit.expand([batch, samples]);
            signals.min_pair(limit.clone()).max_pair(-limit)
        }
        ClipShape::Soft => (signals / limit.clone()).tanh() * limit,
    }
}

/// Clipping, at `level` or `below_peak_db`; without either, 12 dB below the peak. See [`clip`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clip {
    /// Amplitude at which it clips, 0.0001 to 10; full scale is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Value>,
    /// How far below the signal's own peak it clips, 0 to 80 dB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below_peak_db: Option<Value>,
    /// `hard` (the default) or `soft`.
    pub shape: ClipShape,
}

impl Kind for Clip {
    fn numbers(&self) -> Vec<Number> {
        vec![
            Number::new("level", self.level, 1e-4..=10.0),
            Number::new("below_peak_db", self.below_peak_db, 0.0..=80.0),
        ]
    }

    fn check(&self) -> Result<(), Wrong> {
        match (self.level, self.below_peak_db) {
            (Some(_), Some(_)) => Err(Wrong::new("below_peak_db", "one of level and below_peak_db", "level as well")),
            _ => Ok(()),
        }
    }

    fn draw(&self, context: &mut Context) -> Result<Drawn, Wrong> {
        let limit = match (self.level, self.below_peak_db) {
            (Some(level), _) => Limit::Level(context.number(level) as f32),
            (None, db) => Limit::OfPeak(db_to_amplitude(-context.number(db.unwrap_or(Value::Number(12.0))) as f32)),
        };
        Ok(Drawn::Clipped(limit, self.shape))
    }
}
