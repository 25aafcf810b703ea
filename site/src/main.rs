//! Finishes what trunk built, measures it and serves it. `cargo xtask demo`, `build`, `site` and `test` run this.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use site::finish::{self, FinishOptions};
use site::{folder, html, serve, sizes};

/// Finishes the page that trunk built, measures it and serves it.
#[derive(Parser)]
#[command(arg_required_else_help = true)]
struct SiteArguments {
    #[command(subcommand)]
    task: SiteTask,
}

#[derive(Subcommand)]
enum SiteTask {
    /// Write the site: all of it or nothing.
    Finish {
        /// The folder that trunk wrote.
        #[arg(long, value_name = "DIR")]
        built: PathBuf,
        /// The folder with files that are copied as they are, and with the template of the service worker.
        #[arg(long, value_name = "DIR")]
        public: PathBuf,
        #[command(flatten)]
        site: SiteTarget,
    },
    /// Check the options of `finish`, which follows a long build, and write nothing.
    Check {
        #[command(flatten)]
        site: SiteTarget,
    },
    /// Print what people fetch, compressed, and fail if it exceeds the budget.
    Sizes {
        /// The folder with the site.
        folder: PathBuf,
    },
    /// Serve a site on this machine until the program is stopped.
    Serve {
        /// The folder with the site.
        folder: PathBuf,
        /// Port of the server; 0 takes any that is free.
        #[arg(long, default_value_t = 8080)]
        port: u16,
    },
}

#[derive(Args)]
struct SiteTarget {
    /// The folder to write: a new or empty one, or an earlier site.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A folder with bundles (*.zip) to offer as well; those named as one of ours replace it.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// The path that the site is served under, as in /denoise/ [default: any].
    #[arg(long, value_name = "PATH", value_parser = html::base_path)]
    base: Option<String>,
}

fn main() -> ExitCode {
    match run(SiteArguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(task: SiteTask) -> Result<()> {
    match task {
        SiteTask::Finish { built, public, site: SiteTarget { out, models, base } } => {
            folder::check(&out)?;
            let options = FinishOptions { models, base };
            folder::replace(&out, |folder| finish::finish(&built, &public, &options, folder))?;
            println!("{}", out.display());
            Ok(())
        }
        SiteTask::Check { site } => folder::check(&site.out),
        SiteTask::Sizes { folder } => sizes::check(&folder),
        SiteTask::Serve { folder, port } => {
            let server = serve::listen(port).context("choose another by --port")?;
            println!("The page is at http://{}/ (Ctrl-C ends it)", server.server_addr());
            serve::run(&server, &folder, |_| ());
            Ok(())
        }
    }
}
