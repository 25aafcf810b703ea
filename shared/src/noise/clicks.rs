//! Clicks and crackle, as of a worn record or a bad contact.

use core::f64::consts::TAU;
use core::ops::Range;

use rand::{Rng, RngExt};

/// What impulses are like.
struct Impulses {
    per_second: f64,
    /// Time in which one decays to 1/e.
    decay_seconds: Range<f64>,
    /// What it rings at.
    frequency_hz: Range<f64>,
    /// Exponent of the amplitudes: `u^(-spread)` of a uniform `u`, at most 10; 0 makes all alike.
    spread: f64,
}

/// `len` samples with clicks at random times, `per_second` of them on average and at least one:
/// `± a e^(−t/τ) cos(2πft + φ)`, with τ from 0.2 to 2 ms, f from 0.5 to 6 kHz, φ within ±54°, and strengths `a = u^(−1/5)` of a
/// uniform `u`, at most 10.
pub fn clicks(len: usize, sample_rate_hz: u32, per_second: f64, rng: &mut impl Rng) -> Vec<f32> {
    let decay_seconds = 0.2e-3..2e-3;
    Impulses { per_second, decay_seconds, frequency_hz: 500.0..6_000.0, spread: 0.2 }.draw(len, sample_rate_hz, rng)
}

/// As [`clicks`], but short (τ from 0.02 to 0.1 ms) and of very different strengths, `u^(−2/3)`. Meant for hundreds a second.
pub fn crackle(len: usize, sample_rate_hz: u32, per_second: f64, rng: &mut impl Rng) -> Vec<f32> {
    let decay_seconds = 0.02e-3..0.1e-3;
    Impulses { per_second, decay_seconds, frequency_hz: 500.0..8_000.0, spread: 2.0 / 3.0 }.draw(
        len,
        sample_rate_hz,
        rng,
    )
}

impl Impulses {
    fn draw(&self, len: usize, sample_rate_hz: u32, rng: &mut impl Rng) -> Vec<f32> {
        let rate = f64::from(sample_rate_hz);
        let mut samples = vec![0.0; len];
        if len == 0 {
            return samples;
        }
        // A Poisson process: exponential times between impulses. One that is sure to fall, so that there is something.
        self.add(&mut samples, rng.random_range(0..len), rate, rng);
        let mut position = 0.0;
        loop {
            position -= (1.0 - rng.random::<f64>()).ln() * rate / self.per_second;
            if position >= len as f64 {
                return samples;
            }
            self.add(&mut samples, position as usize, rate, rng);
        }
    }

    fn add(&self, samples: &mut [f32], start: usize, rate: f64, rng: &mut impl Rng) {
        let sign = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
        let amplitude = sign * (1.0 - rng.random::<f64>()).powf(-self.spread).min(10.0);
        let decay = rng.random_range(self.decay_seconds.clone()) * rate;
        let frequency = rng.random_range(self.frequency_hz.start..self.frequency_hz.end.min(0.45 * rate)) / rate;
        // Anywhere but where it would start from nothing.
        let phase = rng.random_range(-0.15..0.15);
        // To -78 dB.
        let ringing = samples[start..].iter_mut().take((9.0 * decay) as usize + 1);
        for (i, sample) in ringing.enumerate() {
            let t = i as f64;
            *sample += (amplitude * (-t / decay).exp() * (TAU * (frequency * t + phase)).cos()) as f32;
        }
    }
}
