//! Deep Complex U-Net, on the complex spectrum.

pub mod complex;
mod config;
mod inference;
mod network;
mod phrasings;
mod presets;

pub use config::{DcunetConfig, DcunetLayer};
pub use inference::DcunetInference;
pub use network::Dcunet;
