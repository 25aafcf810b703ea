//! Clipping of samples that are too large, hard or soft.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

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
pub(crate) fn clip_on<B: Backend>(signals: Tensor<B, 2>, limit: Limit, shape: ClipShape) -> Tensor<B, 2> {
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
