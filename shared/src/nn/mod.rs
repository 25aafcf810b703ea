//! The networks, waveform to waveform: `[batch, 1, samples]` in and the same shape out, for any number of samples.
//!
//! Each network is a folder: its configuration (a [`NetworkShape`]), the form in which it is trained ([`TrainableNetwork`]) and the
//! form in which it is run ([`InferenceForm`]). `registry` lists them.

mod arithmetic;
pub mod autoencoder;
pub mod dcunet;
mod form;
pub mod needs;
mod precision;
mod registry;
pub mod rnnformer;
mod shape;
mod tensors;
mod transform;
pub mod wavenet;

pub use autoencoder::{Autoencoder, AutoencoderConfig};
pub use dcunet::{Dcunet, DcunetConfig};
pub use form::{InferenceForm, Memory, Phrasing, RecurrentForm, TrainableNetwork};
pub use precision::Precision;
pub use registry::{InferenceNetwork, Network, NetworkConfig};
pub use rnnformer::{Rnnformer, RnnformerConfig};
pub use shape::{INPUT_RMS, NetworkShape};
pub use wavenet::{Estimate, Wavenet, WavenetConfig};
