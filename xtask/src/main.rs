//! `cargo xtask demo` builds the page and serves it, `site` writes it to a folder, `test` runs every check. All install what
//! they need.

mod checks;
mod command;
mod digest;
mod finish;
mod html;
mod networks;
mod site;
mod sizes;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use xtask::serve;

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
    Site {
        /// The folder to write: a new or empty one, or an earlier site.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// A folder with bundles (*.zip) to offer as well; those named as one of ours replace it.
        #[arg(long, value_name = "DIR")]
        models: Option<PathBuf>,
        /// The path that the site is served under, as in /denoise/ [default: any].
        #[arg(long, value_name = "PATH", value_parser = html::base_path)]
        base: Option<String>,
    },
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
        Task::Demo { port } => {
            // The port first: nobody wants to learn after the build that it is taken.
            let server = serve::listen(port).context("choose another by --port")?;
            let folder = site::build()?;
            println!("The page is at http://{}/ (Ctrl-C ends it)", server.server_addr());
            serve::run(&server, &folder, |_| ());
            Ok(())
        }
        Task::Build => site::build().map(|dist| println!("{}", dist.display())),
        Task::Site { out, models, base } => {
            site::write(&out, &finish::Options { models, base })?;
            println!("{}", out.display());
            Ok(())
        }
        Task::Test { no_browser } => checks::run(!no_browser),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}
