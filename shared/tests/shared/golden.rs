//! Networks, layers, transforms, losses and scores against PyTorch and pystoi, on the CPU.

use crate::golden_checks::{self, Fixture, Tolerance};
use burn::backend::{Autodiff, Flex};
use shared::dsp::StftConfig;
use shared::dsp::spectrum::{Spectrum, SpectrumPlan};
use shared::metric;
use shared::nn::Phrasing;

type Training = Autodiff<Flex>;

const TOLERANCE: Tolerance = Tolerance { forward: 1e-4, gradient: 1e-3 };

#[test]
fn networks_infer_as_in_pytorch() {
    golden_checks::networks_infer::<Flex>(&[Phrasing::Products, Phrasing::Convolutions], TOLERANCE);
}

#[test]
fn networks_train_as_in_pytorch() {
    golden_checks::networks_train::<Training>(TOLERANCE);
}

#[test]
fn recurrent_networks_remember_as_in_pytorch() {
    golden_checks::recurrent_states::<Flex>(&[Phrasing::Products, Phrasing::Convolutions], TOLERANCE);
}

#[test]
fn complex_convolutions_are_pytorchs() {
    golden_checks::complex_convolutions::<Training>(TOLERANCE);
}

#[test]
fn complex_batch_norm_is_pytorchs() {
    golden_checks::complex_batch_norm::<Training>(TOLERANCE);
}

#[test]
fn losses_are_pytorchs() {
    golden_checks::losses::<Training>(TOLERANCE);
}

#[test]
fn transforms_are_pytorchs() {
    golden_checks::transforms::<Flex>(TOLERANCE);
}

/// The transform on slices, too.
#[test]
fn spectra_of_slices_are_pytorchs() {
    let fixture = Fixture::load("stft");
    for (case, config) in fixture.config::<Vec<StftConfig>>().into_iter().enumerate() {
        let (plan, bins) = (SpectrumPlan::new(config), config.bins());
        let [signal, spectrum, changed, inverse] =
            ["signal", "spectrum", "changed", "inverse"].map(|part| fixture.values(&format!("{case}.{part}")));
        let samples = signal.len() / 2; // of each of two items
        let frames = config.frames(samples);
        for item in 0..2 {
            let of = |values: &'static str| format!("{case}.{values} of item {item}");
            let expected = &spectrum[item * 2 * bins * frames..][..2 * bins * frames];
            let got = plan.forward(&signal[item * samples..][..samples]);
            let mut parts = vec![0.0; 2 * bins * frames];
            for (t, frame) in got.frames().enumerate() {
                for (bin, coefficient) in frame.iter().enumerate() {
                    parts[bin * frames + t] = coefficient.re;
                    parts[(bins + bin) * frames + t] = coefficient.im;
                }
            }
            fixture.compare_values(&of("spectrum"), &parts, expected, TOLERANCE.forward);

            let changed = &changed[item * 2 * bins * frames..][..2 * bins * frames];
            let mut spectrum = Spectrum { coefficients: vec![Default::default(); bins * frames], bins };
            for (index, coefficient) in spectrum.coefficients.iter_mut().enumerate() {
                let (t, bin) = (index / bins, index % bins);
                coefficient.re = changed[bin * frames + t];
                coefficient.im = changed[(bins + bin) * frames + t];
            }
            let expected = &inverse[item * samples..][..samples];
            fixture.compare_values(&of("inverse"), &plan.inverse(&spectrum, samples), expected, TOLERANCE.forward);
        }
    }
}

#[test]
fn si_sdr_is_pytorchs() {
    let fixture = Fixture::load("loss");
    let scores = fixture.values("si_sdr_db");
    let [clean, estimate] = ["clean", "estimate"].map(|name| fixture.values(name));
    let samples = clean.len() / scores.len();
    for (item, &expected) in scores.iter().enumerate() {
        let of = |x: &'static str| &fixture.values(x)[item * samples..][..samples];
        let score = metric::si_sdr(of("clean"), of("estimate"));
        assert!((score - f64::from(expected)).abs() < 1e-4, "{score} dB, expected {expected} dB");
    }
    assert_eq!(clean.len(), estimate.len());
}

/// At its own rate of 10 kHz, and through its resampler.
#[test]
fn intelligibility_is_pystois() {
    let fixture = Fixture::load("intelligibility");
    for (case, rate_hz) in fixture.config::<Vec<u32>>().into_iter().enumerate() {
        let of = |part: &str| fixture.values(&format!("{case}.{part}"));
        for (name, score) in [
            ("stoi", metric::stoi(of("clean"), of("estimate"), rate_hz)),
            ("estoi", metric::estoi(of("clean"), of("estimate"), rate_hz)),
        ] {
            let (score, expected) = (score.expect("enough speech"), f64::from(of(name)[0]));
            assert!((score - expected).abs() < 1e-6, "{name} at {rate_hz} Hz: {score}, expected {expected}");
        }
    }
}
