//! The checks: quick ones for every change, and everything that CI runs.

use std::env;
use std::time::Instant;

use anyhow::Result;

use crate::cargo::cargo;
use crate::command::{command, run};
use crate::page::{Options, Site};
use crate::tools::{self, WasmToolchain};
use crate::{root, tests};

/// GPU backends cannot be tested everywhere, but must compile everywhere.
const GPU_FEATURES: &str = "trainer/cuda,trainer/wgpu,shared/wgpu-tests";

/// Runs the checks that take a few minutes once everything is compiled; stops at the first that fails.
///
/// # Errors
/// When a check fails.
pub fn quick() -> Result<()> {
    step("formatting", formatting)?;
    step("lints", || run(cargo("clippy").args(["--workspace", "--all-targets", "--", "-D", "warnings"])))?;
    step("unit tests", tests::unit)
}

/// Runs all checks, the quick ones first; stops at the first that fails.
///
/// # Errors
/// When a check fails, or what it needs cannot be installed.
pub fn all(browser: bool) -> Result<()> {
    step("formatting", formatting)?;
    if tools::has_cargo_deny() {
        step("dependencies", dependencies)?;
    }
    step("lints", || {
        let mut clippy = cargo("clippy");
        clippy.args(["--workspace", "--all-targets", "--features", GPU_FEATURES, "--", "-D", "warnings"]);
        run(&mut clippy)
    })?;
    step("documentation", || {
        let mut doc = cargo("doc");
        // One example stands for all: with one, dependencies have the features that they have in the lints, and are not compiled again.
        doc.args(["--workspace", "--no-deps", "--lib", "--example", "measure"]);
        // Not the program `site`: it would be written over the library of that name.
        doc.args(["--bin", "denoise", "--bin", "trainer", "--bin", "xtask"]);
        doc.args(["--features", GPU_FEATURES]).env("RUSTDOCFLAGS", "-D warnings");
        run(&mut doc)
    })?;
    if !browser {
        return step("tests", tests::native);
    }
    step("tests", || {
        tools::vulkan()?;
        tests::native_with_wgpu()
    })?;
    step("lints for WebAssembly", || {
        // Not `cargo clippy`: cargo looks for that in its own folder first, where it is another toolchain's.
        let mut clippy = WasmToolchain::find()?.command("cargo-clippy")?;
        clippy.args([
            "clippy",
            "--locked",
            "--package",
            "web",
            "--lib",
            "--bins",
            "--target",
            "wasm32-unknown-unknown",
        ]);
        run(clippy.args(["--profile", "web", "--", "-D", "warnings"]))
    })?;
    step("page", || Site::AfterTests.build(&Options::dist()))?;
    step("size of the page", || Site::AfterTests.check_sizes())?;
    step("tests in a browser", || {
        let (browser, driver) = tools::browser()?;
        let axe = tools::axe_core()?;
        let mut test = tests::browser();
        test.env("BROWSER", browser).env("CHROMEDRIVER", driver).env("AXE", axe);
        if let Some((firefox, driver)) = tools::firefox() {
            test.env("FIREFOX", firefox).env("GECKODRIVER", driver);
        }
        if env::var_os("SCREENSHOTS").is_none() {
            test.env("SCREENSHOTS", root().join("target/screenshots"));
        }
        run(&mut test)
    })
}

fn formatting() -> Result<()> {
    run(command("cargo").args(["fmt", "--all", "--check"]))
}

/// Licences, sources and duplicates of all dependencies; known vulnerabilities where their list can be fetched.
fn dependencies() -> Result<()> {
    let deny = || {
        let mut deny = command("cargo");
        deny.args(["deny", "--locked"]);
        deny
    };
    run(deny().args(["check", "licenses", "bans", "sources"]))?;
    if run(deny().args(["fetch", "db"])).is_err() {
        eprintln!("xtask: known vulnerabilities are NOT CHECKED: their list cannot be fetched");
        return Ok(());
    }
    run(deny().args(["--offline", "check", "advisories"]))
}

fn step(what: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
    eprintln!("xtask: {what}");
    let started = Instant::now();
    check()?;
    eprintln!("xtask: {what}: passed in {} s", started.elapsed().as_secs());
    Ok(())
}
