//! The report's first network, a convolution and its transpose.

mod config;
mod inference;
mod network;

pub use config::AutoencoderConfig;
pub use inference::AutoencoderInference;
pub use network::Autoencoder;
