//! Reads the weights in files that PyTorch's `torch.save` writes.
//!
//! Such a file is a zip archive of a pickled Python object and of the memory of all tensors in it. Pickles are programs; Python
//! runs them, and what they call. This crate only notes the calls, and understands those that make tensors.
//!
//! Files may come from strangers: no input makes it panic, and time and memory grow with the size of the file alone.
//!
//! | module | what it holds |
//! |---|---|
//! | [`pickle`] | the part of Python's pickle format that state dicts are made of |
//! | [`read_state_dict`] | all tensors of a state dict, by name |

mod archive;
mod error;
pub mod pickle;
mod state_dict;

pub use error::{Error, Result, TensorError};
pub use state_dict::{Tensor, read_state_dict};
