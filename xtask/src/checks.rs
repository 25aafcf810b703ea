//! Everything that CI runs.

use std::env;
use std::time::Instant;

use anyhow::Result;

use crate::command::{self, command};
use crate::tools::{self, WasmToolchain};
use crate::{root, site, sizes};

/// GPU backends cannot be tested everywhere, but must compile everywhere.
const GPU_FEATURES: &str = "trainer/cuda,trainer/wgpu";

/// Runs all checks, the quick ones first; stops at the first that fails.
///
/// # Errors
/// When a check fails, or what it needs cannot be installed.
pub fn run(browser: bool) -> Result<()> {
    step("formatting", || cargo(&["fmt", "--all", "--check"]))?;
    step("lints", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--features", GPU_FEATURES, "--", "-D", "warnings"])
    })?;
    step("documentation", || {
        let mut doc = command("cargo");
        doc.args(["doc", "--workspace", "--no-deps", "--features", GPU_FEATURES]).env("RUSTDOCFLAGS", "-D warnings");
        command::run(&mut doc)
    })?;
    step("tests", || cargo(&["test", "--workspace"]))?;
    if !browser {
        return Ok(());
    }
    step("tests on wgpu", || {
        tools::vulkan()?;
        // Burn is built again with its wgpu backend; a software device is slow enough with one network at a time.
        cargo(&[
            "test",
            "--workspace",
            "--features",
            "shared/wgpu-tests",
            "--test",
            "golden_wgpu",
            "--",
            "--test-threads=1",
        ])
    })?;
    step("lints for WebAssembly", || {
        // Not `cargo clippy`: cargo looks for that in its own folder first, where it is another toolchain's.
        let mut clippy = WasmToolchain::find()?.command("cargo-clippy")?;
        clippy.args(["clippy", "--package", "web", "--lib", "--bins", "--target", "wasm32-unknown-unknown"]);
        command::run(clippy.args(["--profile", "web", "--", "-D", "warnings"]))
    })?;
    step("page", || site::build().map(drop))?;
    step("size of the page", || sizes::check(&root().join("dist")))?;
    step("tests in a browser", || {
        let (browser, driver) = tools::browser()?;
        let axe = tools::axe_core()?;
        let mut test = command("cargo");
        // The whole workspace is named so that features, and with them what is compiled already, stay as they were.
        test.args(["test", "--workspace", "--test", "browser", "--", "--ignored", "--test-threads=1", "--nocapture"]);
        test.env("BROWSER", browser).env("CHROMEDRIVER", driver).env("AXE", axe);
        if let Some((firefox, driver)) = tools::firefox() {
            test.env("FIREFOX", firefox).env("GECKODRIVER", driver);
        }
        if env::var_os("SCREENSHOTS").is_none() {
            test.env("SCREENSHOTS", root().join("target/screenshots"));
        }
        command::run(&mut test)
    })
}

fn cargo(arguments: &[&str]) -> Result<()> {
    command::run(command("cargo").args(arguments))
}

fn step(what: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
    eprintln!("xtask: {what}");
    let started = Instant::now();
    check()?;
    eprintln!("xtask: {what}: passed in {} s", started.elapsed().as_secs());
    Ok(())
}
