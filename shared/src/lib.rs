//! Removing noise from audio with neural networks, written once for every Burn backend.
//!
//! This crate is pure: it opens no file, knows no command line, no DOM and no backend. Samples and bytes come in, samples and
//! bytes go out, and everything that touches a tensor is generic over [`burn::tensor::backend::Backend`]. The native trainer
//! and the web page are thin shells around it.
//!
//! A recording through a trained network, on Burn's CPU backend:
//!
//! ```
//! use burn::backend::Flex;
//! use shared::nn::Phrasing;
//! use shared::{Audio, Bundle, Denoiser};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/autoencoder.zip");
//! let bundle = Bundle::from_bytes(&std::fs::read(path)?)?;
//! let denoiser = Denoiser::<Flex>::new(&bundle, Phrasing::Products, Default::default())?;
//!
//! let noisy = Audio::new(48_000, vec![vec![0.1; 48_000]])?; // a second of one channel
//! let denoised = denoiser.denoise_blocking(&noisy, |_progress| {})?;
//! assert_eq!(denoised.len(), noisy.len());
//! # Ok(())
//! # }
//! ```
//!
//! Live sound goes through a [`stream::Stream`], block by block:
//!
//! ```
//! # use burn::backend::Flex;
//! # use shared::nn::Phrasing;
//! # use shared::{Bundle, Denoiser};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/autoencoder.zip");
//! # let bundle = Bundle::from_bytes(&std::fs::read(path)?)?;
//! # let denoiser = Denoiser::<Flex>::new(&bundle, Phrasing::Products, Default::default())?;
//! let mut stream = denoiser.stream(16_000, 1)?;
//! let mut denoised = Vec::new();
//! for block in [[0.0; 160], [0.1; 160]] {
//!     denoised.extend(stream.push_blocking(&[block])?.remove(0)); // what is ready
//! }
//! denoised.extend(stream.flush_blocking()?.remove(0)); // the rest
//! assert_eq!(denoised.len(), 320);
//! # Ok(())
//! # }
//! ```
//!
//! What fails on user input is an [`Error`] that says what was expected and what came.
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
