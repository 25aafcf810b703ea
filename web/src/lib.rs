//! The page: denoises recordings in the browser, on WebGPU or on the CPU. Nothing leaves the device.
//!
//! | module | runs in | what it does |
//! |---|---|---|
//! | [`protocol`] | both | the messages between page and worker, plain Rust |
//! | `page` | page | what people see and do |
//! | `audio_io` | page | files, other formats than WAV, the microphone |
//! | `worker` | worker | answers requests |
//! | `recording` | worker | recordings in the browser's memory, read and written bit by bit |
//! | `session` | worker | the backend in use, and the loaded network |
//! | `gpu` | worker | whether WebGPU can be used here |

pub mod protocol;

#[cfg(target_arch = "wasm32")]
mod audio_io;
#[cfg(target_arch = "wasm32")]
mod gpu;
#[cfg(target_arch = "wasm32")]
mod messages;
#[cfg(target_arch = "wasm32")]
pub mod page;
#[cfg(target_arch = "wasm32")]
mod recording;
#[cfg(target_arch = "wasm32")]
mod session;
#[cfg(target_arch = "wasm32")]
pub mod worker;
