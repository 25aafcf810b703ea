//! Denoising WaveNet, on the raw waveform.

mod config;
mod convolution;
mod estimate;
mod inference;
mod network;

pub use config::WavenetConfig;
pub use estimate::Estimate;
pub use inference::WavenetInference;
pub use network::Wavenet;
