//! The page: denoises recordings in the browser, on WebGPU or on the CPU. Nothing leaves the device.
//!
//! The library is plain Rust, tested natively. Three programs are made with it, each a WebAssembly module: `page`, with
//! what people see and do; `worker`, the engine behind it with the networks; and `painter`, which makes pictures while
//! both have other things to do.
//!
//! | module | what it holds |
//! |---|---|
//! | [`protocol`] | what the page and its two workers say to each other, and how it travels |
//! | [`state`] | all that the page is, and what events make of it |
//! | [`settings`] | the part of it that is in a link |
//! | [`take`], [`networks`], [`example`] | recordings, networks and examples |
//! | [`mix`] | tracks in proportion: before, after, removed, at any strength |
//! | [`steps`] | chains of noise, as far as the page knows them |
//! | [`overview`] | waveform and spectrogram from afar, made while a track arrives |
//! | [`part_writer`] | files written in blocks |
//! | [`saved_page`] | takes as pages of their own |

pub mod example;
pub mod mix;
pub mod networks;
pub mod overview;
pub mod part_writer;
pub mod protocol;
pub mod saved_page;
pub mod settings;
pub mod state;
pub mod steps;
pub mod take;
