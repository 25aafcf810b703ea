//! Losses of samples: `[batch, 1, samples]` → `[batch]`, by the formulas in [`super::Loss`].

use core::f64::consts::LN_10;

use burn::prelude::*;

use super::signals::{EPSILON, Signals};

/// Errors, and noise, of this share of the noisy energy are as good as none: -40 dB.
const ERROR_FLOOR: f64 = 1e-4;

pub(super) fn l1<B: Backend>(Signals { clean, estimate, .. }: Signals<B>) -> Tensor<B, 1> {
    mean((clean - estimate).abs())
}

pub(super) fn mse<B: Backend>(Signals { clean, estimate, .. }: Signals<B>) -> Tensor<B, 1> {
    mean((clean - estimate).square())
}

pub(super) fn energy_conserving_l1<B: Backend>(signals: Signals<B>) -> Tensor<B, 1> {
    let Signals { noisy, clean, estimate } = signals;
    let noise = noisy.clone() - clean.clone();
    let estimated_noise = noisy - estimate.clone();
    mean((clean - estimate).abs() + (noise - estimated_noise).abs())
}

pub(super) fn wsdr<B: Backend>(Signals { noisy, clean, estimate }: Signals<B>) -> Tensor<B, 1> {
    let noise = noisy.clone() - clean.clone();
    let estimated_noise = noisy - estimate.clone();
    let energy = |x: &Tensor<B, 3>| x.clone().square().sum_dim(2);
    let cosine = |a: &Tensor<B, 3>, b: &Tensor<B, 3>| {
        let dot = (a.clone() * b.clone()).sum_dim(2);
        dot / ((energy(a) + EPSILON) * (energy(b) + EPSILON)).sqrt()
    };
    let weight = energy(&clean) / (energy(&clean) + energy(&noise) + EPSILON);
    let speech_term = weight.clone() * cosine(&clean, &estimate);
    let noise_term = weight.neg().add_scalar(1.0) * cosine(&noise, &estimated_noise);
    (speech_term + noise_term).neg().flatten(0, 2)
}

pub(super) fn error_level<B: Backend>(Signals { noisy, clean, estimate }: Signals<B>) -> Tensor<B, 1> {
    let ratio = energy(clean - estimate) / energy(noisy) + ERROR_FLOOR;
    decibels(ratio)
}

pub(super) fn harm<B: Backend>(Signals { noisy, clean, estimate }: Signals<B>) -> Tensor<B, 1> {
    let noise = energy(noisy.clone() - clean.clone()) + energy(noisy) * ERROR_FLOOR;
    decibels(energy(clean - estimate) / noise + 1.0)
}

/// A little more than the energy, `[batch, 1, 1]`.
fn energy<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 3> {
    x.square().sum_dim(2) + EPSILON
}

/// `[batch, 1, 1]` → `[batch]`
fn decibels<B: Backend>(ratio: Tensor<B, 3>) -> Tensor<B, 1> {
    (ratio.log() * (10.0 / LN_10)).flatten(0, 2)
}

/// `[batch, 1, samples]` → `[batch]`
fn mean<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 1> {
    x.mean_dim(2).flatten(0, 2)
}
