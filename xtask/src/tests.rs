//! The tests, run by nextest where it is installed and by cargo elsewhere: the same tests, and the same verdict.
//!
//! Nextest runs the tests of all crates side by side, cargo those of one after the other. Building nextest takes longer than it
//! saves in one run, so it is not installed here.

use std::process::Command;

use anyhow::Result;

use crate::cargo::{TEST_FEATURES, cargo};
use crate::command::{command, output, run};

/// The module of tests that have a software graphics device to themselves: it is slow enough with one network at a time.
/// For nextest, `.config/nextest.toml` says so.
const ONE_AT_A_TIME: &str = "golden_wgpu::";

/// Runs the tests inside libraries and programs.
///
/// # Errors
/// When one fails.
pub fn unit() -> Result<()> {
    let mut tests = if has_nextest() { cargo("nextest run") } else { cargo("test") };
    run(tests.args(["--workspace", "--lib", "--bins"]))
}

/// Runs all tests except those in a browser.
///
/// # Errors
/// When one fails.
pub fn native() -> Result<()> {
    if has_nextest() {
        run(cargo("nextest run").args(["--no-fail-fast", "--workspace"]))?;
        return run(cargo("test").args(["--workspace", "--doc"]));
    }
    run(cargo("test").arg("--workspace"))
}

/// Runs all tests except those in a browser, with those on wgpu.
///
/// # Errors
/// When one fails.
pub fn native_with_wgpu() -> Result<()> {
    let workspace = ["--workspace", "--features", TEST_FEATURES];
    if has_nextest() {
        run(cargo("nextest run").arg("--no-fail-fast").args(workspace))?;
        return run(cargo("test").args(workspace).arg("--doc"));
    }
    run(cargo("test").args(workspace).args(["--", "--skip", ONE_AT_A_TIME]))?;
    run(cargo("test").args(workspace).args(["--test", "shared", "--", ONE_AT_A_TIME, "--test-threads=1"]))
}

/// The tests of the built page in browsers, one at a time. Environment variables say where the browsers are.
pub fn browser() -> Command {
    let mut tests = cargo("test");
    // The whole workspace is named so that features, and with them what is compiled already, stay as they were.
    tests.args(["--workspace", "--features", TEST_FEATURES, "--test", "browser"]);
    tests.args(["--", "--ignored", "--test-threads=1", "--nocapture"]);
    tests
}

fn has_nextest() -> bool {
    output(command("cargo-nextest").args(["nextest", "--version"])).is_some()
}
