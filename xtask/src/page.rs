//! The page: built by trunk, finished and served by the crate `site`.

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::{TEST_FEATURES, cargo};
use crate::command::run;
use crate::root;
use crate::tools::{self, WasmToolchain};

/// What may differ between sites: passed on to `site`, which checks it.
#[derive(clap::Args)]
pub struct Options {
    /// The folder to write: a new or empty one, or an earlier site.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// A folder with bundles (*.zip) to offer as well; those named as one of ours replace it.
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// The path that the site is served under, as in /denoise/ [default: any].
    #[arg(long, value_name = "PATH")]
    pub base: Option<String>,
}

impl Options {
    /// The page in `dist`, under any path.
    pub fn dist() -> Self {
        Self { out: root().join("dist"), models: None, base: None }
    }

    /// As arguments of `site`, which runs in another folder than we do.
    fn arguments(&self) -> Result<Vec<PathBuf>> {
        let absolute =
            |path: &Path| std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()));
        let mut arguments = vec!["--out".into(), absolute(&self.out)?];
        if let Some(models) = &self.models {
            arguments.extend(["--models".into(), absolute(models)?]);
        }
        arguments.extend(self.base.iter().flat_map(|base| ["--base".into(), base.into()]));
        Ok(arguments)
    }
}

/// The program `site`.
#[derive(Clone, Copy)]
pub enum Site {
    /// Built alone, which compiles least.
    Alone,
    /// Built from what was compiled for the tests: alone it has other features of Burn, which is then compiled again.
    AfterTests,
}

impl Site {
    /// Builds the page and writes it; the program prints the folder.
    ///
    /// # Errors
    /// When an option is unusable, a tool cannot be installed, or the build fails.
    pub fn build(self, options: &Options) -> Result<()> {
        let arguments = options.arguments()?;
        // Before the long build, not after.
        run(self.command()?.arg("check").args(&arguments))?;
        let built = trunk()?;
        let mut finish = self.command()?;
        finish.arg("finish").arg("--built").arg(built).arg("--public").arg(root().join("web/public"));
        run(finish.args(arguments))
    }

    /// Fails if the page in `dist` is larger than its budget.
    ///
    /// # Errors
    /// When it is, or cannot be read.
    pub fn check_sizes(self) -> Result<()> {
        run(self.command()?.arg("sizes").arg(root().join("dist")))
    }

    /// Builds the page into `dist` and serves it until the program is stopped.
    ///
    /// # Errors
    /// When the port is taken, or the build fails.
    pub fn demo(self, port: u16) -> Result<()> {
        // The port first: nobody wants to learn after the build that it is taken.
        let free = TcpListener::bind(("127.0.0.1", port));
        drop(free.with_context(|| format!("cannot listen on port {port}: choose another by --port"))?);
        self.build(&Options::dist())?;
        run(self.command()?.arg("serve").arg(root().join("dist")).args(["--port", &port.to_string()]))
    }

    fn command(self) -> Result<Command> {
        match self {
            Self::Alone => {
                let mut command = cargo("run");
                command.args(["--quiet", "--package", "site", "--"]);
                Ok(command)
            }
            Self::AfterTests => {
                // With a test among the targets the features of dev-dependencies count, as they do for all tests.
                let targets = ["--workspace", "--bin", "site", "--test", "browser"];
                run(cargo("build").arg("--quiet").args(targets).args(["--features", TEST_FEATURES]))?;
                // Wherever cargo's target folder is, this program is in it.
                let beside = env::current_exe().context("cannot find the target folder")?;
                Ok(crate::command::command(beside.with_file_name("site").with_extension(env::consts::EXE_EXTENSION)))
            }
        }
    }
}

/// Runs trunk; the folder with what it made.
fn trunk() -> Result<PathBuf> {
    tools::page_builders()?;
    let toolchain = WasmToolchain::find()?;
    eprintln!("xtask: building the page; the first time takes about ten minutes");
    let mut trunk = toolchain.command("trunk")?;
    // Trunk refuses the value "1", which others set.
    run(trunk.env_remove("NO_COLOR").args(["build", "--release", "--locked"]))?;
    Ok(root().join("target/trunk"))
}
