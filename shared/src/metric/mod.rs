//! What people compare: scores of an estimate against a clean reference, on slices, in double precision.
//!
//! ```
//! let (clean, estimate) = ([1.0, -1.0, 2.0, -2.0], [1.1, -1.0, 2.3, -2.0]);
//! assert!((shared::metric::snr(&clean, &estimate) - 20.0).abs() < 1e-4);
//! ```

mod intelligibility;

pub use intelligibility::{estoi, stoi};

/// A score in dB is limited to ±this, so that a perfect or an empty estimate still averages.
pub const LIMIT_DB: f64 = 100.0;

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn decibels(signal: f64, error: f64) -> f64 {
    if signal <= 0.0 {
        return -LIMIT_DB;
    }
    (10.0 * (signal / error).log10()).clamp(-LIMIT_DB, LIMIT_DB)
}

/// Signal-to-noise ratio in dB: energy of `clean` over that of `estimate - clean`.
///
/// # Panics
/// When the two differ in length.
pub fn snr(clean: &[f32], estimate: &[f32]) -> f64 {
    assert_eq!(clean.len(), estimate.len());
    let error = clean.iter().zip(estimate).map(|(&a, &b)| (f64::from(b) - f64::from(a)).powi(2)).sum();
    decibels(dot(clean, clean), error)
}

/// Scale-invariant signal-to-distortion ratio in dB: Le Roux et al. 2019, "SDR – half-baked or well done?", means
/// removed first.
///
/// # Panics
/// When the two differ in length.
pub fn si_sdr(clean: &[f32], estimate: &[f32]) -> f64 {
    assert_eq!(clean.len(), estimate.len());
    let centre = |x: &[f32]| -> Vec<f32> {
        let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len().max(1) as f64;
        x.iter().map(|&v| (f64::from(v) - mean) as f32).collect()
    };
    let (clean, estimate) = (centre(clean), centre(estimate));
    let energy = dot(&clean, &clean);
    let scale = if energy > 0.0 { dot(&clean, &estimate) / energy } else { 0.0 };
    let error = clean.iter().zip(&estimate).map(|(&a, &b)| (f64::from(b) - scale * f64::from(a)).powi(2)).sum();
    decibels(scale * scale * energy, error)
}

/// Weighted source-to-distortion ratio, from 1 (perfect) to -1: Choi et al. 2019, "Weighted-SDR loss", without the minus sign
/// that makes it a loss.
///
/// # Panics
/// When the three differ in length.
pub fn wsdr(noisy: &[f32], clean: &[f32], estimate: &[f32]) -> f64 {
    assert!(noisy.len() == clean.len() && clean.len() == estimate.len());
    let difference = |a: &[f32], b: &[f32]| -> Vec<f32> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    let cosine = |a: &[f32], b: &[f32]| match (dot(a, a) * dot(b, b)).sqrt() {
        norm if norm > 0.0 => dot(a, b) / norm,
        // Nothing asked for and nothing given is perfect; nothing in place of something, or the reverse, is worth nothing.
        _ => f64::from(u8::from(dot(a, a) == dot(b, b))),
    };
    let (noise, estimated_noise) = (difference(noisy, clean), difference(noisy, estimate));
    let (speech_energy, noise_energy) = (dot(clean, clean), dot(&noise, &noise));
    let total = speech_energy + noise_energy;
    let weight = if total > 0.0 { speech_energy / total } else { 1.0 };
    weight * cosine(clean, estimate) + (1.0 - weight) * cosine(&noise, &estimated_noise)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: [f32; 4] = [1.0, -1.0, 2.0, -2.0];

    #[test]
    fn snr_by_hand() {
        // Error energy 0.1, signal energy 10.
        let estimate = [1.1f32, -1.0, 2.3, -2.0];
        assert!((snr(&CLEAN, &estimate) - 20.0).abs() < 1e-4);
        assert_eq!(snr(&CLEAN, &CLEAN), LIMIT_DB);
        assert_eq!(snr(&[0.0; 4], &CLEAN), -LIMIT_DB);
    }

    #[test]
    fn si_sdr_ignores_scale_and_offset() {
        let noisy = [1.5f32, -0.5, 2.0, -2.5];
        let scaled: Vec<f32> = noisy.iter().map(|x| 0.3 * x + 5.0).collect();
        assert!((si_sdr(&CLEAN, &noisy) - si_sdr(&CLEAN, &scaled)).abs() < 1e-3);
        // An error orthogonal to the signal: 10 * log10(10 / 1).
        let orthogonal = [1.0 + 0.5f32, -1.0 + 0.5, 2.0 - 0.5, -2.0 - 0.5];
        assert!((si_sdr(&CLEAN, &orthogonal) - 10.0).abs() < 1e-4);
        assert_eq!(si_sdr(&CLEAN, &[0.0; 4]), -LIMIT_DB);
    }

    #[test]
    fn wsdr_spans_its_range() {
        let noisy = [2.0f32, 0.0, 2.0, -2.0];
        assert!((wsdr(&noisy, &CLEAN, &CLEAN) - 1.0).abs() < 1e-9);
        let opposite = CLEAN.map(|x| -x);
        assert!(wsdr(&noisy, &CLEAN, &opposite) < 0.0);
        assert_eq!(wsdr(&[0.0; 4], &[0.0; 4], &[0.0; 4]), 1.0);
        // Pure noise, all of it removed.
        assert!((wsdr(&noisy, &[0.0; 4], &[0.0; 4]) - 1.0).abs() < 1e-9);
    }
}
