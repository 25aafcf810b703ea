//! What must hold for every loss: the samples that count, and the items of a batch, each for itself; sums of losses.

use core::ops::Range;
use std::collections::BTreeMap;

use crate::common::*;
use burn::backend::{Autodiff, Flex};
use proptest::prelude::*;
use shared::Error;
use shared::loss::{Loss, Objective};

type B = Autodiff<Flex>;

/// Noisy, clean and estimated samples.
fn signals(len: usize, seed: u64) -> [Vec<f32>; 3] {
    let [clean, noise, error] = [0, 1, 2].map(|part| hiss(len, seed.wrapping_mul(3).wrapping_add(part)));
    let noisy = clean.iter().zip(&noise).map(|(clean, noise)| clean + 0.5 * noise).collect();
    let estimate = clean.iter().zip(&error).map(|(clean, error)| 0.8 * clean + 0.3 * error).collect();
    [noisy, clean, estimate]
}

/// The loss of every item, and the gradient of their sum at the estimate.
fn differentiated(
    loss: Loss,
    [noisy, clean, estimate]: &[Vec<f32>; 3],
    items: usize,
    counted: Option<&[Range<usize>]>,
) -> (Vec<f32>, Vec<f32>) {
    let shape = [items, 1, clean.len() / items];
    let estimate = tensor::<B, 3>(estimate, shape).require_grad();
    let losses = loss.per_item(tensor(noisy, shape), tensor(clean, shape), estimate.clone(), counted);
    assert_eq!(losses.dims(), [items]);
    let gradient = estimate.grad(&losses.clone().sum().backward()).expect("depends on the estimate");
    (values(losses), values(gradient))
}

/// Items of `samples`: ranges at different offsets, of different lengths, then two that are the same, then everything.
fn ranges(samples: usize) -> impl Strategy<Value = Vec<Range<usize>>> {
    let range = (0..samples - 1)
        .prop_flat_map(move |start| (Just(start), start + 1..=samples))
        .prop_map(|(start, end)| start..end);
    let padded = (1..=samples).prop_map(|end| 0..end);
    prop_oneof![
        prop::collection::vec(range.clone(), 1..4),
        prop::collection::vec(padded, 2..4),
        (range, 2..4usize).prop_map(|(range, items)| vec![range; items]),
        Just(vec![0..samples; 2]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_item_counts_as_its_stretch_alone(
        ranges in (600..1800usize).prop_flat_map(|samples| (Just(samples), ranges(samples))), seed: u64,
    ) {
        let (samples, ranges) = ranges;
        let batch = signals(ranges.len() * samples, seed);
        for loss in Loss::ALL {
            let (losses, gradient) = differentiated(loss, &batch, ranges.len(), Some(&ranges));
            for (item, range) in ranges.iter().enumerate() {
                let at = item * samples;
                let alone = batch.clone().map(|x| x[at + range.start..at + range.end].to_vec());
                let (expected, slopes) = differentiated(loss, &alone, 1, None);
                let (got, expected) = (losses[item], expected[0]);
                prop_assert!((got - expected).abs() < 1e-5 * expected.abs().max(1.0), "{loss}: {got} {expected}");

                let item = &gradient[at..at + samples];
                prop_assert!(item[..range.start].iter().chain(&item[range.end..]).all(|&slope| slope == 0.0), "{loss}");
                let largest = slopes.iter().fold(0.0f32, |largest, slope| largest.max(slope.abs()));
                let error = largest_difference(&item[range.clone()], &slopes);
                prop_assert!(error <= 1e-5 * largest, "{loss}: gradients differ by {error} of {largest}");
            }
        }
    }
}

#[test]
fn the_loss_of_a_batch_is_the_mean_of_its_items() {
    let (batch, shape) = (signals(3 * 1500, 1), [3, 1, 1500]);
    let [noisy, clean, estimate] = batch.each_ref().map(|x| tensor::<Flex, 3>(x, shape));
    for loss in Loss::ALL {
        let mean = values(loss.forward(noisy.clone(), clean.clone(), estimate.clone()))[0];
        let (items, _) = differentiated(loss, &batch, 3, None);
        assert!((mean - items.iter().sum::<f32>() / 3.0).abs() < 1e-6, "{loss}");
        assert!(items[0] != items[1], "{loss}");
    }
}

#[test]
fn energy_conserving_l1_is_twice_l1() {
    let batch = signals(2 * 1500, 2);
    let of = |loss| differentiated(loss, &batch, 2, Some(&[0..1500, 300..900]));
    let ((twice, twice_slopes), (once, slopes)) = (of(Loss::EnergyConservingL1), of(Loss::L1));
    let doubled = |x: Vec<f32>| -> Vec<f32> { x.into_iter().map(|x| 2.0 * x).collect() };
    assert_close(&twice, &doubled(once), 1e-7);
    assert_close(&twice_slopes, &doubled(slopes), 1e-9);
}

#[test]
fn level_does_not_matter_to_compressed_spectra() {
    let batch = signals(2000, 3);
    let at = |gain: f32, [noisy, clean, estimate]: [Vec<f32>; 3]| {
        let louder = [noisy, clean, estimate].map(|x| x.into_iter().map(|x| gain * x).collect());
        differentiated(Loss::CompressedSpectrum, &louder, 1, None).0[0]
    };
    let [noisy, clean, estimate] = batch.clone();
    let without_speech = [noisy, vec![0.0; clean.len()], estimate];
    for signals in [batch, without_speech] {
        let expected = at(1.0, signals.clone());
        assert!(expected > 0.1);
        for gain in [0.01, 10.0] {
            let got = at(gain, signals.clone());
            assert!((got - expected).abs() < 1e-5 * expected, "{got} at a gain of {gain}, {expected} without");
        }
    }
}

/// Of little noise and of much, with an error as large as the noise, and with one ten times smaller.
#[test]
fn harm_is_relative_to_the_noise_there_was() {
    let clean = hiss(2000, 6);
    for noise_gain in [0.03, 1.0] {
        for (error_gain, expected_db) in [(0.0, 0.0), (0.1, 0.043), (1.0, 3.01), (10.0, 20.04)] {
            let add = |gain: f32| clean.iter().zip(hiss(2000, 7)).map(|(clean, noise)| clean + gain * noise).collect();
            let signals = [add(noise_gain), clean.clone(), add(noise_gain * error_gain)];
            let got = differentiated(Loss::Harm, &signals, 1, None).0[0];
            // Noise 30 dB down counts as ten per cent more than it is.
            assert!(got <= expected_db + 0.01 && got >= 0.8 * expected_db - 0.01, "{got} {expected_db}");
        }
    }
}

/// By as much as P.862 says: not at all where it is too faint, little where only gains differ, and more where something was added.
#[test]
fn loudness_is_of_what_is_heard() {
    let samples = 16_000;
    let tone = |frequency_hz: f32, gain: f32| {
        (0..samples).map(move |i| gain * (core::f32::consts::TAU * frequency_hz * i as f32 / 16_000.0).sin())
    };
    let sum = |a: &[f32], gain: f32| -> Vec<f32> { a.iter().zip(tone(3000.0, gain)).map(|(a, b)| a + b).collect() };
    let low: Vec<f32> = tone(500.0, 0.1).collect();
    let both = sum(&low, 0.03);
    let of = |clean: &[f32], estimate: Vec<f32>| {
        differentiated(Loss::Loudness, &[clean.to_vec(), clean.to_vec(), estimate], 1, None).0[0]
    };
    let perfect = of(&low, low.clone());
    assert!((perfect - 0.05f32.ln()).abs() < 0.05, "{perfect}");
    let [faint, added, taken] = [of(&low, sum(&low, 1e-6)), of(&low, both.clone()), of(&both, low.clone())];
    let quieter = of(&low, low.iter().map(|sample| sample / 2.0).collect());
    assert!(
        (faint - perfect).abs() < 0.1 && quieter < taken - 1.0 && taken < added - 0.2,
        "{faint} {quieter} {taken} {added}"
    );
}

#[test]
#[should_panic(expected = "expected as many counted ranges as items")]
fn every_item_needs_its_range() {
    differentiated(Loss::L1, &signals(200, 4), 2, Some(&[0..100, 0..100, 0..100]));
}

#[test]
#[should_panic(expected = "expected samples within 0..100, got 50..101")]
fn ranges_end_within_the_signals() {
    differentiated(Loss::L1, &signals(200, 4), 2, Some(&[0..100, 50..101]));
}

#[test]
fn losses_go_by_one_name_each() {
    for loss in Loss::ALL {
        assert_eq!(serde_json::to_value(loss).expect("a name"), loss.name());
        assert_eq!(loss.name().parse::<Loss>().expect("its own name"), loss);
        assert_eq!(loss.to_string(), loss.name());
    }
    assert!(Loss::ALL.is_sorted());
    let error = "l2".parse::<Loss>().expect_err("there is none");
    assert!(matches!(error, Error::Config { field: "loss", .. }));
    let known =
        "l1, energy-conserving-l1, mse, wsdr, multi-resolution-stft, compressed-spectrum, error-level, harm, loudness";
    assert_eq!(error.to_string(), format!("loss: expected one of {known}, got \"l2\""));
}

#[test]
fn an_objective_is_the_weighted_sum_of_its_losses() {
    let json = r#"{"wsdr":1.0,"compressed-spectrum":2.0}"#;
    let objective: Objective = serde_json::from_str(json).expect("an objective");
    assert_eq!(objective.to_string(), "wsdr + 2 compressed-spectrum");
    assert_eq!(serde_json::to_string(&objective).expect("JSON"), json);
    assert!(objective.weights().eq([(Loss::Wsdr, 1.0), (Loss::CompressedSpectrum, 2.0)]));
    let with_nothing = r#"{"wsdr": 1, "l1": 0, "compressed-spectrum": 2}"#;
    assert_eq!(serde_json::from_str::<Objective>(with_nothing).expect("an objective"), objective);

    let (batch, ranges) = (signals(2 * 1200, 5), [0..1200, 100..900]);
    let [noisy, clean, estimate] = batch.each_ref().map(|x| tensor::<Flex, 3>(x, [2, 1, 1200]));
    let got = objective.per_item(noisy.clone(), clean.clone(), estimate.clone(), Some(&ranges));
    let [wsdr, spectrum] =
        [Loss::Wsdr, Loss::CompressedSpectrum].map(|loss| differentiated(loss, &batch, 2, Some(&ranges)).0);
    let expected: Vec<f32> = wsdr.iter().zip(&spectrum).map(|(wsdr, spectrum)| wsdr + 2.0 * spectrum).collect();
    assert_close(&values(got), &expected, 1e-6);
    let mean = values(objective.forward(noisy.clone(), clean.clone(), estimate.clone(), Some(&ranges)))[0];
    assert!((mean - (expected[0] + expected[1]) / 2.0).abs() < 1e-6);

    let single = Objective::single(Loss::Mse);
    assert_eq!(single.to_string(), "mse");
    assert_eq!(Objective::default(), Objective::single(Loss::Wsdr));
    assert_eq!(
        values(single.forward(noisy.clone(), clean.clone(), estimate.clone(), None)),
        values(Loss::Mse.forward(noisy, clean, estimate))
    );
}

#[test]
fn objectives_without_sense_are_refused() {
    for weights in [BTreeMap::new(), BTreeMap::from([(Loss::Mse, 0.0)])]
        .into_iter()
        .chain([-1.0, f64::NAN, f64::INFINITY].map(|weight| BTreeMap::from([(Loss::Mse, weight)])))
    {
        let field = if weights.values().all(|weight| *weight == 0.0) { "objective" } else { "mse" };
        let error = Objective::new(weights).expect_err("not an objective");
        assert!(matches!(error, Error::Config { field: name, .. } if name == field), "{error}");
    }
    let refused = |json| serde_json::from_str::<Objective>(json).expect_err("not an objective").to_string();
    assert!(refused("{}").contains("expected at least one loss"), "{}", refused("{}"));
    assert!(refused(r#"{"mse": -2.0}"#).contains("mse: expected a finite weight, 0 or above, got -2"));
    let unknown = refused(r#"{"l2": 1.0}"#);
    assert!(Loss::ALL.iter().all(|loss| unknown.contains(loss.name())), "{unknown}");
}
