//! Trained models: those built into the program, by name, and any other by its file.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use models::Model;
use shared::Bundle;

use crate::device::Device;

/// Which model, and where it runs.
#[derive(Args)]
pub struct ModelChoice {
    /// The name of a built-in model, or the path of a bundle.
    #[arg(long, value_name = "NAME|BUNDLE", default_value = models::DEFAULT.name, help = help())]
    pub model: String,
    /// cpu, wgpu, cuda or cuda:N.
    #[arg(long, default_value_t = Device::Cpu)]
    pub device: Device,
}

/// What an option that takes a model says about it.
pub fn help() -> String {
    format!("{}, or the path of a bundle such as `trainer train` writes", models::names())
}

impl ModelChoice {
    /// Reads the model.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self) -> Result<Bundle> {
        load("--model", &self.model)
    }
}

/// Reads a model that is built in, or the bundle at a path; a name that is built in wins. `option` is what asked for it.
///
/// # Errors
/// When it is neither, or cannot be used.
pub fn load(option: &str, name: &str) -> Result<Bundle> {
    if let Some(model) = models::find(name) {
        return built_in(&model);
    }
    let bytes = match fs::read(Path::new(name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let names = models::names();
            bail!("{option}: expected one of {names}, or the path of a bundle, got {name:?}, which is neither")
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
    };
    Bundle::from_bytes(&bytes).with_context(|| format!("cannot use {name}"))
}

/// A model that is built in.
///
/// # Errors
/// When its bundle is broken.
pub fn built_in(model: &Model) -> Result<Bundle> {
    Bundle::from_bytes(model.bundle).with_context(|| format!("built-in model {}", model.name))
}

/// The built-in models as a table, a line each.
///
/// # Errors
/// When one of them is broken.
pub fn table() -> Result<String> {
    let mut table = format!("{:12} {:>7} {:>13} {:>15}  description\n", "name", "MB", "GMAC/s", "SI-SDR gain, dB");
    for model in &models::ALL {
        let card = built_in(model)?.card;
        let gain = card.scores.first().map_or(String::new(), |score| format!("{:.1}", score.after - score.before));
        let (megabytes, cost) = (model.bundle.len() as f64 / 1e6, card.macs_per_second / 1e9);
        let Model { name, about, .. } = model;
        let default = if *name == models::DEFAULT.name { " (default)" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(table, "{name:12} {megabytes:>7.2} {cost:>13.2} {gain:>15}  {about}{default}");
    }
    table += "\nGMAC/s: billions of multiplications for a second of sound; fewer are faster.\n\
              SI-SDR gain: on speech in recorded noise; more is better.\n";
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_models_can_be_used() {
        for Model { name, .. } in models::ALL {
            let bundle = load("--model", name).expect(name);
            bundle.network::<burn::backend::Flex>(&Default::default()).expect(name);
        }
    }
}
