//! Cargo, which never changes the lock file here.

use std::process::Command;

use crate::command::command;

/// With these all tests are built by `cargo xtask test`, those on wgpu too, so that Burn is compiled for them once.
pub const TEST_FEATURES: &str = "shared/wgpu-tests";

/// A subcommand of cargo, as in `nextest run`, that fails where the lock file would have to change.
pub fn cargo(subcommand: &str) -> Command {
    let mut cargo = command("cargo");
    cargo.args(subcommand.split(' ')).arg("--locked");
    cargo
}
