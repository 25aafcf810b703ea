//! The page, built.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::run;
use crate::root;
use crate::tools::{self, WasmToolchain};

/// Builds the page; the folder that holds it.
///
/// # Errors
/// When a tool cannot be installed, or the build fails.
pub fn build() -> Result<PathBuf> {
    tools::page_builders()?;
    let toolchain = WasmToolchain::find()?;
    eprintln!("xtask: building the page; the first time takes about ten minutes");
    let mut trunk = toolchain.command("trunk")?;
    // Trunk refuses the value "1", which others set.
    run(trunk.env_remove("NO_COLOR").args(["build", "--release"]))?;
    Ok(root().join("dist"))
}
