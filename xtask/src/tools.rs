//! What the page and the tests need beyond cargo, found or installed.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::cargo::cargo;
use crate::command::{command, output, run};
use crate::root;

/// The version of trunk that is known to build this page.
const TRUNK_VERSION: &str = "0.21.14";

/// The version of the driver of Firefox that is installed where there is none.
const GECKODRIVER_VERSION: &str = "0.37.1";

/// The version of axe-core, which finds what keeps people from using a page, and the SHA-256 of its `axe.min.js`.
const AXE_CORE: (&str, &str) = ("4.14.1", "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c");

/// Debian's second Rust toolchain, with the source of the standard library, from which it is built for WebAssembly.
const DEBIAN_RUST: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-clippy", "rust-web-src", "lld-19"];

/// A compiler for WebAssembly.
pub enum WasmToolchain {
    /// The toolchain in use, with the target added by rustup.
    Rustup,
    /// Debian's toolchain.
    Debian,
}

impl WasmToolchain {
    /// Finds a compiler for WebAssembly, or installs one.
    ///
    /// # Errors
    /// When there is none and none can be installed.
    pub fn find() -> Result<Self> {
        if has_wasm_target() {
            return Ok(Self::Rustup);
        }
        say("adding the target wasm32-unknown-unknown, for the page");
        // Where its servers cannot be reached, rustup tries for minutes before it gives up.
        let added = command("timeout").args(["60", "rustup", "target", "add", "wasm32-unknown-unknown"]).status();
        if added.is_ok_and(|status| status.success()) || rustup_without_timeout() {
            return Ok(Self::Rustup);
        }
        say("rustup cannot reach its servers; using Debian's compiler for the page");
        install_debian(&DEBIAN_RUST, "they compile the page").context(
            "no compiler for WebAssembly: run `rustup target add wasm32-unknown-unknown` where rustup reaches its servers",
        )?;
        Ok(Self::Debian)
    }

    /// A command with this toolchain and our tools in reach.
    pub fn command(&self, program: &str) -> Result<Command> {
        let mut command = command(program);
        let mut folders = vec![root().join("target/tools/bin")];
        folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        if let Self::Debian = self {
            folders.retain(|folder| !folder.ends_with(".cargo/bin"));
            folders.insert(1, "/usr/bin".into());
            command
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "/usr/bin/wasm-ld-19");
        }
        command.env("PATH", env::join_paths(folders).context("PATH has an unusable folder")?);
        // Apart from native builds, so that neither waits for the other or undoes its work.
        command.env("CARGO_TARGET_DIR", root().join("target/web"));
        Ok(command)
    }
}

/// Whether the toolchain in use has the standard library for WebAssembly.
fn has_wasm_target() -> bool {
    let arguments = ["--print", "target-libdir", "--target", "wasm32-unknown-unknown"];
    output(command("rustc").args(arguments)).is_some_and(|folder| Path::new(folder.trim()).is_dir())
}

/// For systems without the `timeout` program.
fn rustup_without_timeout() -> bool {
    output(command("timeout").arg("--version")).is_none()
        && command("rustup").args(["target", "add", "wasm32-unknown-unknown"]).status().is_ok_and(|s| s.success())
}

/// Finds or installs trunk and wasm-bindgen.
///
/// # Errors
/// When one cannot be installed.
pub fn page_builders() -> Result<()> {
    let wasm_bindgen = locked_version("wasm-bindgen")?;
    // Debug builds take minutes on the page. What `cargo_install` builds is optimised a little.
    let why = "binds the page's WebAssembly to the browser";
    cargo_install("wasm-bindgen-cli", "wasm-bindgen", &wasm_bindgen, &[], why)?;
    cargo_install("trunk", "trunk", TRUNK_VERSION, &[], "builds the page")?;
    Ok(())
}

/// Finds or installs a browser and the driver that steers it: their paths.
///
/// # Errors
/// When they cannot be installed.
pub fn browser() -> Result<(PathBuf, PathBuf)> {
    let find = || {
        let browser = ["chromium", "google-chrome", "chrome"].into_iter().find_map(on_path)?;
        Some((browser, on_path("chromedriver")?))
    };
    if find().is_none() {
        install_debian(&["chromium", "chromium-driver"], "the page is tested in a real browser")
            .context("the tests need Chromium or Chrome, and chromedriver of the same version, on the PATH")?;
    }
    find().context("chromium and chromedriver are installed but not on the PATH")
}

/// Finds or installs Firefox and its driver: their paths. Says why where there are none: Chromium must do then.
pub fn firefox() -> Option<(PathBuf, PathBuf)> {
    let found = find_firefox();
    found.map_err(|reason| say(&format!("the tests in Firefox are LEFT OUT: {reason:#}"))).ok()
}

fn find_firefox() -> Result<(PathBuf, PathBuf)> {
    let find = || ["firefox-esr", "firefox"].into_iter().find_map(on_path);
    if find().is_none() {
        install_debian(&["firefox-esr"], "the page is tested in Firefox too").context("there is no Firefox")?;
    }
    let firefox = find().context("firefox-esr is installed but not on the PATH")?;
    if let Some(driver) = on_path("geckodriver") {
        return Ok((firefox, driver));
    }
    // It waits for the browser most of the time, so it may be slow, and is built in half the time.
    cargo_install("geckodriver", "geckodriver", GECKODRIVER_VERSION, &["--debug"], "steers Firefox")?;
    Ok((firefox, root().join("target/tools/bin/geckodriver")))
}

/// Finds or downloads axe-core: the path of its script.
///
/// # Errors
/// When it cannot be downloaded, or is not what it was.
pub fn axe_core() -> Result<PathBuf> {
    let (version, digest) = AXE_CORE;
    let folder = root().join("target/tools").join(format!("axe-core-{version}"));
    let script = folder.join("axe.min.js");
    if fs::read(&script).is_ok_and(|content| sha256(&content) == digest) {
        return Ok(script);
    }
    say(&format!("downloading axe-core {version} into target/tools: it tests the page's accessibility"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let archive = folder.join("axe-core.tgz");
    let url = format!("https://registry.npmjs.org/axe-core/-/axe-core-{version}.tgz");
    run(command("curl")
        .args(["--silent", "--show-error", "--fail", "--location", "--retry", "3", &url, "-o"])
        .arg(&archive))?;
    run(command("tar")
        .args(["--strip-components=1", "-xzf"])
        .arg(&archive)
        .arg("-C")
        .arg(&folder)
        .arg("package/axe.min.js"))?;
    let content = fs::read(&script).with_context(|| format!("cannot read {}", script.display()))?;
    if sha256(&content) != digest {
        bail!("{url} is not what it was: SHA-256 {} of axe.min.js, expected {digest}", sha256(&content));
    }
    Ok(script)
}

/// Whether cargo-deny is installed. Building it takes longer than most of what it follows.
pub fn has_cargo_deny() -> bool {
    let found = on_path("cargo-deny").is_some();
    if !found {
        say("the check of licences and advisories is LEFT OUT: install it by `cargo install --locked cargo-deny`");
    }
    found
}

/// Sees to a Vulkan device, if only one of software. Elsewhere than on Debian the system's graphics driver must do.
///
/// # Errors
/// When it cannot be installed.
pub fn vulkan() -> Result<()> {
    if !has_apt() {
        return Ok(());
    }
    install_debian(&["libvulkan1", "mesa-vulkan-drivers"], "the networks are tested on wgpu")
}

/// The SHA-256 of some bytes, in hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders: OsString = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Installs a program into `target/tools` unless this version of it is there or on the PATH.
fn cargo_install(package: &str, program: &str, version: &str, options: &[&str], why: &str) -> Result<()> {
    let folder = root().join("target/tools");
    let own = folder.join("bin").join(program);
    for candidate in [own.as_path(), Path::new(program)] {
        if output(command(candidate).arg("--version"))
            .is_some_and(|text| text.split_whitespace().any(|word| word == version))
        {
            return Ok(());
        }
    }
    say(&format!("installing {package} {version} into target/tools: it {why}"));
    let install = |mut install: Command| {
        install.args(["--quiet", package, "--version", version, "--root"]).arg(&folder).args(options);
        // These run for seconds: compiled in half the time, they may be slower.
        install.envs([
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ]);
        run(install.env("CARGO_TARGET_DIR", folder.join("build")))
    };
    if install(cargo("install")).is_ok() {
        return Ok(());
    }
    // Mirrors of crates.io may lack what the package's lock file names.
    say(&format!(
        "{package} cannot be installed as its authors locked it; trying with other versions of what it needs"
    ));
    install({
        let mut unlocked = command("cargo");
        unlocked.arg("install");
        unlocked
    })
}

/// The version of a package in our lock file.
fn locked_version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \""));
    version
        .map(|version| version.trim_end_matches('"').to_owned())
        .with_context(|| format!("{package} is not in Cargo.lock"))
}

fn has_apt() -> bool {
    output(command("apt-get").arg("--version")).is_some()
}

/// Installs Debian packages that are missing.
fn install_debian(packages: &[&str], why: &str) -> Result<()> {
    let missing = |package: &&&str| {
        let status = output(command("dpkg-query").args(["-W", "-f", "${Status}", package]));
        !status.is_some_and(|status| status.ends_with(" installed"))
    };
    let missing: Vec<&&str> = packages.iter().filter(missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !has_apt() {
        bail!("this system has no apt-get to install {missing:?} with");
    }
    let names: Vec<&str> = missing.iter().map(|package| **package).collect();
    say(&format!("installing {} by apt-get: {why}", names.join(", ")));
    let apt = |arguments: &[&str]| {
        let root = output(command("id").arg("-u")).is_some_and(|user| user.trim() == "0");
        let mut apt = if root { command("apt-get") } else { command("sudo") };
        if !root {
            apt.arg("apt-get");
        }
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    run(&mut apt(&["update", "-qq"]))?;
    run(apt(&["install", "-y", "-qq", "--no-install-recommends"]).args(missing))
}

fn say(what: &str) {
    eprintln!("xtask: {what}");
}
