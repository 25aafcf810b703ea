//! What must hold for any signal: transforms that undo each other, noise that does what was asked for.
#![allow(missing_docs, reason = "tests")]

mod common;

use burn::backend::Flex;
use common::*;
use proptest::prelude::*;
use shared::Error;
use shared::dsp::frame::{frame, overlap_add};
use shared::dsp::spectrum::SpectrumPlan;
use shared::dsp::{StftConfig, hann_window};
use shared::noise::{self, Corruption, Threshold};
use shared::synth;

fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn stft_config() -> impl Strategy<Value = StftConfig> {
    (1..40usize, 4..9usize)
        .prop_map(|(hop_length, overlap)| StftConfig { n_fft: hop_length * overlap, hop_length })
        .prop_filter("an even frame", |config| config.validate().is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn transform_and_inverse_are_the_identity(config in stft_config(), len in 1..5_000usize, seed: u64) {
        let signal = hiss(len, seed);
        let plan = SpectrumPlan::new(config);
        let by_fft = plan.inverse(&plan.forward(&signal), len);
        prop_assert!(largest_difference(&by_fft, &signal) < 1e-5);

        let stft = config.init::<Flex>(&device::<Flex>());
        let by_matrix = values(stft.inverse(stft.forward(tensor(&signal, [1, len])), len));
        prop_assert!(largest_difference(&by_matrix, &signal) < 1e-5);
    }

    #[test]
    fn overlap_add_is_the_adjoint_of_framing(
        hop in 1..20usize, overlap in 1..7usize, count in 1..30usize, batch in 1..3usize, seed: u64,
    ) {
        let (n_fft, samples) = (hop * overlap, (count + overlap - 1) * hop);
        let (x, y) = (hiss(batch * samples, seed), hiss(batch * count * n_fft, !seed));
        let framed = values(frame::<Flex>(tensor(&x, [batch, samples]), n_fft, hop));
        let added = values(overlap_add::<Flex>(tensor(&y, [batch, count, n_fft]), hop));
        let (left, right) = (dot(&framed, &y), dot(&x, &added));
        prop_assert!((left - right).abs() < 1e-6 * (dot(&framed, &framed) * dot(&y, &y)).sqrt(), "{left} {right}");
    }

    #[test]
    fn frames_are_stretches_of_the_signal(hop in 1..9usize, overlap in 1..5usize, count in 1..9usize) {
        let (n_fft, samples) = (hop * overlap, (count + overlap - 1) * hop);
        let ramp: Vec<f32> = (0..samples).map(|i| i as f32).collect();
        let expected: Vec<f32> = (0..count).flat_map(|t| ramp[t * hop..t * hop + n_fft].to_vec()).collect();
        prop_assert_eq!(values(frame::<Flex>(tensor(&ramp, [1, samples]), n_fft, hop)), expected);
    }

    #[test]
    fn a_mix_has_the_requested_ratio(
        snr_db in -40f32..40.0, clean_db in -60f32..20.0, noise_db in -60f32..20.0, len in 1..3_000usize, seed: u64,
    ) {
        let scaled = |db: f32, seed: u64| -> Vec<f32> {
            hiss(len, seed).into_iter().map(|x| x * shared::audio::db_to_amplitude(db)).collect()
        };
        let (clean, added) = (scaled(clean_db, seed), scaled(noise_db, !seed));
        let mixed = noise::mix(&clean, &added, snr_db).expect("two sounds of one length");
        // Where the noise is far quieter than the signal, it can be no finer than the signal's rounding.
        prop_assert!((shared::metric::snr(&clean, &mixed) - f64::from(snr_db)).abs() < 0.01);
    }

    #[test]
    fn nothing_is_corrupted_at_quantile_0(len in 1..4_000usize, seed: u64) {
        let plan = SpectrumPlan::new(noise::stft::STFT);
        let signal = hiss(len, seed);
        for corruption in [Corruption::ZeroSmall, Corruption::RaiseSmall] {
            for threshold in [Threshold::Quantile(0.0), Threshold::Magnitude(0.0)] {
                let output = corruption(threshold).apply(&plan, &signal).expect("in range");
                prop_assert!(largest_difference(&output, &signal) < 1e-6);
            }
        }
    }

    #[test]
    fn corruptions_keep_what_is_large(len in 1..4_000usize, share in 0f32..=1.0, seed: u64) {
        let plan = SpectrumPlan::new(noise::stft::STFT);
        let before = plan.forward(&hiss(len, seed));
        let mut sorted: Vec<f32> = before.coefficients.iter().map(|c| c.norm()).collect();
        sorted.sort_by(f32::total_cmp);
        let count = sorted.len();
        for threshold in [Threshold::Quantile(share), Threshold::Magnitude(share)] {
            let limit = match threshold {
                Threshold::Quantile(share) => sorted[((f64::from(share) * count as f64) as usize).min(count - 1)],
                Threshold::Magnitude(magnitude) => magnitude,
            };
            let (mut zeroed, mut raised) = (before.clone(), before.clone());
            Corruption::ZeroSmall(threshold).apply_to(&mut zeroed).expect("in range");
            Corruption::RaiseSmall(threshold).apply_to(&mut raised).expect("in range");
            for ((old, zeroed), raised) in before.coefficients.iter().zip(&zeroed.coefficients).zip(&raised.coefficients) {
                if old.norm() >= limit {
                    prop_assert_eq!((zeroed, raised), (old, old));
                    continue;
                }
                prop_assert_eq!(zeroed.norm(), 0.0);
                prop_assert!((raised.norm() - limit).abs() <= 1e-5 * limit, "{raised} at {limit}");
                // The same direction: |raised| · |old| is their inner product.
                let inner = raised.re * old.re + raised.im * old.im;
                prop_assert!(inner >= raised.norm() * old.norm() * (1.0 - 1e-5));
            }
        }
    }

    #[test]
    fn speech_is_made_at_any_rate(rate in prop::sample::select(vec![8_000u32, 16_000, 44_100, 48_000]), seed: u64) {
        let len = 4 * rate as usize;
        let signal = synth::speech(len, rate, &mut rng(seed));
        prop_assert_eq!(signal.len(), len);
        prop_assert!(signal.iter().all(|sample| sample.is_finite()));
        let peak = signal.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        prop_assert!((peak - 0.5).abs() < 1e-6);
        // Sound for at least a second of the four.
        let loud = signal.chunks(rate as usize / 100).filter(|chunk| shared::audio::rms(chunk) > 0.005).count();
        prop_assert!(loud > 100, "{loud} loud hundredths of a second");
        prop_assert_eq!(signal, synth::speech(len, rate, &mut rng(seed)));
    }
}

#[test]
fn the_window_is_a_periodic_hann_window() {
    let window = hann_window(8);
    let expected = [0.0, 0.146_446_6, 0.5, 0.853_553_4, 1.0, 0.853_553_4, 0.5, 0.146_446_6];
    assert!(window.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7), "{window:?}");
}

#[test]
fn sizes_out_of_range_are_refused() {
    for (n_fft, hop_length, field) in [
        (0, 1, "n_fft"),
        (2, 1, "n_fft"),
        (15, 5, "n_fft"),
        (65_538, 1, "n_fft"),
        (usize::MAX, 1, "n_fft"),
        (16, 0, "hop_length"),
        (16, 3, "hop_length"),
        (16, 8, "hop_length"),
        (16, 32, "hop_length"),
    ] {
        let error = StftConfig { n_fft, hop_length }.validate().expect_err("out of range");
        assert!(matches!(error, Error::Config { field: name, .. } if name == field), "{error}");
    }
}

#[test]
fn at_quantile_1_only_the_largest_is_left() {
    let plan = SpectrumPlan::new(noise::stft::STFT);
    let mut spectrum = plan.forward(&hiss(5_000, 1));
    let norm = |index: usize, spectrum: &shared::dsp::spectrum::Spectrum| spectrum.coefficients[index].norm();
    let count = spectrum.coefficients.len();
    let largest = (0..count).max_by(|&a, &b| norm(a, &spectrum).total_cmp(&norm(b, &spectrum))).expect("not empty");
    let before = norm(largest, &spectrum);

    let mut raised = spectrum.clone();
    Corruption::RaiseSmall(Threshold::Quantile(1.0)).apply_to(&mut raised).expect("in range");
    assert!((0..count).all(|index| (norm(index, &raised) - before).abs() < 1e-4 * before));

    Corruption::ZeroSmall(Threshold::Quantile(1.0)).apply_to(&mut spectrum).expect("in range");
    let left: Vec<usize> = (0..count).filter(|&index| norm(index, &spectrum) > 0.0).collect();
    assert_eq!(left, [largest]);
    assert_eq!(norm(largest, &spectrum), before);
}

#[test]
fn quantiles_are_shares_of_the_coefficients() {
    let plan = SpectrumPlan::new(noise::stft::STFT);
    for share in [0.1f32, 0.25, 0.5, 0.9] {
        let mut spectrum = plan.forward(&hiss(20_000, 2));
        Corruption::ZeroSmall(Threshold::Quantile(share)).apply_to(&mut spectrum).expect("in range");
        let gone = spectrum.coefficients.iter().filter(|c| c.norm() == 0.0).count();
        let expected = f64::from(share) * spectrum.coefficients.len() as f64;
        assert!((gone as f64 - expected).abs() <= 1.0, "{gone} of {expected}");
    }
}

#[test]
fn silence_is_raised_and_denormals_too() {
    let plan = SpectrumPlan::new(noise::stft::STFT);
    for signal in [vec![0.0; 3_000], hiss(3_000, 3).into_iter().map(|x| x * 1e-39).collect()] {
        let mut spectrum = plan.forward(&signal);
        Corruption::RaiseSmall(Threshold::Magnitude(1.0)).apply_to(&mut spectrum).expect("in range");
        // Denormal parts have few digits, so the direction is rough; the length is not more than a few percent off.
        assert!(spectrum.coefficients.iter().all(|c| (c.norm() - 1.0).abs() < 0.5), "{:?}", spectrum.coefficients[7]);
        assert!(plan.inverse(&spectrum, 3_000).iter().all(|sample| sample.is_finite()));
    }
}

#[test]
fn thresholds_out_of_range_are_refused() {
    let plan = SpectrumPlan::new(noise::stft::STFT);
    let quantiles = [-0.01f32, 1.01, f32::NAN, f32::INFINITY].map(|share| (Threshold::Quantile(share), "0 to 1"));
    let magnitudes =
        [-0.01f32, f32::NAN, f32::INFINITY].map(|limit| (Threshold::Magnitude(limit), "a finite number from 0"));
    for (threshold, range) in quantiles.into_iter().chain(magnitudes) {
        for corruption in [Corruption::ZeroSmall(threshold), Corruption::RaiseSmall(threshold)] {
            let error = corruption.apply(&plan, &[0.1; 100]).expect_err("out of range");
            assert!(error.to_string().contains(range), "{error}");
        }
    }
}

#[test]
fn mixes_without_a_ratio_are_refused() {
    let sound = hiss(100, 1);
    let silence = [0.0; 100];
    for (clean, added, snr_db, word) in [
        (&sound[..], &silence[..], 0.0, "noise"),
        (&silence, &sound, 0.0, "signal"),
        (&[], &[], 0.0, "signal"),
        (&sound, &sound[..99], 0.0, "noise length"),
        (&sound, &sound, 100.1, "snr_db"),
        (&sound, &sound, -100.1, "snr_db"),
        (&sound, &sound, f32::NAN, "snr_db"),
    ] {
        let error = noise::mix(clean, added, snr_db).expect_err("no such mix").to_string();
        assert!(error.starts_with(word), "{error}");
    }
    // The gain alone is beyond single precision, what it gives is not.
    let faint: Vec<f32> = sound.iter().map(|x| x * 1e-39).collect();
    let mixed = noise::mix(&sound, &faint, 0.0).expect("two sounds");
    assert!(shared::metric::snr(&sound, &mixed).abs() < 0.1, "{}", shared::metric::snr(&sound, &mixed));
}

fn variance(x: &[f32]) -> f64 {
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
    x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / x.len() as f64
}

#[test]
fn noise_has_its_variance_and_its_slope() {
    let (len, rate_hz) = (600_000, 16_000.0);
    let white = noise::white(len, &mut rng(1));
    let brown = noise::brown(len, &mut rng(2));
    assert_eq!(white, noise::white(len, &mut rng(1)));
    assert!((variance(&white) - 1.0).abs() < 0.01, "{}", variance(&white));
    // Neighbours are alike for 200 samples, which leaves a few thousand independent ones.
    assert!((variance(&brown) - 1.0).abs() < 0.15, "{}", variance(&brown));

    let config = StftConfig::SPEECH;
    let plan = SpectrumPlan::new(config);
    let density_db = |x: &[f32], from_hz: f64, to_hz: f64| {
        let bin = |hz: f64| (hz * config.n_fft as f64 / rate_hz).round() as usize;
        let spectrum = plan.forward(x);
        let band = bin(from_hz)..bin(to_hz);
        let power: f64 =
            spectrum.frames().flat_map(|frame| &frame[band.clone()]).map(|c| f64::from(c.norm_sqr())).sum();
        10.0 * (power / band.len() as f64).log10()
    };
    for (low, octaves) in [(200.0, 1), (200.0, 3), (400.0, 2)] {
        let high = low * f64::from(1 << octaves);
        let fall = |x: &[f32]| density_db(x, low, 1.25 * low) - density_db(x, high, 1.25 * high);
        assert!(fall(&white).abs() < 0.2, "{}", fall(&white));
        let per_octave = fall(&brown) / f64::from(octaves);
        assert!((per_octave - 6.0).abs() < 0.3, "{per_octave} dB an octave from {low} Hz");
    }
}

#[test]
fn a_recording_is_looped() {
    let recording = [1.0, 2.0, 3.0];
    assert_eq!(noise::loop_to(&recording, 0, 7), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0]);
    assert_eq!(noise::loop_to(&recording, 2, 3), [3.0, 1.0, 2.0]);
    assert_eq!(noise::loop_to(&recording, 3 * 1_000_000_007 + 1, 2), [2.0, 3.0]);
    assert!(noise::loop_to(&recording, 1, 0).is_empty());
    assert!(noise::loop_to(&[], 5, 0).is_empty());
}

#[test]
fn speech_has_voices_pauses_and_variety() {
    let rate_hz = 16_000;
    let signal = synth::speech(30 * rate_hz as usize, rate_hz, &mut rng(4));
    assert_ne!(signal, synth::speech(30 * rate_hz as usize, rate_hz, &mut rng(5)));
    let levels: Vec<f32> = signal.chunks(rate_hz as usize / 100).map(shared::audio::rms).collect();
    let silent = levels.iter().filter(|&&level| level == 0.0).count();
    let loud = levels.iter().filter(|&&level| level > 0.02).count();
    assert!(silent > levels.len() / 20 && silent < levels.len() / 2, "{silent} of {}", levels.len());
    assert!(loud > levels.len() / 4, "{loud} of {}", levels.len());
    assert!(synth::speech(0, rate_hz, &mut rng(4)).is_empty());
    assert_eq!(synth::speech(1, rate_hz, &mut rng(4)).len(), 1);
}
