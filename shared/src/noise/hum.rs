//! Mains hum.

use core::f64::consts::TAU;

use rand::{Rng, RngExt};
use realfft::num_complex::Complex64;

/// `len` samples of hum: `Σ_h a_h cos(2π h f t + φ_h)` for `h` from 1 to `harmonics`, with `a_h = 10^(−d log2(h) / 20)`.
///
/// `f` is `mains_hz`, `d` is `decay_db_per_octave`, and every phase is drawn at random. Harmonics from half the rate on are
/// left out. The sum is the real part of a polynomial in `e^(2πift)`, evaluated by Horner's rule.
pub fn hum(
    len: usize,
    sample_rate_hz: u32,
    mains_hz: f64,
    harmonics: usize,
    decay_db_per_octave: f64,
    rng: &mut impl Rng,
) -> Vec<f32> {
    let cycles_per_sample = mains_hz / f64::from(sample_rate_hz);
    let coefficients: Vec<Complex64> = (1..=harmonics)
        .take_while(|&h| h as f64 * cycles_per_sample < 0.5)
        .map(|h| {
            let amplitude = 10f64.powf(-decay_db_per_octave * (h as f64).log2() / 20.0);
            Complex64::from_polar(amplitude, rng.random_range(0.0..TAU))
        })
        .collect();
    let sample = |i: usize| {
        let z = Complex64::cis(TAU * (cycles_per_sample * i as f64).fract());
        coefficients.iter().rev().fold(Complex64::ZERO, |sum, coefficient| (sum + coefficient) * z).re as f32
    };
    (0..len).map(sample).collect()
}
