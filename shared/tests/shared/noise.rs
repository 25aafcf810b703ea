//! Every noise does what it says: levels, spectra, statistics, and the same on slices and on a device.

use crate::common::*;
use burn::backend::Flex;
use proptest::prelude::*;
use realfft::num_complex::Complex32;
use shared::audio::rms;
use shared::dsp::StftConfig;
use shared::dsp::spectrum::{Spectrum, SpectrumPlan};
use shared::noise::active_level::active_power_on;
use shared::noise::band_limit::band_pass;
use shared::noise::channel::{ClipShape, Limit, clip};
use shared::noise::fir::Fir;
use shared::noise::packets::{Concealment, conceal, lost};
use shared::noise::resampling::{Interpolation, down_and_up};
use shared::noise::{
    self, AGREEMENT, Chain, Corruption, NoRecordings, Noise, Phase, STFT_AGREEMENT, Threshold, clicks, hum,
};
use shared::synth;

const RATE_HZ: u32 = 16_000;

fn raise(threshold: Threshold) -> Corruption {
    Corruption::RaiseSmall(threshold, Phase::Kept)
}

fn speech(len: usize, sample_rate_hz: u32, seed: u64) -> Vec<f32> {
    synth::speech(len, sample_rate_hz, &mut rng(seed))
}

/// Speech with a pause of the same length after it.
fn speech_and_pause(seconds: usize, seed: u64) -> Vec<f32> {
    let mut signal = speech(seconds * RATE_HZ as usize, RATE_HZ, seed);
    signal.resize(2 * signal.len(), 0.0);
    signal
}

fn power(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / x.len() as f64
}

fn decibels(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn chain(json: &str) -> Chain {
    Chain::from_json(json).expect("a chain")
}

fn drawn(json: &str, len: usize, sample_rate_hz: u32, seed: u64) -> noise::DrawnChain {
    chain(json).draw(len, sample_rate_hz, 0, seed, &NoRecordings).expect("no recording is needed")
}

/// Mean power per bin between two frequencies, in dB.
fn density_db(x: &[f32], sample_rate_hz: u32, from_hz: f64, to_hz: f64) -> f64 {
    let config = StftConfig { n_fft: 8192, hop_length: 2048 };
    let bin = |hz: f64| (hz * config.n_fft as f64 / f64::from(sample_rate_hz)).round() as usize;
    let spectrum = SpectrumPlan::new(config).forward(x);
    let band = bin(from_hz)..bin(to_hz);
    let power: f64 = spectrum.frames().flat_map(|frame| &frame[band.clone()]).map(|c| f64::from(c.norm_sqr())).sum();
    decibels(power / band.len() as f64)
}

/// P.56 by brute force: of the levels that any threshold gives, the lowest whose own threshold, 15.9 dB below, gives it back.
fn naive_active_power(signal: &[f32], sample_rate_hz: u32) -> f64 {
    let frames: Vec<&[f32]> = signal.chunks(sample_rate_hz as usize / 50).collect();
    let powers: Vec<f64> = frames.iter().map(|frame| power(frame)).collect();
    let total: f64 = signal.iter().map(|&x| f64::from(x).powi(2)).sum();
    let active = |threshold: f64| -> usize {
        let is_active = |t: &usize| powers[t.saturating_sub(10)..=*t].iter().any(|&power| power > threshold);
        (0..frames.len()).filter(is_active).map(|t| frames[t].len()).sum()
    };
    // Between two frames' powers no threshold changes anything.
    let thresholds = powers.iter().copied().chain([0.0]);
    let levels = thresholds.filter_map(|threshold| match active(threshold) {
        0 => None,
        time => Some((time, total / time as f64)),
    });
    let consistent = levels.filter(|&(time, level)| active(level / 10f64.powf(1.59)) == time);
    consistent.map(|(_, level)| level).min_by(f64::total_cmp).expect("the loudest frames give such a level")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

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
        for corruption in [Corruption::ZeroSmall, raise] {
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
                _ => unreachable!(),
            };
            let (mut zeroed, mut raised) = (before.clone(), before.clone());
            Corruption::ZeroSmall(threshold).apply_to(&mut zeroed).expect("in range");
            raise(threshold).apply_to(&mut raised).expect("in range");
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
    fn added_noise_has_the_ratio_that_was_asked_for(
        kind in prop::sample::select(vec!["white", "pink", "brown", "hum", "clicks", "crackle", "babble"]),
        snr_db in -30f64..40.0, len in 1..30_000usize, level_db in -60f32..0.0, seed: u64,
    ) {
        let level = shared::audio::db_to_amplitude(level_db);
        let clean: Vec<f32> = speech(len + 8_000, RATE_HZ, seed)[8_000..].iter().map(|x| level * x).collect();
        prop_assume!(power(&clean) > 0.0);
        let noisy = drawn(&format!(r#"[{{"kind": "{kind}", "snr_db": {snr_db}}}]"#), len, RATE_HZ, seed).apply(&clean);
        let added = difference(&noisy, &clean);
        let got = decibels(noise::active_power(&clean, RATE_HZ) / power(&added));
        // The noise is what is left of a difference of samples of 24 bits.
        prop_assert!((got - snr_db).abs() < 0.01, "{got} dB in place of {snr_db}");
    }

    #[test]
    fn the_active_level_is_that_of_its_definition(seconds in 1..4usize, seed: u64) {
        let signal = speech_and_pause(seconds, seed);
        prop_assume!(power(&signal) > 0.0);
        let (fast, slow) = (noise::active_power(&signal, RATE_HZ), naive_active_power(&signal, RATE_HZ));
        prop_assert!(decibels(fast / slow).abs() < 1e-6, "{} dB", decibels(fast / slow));
    }

    #[test]
    fn convolution_is_that_of_its_definition(
        len in 1..3_000usize, count in 1..5_000usize, batch in 1..3usize, seed: u64,
    ) {
        let mut taps = hiss(count, !seed);
        // Not all of it, or the naive sum takes long.
        taps.iter_mut().enumerate().filter(|(k, _)| k % 7 != 0).for_each(|(_, tap)| *tap = 0.0);
        let origin = seed as usize % count;
        let signals: Vec<f32> = hiss(batch * len, seed);
        let fir = Fir { taps, origin };
        let naive = |signal: &[f32]| -> Vec<f32> {
            let sample = |i: usize| {
                let term = |k: usize| {
                    let index = (i + origin).checked_sub(k).filter(|&index| index < len);
                    f64::from(fir.taps[k]) * f64::from(index.map_or(0.0, |index| signal[index]))
                };
                (0..count).step_by(7).map(term).sum::<f64>() as f32
            };
            (0..len).map(sample).collect()
        };
        let expected: Vec<f32> = signals.chunks(len).flat_map(naive).collect();
        let by_fft: Vec<f32> = signals.chunks(len).flat_map(|signal| fir.apply(signal)).collect();
        prop_assert!(largest_difference(&by_fft, &expected) < 1e-5);
        let on_device = values(fir.forward::<Flex>(tensor(&signals, [batch, len])));
        prop_assert!(largest_difference(&on_device, &expected) < 1e-5);
    }

    #[test]
    fn lost_packets_are_silent_and_the_others_whole(
        len in 1..5_000usize, packet in 1..400usize, loss in 0f64..=1.0, burst in 1f64..10.0, seed: u64,
    ) {
        let signal = hiss(len, seed);
        let lost = lost(len.div_ceil(packet), loss, burst, &mut rng(seed));
        let silenced = conceal(len, packet, &lost, Concealment::Silence).apply(&signal);
        let repeated = conceal(len, packet, &lost, Concealment::Repeat).apply(&signal);
        let mut arrived: Option<(usize, f32)> = None;
        for (number, &lost) in lost.iter().enumerate() {
            arrived = if lost { arrived.map(|(packet, gain)| (packet, gain / 2.0)) } else { Some((number, 1.0)) };
            for i in number * packet..((number + 1) * packet).min(len) {
                prop_assert_eq!(silenced[i], if lost { 0.0 } else { signal[i] });
                let expected = arrived.map_or(0.0, |(source, gain)| gain * signal[source * packet + i % packet]);
                prop_assert_eq!(repeated[i], expected);
            }
        }
    }
}

/// Slices and a device must do the same with the same draw. The second row is quieter: each has levels of its own.
#[track_caller]
fn assert_agreement(json: &str, sample_rate_hz: u32, len: usize) {
    let drawn = drawn(json, len, sample_rate_hz, 5);
    let signals = [1, 2].map(|row| -> Vec<f32> {
        let scale = if row == 1 { 1.0 } else { 0.01 };
        speech(len + 9_000, sample_rate_hz, row)[9_000..].iter().map(|sample| scale * sample).collect()
    });
    let on_slices: Vec<Vec<f32>> = signals.iter().map(|signal| drawn.apply(signal)).collect();
    let on_device = values(drawn.forward::<Flex>(tensor(&signals.concat(), [2, len])));
    for (row, expected) in on_slices.iter().enumerate() {
        let got = &on_device[row * len..(row + 1) * len];
        let peak = expected.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        let worst = largest_difference(expected, got) / peak;
        let typical = rms(&difference(expected, got)) / rms(expected);
        println!("{typical:.0e} of the signal, {worst:.0e} of the peak at worst: {json}");
        match json.contains("small") {
            true => assert!(typical < STFT_AGREEMENT, "{json}, row {row}: {typical} of the signal"),
            false => assert!(worst < AGREEMENT, "{json}, row {row}: {worst} of the peak"),
        }
        assert_ne!(*expected, signals[row], "{json}");
    }
}

#[test]
fn slices_and_devices_agree() {
    for noise in Noise::kinds().iter().filter(|noise| noise.kind() != "recording") {
        assert_agreement(&format!(r#"[{{"kind": "{}"}}]"#, noise.kind()), RATE_HZ, 20_000);
    }
    for json in [
        r#"[{"kind": "zero-small", "frame_peak_db": -30}]"#,
        r#"[{"kind": "zero-small", "file_peak_db": -40}]"#,
        r#"[{"kind": "raise-small", "magnitude": 1}]"#,
        r#"[{"kind": "raise-small", "quantile": 0.9, "phase": "random"}]"#,
        r#"[{"kind": "raise-small", "frame_peak_db": -20, "phase": "random"}]"#,
        r#"[{"kind": "raise-small", "file_peak_db": -30}]"#,
        r#"[{"kind": "clip", "shape": "soft"}]"#,
        r#"[{"kind": "clip", "level": 0.001}]"#,
        r#"[{"kind": "resample", "interpolation": "linear", "rate_hz": 7350}]"#,
        r#"[{"kind": "drop-packets", "loss": 0.4, "concealment": "repeat"}]"#,
        r#"[{"kind": "room", "rt60_s": 0.3}, {"kind": "pink", "snr_db": 0}, {"kind": "hum"}, {"kind": "clip"}]"#,
    ] {
        assert_agreement(json, RATE_HZ, 10_000);
    }
    for rate_hz in [8_000, 44_100] {
        assert_agreement(
            r#"[{"kind": "room", "rt60_s": 0.1}, {"kind": "pink"}, {"kind": "band-limit"}]"#,
            rate_hz,
            9_000,
        );
    }
}

#[test]
fn active_level_on_a_device() {
    for len in [1, 159, 320, 321, 12_345] {
        let signals =
            [speech_and_pause(1, 1), hiss(40_000, 2), vec![0.0; 40_000]].map(|signal| signal[1_000..][..len].to_vec());
        let on_device = values(active_power_on::<Flex>(tensor(&signals.concat(), [3, len]), RATE_HZ));
        for (signal, got) in signals.iter().zip(on_device) {
            let expected = noise::active_power(signal, RATE_HZ) as f32;
            assert!((got - expected).abs() <= 1e-4 * expected, "{got} in place of {expected}");
        }
    }
}

#[test]
fn pauses_are_not_active() {
    // Half a second of noise, two of silence: the hangover adds 200 ms to what is active.
    let mut signal = hiss(8_000, 1);
    let loud = power(&signal);
    signal.resize(40_000, 0.0);
    let expected = loud * 0.5 / 0.7;
    assert!((noise::active_power(&signal, RATE_HZ) / expected - 1.0).abs() < 1e-6);
    // Steady noise is active all the time.
    assert!((noise::active_power(&signal[..8_000], RATE_HZ) / loud - 1.0).abs() < 1e-6);
    assert_eq!(noise::active_power(&[0.0; 1_000], RATE_HZ), 0.0);
    assert_eq!(noise::active_power(&[], RATE_HZ), 0.0);
    assert!((noise::active_level_db(&[0.1], RATE_HZ) + 20.0).abs() < 1e-4);
}

#[test]
fn noises_in_a_row_are_measured_against_the_same_speech() {
    let clean = speech_and_pause(2, 3);
    let one = r#"{"kind": "white", "snr_db": 3}"#;
    let two = r#"{"kind": "pink", "snr_db": -6}"#;
    let apply = |json: String| drawn(&json, clean.len(), RATE_HZ, 4).apply(&clean);
    let both = apply(format!("[{one}, {two}]"));
    let first = apply(format!("[{one}]"));
    let second = difference(&both, &first);
    let got = decibels(noise::active_power(&clean, RATE_HZ) / power(&second));
    assert!((got + 6.0).abs() < 0.001, "{got} dB");
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
    raise(Threshold::Quantile(1.0)).apply_to(&mut raised).expect("in range");
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
        raise(Threshold::Magnitude(1.0)).apply_to(&mut spectrum).expect("in range");
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
    let decibels = [0.1f32, -201.0, f32::NAN]
        .into_iter()
        .flat_map(|db| [(Threshold::FramePeakDb(db), "-200 to 0 dB"), (Threshold::FilePeakDb(db), "-200 to 0 dB")]);
    for (threshold, range) in quantiles.into_iter().chain(magnitudes).chain(decibels) {
        for corruption in [Corruption::ZeroSmall(threshold), raise(threshold)] {
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

/// The magnitudes that every coefficient of a spectrum is compared with.
fn limits(spectrum: &Spectrum, threshold: Threshold) -> Vec<f32> {
    let peak = |c: &[Complex32]| c.iter().map(|c| c.norm()).fold(0.0, f32::max);
    let of_file = peak(&spectrum.coefficients);
    let limit = |frame: &[Complex32]| match threshold {
        Threshold::FramePeakDb(db) => peak(frame) * 10f32.powf(db / 20.0),
        Threshold::FilePeakDb(db) => of_file * 10f32.powf(db / 20.0),
        Threshold::Magnitude(magnitude) => magnitude,
        Threshold::Quantile(_) => unreachable!(),
    };
    spectrum.frames().flat_map(|frame| vec![limit(frame); frame.len()]).collect()
}

#[test]
fn thresholds_relative_to_a_peak() {
    let before = SpectrumPlan::new(noise::stft::STFT).forward(&speech(20_000, RATE_HZ, 1));
    for threshold in [Threshold::FramePeakDb(-20.0), Threshold::FilePeakDb(-40.0), Threshold::FramePeakDb(0.0)] {
        let limits = limits(&before, threshold);
        for phase in [Phase::Kept, Phase::Random(3)] {
            let (mut zeroed, mut raised) = (before.clone(), before.clone());
            Corruption::ZeroSmall(threshold).apply_to(&mut zeroed).expect("in range");
            Corruption::RaiseSmall(threshold, phase).apply_to(&mut raised).expect("in range");
            for (index, old) in before.coefficients.iter().enumerate() {
                let (zeroed, raised, limit) = (zeroed.coefficients[index], raised.coefficients[index], limits[index]);
                if old.norm() >= limit * 1.000_01 {
                    assert_eq!((zeroed, raised), (*old, *old));
                } else if old.norm() < limit * 0.999_99 {
                    assert_eq!(zeroed.norm(), 0.0);
                    assert!((raised.norm() - limit).abs() <= 1e-5 * limit, "{raised} at {limit}");
                }
            }
        }
    }
}

#[test]
fn random_phases_are_uniform_and_seeded() {
    let before = SpectrumPlan::new(noise::stft::STFT).forward(&hiss(60_000, 1));
    let raised = |phase: Phase| {
        let mut spectrum = before.clone();
        Corruption::RaiseSmall(Threshold::Quantile(1.0), phase).apply_to(&mut spectrum).expect("in range");
        spectrum.coefficients
    };
    assert_eq!(raised(Phase::Random(1)), raised(Phase::Random(1)));
    let random = raised(Phase::Random(2));
    assert_ne!(raised(Phase::Random(1)), random);
    let count = random.len() as f32;
    let quadrant =
        |re: f32, im: f32| random.iter().filter(|c| c.re * re > 0.0 && c.im * im > 0.0).count() as f32 / count;
    for (re, im) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
        assert!((quadrant(re, im) - 0.25).abs() < 0.01, "{}", quadrant(re, im));
    }
    // Kept phases are those of before.
    let kept = raised(Phase::Kept);
    assert!(before.coefficients.iter().zip(kept).all(|(a, b)| (a.arg() - b.arg()).abs() < 1e-3));
}

#[test]
fn noise_has_its_variance_and_its_slope() {
    let len = 600_000;
    for rate_hz in [8_000, RATE_HZ, 48_000] {
        let white = noise::white(len, &mut rng(1));
        let pink = noise::pink(len, rate_hz, &mut rng(3));
        let brown = noise::brown(len, rate_hz, &mut rng(2));
        assert_eq!(pink, noise::pink(len, rate_hz, &mut rng(3)));
        assert!((power(&white) - 1.0).abs() < 0.01, "{}", power(&white));
        // Neighbours are alike for hundreds of samples, which leaves a few thousand independent ones.
        assert!((power(&brown) - 1.0).abs() < 0.2, "{}", power(&brown));
        for (low, octaves) in [(200.0, 1), (200.0, 2), (100.0, 3), (300.0, 2)] {
            let high = low * f64::from(1 << octaves);
            let fall = |x: &[f32]| {
                let density = |hz: f64| density_db(x, rate_hz, hz, 1.25 * hz);
                (density(low) - density(high)) / f64::from(octaves)
            };
            assert!(fall(&white).abs() < 0.3, "{}", fall(&white));
            assert!((fall(&pink) - 3.01).abs() < 0.5, "{rate_hz} Hz: {} dB an octave from {low} Hz", fall(&pink));
            assert!((fall(&brown) - 6.02).abs() < 0.4, "{rate_hz} Hz: {} dB an octave from {low} Hz", fall(&brown));
        }
    }
}

#[test]
fn brown_noise_is_at_16_khz_what_it_was() {
    // Validation sets without recordings rest on it.
    let mut state = 0.0;
    let gain = (1.0f32 - 0.995 * 0.995).sqrt();
    let mut step = |sample: f32| {
        state = 0.995 * state + gain * sample;
        state
    };
    let expected: Vec<f32> = noise::white(1_000, &mut rng(1)).into_iter().map(&mut step).collect();
    assert_eq!(noise::brown(1_000, 16_000, &mut rng(1)), expected);
}

#[test]
fn pink_noise_has_as_much_power_in_every_octave() {
    // The exact response of the filter: that of an impulse would do, but the power of noise is what is said of it.
    let pink = noise::pink(4_000_000, 48_000, &mut rng(5));
    let octaves: Vec<f64> = (0..8)
        .map(|octave| {
            let low = 62.5 * f64::from(1 << octave);
            density_db(&pink, 48_000, low, 2.0 * low) + decibels(low)
        })
        .collect();
    let mean = octaves[1..].iter().sum::<f64>() / 7.0;
    // The lowest are a bin or two wide, and the window spreads them.
    assert!(octaves[2..].iter().all(|db| (db - mean).abs() < 0.5), "{octaves:?}, mean {mean}");
}

#[test]
fn hum_is_a_sum_of_harmonics() {
    let (len, rate_hz) = (48_000, 48_000);
    let hum = hum::hum(len, rate_hz, 60.0, 5, 6.0, &mut rng(1));
    // A second holds whole periods of all of them: correlation gives each amplitude exactly.
    let amplitude = |hz: f64| {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, &x) in hum.iter().enumerate() {
            let (sin, cos) = (core::f64::consts::TAU * hz * i as f64 / f64::from(rate_hz)).sin_cos();
            re += f64::from(x) * cos;
            im += f64::from(x) * sin;
        }
        2.0 * re.hypot(im) / len as f64
    };
    for h in 1..=5 {
        let expected = 10f64.powf(-6.0 * f64::from(h).log2() / 20.0);
        assert!((amplitude(60.0 * f64::from(h)) - expected).abs() < 1e-4, "harmonic {h}");
    }
    assert!(amplitude(360.0) < 1e-4 && amplitude(50.0) < 1e-4);
    // Harmonics beyond half the rate would come back as aliases.
    let few = hum::hum(4_000, 4_000, 400.0, 100, 0.0, &mut rng(2));
    assert!((power(&few) - 4.0 * 0.5).abs() < 0.01, "{}: 400, 800, 1200 and 1600 Hz", power(&few));
}

#[test]
fn clicks_come_as_often_as_they_should() {
    let len = 60 * RATE_HZ as usize;
    let onsets = |x: &[f32]| (1..x.len()).filter(|&i| x[i - 1] == 0.0 && x[i] != 0.0).count();
    // They ring for 18 ms at most and may overlap; at one a second hardly any do.
    let count = onsets(&clicks::clicks(len, RATE_HZ, 1.0, &mut rng(1)));
    assert!((40..85).contains(&count), "{count} clicks a minute");
    let crackle = clicks::crackle(len, RATE_HZ, 300.0, &mut rng(2));
    let kurtosis = crackle.iter().map(|&x| f64::from(x).powi(4)).sum::<f64>() / len as f64 / power(&crackle).powi(2);
    assert!(kurtosis > 10.0, "{kurtosis}, 3 were Gaussian");
    for len in [0, 1, 5] {
        assert_eq!(clicks::clicks(len, RATE_HZ, 1.0, &mut rng(3)).len(), len);
        assert!(len == 0 || power(&clicks::clicks(len, RATE_HZ, 1.0, &mut rng(3))) > 0.0);
    }
}

#[test]
fn a_recording_is_looped() {
    let recording = [1.0, 2.0, 3.0];
    assert_eq!(noise::loop_to(&recording, 0, 0, 7), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0]);
    assert_eq!(noise::loop_to(&recording, 2, 0, 3), [3.0, 1.0, 2.0]);
    assert_eq!(noise::loop_to(&recording, 3 * 1_000_000_007 + 1, 0, 2), [2.0, 3.0]);
    assert!(noise::loop_to(&recording, 1, 0, 0).is_empty());
    assert_eq!(noise::loop_to(&[], 5, 9, 2), [0.0, 0.0]);
    assert_eq!(noise::loop_to(&[2.0], 5, 9, 2), [2.0, 2.0]);
}

#[test]
fn loops_have_no_seam_and_keep_their_power() {
    let recording = hiss(4_000, 1);
    let fade = 800;
    let looped = noise::loop_to(&recording, 0, fade, 40_000);
    let period = recording.len() - fade;
    assert_eq!(looped[..period], looped[period..2 * period]);
    assert_eq!(looped[fade..period], recording[fade..period]);
    for repeat in 1..10 {
        let faded = &looped[repeat * period..][..fade];
        assert!(
            decibels(power(faded) / power(&recording)).abs() < 0.5,
            "{}",
            decibels(power(faded) / power(&recording))
        );
    }
    // A tone, cut off anywhere, would jump where it starts again.
    let tone: Vec<f32> = (0..4_000).map(|i| (i as f32 * 0.0123).sin()).collect();
    let jump = |x: &[f32]| (1..x.len()).map(|i| (x[i] - x[i - 1]).abs()).fold(0.0, f32::max);
    assert!(jump(&noise::loop_to(&tone, 0, 0, 9_000)) > 0.1);
    assert!(jump(&noise::loop_to(&tone, 0, 800, 9_000)) < 0.02);
}

#[test]
fn babble_is_made_of_what_is_given() {
    struct Voices(Vec<f32>);
    impl noise::Recordings for Voices {
        fn recording(&self, name: &str, _: u64, _: u32) -> Option<std::borrow::Cow<'_, [f32]>> {
            (name == "voice").then(|| self.0.as_slice().into())
        }
    }
    // One frequency alone, which no synthetic voice is.
    let voices = Voices((0..90_000).map(|i| (i as f32 * 0.5).sin()).collect());
    let clean = hiss(30_000, 1);
    let given = chain(r#"[{"kind": "babble", "files": ["voice"], "talkers": 3, "snr_db": 0}]"#);
    let noisy = given.draw(30_000, RATE_HZ, 0, 1, &voices).expect("it is there").apply(&clean);
    let babble = difference(&noisy, &clean);
    let frequency_hz = 0.5 / core::f64::consts::TAU * f64::from(RATE_HZ);
    let inside = density_db(&babble, RATE_HZ, frequency_hz - 50.0, frequency_hz + 50.0);
    assert!(inside - density_db(&babble, RATE_HZ, 3_000.0, 4_000.0) > 60.0);

    // The more talk, the fewer gaps.
    let quiet_share = |talkers: usize| {
        let json = format!(r#"[{{"kind": "babble", "talkers": {talkers}, "snr_db": 0}}]"#);
        let noisy = drawn(&json, 30_000, RATE_HZ, 2).apply(&clean);
        let babble = difference(&noisy, &clean);
        let level = rms(&babble);
        babble.chunks(160).filter(|chunk| rms(chunk) < 0.1 * level).count()
    };
    assert!(quiet_share(2) > 2 * quiet_share(20), "{} and {}", quiet_share(2), quiet_share(20));
}

#[test]
fn clipping() {
    let signal = [0.0, 0.5, -1.0, 0.25];
    assert_eq!(clip(&signal, Limit::Level(0.3), ClipShape::Hard), [0.0, 0.3, -0.3, 0.25]);
    assert_eq!(clip(&signal, Limit::OfPeak(0.5), ClipShape::Hard), [0.0, 0.5, -0.5, 0.25]);
    let soft = clip(&signal, Limit::Level(0.5), ClipShape::Soft);
    assert_close(&soft, &[0.0, 0.5 * 1f32.tanh(), -0.5 * 2f32.tanh(), 0.5 * 0.5f32.tanh()], 1e-6);
    assert_eq!(clip(&[0.0; 3], Limit::OfPeak(0.5), ClipShape::Soft), [0.0; 3]);
}

#[test]
fn a_limited_band_keeps_what_is_inside() {
    for (low_hz, high_hz, rate_hz) in
        [(300.0, 3_400.0, 16_000), (0.0, 4_000.0, 48_000), (1_000.0, 1e5, 44_100), (50.0, 2_000.0, 8_000)]
    {
        let fir = band_pass(low_hz, high_hz, rate_hz);
        let gain_db = |hz: f64| {
            let (mut re, mut im) = (0.0, 0.0);
            for (k, &tap) in fir.taps.iter().enumerate() {
                let angle = core::f64::consts::TAU * hz * (k as f64 - fir.origin as f64) / f64::from(rate_hz);
                re += f64::from(tap) * angle.cos();
                im += f64::from(tap) * angle.sin();
            }
            assert!(im.abs() < 1e-5, "no delay");
            decibels(re * re)
        };
        let high = high_hz.min(f64::from(rate_hz) / 2.0);
        for share in [0.0, 0.3, 0.7, 1.0] {
            let (from, to) = (1.13 * low_hz, if high < high_hz { high } else { 0.87 * high });
            let hz = from + share * (to - from);
            assert!(gain_db(hz).abs() < 0.02, "{hz} Hz of {low_hz} to {high_hz}: {} dB", gain_db(hz));
        }
        for hz in [0.5 * low_hz, 0.87 * low_hz].into_iter().filter(|_| low_hz > 0.0) {
            assert!(gain_db(hz) < -70.0, "{hz} Hz of {low_hz} to {high_hz}: {} dB", gain_db(hz));
        }
        for hz in [1.13 * high_hz, 1.5 * high_hz].into_iter().filter(|&hz| hz < f64::from(rate_hz) / 2.0) {
            assert!(gain_db(hz) < -70.0, "{hz} Hz of {low_hz} to {high_hz}: {} dB", gain_db(hz));
        }
    }
}

#[test]
fn bad_resampling_makes_aliases() {
    let tone: Vec<f32> = (0..16_000).map(|i| (core::f32::consts::TAU * 5_000.0 * i as f32 / 16_000.0).sin()).collect();
    for interpolation in [Interpolation::Hold, Interpolation::Linear] {
        let output = down_and_up(tone.len(), 16_000, 8_000.0, interpolation).apply(&tone);
        // 5 kHz is beyond half of 8 kHz, and comes back as 3 kHz.
        let alias = density_db(&output, 16_000, 2_950.0, 3_050.0);
        assert!(alias - density_db(&tone, 16_000, 4_950.0, 5_050.0) > -12.0);
        assert!(density_db(&output, 16_000, 1_000.0, 2_000.0) < alias - 40.0);
    }
    let same = down_and_up(tone.len(), 16_000, 16_000.0, Interpolation::Linear).apply(&tone);
    assert_close(&same, &tone, 1e-6);
    assert_eq!(down_and_up(tone.len(), 16_000, 48_000.0, Interpolation::Hold).apply(&tone), tone);
    // Half the rate: every other sample is held, or half-way between its neighbours.
    let ramp: Vec<f32> = (0..8).map(|i| i as f32).collect();
    let held = down_and_up(8, 16_000, 8_000.0, Interpolation::Hold).apply(&ramp);
    assert_eq!(held, [0.0, 0.0, 2.0, 2.0, 4.0, 4.0, 6.0, 6.0]);
    let joined = down_and_up(8, 16_000, 8_000.0, Interpolation::Linear).apply(&ramp);
    assert_eq!(joined, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 6.5]);
}

#[test]
fn packets_are_lost_as_often_and_as_long_as_asked() {
    for (loss, burst) in [(0.1, 1.2), (0.1, 5.0), (0.3, 3.0), (0.6, 8.0)] {
        let lost = lost(400_000, loss, burst, &mut rng(1));
        let share = lost.iter().filter(|&&lost| lost).count() as f64 / lost.len() as f64;
        assert!((share - loss).abs() < 0.02, "{share} in place of {loss}");
        let runs = (1..lost.len()).filter(|&i| lost[i] && !lost[i - 1]).count() as f64;
        let length = share * lost.len() as f64 / runs;
        assert!((length / burst - 1.0).abs() < 0.05, "runs of {length} in place of {burst}");
    }
    assert!(lost(100, 0.0, 1.0, &mut rng(2)).iter().all(|&lost| !lost));
    assert!(lost(100, 1.0, 1.0, &mut rng(2)).iter().all(|&lost| lost));
}
