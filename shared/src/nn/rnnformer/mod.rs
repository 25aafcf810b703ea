//! A small causal network that runs live: convolutions along frequency, recurrence along time, attention along bands.

mod bands;
mod config;
mod flow;
mod gru;
mod inference;
mod layers;
mod network;

pub use config::RnnformerConfig;
pub use inference::RnnformerInference;
pub use network::Rnnformer;
