//! State dicts of PyTorch, and the pickles in them.

#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

mod pickle;
mod state_dict;
