//! A trained network as one file: its configuration, its weights, and a card that says what it is.
//!
//! The file is a plain (stored, not compressed) zip archive of `config.json`, `weights.bpk`, `card.json` and the same card as
//! `card.md`, so that anybody can look inside. Nothing in it is trusted: sizes, names and shapes are all checked before they
//! are used.

mod anonymous;
mod card;
mod half;
mod markdown;

use std::io::{Cursor, Read, Write};

use burn::prelude::*;
use burn::tensor::Bytes;
use burn_store::{BurnpackStore, ModuleAdapter, ModuleSnapshot, ModuleStore, TensorSnapshot};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

pub use card::{Card, DataSource, Score, Training};

use self::anonymous::Anonymous;
use self::half::HalfPrecision;
use crate::error::{Error, Result};
use crate::nn::{Network, NetworkConfig, Precision};

/// The version of the file's layout that this crate writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// Largest configuration or card, in bytes.
const MAX_TEXT_BYTES: u64 = 1 << 20;
/// Largest weights, in bytes.
const MAX_WEIGHTS_BYTES: u64 = 1 << 29;

/// What must be known before the weights can be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleConfig {
    /// Version of the layout, [`VERSION`].
    pub version: u32,
    /// Sampling rate the network works at, in Hz: 8 000 to 48 000.
    pub sample_rate_hz: u32,
    /// How the weights are stored.
    pub precision: Precision,
    /// The network's shape.
    pub network: NetworkConfig,
}

/// A bundle in memory.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// What must be known before the weights can be used; checked.
    pub config: BundleConfig,
    /// What people should know.
    pub card: Card,
    /// The weights in Burn's own format; unchecked until [`Bundle::network`].
    weights: Vec<u8>,
}

fn refuse(reason: impl ToString) -> Error {
    Error::Bundle(reason.to_string())
}

impl Bundle {
    /// A bundle of a network that is not being trained (take `valid()` first, or running statistics lag behind).
    ///
    /// # Errors
    /// When the configuration is out of range, or the weights cannot be written.
    pub fn pack<B: Backend>(
        network: &Network<B>,
        config: NetworkConfig,
        sample_rate_hz: u32,
        precision: Precision,
        card: Card,
    ) -> Result<Self> {
        let config = BundleConfig { version: VERSION, sample_rate_hz, precision, network: config };
        config.validate()?;
        let mut store = BurnpackStore::from_bytes(None).with_to_adapter(Anonymous);
        if precision == Precision::F16 {
            store = store.with_to_adapter(HalfPrecision::of(&config.network).chain(Anonymous));
        }
        network.save_into(&mut store).map_err(refuse)?;
        let weights = store.get_bytes().map_err(refuse)?.to_vec();
        Ok(Self { config, card, weights })
    }

    /// The file's bytes. The same bundle always gives the same bytes.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default());
        let json = |value: serde_json::Result<String>| value.map_err(refuse);
        let entries = [
            ("config.json", json(serde_json::to_string_pretty(&self.config))?.into_bytes()),
            ("card.json", json(serde_json::to_string_pretty(&self.card))?.into_bytes()),
            ("card.md", self.card.to_markdown(&self.config).into_bytes()),
            ("weights.bpk", self.weights.clone()),
        ];
        for (name, content) in entries {
            archive.start_file(name, options).map_err(refuse)?;
            archive.write_all(&content).map_err(refuse)?;
        }
        Ok(archive.finish().map_err(refuse)?.into_inner())
    }

    /// Reads a file's bytes. The configuration is checked here, the weights when they are used.
    ///
    /// # Errors
    /// When the bytes are not a bundle of this version, or its configuration is out of range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(refuse)?;
        // The version first, so that a later layout is called that and not a broken file.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let config = read(&mut archive, "config.json", MAX_TEXT_BYTES)?;
        let Version { version } = parse("config.json", &config)?;
        if version != VERSION {
            return Err(Error::BundleVersion { expected: VERSION, got: version });
        }
        let config: BundleConfig = parse("config.json", &config)?;
        config.validate()?;
        let card: Card = parse("card.json", &read(&mut archive, "card.json", MAX_TEXT_BYTES)?)?;
        card.validate()?;
        let weights = read(&mut archive, "weights.bpk", MAX_WEIGHTS_BYTES)?;
        Ok(Self { config, card, weights })
    }

    /// The network, its weights on `device`.
    ///
    /// # Errors
    /// When the weights are broken, or are not those of the configured network.
    pub fn network<B: Backend>(&self, device: &B::Device) -> Result<Network<B>> {
        // A small file must not make a huge network.
        let (expected, got) = (self.config.network.weight_bytes(self.config.precision), self.weights.len());
        if expected > got as u64 {
            return Err(refuse(format!("weights: too few bytes for this network: expected {expected}, got {got}")));
        }
        let half = (self.config.precision == Precision::F16).then(|| HalfPrecision::of(&self.config.network));
        let mut network = self.config.network.init::<B>(device);
        let expected = network.collect(None, half.as_ref().map(ModuleAdapter::clone_box), false);
        let mut store = BurnpackStore::from_bytes(Some(Bytes::from_bytes_vec(self.weights.clone())));
        if let Some(half) = half {
            store = store.with_from_adapter(half);
        }
        let found = store.get_all_snapshots().map_err(refuse)?;
        for tensor in &expected {
            let path = tensor.full_path();
            let stored = found.get(&path).ok_or_else(|| refuse(format!("weights: {path} is missing")))?;
            check(tensor, stored, &path)?;
        }
        if found.len() != expected.len() {
            return Err(refuse(format!("weights: {} tensors expected, got {}", expected.len(), found.len())));
        }
        let result = network.load_from(&mut store).map_err(refuse)?;
        if result.applied.len() != expected.len() || !result.errors.is_empty() {
            return Err(refuse(format!("weights: {:?}", result.errors)));
        }
        Ok(network)
    }
}

impl BundleConfig {
    fn validate(&self) -> Result<()> {
        if !(8_000..=48_000).contains(&self.sample_rate_hz) {
            return Err(Error::config("sample_rate_hz", "8000 to 48000 Hz", self.sample_rate_hz));
        }
        self.network.validate()?;
        self.network.validate_macs(self.sample_rate_hz)
    }
}

/// Shape, kind and size of one stored tensor, before anything is made from it.
fn check(expected: &TensorSnapshot, stored: &TensorSnapshot, path: &str) -> Result<()> {
    if expected.shape != stored.shape {
        let (expected, got) = (&expected.shape, &stored.shape);
        return Err(refuse(format!("weights: {path} has shape {got:?}, expected {expected:?}")));
    }
    if expected.dtype != stored.dtype {
        return Err(refuse(format!("weights: {path} is {:?}, expected {:?}", stored.dtype, expected.dtype)));
    }
    let data = stored.to_data().map_err(|error| refuse(format!("weights: {path}: {error:?}")))?;
    if data.num_elements() * stored.dtype.size() != data.bytes.len() {
        return Err(refuse(format!("weights: {path} is cut short")));
    }
    if data.iter::<f32>().any(|weight| !weight.is_finite()) {
        return Err(refuse(format!("weights: {path} has values that are not finite")));
    }
    Ok(())
}

fn read(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str, limit: u64) -> Result<Vec<u8>> {
    let entry = archive.by_name(name).map_err(|error| refuse(format!("{name}: {error}")))?;
    // A compressed entry could be a thousand times its size in the file.
    if entry.compression() != CompressionMethod::Stored {
        return Err(refuse(format!("{name}: expected a stored entry, got {}", entry.compression())));
    }
    if entry.size() > limit {
        return Err(refuse(format!("{name}: at most {limit} bytes expected, got {}", entry.size())));
    }
    let mut content = Vec::new();
    entry.take(limit).read_to_end(&mut content).map_err(|error| refuse(format!("{name}: {error}")))?;
    Ok(content)
}

fn parse<T: DeserializeOwned>(name: &str, content: &[u8]) -> Result<T> {
    serde_json::from_slice(content).map_err(|error| refuse(format!("{name}: {error}")))
}
