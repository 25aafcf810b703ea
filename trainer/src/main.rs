//! Trains, evaluates and runs the denoising networks natively. `trainer help` lists the commands.

mod audio_file;
mod batch;
mod bench;
mod cli;
mod corrupt;
mod data;
mod denoise;
mod device;
mod evaluate;
mod exchange;
mod identity;
mod interrupt;
mod memory;
mod mix;
mod model;
mod models;
mod progress;
mod recipe;
mod recipes;
mod report;
mod run;
mod scores;
mod train;

use std::process::ExitCode;

use clap::Parser;

/// The rate at which networks are trained, in Hz.
const SAMPLE_RATE_HZ: u32 = 16_000;

fn main() -> ExitCode {
    memory::keep();
    match cli::Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<interrupt::Interrupted>() {
            Some(interrupted) => {
                eprintln!("{interrupted}");
                ExitCode::from(interrupt::EXIT_CODE)
            }
            None => {
                eprintln!("error: {error:#}");
                ExitCode::from(2)
            }
        },
    }
}
