//! Tells the program which commit it was built from.

use std::process::Command;

fn main() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    // Of an archive without a repository nobody knows.
    let commit = git(&["describe", "--always", "--abbrev=12", "--exclude=*"]).unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=COMMIT={commit}");
    println!("cargo::rerun-if-changed=build.rs");
    if let Some(folder) = git(&["rev-parse", "--absolute-git-dir"]) {
        // It gets a line for every commit and every checkout.
        println!("cargo::rerun-if-changed={folder}/logs/HEAD");
    }
}
