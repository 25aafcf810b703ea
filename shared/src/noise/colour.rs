//! White, pink and brown noise.

use core::f64::consts::TAU;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// `len` samples of white Gaussian noise of unit variance: equal power per hertz.
pub fn white(len: usize, rng: &mut impl Rng) -> Vec<f32> {
    (0..len).map(|_| rng.sample(StandardNormal)).collect()
}

/// `len` samples of pink noise, equal power per octave (3 dB less per octave), within 0.5 dB from 40 Hz to a third of the
/// rate.
///
/// White noise through first-order sections, each with a pole and a zero 1.68 times as high; poles are an octave and a half (2.83
/// times) apart, from 10 Hz up. That is a staircase which falls by 3 dB an octave on average. The variance depends on the rate.
pub fn pink(len: usize, sample_rate_hz: u32, rng: &mut impl Rng) -> Vec<f32> {
    const LOWEST_HZ: f64 = 10.0;
    /// Between two poles.
    const RATIO: f64 = 2.828_427_124_746_19;
    let rate = f64::from(sample_rate_hz);
    let root = |frequency_hz: f64| (-TAU * frequency_hz / rate).exp();
    let mut sections = Vec::new();
    let mut pole_hz = LOWEST_HZ;
    while pole_hz < rate / 2.0 {
        sections.push([root(pole_hz), root(pole_hz * RATIO.sqrt()), 0.0]);
        pole_hz *= RATIO;
    }
    let mut step = |input: f32| {
        // Each section: y = x + state, state' = pole · y − zero · x.
        sections.iter_mut().fold(f64::from(input), |x, [pole, zero, state]| {
            let y = x + *state;
            *state = *pole * y - *zero * x;
            y
        }) as f32
    };
    // The slowest section settles within a tenth of a second.
    (0..sample_rate_hz / 10).for_each(|_| {
        step(rng.sample(StandardNormal));
    });
    (0..len).map(|_| step(rng.sample(StandardNormal))).collect()
}

/// `len` samples of brown noise, 6 dB less per octave, of about unit variance: leaky integration of white noise,
/// `y[n] = p · y[n-1] + √(1 − p²) · x[n]`, flat below 13 Hz at any rate (`p` = 0.995 at 16 kHz).
pub fn brown(len: usize, sample_rate_hz: u32, rng: &mut impl Rng) -> Vec<f32> {
    let pole = 0.995f32.powf(16_000.0 / sample_rate_hz as f32);
    let gain = (1.0 - pole * pole).sqrt();
    let mut state = 0.0;
    let mut step = |sample: f32| {
        state = pole * state + gain * sample;
        state
    };
    white(len, rng).into_iter().map(&mut step).collect()
}
