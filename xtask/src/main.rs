//! `cargo xtask demo` builds the page and serves it, `site` writes it to a folder, `check` runs the quick checks and `test` all of
//! them. Each installs what it needs.

mod cargo;
mod checks;
#[cfg(test)]
mod circles;
mod command;
mod page;
mod tests;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::page::{Options, Site};

/// Builds and serves the page, and runs every check, setting up what they need.
#[derive(Parser)]
#[command(arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the page and serve it on this machine.
    Demo {
        /// Port of the server; 0 takes any that is free.
        #[arg(long, default_value_t = 8080)]
        port: u16,
    },
    /// Build the page into `dist`.
    Build,
    /// Build the page as a static site that any host can serve.
    Site(Options),
    /// Format all code.
    Fmt,
    /// Run the quick checks: formatting, lints with default features, unit tests.
    Check,
    /// Run everything that CI runs.
    Test {
        /// Leave out what needs a browser or a graphics driver: the page, its tests, and those on wgpu.
        #[arg(long)]
        no_browser: bool,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Demo { port } => Site::Alone.demo(port),
        Task::Build => Site::Alone.build(&Options::dist()),
        Task::Site(options) => Site::Alone.build(&options),
        Task::Fmt => command::run(command::command("cargo").args(["fmt", "--all"])),
        Task::Check => checks::quick(),
        Task::Test { no_browser } => checks::all(!no_browser),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}
