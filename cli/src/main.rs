//! Removes noise from recordings of speech. `denoise --help` describes the arguments.

#![warn(clippy::print_stdout, reason = "println! panics when the reader of a pipe has gone; use cli::stdout::print")]
#![warn(clippy::print_stderr, reason = "eprintln! panics when the reader of a pipe has gone; use cli::progress::say")]

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use cli::denoise::DenoiseArguments;
use cli::{exit, memory, signal};

// What the program is about is said at its arguments.
#[derive(Parser)]
#[command(name = "denoise", version, arg_required_else_help = true)]
struct DenoiseProgram {
    #[command(flatten)]
    denoise: DenoiseArguments,
}

fn main() -> ExitCode {
    memory::keep();
    let DenoiseProgram { denoise } = DenoiseProgram::parse_from(arguments());
    exit::end(signal::catch().and_then(|()| denoise.run()))
}

/// The arguments without a first one that is `denoise`, so that scripts that call `trainer denoise` can call this program in its
/// place. A file or folder of that name is meant as such.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "denoise") && !Path::new("denoise").exists() {
        arguments.remove(1);
    }
    arguments
}
