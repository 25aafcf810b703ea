//! `trainer report`: a training run as one HTML page.
//!
//! The page loads nothing: style, script, charts, pictures and sound are in it, so that it can be sent and kept.

mod chart;
mod examples;
mod page;
mod tables;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use cli::output::{refuse_existing, write_new};
use cli::progress::say;

use crate::run::read;

/// Write a page about a training run: curves, scores and examples.
///
/// The run may still be going; the page tells what lies in its folder now. It is one file and loads nothing.
#[derive(Args)]
pub struct ReportArguments {
    /// Folder of the run.
    run: PathBuf,
    /// The page [default: RUN/report.html].
    #[arg(short, long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Replace the page if it exists.
    #[arg(long)]
    overwrite: bool,
}

impl ReportArguments {
    /// Reads the run and writes the page.
    pub fn run(self) -> Result<()> {
        let Self { run, out, overwrite } = self;
        let out = out.unwrap_or_else(|| run.join("report.html"));
        if !overwrite {
            refuse_existing([&*out])?;
        }
        let folder = run.canonicalize().unwrap_or_else(|_| run.clone());
        let folder_name = folder.file_name().unwrap_or(run.as_os_str()).to_string_lossy().into_owned();
        let page = page::Report {
            folder_name,
            entries: read::entries(&run)?,
            plan: read::plan(&run)?,
            recipe: read::recipe(&run)?,
            scores: read::scores(&run)?,
            examples: read::examples(&run).iter().map(examples::ReportExample::read).collect::<Result<_>>()?,
        };
        write_new(&out, page.html()?.into_string().as_bytes(), overwrite)?;
        say(format_args!("wrote {}", out.display()));
        Ok(())
    }
}
