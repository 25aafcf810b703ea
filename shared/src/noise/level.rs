//! Noises that change the level: gain and clipping.

use serde::{Deserialize, Serialize};

use super::clipping::{ClipShape, Limit};
use super::drawn::DrawnStep;
use super::parameters::{Context, InvalidField, Parameters};
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

impl Parameters for Gain {
    fn numbers(&self) -> Vec<Number> {
        vec![Number::new("gain_db", self.gain_db, -100.0..=100.0)]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        Ok(DrawnStep::Gain(db_to_amplitude(context.number(self.gain_db) as f32)))
    }
}

/// Clipping, at `level` or `below_peak_db`; without either, 12 dB below the peak. See [`clip`](super::clipping::clip).
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

impl Parameters for Clip {
    fn numbers(&self) -> Vec<Number> {
        vec![
            Number::new("level", self.level, 1e-4..=10.0),
            Number::new("below_peak_db", self.below_peak_db, 0.0..=80.0),
        ]
    }

    fn check(&self) -> Result<(), InvalidField> {
        match (self.level, self.below_peak_db) {
            (Some(_), Some(_)) => {
                Err(InvalidField::new("below_peak_db", "one of level and below_peak_db", "level as well"))
            }
            _ => Ok(()),
        }
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let limit = match (self.level, self.below_peak_db) {
            (Some(level), _) => Limit::Level(context.number(level) as f32),
            (None, db) => Limit::OfPeak(db_to_amplitude(-context.number(db.unwrap_or(Value::Number(12.0))) as f32)),
        };
        Ok(DrawnStep::Clipped(limit, self.shape))
    }
}
