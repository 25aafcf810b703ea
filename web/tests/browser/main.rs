//! The built page in real browsers: Chromium without WebGPU and with it (computed by SwiftShader), and Firefox.
//!
//! Needs the page in `dist`, Chromium and chromedriver named in `BROWSER` and `CHROMEDRIVER`, and axe-core's script in `AXE`:
//! `cargo xtask test` sees to that. Where `FIREFOX` and `GECKODRIVER` are not named, that part says so and is left out. With
//! `SCREENSHOTS` set to a folder, what the page looks like is kept there. `SITE` may name another folder than `dist`.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod browser;
mod bundles;
mod denoise;
mod engine;
mod experiment;
mod failures;
mod firefox;
mod formats;
mod listen;
mod live;
mod long;
mod offline;
mod share;
mod sound;
