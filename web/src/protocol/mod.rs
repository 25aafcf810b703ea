//! The messages between the page and its two workers: the engine, which computes, and the painter, which makes pictures
//! and files.
//!
//! A message is an enum of [`engine`] or [`painter`] as JSON, with what JSON cannot hold beside it: files, samples, a
//! port. `envelope` packs both into what the browser posts.
//!
//! A recording is a *take*. What can be heard of it are its *tracks*, all of one length, rate and number of channels:
//! track 0 is the recording as it came, the last are what networks made of it. They go to the page in *pieces* of
//! [`PIECE_SECONDS`], as soon as there are any, so that the page can show and play what is there, and nobody holds the
//! whole.

pub mod engine;
#[cfg(target_arch = "wasm32")]
pub mod envelope;
mod failure;
pub mod painter;
mod take;

pub use self::failure::Failure;
pub use self::take::{
    AddedNoise, MAX_CHANNELS, MAX_MINUTES, MAX_NOISY_SAMPLES, MAX_SAMPLES, PIECE_SECONDS, TrackScores,
};
