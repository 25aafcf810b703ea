//! What must hold for any signal: transforms that undo each other, sound that is what it should be.

use crate::common::*;
use burn::backend::Flex;
use proptest::prelude::*;
use shared::Error;
use shared::dsp::frame::{frame, overlap_add};
use shared::dsp::spectrum::SpectrumPlan;
use shared::dsp::{StftConfig, hann_window};
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
