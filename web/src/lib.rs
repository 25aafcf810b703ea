//! The page: denoises recordings in the browser, on WebGPU or on the CPU. Nothing leaves the device.
//!
//! The library is plain Rust, tested natively. Three programs are made with it, each a WebAssembly module: `page`, with what people
//! see and do; `worker`, the engine behind it with the networks; and `painter`, which makes pictures while both have other things
//! to do.
//!
//! | module | what it holds |
//! |---|---|
//! | [`protocol`], `messages` | what page and worker say to each other, and how it travels |
//! | [`painting`] | what page and painter say to each other |
//! | [`state`] | all that the page is, and what events make of it |
//! | [`settings`] | the part of it that is in a link |
//! | [`take`], [`networks`], [`example`] | recordings, networks and examples |
//! | [`mix`] | tracks in proportion: before, after, removed, at any strength |
//! | [`steps`] | chains of noise, as far as the page knows them |
//! | [`overview`], [`picture`] | waveforms and spectrograms as pixels, marks on axes |
//! | [`parts`], [`saved`] | files written in blocks, pages of their own |

pub mod example;
pub mod mix;
pub mod networks;
pub mod overview;
pub mod painting;
pub mod parts;
pub mod picture;
pub mod protocol;
pub mod saved;
pub mod settings;
pub mod state;
pub mod steps;
pub mod take;

#[cfg(target_arch = "wasm32")]
pub mod messages;
