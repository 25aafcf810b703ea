//! What the networks, the noise and the streaming promise, against definitions, against PyTorch and for any input.
//!
//! The comparison with PyTorch on wgpu is built with the feature `wgpu-tests` only.

mod bundle;
mod common;
mod golden;
mod golden_checks;
#[cfg(feature = "wgpu-tests")]
mod golden_wgpu;
mod inference;
mod losses;
mod networks;
mod noise;
mod noise_chain;
mod noise_room;
mod pipeline;
mod properties;
mod reference;
mod sizes;
mod stream;
mod weights;
