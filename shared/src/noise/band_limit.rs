//! A limited band, as of telephones and small loudspeakers.

use core::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};

use super::drawn::DrawnStep;
use super::fir::Fir;
use super::parameters::{Context, InvalidField, Parameters};
use super::value::{Number, Value};
use crate::error::Result;

/// Transition band over edge frequency.
const TRANSITION: f64 = 0.25;

/// A filter of linear phase and no delay that passes `low_hz` to `high_hz`; a `low_hz` of 0, or a `high_hz` of half the rate or
/// more, leaves that side open.
///
/// The difference of two low-passes, each a sinc under a Blackman window: −6 dB at the edge, less than 0.01 dB of ripple, more
/// than 70 dB down outside of a transition band a quarter of the edge frequency wide.
pub fn band_pass(low_hz: f64, high_hz: f64, sample_rate_hz: u32) -> Fir {
    let rate = f64::from(sample_rate_hz);
    // Taps on either side: a Blackman window's main lobe makes transitions of 5.5 / length cycles per sample.
    let half = |edge_hz: f64| ((5.5 * rate / (TRANSITION * edge_hz)) / 2.0).ceil() as usize;
    let edges = [(low_hz, -1.0), (high_hz, 1.0)];
    let filtered = |&(edge_hz, _): &(f64, f64)| edge_hz > 0.0 && edge_hz < rate / 2.0;
    let origin = edges.iter().filter(|edge| filtered(edge)).map(|edge| half(edge.0)).max().unwrap_or(0);
    let mut taps = vec![0.0; 2 * origin + 1];
    taps[origin] = if high_hz < rate / 2.0 { 0.0 } else { 1.0 };
    for (edge_hz, sign) in edges.into_iter().filter(filtered) {
        let half = half(edge_hz);
        let values: Vec<f64> = (0..=2 * half).map(|i| low_pass(i as f64 - half as f64, half, edge_hz / rate)).collect();
        let sum: f64 = values.iter().sum();
        let placed = taps[origin - half..].iter_mut().zip(values);
        placed.for_each(|(tap, value)| *tap += sign * value / sum);
    }
    Fir { taps: taps.into_iter().map(|tap| tap as f32).collect(), origin }
}

/// A sinc of this cut-off (cycles per sample) under a Blackman window of `2 half + 1` samples.
fn low_pass(x: f64, half: usize, cutoff: f64) -> f64 {
    let position = x / (half as f64 + 1.0);
    let window = 0.42 + 0.5 * (PI * position).cos() + 0.08 * (TAU * position).cos();
    let sinc = if x == 0.0 { 2.0 * cutoff } else { (TAU * cutoff * x).sin() / (PI * x) };
    window * sinc
}

/// Takes away what is below `low_hz` and above `high_hz`; see [`band_pass`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BandLimit {
    /// Lower edge, 0 (for none) or 10 to 20 000 Hz; below `high_hz`.
    pub low_hz: Value,
    /// Upper edge, 50 to 200 000 Hz; from half the rate on it does nothing.
    pub high_hz: Value,
}

impl Default for BandLimit {
    fn default() -> Self {
        Self { low_hz: 300.0.into(), high_hz: 3_400.0.into() }
    }
}

impl Parameters for BandLimit {
    fn numbers(&self) -> Vec<Number> {
        vec![Number::new("low_hz", self.low_hz, 0.0..=20_000.0), Number::new("high_hz", self.high_hz, 50.0..=200_000.0)]
    }

    fn check(&self) -> Result<(), InvalidField> {
        if self.low_hz.low() < 10.0 && self.low_hz != Value::Number(0.0) {
            return Err(InvalidField::new("low_hz", "0 for no lower edge, or at least 10 Hz", self.low_hz));
        }
        match self.low_hz.high() < self.high_hz.low() {
            true => Ok(()),
            false => Err(InvalidField::new("low_hz", format!("less than high_hz, {}", self.high_hz), self.low_hz)),
        }
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let (low_hz, high_hz) = (context.number(self.low_hz), context.number(self.high_hz));
        Ok(DrawnStep::Filtered(band_pass(low_hz, high_hz, context.sample_rate_hz)))
    }
}
