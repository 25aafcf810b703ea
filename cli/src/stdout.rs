//! Text on standard output.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};

use anyhow::{Context, Result};

use crate::exit::ReaderGone;

/// Prints `text` as it is, without a line break after it.
///
/// `println!` panics when nobody reads standard output any more, as in `denoise --list-models | head -1`.
///
/// # Errors
/// Of the type [`ReaderGone`] when the reader has closed the pipe; another one when the text cannot be written, for
/// example because the disk is full.
pub fn print(text: impl Display) -> Result<()> {
    let mut out = stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        result => result.context("cannot write to standard output"),
    }
}
