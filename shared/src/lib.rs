//! Removing noise from audio with neural networks, written once for every Burn backend.
//!
//! This crate is pure: it opens no file, knows no command line, no DOM and no backend. Samples and bytes come in, samples and
//! bytes go out, and everything that touches a tensor is generic over [`burn::tensor::backend::Backend`]. The native trainer
//! and the web page are thin shells around it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`audio`], [`resample`] | recordings in memory, at another sampling rate |
//! | [`dsp`] | framing, the STFT and its inverse: as differentiable tensor code, and on slices |
//! | [`noise`] | noise of every kind, one after the other in chains of JSON: on slices, and on any device |
//! | [`synth`] | speech-like sound made by code, for training and tests where there is no recording |
//! | [`nn`] | the networks: autoencoder, WaveNet, Deep Complex U-Net |
//! | [`loss`], [`metric`] | what training minimises, and what people compare |
//! | [`bundle`] | a trained network as one file: configuration, weights and card |
//! | [`weights`] | weights by name, exchanged with PyTorch and others as safetensors |
//! | [`denoiser`], [`stream`] | a recording through a network: whole, or as it comes |

pub mod audio;
pub mod bundle;
pub mod denoiser;
pub mod dsp;
pub mod error;
pub mod loss;
pub mod metric;
pub mod nn;
pub mod noise;
pub mod resample;
mod runner;
pub mod stream;
pub mod synth;
pub mod weights;

pub use audio::Audio;
pub use bundle::Bundle;
pub use denoiser::Denoiser;
pub use error::{Error, Result};
pub use weights::Weights;
