//! Trained models: those built into the program, by name, and any other by its file.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use shared::Bundle;

use crate::device::Device;

/// Names and bundles of the models built in, in the order in which people should meet them.
pub const EMBEDDED: [(&str, &[u8]); 3] = [
    ("dcunet", include_bytes!("../../models/dcunet.zip")),
    ("wavenet", include_bytes!("../../models/wavenet.zip")),
    ("autoencoder", include_bytes!("../../models/autoencoder.zip")),
];

/// Which model, and where it runs.
#[derive(Args)]
pub struct Choice {
    /// dcunet, wavenet, autoencoder, or the path of a bundle such as `train` writes.
    #[arg(long, default_value = "dcunet")]
    pub model: String,
    /// cpu, wgpu, cuda or cuda:N.
    #[arg(long, default_value_t = Device::Cpu)]
    pub device: Device,
}

impl Choice {
    /// Reads the model.
    pub fn load(&self) -> Result<Bundle> {
        load("--model", &self.model)
    }
}

/// Reads a model that is built in, or the bundle at a path; a name that is built in wins. `option` is what asked for it.
///
/// # Errors
/// When it is neither, or cannot be used.
pub fn load(option: &str, name: &str) -> Result<Bundle> {
    if let Some((_, bytes)) = EMBEDDED.iter().find(|(embedded, _)| *embedded == name) {
        return Bundle::from_bytes(bytes).with_context(|| format!("built-in model {name}"));
    }
    let bytes = match fs::read(Path::new(name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let names = EMBEDDED.map(|(name, _)| name).join(", ");
            bail!("{option}: expected one of {names}, or the path of a bundle, got {name:?}, which is neither")
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
    };
    Bundle::from_bytes(&bytes).with_context(|| format!("cannot use {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_models_can_be_used() {
        for (name, _) in EMBEDDED {
            let bundle = Choice { model: name.into(), device: Device::Cpu }.load().expect(name);
            bundle.network::<burn::backend::Flex>(&Default::default()).expect(name);
        }
    }
}
