//! Trains, evaluates and runs the denoising networks natively. `trainer help` lists the commands.

mod bench;
mod commands;
mod corrupt;
mod data;
mod device;
mod evaluate;
mod exchange;
mod identity;
mod mix;
mod models;
mod recipe;
mod recipes;
mod report;
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
    let arguments = commands::Arguments::parse();
    exit::end(signal::catch().and_then(|()| arguments.run()))
}
