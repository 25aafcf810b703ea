//! Why a file cannot be read.

use crate::pickle::PickleError;

/// The result of reading a file.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a file is not a state dict that can be read. Causes are part of the messages.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a zip archive.
    #[error("expected a zip archive, which torch.save writes since PyTorch 1.6: {0}")]
    Archive(zip::result::ZipError),

    /// The archive is of another program.
    #[error("expected a file written by torch.save, got a zip archive without data.pkl")]
    NoPickle,

    /// A file in the archive is missing or damaged.
    #[error("cannot read {name} in the archive: {reason}")]
    Entry {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },

    /// A file in the archive is too large.
    #[error("{name} in the archive: expected at most {limit} bytes, got {got}")]
    TooLarge {
        /// Its name.
        name: String,
        /// The most bytes that are read.
        limit: u64,
        /// Its size in bytes.
        got: u64,
    },

    /// Numbers are stored with their highest byte first.
    #[error("expected little-endian numbers, got byte order {0:?}")]
    ByteOrder(String),

    /// The pickled object cannot be read.
    #[error("data.pkl: {0}")]
    Pickle(PickleError),

    /// The pickled object is no dictionary, or its keys are no names.
    #[error("expected a state dict, which is a dictionary of tensors by name, got {0}")]
    NotAStateDict(&'static str),

    /// Two tensors have the same name.
    #[error("{0}: expected one tensor of this name, got two")]
    Twice(String),

    /// An entry of the dictionary cannot be read as a tensor.
    #[error("{name}: {reason}")]
    Tensor {
        /// Its name in the dictionary.
        name: String,
        /// Why.
        reason: TensorError,
    },
}

/// Why an entry of a state dict cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// It is something else.
    #[error("expected a tensor, got {0}")]
    NotATensor(String),

    /// It is made from other arguments than PyTorch's.
    #[error("expected the arguments of a tensor (storage, offset, shape, strides), got others")]
    Arguments,

    /// It has integers, for instance.
    #[error("expected 16-, 32- or 64-bit floating point numbers, got {0}")]
    Type(String),

    /// Shape and strides differ in length, or are too long.
    #[error(
        "expected as many strides as dimensions, at most {limit}, got {strides} strides and {dimensions} dimensions"
    )]
    Dimensions {
        /// Most dimensions that are read.
        limit: usize,
        /// Length of the shape.
        dimensions: usize,
        /// Length of the strides.
        strides: usize,
    },

    /// Elements lie outside the tensor's memory.
    #[error("expected all elements of shape {shape:?} within its storage of {length} numbers")]
    Outside {
        /// Sizes of the dimensions.
        shape: Vec<usize>,
        /// Numbers in the storage.
        length: usize,
    },

    /// All tensors together have more elements than the file has bytes.
    #[error("expected at most as many numbers in all tensors as the file has bytes, {0}")]
    TooMany(usize),

    /// Its memory cannot be read.
    #[error("{0}")]
    Storage(Box<Error>),
}
