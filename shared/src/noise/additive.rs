//! Noise that is added to a signal.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::error::{Error, Result};

/// `len` samples of white Gaussian noise of unit variance.
pub fn white(len: usize, rng: &mut impl Rng) -> Vec<f32> {
    (0..len).map(|_| rng.sample(StandardNormal)).collect()
}

/// `len` samples of brown noise, 6 dB less per octave, of about unit variance: leaky integration of white noise.
pub fn brown(len: usize, rng: &mut impl Rng) -> Vec<f32> {
    // A pole this close to 1 keeps the slope down to a few tens of hertz at 16 kHz, and the sum from drifting away.
    const POLE: f32 = 0.995;
    let gain = (1.0 - POLE * POLE).sqrt();
    let mut state = 0.0;
    white(len, rng)
        .into_iter()
        .map(|sample| {
            state = POLE * state + gain * sample;
            state
        })
        .collect()
}

/// `len` samples of a recording, from `offset` on and from its start again whenever it ends.
///
/// # Panics
/// When `recording` is empty and `len` is not 0.
pub fn loop_to(recording: &[f32], offset: usize, len: usize) -> Vec<f32> {
    recording.iter().copied().cycle().skip(offset % recording.len().max(1)).take(len).collect()
}

/// `clean + gain · noise`, with the gain that makes `10 log10(|clean|² / |gain · noise|²)` equal `snr_db`, energies taken over
/// the whole length.
///
/// # Errors
/// When the lengths differ, when either is silent so that no gain gives that ratio, or when `snr_db` is not within ±100 dB.
pub fn mix(clean: &[f32], noise: &[f32], snr_db: f32) -> Result<Vec<f32>> {
    if clean.len() != noise.len() {
        return Err(Error::audio("noise length", format!("{} samples", clean.len()), noise.len()));
    }
    if !(-100.0..=100.0).contains(&snr_db) {
        return Err(Error::config("snr_db", "-100 to 100 dB", snr_db));
    }
    let energy = |x: &[f32]| x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
    let (signal_energy, noise_energy) = (energy(clean), energy(noise));
    for (what, energy) in [("signal", signal_energy), ("noise", noise_energy)] {
        if energy <= 0.0 {
            return Err(Error::audio(what, "sound, to set a signal-to-noise ratio against", "silence"));
        }
    }
    let gain = (signal_energy / noise_energy / 10f64.powf(f64::from(snr_db) / 10.0)).sqrt();
    Ok(clean.iter().zip(noise).map(|(&clean, &noise)| (f64::from(clean) + gain * f64::from(noise)) as f32).collect())
}
