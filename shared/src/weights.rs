//! Weights by name, apart from any backend and any file: how networks are exchanged with other programs.
//!
//! A name is the path of a module's fields, as in `encoder.0.convolution.kernel.real`. `docs/weights.md` lists names, shapes and
//! how they map to PyTorch's layers. Running statistics are among the weights.

use std::collections::{BTreeMap, HashMap};

use burn::module::ParamId;
use burn::prelude::*;
use burn::tensor::{bf16, f16};
use burn_store::{ModuleSnapshot, TensorSnapshot};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::error::{Error, Result};
use crate::nn::{Network, NetworkConfig};

/// The names and shapes in one error message, at most.
const MAX_NAMES: usize = 4;

/// One named tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Sizes of the dimensions; their product is the number of values.
    pub shape: Vec<usize>,
    /// Values, the last dimension running fastest.
    pub values: Vec<f32>,
}

/// The weights of a network or a layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(BTreeMap<String, Weight>);

impl Weights {
    /// The weights of `module`, which should not be in training: take `valid()` first, or running statistics lag behind.
    ///
    /// # Errors
    /// When the device cannot hand them back.
    pub fn of<B: Backend>(module: &impl ModuleSnapshot<B>) -> Result<Self> {
        let mut weights = Self::default();
        for snapshot in module.collect(None, None, true) {
            let data = snapshot.to_data().map_err(|error| Error::Device(error.to_string()))?;
            weights.insert(&snapshot.full_path(), data.shape.to_vec(), data.iter::<f32>().collect())?;
        }
        Ok(weights)
    }

    /// Adds one.
    ///
    /// # Errors
    /// When there is one of this name already, or values are not as many as the shape says, or not finite.
    pub fn insert(&mut self, name: &str, shape: Vec<usize>, values: Vec<f32>) -> Result<()> {
        let expected = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if expected != Some(values.len()) {
            return Err(refuse(format!("{name}: expected values for the shape {shape:?}, got {}", values.len())));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(refuse(format!("{name}: expected finite values, got {value}")));
        }
        match self.0.insert(name.into(), Weight { shape, values }) {
            None => Ok(()),
            Some(_) => Err(refuse(format!("{name}: expected once, got twice"))),
        }
    }

    /// The sum of weights, each as much as its share says. Shares of 1 in all make an average.
    ///
    /// # Errors
    /// When names or shapes differ, or a sum is not finite.
    pub fn average(all: &[(&Self, f64)]) -> Result<Self> {
        let mut average = Self::default();
        let Some((first, _)) = all.first() else { return Ok(average) };
        for (name, Weight { shape, values }) in first.iter() {
            let mut sum = vec![0.0; values.len()];
            for (weights, share) in all {
                let other = weights.get(name).filter(|other| other.shape == *shape && weights.0.len() == first.0.len());
                let other =
                    other.ok_or_else(|| refuse(format!("{name}: expected {shape:?} in all that are averaged")))?;
                sum.iter_mut().zip(&other.values).for_each(|(sum, value)| *sum += share * f64::from(*value));
            }
            average.insert(name, shape.clone(), sum.into_iter().map(|value| value as f32).collect())?;
        }
        Ok(average)
    }

    /// All of them by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Weight)> {
        self.0.iter().map(|(name, weight)| (name.as_str(), weight))
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&Weight> {
        self.0.get(name)
    }

    /// The configured network with these weights on `device`.
    ///
    /// # Errors
    /// When the configuration is out of range, or these are not the weights of that network.
    pub fn network<B: Backend>(&self, config: &NetworkConfig, device: &B::Device) -> Result<Network<B>> {
        config.validate()?;
        // A few weights must not make a huge network.
        let values = self.0.values().map(|weight| weight.values.len() as u64).sum();
        if config.parameters() > values {
            let expected = format!("expected at least {} values", config.parameters());
            return Err(refuse(format!("{expected} for such a network, got {values}")));
        }
        self.load_into(config.init::<B>(device))
    }

    /// The module with these weights in place of its own.
    ///
    /// # Errors
    /// When there is not one of the right shape for each of its own, and no other.
    pub fn load_into<B: Backend, M: ModuleSnapshot<B>>(&self, mut module: M) -> Result<M> {
        let expected: BTreeMap<String, Vec<usize>> =
            module.collect(None, None, true).into_iter().map(|own| (own.full_path(), own.shape.to_vec())).collect();
        let describe = |(name, shape): (&String, &Vec<usize>)| format!("{name} {shape:?}");
        let missing = expected.iter().filter(|(name, _)| !self.0.contains_key(*name)).map(describe);
        let extra = self.0.iter().filter(|(name, _)| !expected.contains_key(*name));
        let extra = extra.map(|(name, weight)| describe((name, &weight.shape)));
        let (missing, extra): (Vec<_>, Vec<_>) = (missing.collect(), extra.collect());
        if !missing.is_empty() || !extra.is_empty() {
            return Err(refuse(format!("missing: {}; not expected: {}", list(&missing), list(&extra))));
        }
        for (name, shape) in &expected {
            let got = &self.0[name].shape;
            if got != shape {
                return Err(refuse(format!("{name}: expected the shape {shape:?}, got {got:?}")));
            }
        }
        let snapshot = |(name, weight): (&String, &Weight)| {
            let data = TensorData::new(weight.values.clone(), weight.shape.clone());
            TensorSnapshot::from_data(data, name.split('.').map(String::from).collect(), Vec::new(), ParamId::new())
        };
        let result = module.apply(self.0.iter().map(snapshot).collect(), None, None, true);
        assert!(result.errors.is_empty() && result.applied.len() == expected.len(), "{:?}", result.errors);
        Ok(module)
    }

    /// The bytes of a safetensors file, values in single precision, with `notes` as its metadata.
    ///
    /// # Errors
    /// When the notes are longer than the format can hold (100 MB).
    pub fn to_safetensors(&self, notes: &BTreeMap<String, String>) -> Result<Vec<u8>> {
        let bytes: Vec<Vec<u8>> = self
            .0
            .values()
            .map(|weight| weight.values.iter().flat_map(|value| value.to_le_bytes()).collect())
            .collect();
        let views = self.0.iter().zip(&bytes).map(|((name, weight), bytes)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, weight.shape.clone(), bytes).map_err(refuse)?))
        });
        let notes: HashMap<String, String> = notes.clone().into_iter().collect();
        in_order(&safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(notes)).map_err(refuse)?)
    }

    /// Reads the bytes of a safetensors file with values of 16, 32 or 64 bits, and its metadata.
    ///
    /// # Errors
    /// When the bytes are not such a file, or values are not finite.
    pub fn from_safetensors(bytes: &[u8]) -> Result<(Self, BTreeMap<String, String>)> {
        let not_safetensors = |error| refuse(format!("expected a safetensors file, got something else: {error}"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(not_safetensors)?;
        let file = SafeTensors::deserialize(bytes).map_err(not_safetensors)?;
        let mut weights = Self::default();
        for (name, view) in file.tensors() {
            let data = view.data();
            let values = match view.dtype() {
                Dtype::F16 => values(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
                Dtype::BF16 => values(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
                Dtype::F32 => values(data, f32::from_le_bytes),
                Dtype::F64 => values(data, |bytes| f64::from_le_bytes(bytes) as f32),
                other => return Err(refuse(format!("{name}: expected F16, BF16, F32 or F64, got {other}"))),
            };
            weights.insert(&name, view.shape().to_vec(), values)?;
        }
        let notes = header.metadata().clone().unwrap_or_default();
        Ok((weights, notes.into_iter().collect()))
    }
}

/// A safetensors file with the names in its header in order. The crate writes notes in the order of a hash map, which
/// changes from run to run.
fn in_order(file: &[u8]) -> Result<Vec<u8>> {
    let (length, rest) = file.split_first_chunk().ok_or_else(|| refuse("expected a header"))?;
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header: BTreeMap<String, BTreeMap<String, serde_json::Value>> =
        serde_json::from_slice(header).map_err(refuse)?;
    let mut header = serde_json::to_vec(&header).map_err(refuse)?;
    // Tensors begin at multiples of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok([&(header.len() as u64).to_le_bytes(), &*header, data].concat())
}

fn refuse(reason: impl ToString) -> Error {
    Error::Weights(reason.to_string())
}

/// Numbers of `N` bytes each.
fn values<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&chunk| read(chunk)).collect()
}

/// The first few of many names.
fn list(names: &[String]) -> String {
    match names.len() {
        0 => "none".into(),
        count if count <= MAX_NAMES => names.join(", "),
        count => format!("{} and {} more", names[..MAX_NAMES].join(", "), count - MAX_NAMES),
    }
}
