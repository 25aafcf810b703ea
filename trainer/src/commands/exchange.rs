//! `trainer export` and `trainer import`: weights to and from other programs, under the names of docs/weights.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::backend::Flex;
use clap::Args;
use cli::model;
use cli::output::{refuse_existing, write_new};
use shared::bundle::{BundleConfig, Card};
use shared::nn::{NetworkConfig, Precision};
use shared::{Bundle, Weights};

use crate::SAMPLE_RATE_HZ;

/// Where a safetensors file keeps the bundle's configuration and card, as JSON.
const CONFIG: &str = "config";
const CARD: &str = "card";

/// Write a model's weights as safetensors, for PyTorch and others.
///
/// The file's metadata has the configuration and the card. docs/weights.md tells which tensor is which.
#[derive(Args)]
pub struct ExportArguments {
    #[arg(help = cli::model::help())]
    model: String,
    /// The file.
    #[arg(short, long, value_name = "FILE.safetensors")]
    out: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    overwrite: bool,
}

/// Make a bundle from weights of another program.
///
/// Takes safetensors, and what `torch.save` writes of a state dict; names and shapes must be those of docs/weights.md.
#[derive(Args)]
pub struct ImportArguments {
    /// A .safetensors, .pt or .pth file.
    weights: PathBuf,
    /// A preset, or a JSON file with the network's shape; without it, what `export` wrote into the file.
    #[arg(long, value_name = "PRESET|CONFIG.json")]
    network: Option<String>,
    /// The bundle.
    #[arg(short, long, value_name = "BUNDLE.zip")]
    out: PathBuf,
    /// Replace the bundle if it exists.
    #[arg(long)]
    overwrite: bool,
    /// How the bundle stores weights: f32 or f16.
    #[arg(long, default_value = "f32", value_parser = precision)]
    precision: Precision,
    /// Rate the network works at, in Hz [default: that in the file, else 16000].
    #[arg(long)]
    sample_rate_hz: Option<u32>,
}

fn precision(name: &str) -> Result<Precision, String> {
    serde_json::from_value(name.into()).map_err(|_| format!("expected f32 or f16, got {name:?}"))
}

impl ExportArguments {
    /// Does what was asked.
    pub fn run(self) -> Result<()> {
        if !self.overwrite {
            refuse_existing([&*self.out])?;
        }
        let bundle = model::load("MODEL", &self.model)?;
        let notes = BTreeMap::from([
            (CONFIG.into(), serde_json::to_string(&bundle.config)?),
            (CARD.into(), serde_json::to_string(&bundle.card)?),
        ]);
        let network = bundle.network::<Flex>(&Default::default())?;
        write_new(&self.out, &Weights::of(&network)?.to_safetensors(&notes)?, self.overwrite)
    }
}

impl ImportArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        if !self.overwrite {
            refuse_existing([&*self.out])?;
        }
        let path = self.weights.display();
        let bytes = fs::read(&self.weights).with_context(|| format!("cannot read {path}"))?;
        let source = WeightsFile::read(&bytes).with_context(|| format!("cannot use {path}"))?;
        let network = match (&self.network, &source.config) {
            (Some(name), _) => network_config(name)?,
            (None, Some(config)) => config.network.clone(),
            (None, None) => bail!("{path} does not say which network it is for: give --network"),
        };
        let rate_hz = self.sample_rate_hz.or(source.config.map(|config| config.sample_rate_hz));
        let card = source.card.unwrap_or_else(|| imported(&self.weights, &network));
        let device = Default::default();
        let module = source.weights.network::<Flex>(&network, &device).with_context(|| format!("cannot use {path}"))?;
        let bundle = Bundle::pack(&module, network, rate_hz.unwrap_or(SAMPLE_RATE_HZ), self.precision, card)?;
        // Half precision holds no number above 65504.
        bundle.network::<Flex>(&device).with_context(|| format!("cannot store {path} at this precision"))?;
        write_new(&self.out, &bundle.to_bytes()?, self.overwrite)
    }
}

/// A preset by name, or the shape in a JSON file.
fn network_config(name: &str) -> Result<NetworkConfig> {
    if !name.ends_with(".json") {
        return NetworkConfig::preset(name).context("--network");
    }
    let context = || format!("--network: cannot use {name}");
    let config: NetworkConfig = serde_json::from_slice(&fs::read(name).with_context(context)?).with_context(context)?;
    config.validate().with_context(context)?;
    Ok(config)
}

/// The card of a network of which nothing else is known.
fn imported(path: &Path, network: &NetworkConfig) -> Card {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Card {
        name: name.clone().into(),
        summary: format!("Imported from {}.", path.file_name().unwrap_or_default().to_string_lossy()),
        parameters: network.parameters() as usize,
        ..Card::default()
    }
}

/// What a file of weights has.
struct WeightsFile {
    weights: Weights,
    config: Option<BundleConfig>,
    card: Option<Card>,
}

impl WeightsFile {
    fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(b"PK") {
            let mut weights = Weights::default();
            for (name, tensor) in pytorch::read_state_dict(bytes)? {
                weights.insert(&name, tensor.shape, tensor.values)?;
            }
            return Ok(Self { weights, config: None, card: None });
        }
        // The header of safetensors is JSON after its length.
        if bytes.get(8) != Some(&b'{') {
            bail!("expected safetensors, or what torch.save writes since PyTorch 1.6, got something else");
        }
        let (weights, notes) = Weights::from_safetensors(bytes)?;
        let config = notes.get(CONFIG).map(|json| serde_json::from_str(json)).transpose().context(CONFIG)?;
        let card = notes.get(CARD).map(|json| serde_json::from_str(json)).transpose().context(CARD)?;
        Ok(Self { weights, config, card })
    }
}
