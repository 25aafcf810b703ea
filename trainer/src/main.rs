//! Trains, evaluates and runs the denoising networks natively. `trainer help` lists the commands.

#![warn(clippy::print_stdout, reason = "println! panics when the reader of a pipe has gone; use cli::stdout::print")]
#![warn(clippy::print_stderr, reason = "eprintln! panics when the reader of a pipe has gone; use cli::progress::say")]

mod commands;
mod data;
mod device;
mod recipe;
mod run;
mod scores;
mod train;

use std::process::ExitCode;

use clap::Parser;
use cli::{exit, signal};

/// The rate at which networks are trained, in Hz.
const SAMPLE_RATE_HZ: u32 = 16_000;

fn main() -> ExitCode {
    cli::memory::keep();
    let arguments = commands::TrainerArguments::parse();
    exit::end(signal::catch().and_then(|()| arguments.run()))
}
