//! Short-time objective intelligibility: how well speech can be understood, from the correlation of its short-time envelopes in
//! third-octave bands with those of the clean speech.
//!
//! Follows the authors' Matlab code where the papers leave something open, and so does `pystoi`, with which both scores agree
//! within 1e-6 (`tests/shared/golden.rs`): frames of which the clean one is more than 40 dB below the loudest are left out, and
//! other rates are brought to 10 kHz by Octave's `resample`.

use core::f64::consts::TAU;

use realfft::RealFftPlanner;

use crate::error::{Error, Result};
use crate::resample::greatest_common_divisor;

/// The rate at which both scores are defined, in Hz.
const RATE_HZ: usize = 10_000;
/// Samples in a frame.
const FRAME: usize = 256;
/// Samples between two frames.
const HOP: usize = FRAME / 2;
/// Length of a frame's transform.
const N_FFT: usize = 512;
/// Third-octave bands.
const BANDS: usize = 15;
/// Centre of the lowest band, in Hz.
const LOWEST_HZ: f64 = 150.0;
/// Frames in a segment: 384 ms.
const SEGMENT: usize = 30;
/// Frames quieter than the loudest by this much are left out.
const RANGE_DB: f64 = 40.0;
/// Lowest signal-to-distortion ratio in a band; what is worse is clipped.
const LOWEST_SDR_DB: f64 = -15.0;
/// Added to norms under a division.
const EPSILON: f64 = f64::EPSILON;

/// Short-time objective intelligibility, about 0 (none) to 1 (perfect): Taal et al. 2011, "An Algorithm for Intelligibility
/// Prediction of Time-Frequency Weighted Noisy Speech". `sample_rate_hz` is that of both signals, 8 000 to 384 000.
///
/// # Errors
/// When the signals differ in length, have samples that are not finite, or hold less than 0.4 s of clean speech.
pub fn stoi(clean: &[f32], estimate: &[f32], sample_rate_hz: u32) -> Result<f64> {
    score(clean, estimate, sample_rate_hz, correlation)
}

/// Extended short-time objective intelligibility, about 0 (none) to 1 (perfect), which also sees noise that comes and goes: Jensen
/// and Taal 2016, "An Algorithm for Predicting the Intelligibility of Speech Masked by Modulated Noise Maskers".
///
/// Rows or columns of a segment without variation count 0, where `pystoi` gives them random directions.
///
/// # Errors
/// As [`stoi`].
pub fn estoi(clean: &[f32], estimate: &[f32], sample_rate_hz: u32) -> Result<f64> {
    score(clean, estimate, sample_rate_hz, spectral_correlation)
}

/// Envelopes of a segment, `[band][frame]`.
type Segment = [[f64; SEGMENT]; BANDS];

/// The mean of `correlate` over all segments.
fn score(clean: &[f32], estimate: &[f32], rate_hz: u32, correlate: fn(Segment, Segment) -> f64) -> Result<f64> {
    if !(8_000..=384_000).contains(&rate_hz) {
        return Err(Error::audio("sampling rate", "8000 to 384000 Hz", rate_hz));
    }
    if clean.len() != estimate.len() {
        return Err(Error::audio("length of the estimate", format!("{} samples", clean.len()), estimate.len()));
    }
    if let Some(sample) = clean.iter().chain(estimate).find(|sample| !sample.is_finite()) {
        return Err(Error::audio("sample", "a finite number", sample));
    }
    let (clean, estimate) = (resample(clean, rate_hz as usize), resample(estimate, rate_hz as usize));
    let (clean, estimate) = without_silence(&clean, &estimate);
    let (clean, estimate) = (envelopes(&clean), envelopes(&estimate));
    if clean.len() < SEGMENT {
        let expected = format!("at least {SEGMENT} frames of {HOP} samples at {RATE_HZ} Hz (0.4 s)");
        return Err(Error::audio("clean speech", expected, format!("{} frames", clean.len())));
    }
    let segment = |frames: &[[f64; BANDS]]| -> Segment {
        core::array::from_fn(|band| core::array::from_fn(|frame| frames[frame][band]))
    };
    let segments = clean.windows(SEGMENT).zip(estimate.windows(SEGMENT));
    let sum: f64 = segments.map(|(clean, estimate)| correlate(segment(clean), segment(estimate))).sum();
    Ok(sum / (clean.len() + 1 - SEGMENT) as f64)
}

/// The mean over bands of the correlation of the envelopes, the estimate's scaled and clipped first (equations 3 to 5).
fn correlation(clean: Segment, estimate: Segment) -> f64 {
    let clip = 1.0 + 10f64.powf(-LOWEST_SDR_DB / 20.0);
    let bands = clean.into_iter().zip(estimate).map(|(x, y)| {
        let gain = norm(&x) / (norm(&y) + EPSILON);
        let clipped: [f64; SEGMENT] = core::array::from_fn(|frame| (gain * y[frame]).min(clip * x[frame]));
        let (x, y) = (centred(x), centred(clipped));
        dot(&x, &y) / ((norm(&x) + EPSILON) * (norm(&y) + EPSILON))
    });
    bands.sum::<f64>() / BANDS as f64
}

/// The mean over frames of the correlation of the spectra, after envelopes and then spectra were normalised (equations 3 to 6).
fn spectral_correlation(clean: Segment, estimate: Segment) -> f64 {
    let normalised = |segment: Segment| -> [[f64; BANDS]; SEGMENT] {
        let bands = segment.map(|envelope| unit(centred(envelope)));
        core::array::from_fn(|frame| unit(centred(bands.map(|envelope| envelope[frame]))))
    };
    let frames = normalised(clean).into_iter().zip(normalised(estimate));
    frames.map(|(x, y)| dot(&x, &y)).sum::<f64>() / SEGMENT as f64
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn centred<const N: usize>(a: [f64; N]) -> [f64; N] {
    let mean = a.iter().sum::<f64>() / N as f64;
    a.map(|value| value - mean)
}

/// At length 1, or 0 where there is nothing but rounding.
fn unit<const N: usize>(a: [f64; N]) -> [f64; N] {
    let norm = norm(&a);
    a.map(|value| if norm > EPSILON { value / norm } else { 0.0 })
}

/// The symmetric Hann window without its zeros.
fn window() -> [f64; FRAME] {
    core::array::from_fn(|i| 0.5 - 0.5 * (TAU * (i + 1) as f64 / (FRAME + 1) as f64).cos())
}

/// Windowed frames, the last whole one left out when it ends with the signal, as by the authors.
fn frames(signal: &[f64]) -> impl Iterator<Item = [f64; FRAME]> {
    let window = window();
    let starts = (0..signal.len().saturating_sub(FRAME)).step_by(HOP);
    starts.map(move |start| core::array::from_fn(|i| signal[start + i] * window[i]))
}

/// Both signals without the frames in which the clean one is silent.
fn without_silence(clean: &[f64], estimate: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let energy_db = |frame: [f64; FRAME]| 20.0 * (norm(&frame) + EPSILON).log10();
    let energies: Vec<f64> = frames(clean).map(energy_db).collect();
    let loudest = energies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Digital silence throughout is not speech at its own level.
    let heard = |energy: f64| energy > loudest - RANGE_DB && energy > 20.0 * (2.0 * EPSILON).log10();
    let kept = |signal: &[f64]| {
        let kept = frames(signal).zip(&energies).filter(|(_, energy)| heard(**energy)).map(|(frame, _)| frame);
        let mut joined = Vec::new();
        for (index, frame) in kept.enumerate() {
            joined.resize(index * HOP + FRAME, 0.0);
            joined[index * HOP..].iter_mut().zip(frame).for_each(|(sum, sample)| *sum += sample);
        }
        joined
    };
    (kept(clean), kept(estimate))
}

/// Magnitudes in third-octave bands, frame by frame (equation 1).
fn envelopes(signal: &[f64]) -> Vec<[f64; BANDS]> {
    let bands: [_; BANDS] = core::array::from_fn(|band| {
        let edge = |sixths: f64| {
            let hz = LOWEST_HZ * 2f64.powf((2.0 * band as f64 + sixths) / 6.0);
            (hz * N_FFT as f64 / RATE_HZ as f64).round() as usize
        };
        edge(-1.0)..edge(1.0)
    });
    let plan = RealFftPlanner::<f64>::new().plan_fft_forward(N_FFT);
    let mut spectrum = plan.make_output_vec();
    let transform = |frame: [f64; FRAME]| {
        let mut padded = [0.0; N_FFT];
        padded[..FRAME].copy_from_slice(&frame);
        plan.process(&mut padded, &mut spectrum).expect("buffers of the plan's sizes");
        bands.clone().map(|bins| spectrum[bins].iter().map(|bin| bin.norm_sqr()).sum::<f64>().sqrt())
    };
    frames(signal).map(transform).collect()
}

/// At 10 kHz, by the filter of Octave's `resample`: a sinc that stops 60 dB, in a Kaiser window.
fn resample(signal: &[f32], rate_hz: usize) -> Vec<f64> {
    if rate_hz == RATE_HZ {
        return signal.iter().map(|&sample| f64::from(sample)).collect();
    }
    let divisor = greatest_common_divisor(RATE_HZ, rate_hz);
    let (up, down) = (RATE_HZ / divisor, rate_hz / divisor);
    let rejection_db = 60.0;
    let cutoff = 0.5 / up.max(down) as f64;
    let reach = ((rejection_db - 8.0) / (28.714 * cutoff / 10.0)).ceil() as isize;
    let beta = 0.1102 * (rejection_db - 8.7);
    let tap = |t: isize| {
        let x = TAU * cutoff * t as f64;
        let sinc = if t == 0 { 1.0 } else { x.sin() / x };
        sinc * bessel_i0(beta * (1.0 - (t as f64 / reach as f64).powi(2)).max(0.0).sqrt())
    };
    let taps: Vec<f64> = (-reach..=reach).map(tap).collect();
    let gain = up as f64 / taps.iter().sum::<f64>();

    // Between the samples lie `up - 1` zeros each; of the filtered signal every `down`-th sample is kept.
    let output = |index: usize| {
        let centre = (index * down) as isize;
        let first = (centre - reach).max(0) as usize;
        let inputs = first.div_ceil(up)..((centre + reach) as usize / up + 1).min(signal.len());
        let terms = inputs.map(|k| f64::from(signal[k]) * taps[(centre - (k * up) as isize + reach) as usize]);
        gain * terms.sum::<f64>()
    };
    (0..(signal.len() * up).div_ceil(down)).map(output).collect()
}

/// The modified Bessel function of order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (x / (2 * k) as f64).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warble(seconds: f64, rate_hz: u32) -> Vec<f32> {
        let time = |i: usize| i as f64 / f64::from(rate_hz);
        let sample = |t: f64| (0.5 + 0.5 * (TAU * 3.0 * t).sin()) * (350.0 * TAU * t + 40.0 * (5.0 * t).sin()).sin();
        (0..(seconds * f64::from(rate_hz)) as usize).map(|i| 0.3 * sample(time(i)) as f32).collect()
    }

    #[test]
    fn the_clean_signal_scores_one_at_any_rate_and_level() {
        for rate_hz in [8_000, 10_000, 16_000, 44_100, 48_000] {
            let clean = warble(0.8, rate_hz);
            // A power of two: rounding would show in the bands that have nothing else.
            let quiet: Vec<f32> = clean.iter().map(|sample| sample / 1024.0).collect();
            for estimate in [&clean, &quiet] {
                assert!((stoi(&clean, estimate, rate_hz).expect("speech") - 1.0).abs() < 1e-6);
                assert!((estoi(&clean, estimate, rate_hz).expect("speech") - 1.0).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn nothing_scores_nothing() {
        let clean = warble(0.8, 10_000);
        let silence = vec![0.0; clean.len()];
        assert_eq!(stoi(&clean, &silence, 10_000).expect("speech"), 0.0);
        assert_eq!(estoi(&clean, &silence, 10_000).expect("speech"), 0.0);
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let clean = warble(1.0, 10_000);
        let mut broken = clean.clone();
        broken[7] = f32::NAN;
        for (clean, estimate, rate_hz, reason) in [
            (&clean[..4_000], &clean[..4_000], 10_000, "clean speech: expected at least 30 frames"),
            (&clean[..0], &clean[..0], 10_000, "got 0 frames"),
            (&[0.0; 10_000], &clean[..], 10_000, "got 0 frames"),
            (&clean[..], &clean[1..], 10_000, "expected 10000 samples, got 9999"),
            (&clean[..], &broken[..], 10_000, "expected a finite number, got NaN"),
            (&clean[..], &clean[..], 1_000, "expected 8000 to 384000 Hz, got 1000"),
        ] {
            let message = stoi(clean, estimate, rate_hz).expect_err("refused").to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
}
