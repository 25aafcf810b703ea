//! State dicts: dictionaries of tensors.

use std::collections::BTreeMap;

use half::{bf16, f16};

use crate::archive::Archive;
use crate::error::{Error, Result, TensorError};
use crate::pickle::{self, Object, Objects};

/// Keys under which a checkpoint keeps its state dict.
const STATE_DICT_KEYS: [&str; 2] = ["state_dict", "model_state_dict"];
/// Most dimensions of a tensor: PyTorch's own limit.
const MAX_DIMENSIONS: usize = 64;

/// A tensor in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes of the dimensions; their product is the number of values.
    pub shape: Vec<usize>,
    /// Values in single precision, the last dimension running fastest.
    pub values: Vec<f32>,
}

/// Reads a state dict, or a checkpoint with one under `state_dict` or `model_state_dict`: all its tensors by name.
///
/// Numbers of 16 and 64 bits become `f32`. Tensors may share their memory and lie in it in any order.
///
/// # Errors
/// When it is no such file, is damaged, or has something other than tensors of floating point numbers.
pub fn read_state_dict(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
    let mut archive = Archive::open(bytes)?;
    let root = pickle::read(&archive.pickle()?).map_err(Error::Pickle)?;
    let tensors = STATE_DICT_KEYS.iter().find_map(|key| root.get(key)).unwrap_or(&root);
    let Object::Dictionary(tensors) = tensors else { return Err(Error::NotAStateDict(tensors.kind())) };
    // Tensors may share memory, but not so that a small file has any number of values.
    let mut reader = TensorReader { archive: &mut archive, limit: bytes.len(), left: bytes.len() };
    let mut read = BTreeMap::new();
    for pair in tensors.chunks_exact(2) {
        let Object::Text(name) = &pair[0] else {
            return Err(Error::NotAStateDict("a dictionary with keys that are no names"));
        };
        let tensor = reader.tensor(&pair[1]).map_err(|reason| Error::Tensor { name: name.to_string(), reason })?;
        if read.insert(name.to_string(), tensor).is_some() {
            return Err(Error::Twice(name.to_string()));
        }
    }
    Ok(read)
}

/// Makes tensors of what a pickle says about them.
struct TensorReader<'r, 'a> {
    archive: &'r mut Archive<'a>,
    /// Most values of all tensors, and how many of them are left.
    limit: usize,
    left: usize,
}

impl TensorReader<'_, '_> {
    /// The result of `_rebuild_tensor_v2(storage, offset, shape, strides, …)`, or of a parameter made from such a tensor.
    fn tensor(&mut self, object: &Object) -> Result<Tensor, TensorError> {
        let Object::Call(function, arguments) = object else {
            return Err(TensorError::NotATensor(object.kind().into()));
        };
        match &**function {
            "torch._utils._rebuild_parameter" => self.tensor(arguments.first().ok_or(TensorError::Arguments)?),
            "torch._utils._rebuild_tensor_v2" => {
                let [
                    Object::Persistent(storage),
                    Object::Integer(offset),
                    Object::Tuple(shape),
                    Object::Tuple(strides),
                    ..,
                ] = &arguments[..]
                else {
                    return Err(TensorError::Arguments);
                };
                if shape.len() != strides.len() || shape.len() > MAX_DIMENSIONS {
                    let (dimensions, strides) = (shape.len(), strides.len());
                    return Err(TensorError::Dimensions { limit: MAX_DIMENSIONS, dimensions, strides });
                }
                let offset = usize::try_from(*offset).map_err(|_| TensorError::Arguments)?;
                let (shape, strides) = (sizes(shape)?, sizes(strides)?);
                let values = self.values(storage, offset, &shape, &strides)?;
                Ok(Tensor { shape, values })
            }
            other => Err(TensorError::NotATensor(format!("a call of {other}"))),
        }
    }

    /// The values of a tensor in the storage `("storage", type, key, device, length)`.
    fn values(
        &mut self,
        storage: &Objects,
        offset: usize,
        shape: &[usize],
        strides: &[usize],
    ) -> Result<Vec<f32>, TensorError> {
        let [_, Object::Global(kind), Object::Text(key), ..] = &storage[..] else {
            return Err(TensorError::Arguments);
        };
        let bytes = self.archive.storage(key).map_err(|error| TensorError::Storage(error.into()))?;
        let (left, limit) = (&mut self.left, self.limit);
        let mut read = |length: usize, value: &dyn Fn(usize) -> f32| {
            let outside = || TensorError::Outside { shape: shape.to_vec(), length };
            let count = element_count(offset, shape, strides, length).ok_or_else(outside)?;
            *left = left.checked_sub(count).ok_or(TensorError::TooMany(limit))?;
            Ok(indices(count, offset, shape, strides).into_iter().map(value).collect())
        };
        match &**kind {
            "torch.HalfStorage" => {
                let numbers = bytes.as_chunks().0;
                read(numbers.len(), &|index| f16::from_le_bytes(numbers[index]).to_f32())
            }
            "torch.BFloat16Storage" => {
                let numbers = bytes.as_chunks().0;
                read(numbers.len(), &|index| bf16::from_le_bytes(numbers[index]).to_f32())
            }
            "torch.FloatStorage" => {
                let numbers = bytes.as_chunks().0;
                read(numbers.len(), &|index| f32::from_le_bytes(numbers[index]))
            }
            "torch.DoubleStorage" => {
                let numbers = bytes.as_chunks().0;
                read(numbers.len(), &|index| f64::from_le_bytes(numbers[index]) as f32)
            }
            other => Err(TensorError::Type(other.into())),
        }
    }
}

fn sizes(items: &Objects) -> Result<Vec<usize>, TensorError> {
    let size = |item: &Object| match item {
        Object::Integer(size) => usize::try_from(*size).map_err(|_| TensorError::Arguments),
        _ => Err(TensorError::Arguments),
    };
    items.iter().map(size).collect()
}

/// Elements of a strided tensor. None where they are not all within `length`, or more than that.
fn element_count(offset: usize, shape: &[usize], strides: &[usize], length: usize) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    let count = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))?;
    let reach = |last: usize, (&size, &stride): (&usize, &usize)| last.checked_add((size - 1).checked_mul(stride)?);
    let last = shape.iter().zip(strides).try_fold(offset, reach)?;
    (count <= length && last < length).then_some(count)
}

/// Where these elements lie, the last dimension running fastest.
fn indices(count: usize, offset: usize, shape: &[usize], strides: &[usize]) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    let spread = |indices: Vec<usize>, (&size, &stride): (&usize, &usize)| {
        indices.into_iter().flat_map(|index| (0..size).map(move |step| index + step * stride)).collect()
    };
    shape.iter().zip(strides).fold(vec![offset], spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(offset: usize, shape: &[usize], strides: &[usize], length: usize) -> Option<Vec<usize>> {
        element_count(offset, shape, strides, length).map(|count| indices(count, offset, shape, strides))
    }

    #[test]
    fn finds_the_elements_of_strided_tensors() {
        assert_eq!(places(1, &[2, 3], &[3, 1], 7), Some(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(places(0, &[2, 3], &[1, 2], 6), Some(vec![0, 2, 4, 1, 3, 5]));
        assert_eq!(places(4, &[], &[], 5), Some(vec![4]));
        assert_eq!(places(0, &[0, 3], &[3, 1], 0), Some(vec![]));
        // Empty, however large its other dimensions are.
        assert_eq!(places(0, &[usize::MAX, 1 << 40, 0], &[0, 0, 1], 1), Some(vec![]));
        for (offset, shape, strides, length) in [
            (2, [2, 3], [3, 1], 7),
            (0, [2, 3], [1, 2], 5),
            (usize::MAX, [2, 1], [1, 1], 9),
            (0, [usize::MAX, 2], [1, 1], 9),
            (0, [2, 2], [usize::MAX, 1], 9),
        ] {
            assert_eq!(places(offset, &shape, &strides, length), None, "{shape:?}");
        }
    }
}
