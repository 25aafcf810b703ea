//! State dicts as `torch.save` writes them: a zip archive of a pickled dictionary and the tensors' memory.
//!
//! `burn-store` reads these files, too, but (in 0.21) takes every tensor for contiguous and gives zeros for memory that it does
//! not find, so that some state dicts load as something else without a word.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::{bf16, f16};
use shared::Weights;
use zip::ZipArchive;

use super::pickle::{self, Items, Object};

/// Largest file within the archive, in bytes.
const MAX_BYTES: u64 = 1 << 29;
/// Largest dictionary, in bytes.
const MAX_PICKLE_BYTES: u64 = 1 << 22;
/// Keys under which a checkpoint keeps its state dict.
const STATE_DICT_KEYS: [&str; 2] = ["state_dict", "model_state_dict"];

/// Reads a state dict, or a checkpoint with one under `state_dict` or `model_state_dict`.
///
/// # Errors
/// When it is no such file, or has something other than tensors of floating point numbers.
pub fn read(bytes: &[u8]) -> Result<Weights> {
    let mut file = StateDict::open(bytes)?;
    let root = pickle::read(&file.entry("data.pkl", MAX_PICKLE_BYTES)?).context("data.pkl")?;
    let tensors = STATE_DICT_KEYS.iter().find_map(|key| root.get(key)).unwrap_or(&root);
    let Object::Dictionary(tensors) = tensors else { bail!("expected a state dict, got something else") };
    let mut weights = Weights::default();
    for pair in tensors.chunks_exact(2) {
        let Object::Text(name) = &pair[0] else { bail!("expected names for tensors, got something else") };
        let (shape, values) = file.tensor(&pair[1]).with_context(|| name.to_string())?;
        weights.insert(name, shape, values)?;
    }
    Ok(weights)
}

/// An archive with all its files in one folder.
struct StateDict<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    folder: String,
}

impl<'a> StateDict<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self> {
        let archive = ZipArchive::new(Cursor::new(bytes))?;
        let mut names = archive.file_names().filter_map(Result::ok);
        let folder = names.find_map(|name| name.strip_suffix("data.pkl").map(String::from));
        drop(names);
        let folder = folder.context("expected a state dict of torch.save, got an archive without data.pkl")?;
        let mut file = Self { archive, folder };
        let order = if file.has("byteorder") { file.entry("byteorder", MAX_BYTES)? } else { b"little".to_vec() };
        ensure!(order == b"little", "expected little-endian numbers, got others");
        Ok(file)
    }

    fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(&format!("{}{name}", self.folder)).is_some()
    }

    fn entry(&mut self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let entry = self.archive.by_name(&format!("{}{name}", self.folder)).with_context(|| name.to_owned())?;
        ensure!(entry.size() <= limit, "{name}: expected at most {limit} bytes, got {}", entry.size());
        let mut content = Vec::new();
        entry.take(limit).read_to_end(&mut content).with_context(|| name.to_owned())?;
        Ok(content)
    }

    /// Shape and values of `_rebuild_tensor_v2(storage, offset, shape, strides, …)`, or of a parameter made from such a tensor.
    fn tensor(&mut self, object: &Object) -> Result<(Vec<usize>, Vec<f32>)> {
        match object {
            Object::Call(function, arguments) if &**function == "torch._utils._rebuild_parameter" => {
                self.tensor(arguments.first().context("it is broken")?)
            }
            Object::Call(function, arguments) if &**function == "torch._utils._rebuild_tensor_v2" => {
                let [
                    Object::Persistent(storage),
                    Object::Integer(offset),
                    Object::Tuple(shape),
                    Object::Tuple(strides),
                    ..,
                ] = &arguments[..]
                else {
                    bail!("it is broken")
                };
                let (shape, strides) = (sizes(shape)?, sizes(strides)?);
                let values = self.values(storage, usize::try_from(*offset)?, &shape, &strides)?;
                Ok((shape, values))
            }
            _ => bail!("expected a tensor, got something else"),
        }
    }

    /// The values of a tensor in the storage `("storage", kind, key, device, length)`.
    fn values(&mut self, storage: &Items, offset: usize, shape: &[usize], strides: &[usize]) -> Result<Vec<f32>> {
        let [_, Object::Global(kind), Object::Text(key), ..] = &storage[..] else { bail!("it is broken") };
        let bytes = self.entry(&format!("data/{key}"), MAX_BYTES)?;
        let values = match &**kind {
            "torch.HalfStorage" => numbers(&bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            "torch.BFloat16Storage" => numbers(&bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            "torch.FloatStorage" => numbers(&bytes, f32::from_le_bytes),
            "torch.DoubleStorage" => numbers(&bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            other => bail!("expected floating point numbers, got {other}"),
        };
        let indices = indices(offset, shape, strides, values.len()).context("its numbers are not all in the file")?;
        Ok(indices.into_iter().map(|index| values[index]).collect())
    }
}

fn sizes(items: &Items) -> Result<Vec<usize>> {
    let size = |item: &Object| match item {
        Object::Integer(size) => Ok(usize::try_from(*size)?),
        _ => bail!("it is broken"),
    };
    items.iter().map(size).collect()
}

fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&chunk| read(chunk)).collect()
}

/// Where the elements of a strided tensor lie, the last dimension running fastest. None where they are not all within `length`.
fn indices(offset: usize, shape: &[usize], strides: &[usize], length: usize) -> Option<Vec<usize>> {
    let count = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))?;
    let reach = |last: usize, (&size, &stride): (&usize, &usize)| {
        size.saturating_sub(1).checked_mul(stride).and_then(|reach| last.checked_add(reach))
    };
    let last = shape.iter().zip(strides).try_fold(offset, reach)?;
    if shape.len() != strides.len() || count > length || (count > 0 && last >= length) {
        return None;
    }
    let spread = |indices: Vec<usize>, (&size, &stride): (&usize, &usize)| {
        indices.into_iter().flat_map(|index| (0..size).map(move |step| index + step * stride)).collect()
    };
    Some(shape.iter().zip(strides).fold(vec![offset], spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = include_bytes!("../../../shared/tests/fixtures/tiny-dcunet.pt");

    #[test]
    fn refuses_files_cut_anywhere() {
        read(FILE).expect("a state dict");
        for length in 0..FILE.len() {
            assert!(read(&FILE[..length]).is_err(), "cut after {length} bytes");
        }
    }

    /// Checksums find most of it; nothing else may panic.
    #[test]
    fn survives_any_changed_byte() {
        for index in 0..FILE.len() {
            let mut bytes = FILE.to_vec();
            bytes[index] ^= 0x15;
            let _ = read(&bytes);
        }
        let mut archive = ZipArchive::new(Cursor::new(FILE)).expect("an archive");
        let mut pickled = Vec::new();
        let mut entry = archive.by_name("tiny-dcunet/data.pkl").expect("listed");
        entry.read_to_end(&mut pickled).expect("whole");
        for index in 0..pickled.len() {
            for change in [0x01, 0x15, 0x80] {
                let mut bytes = pickled.clone();
                bytes[index] ^= change;
                let _ = pickle::read(&bytes);
            }
        }
    }

    #[test]
    fn finds_the_elements_of_strided_tensors() {
        assert_eq!(indices(1, &[2, 3], &[3, 1], 7), Some(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(indices(0, &[2, 3], &[1, 2], 6), Some(vec![0, 2, 4, 1, 3, 5]));
        assert_eq!(indices(4, &[], &[], 5), Some(vec![4]));
        assert_eq!(indices(0, &[0, 3], &[3, 1], 0), Some(vec![]));
        for (offset, shape, strides, length) in [
            (2, [2, 3], [3, 1], 7),
            (0, [2, 3], [1, 2], 5),
            (usize::MAX, [2, 1], [1, 1], 9),
            (0, [usize::MAX, 2], [1, 1], 9),
            (0, [2, 2], [usize::MAX, 1], 9),
        ] {
            assert_eq!(indices(offset, &shape, &strides, length), None, "{shape:?}");
        }
    }
}
