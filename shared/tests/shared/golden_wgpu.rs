//! Networks, layers, transforms and losses against PyTorch, on a graphics processor or a program that acts as one.
//!
//! On Debian without one: `apt-get install mesa-vulkan-drivers`, then
//! `cargo test --workspace --features shared/wgpu-tests --test shared golden_wgpu`.

use crate::golden_checks::{self, Tolerance};
use burn::backend::{Autodiff, Wgpu};
use shared::nn::Phrasing;

type Training = Autodiff<Wgpu>;

const TOLERANCE: Tolerance = Tolerance { forward: 1e-3, gradient: 1e-3 };

/// Burn's matrix product takes no overlapping views here, so there is but one phrasing.
#[test]
fn networks_infer_as_in_pytorch() {
    golden_checks::networks_infer::<Wgpu>(&[Phrasing::Convolutions], TOLERANCE);
}

#[test]
fn networks_train_as_in_pytorch() {
    golden_checks::networks_train::<Training>(TOLERANCE);
}

#[test]
fn recurrent_networks_remember_as_in_pytorch() {
    golden_checks::recurrent_states::<Wgpu>(&[Phrasing::Convolutions], TOLERANCE);
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
    golden_checks::transforms::<Wgpu>(TOLERANCE);
}
