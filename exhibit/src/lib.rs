//! Versions of one recording side by side, to see and hear, in HTML that needs nothing else.
//!
//! A page with an [`Exhibit`] holds sound, pictures, script and style itself. It may forbid all requests, and it can be
//! sent and kept as one file.
//!
//! | module | contents |
//! |---|---|
//! | [`player`] | the exhibit: pictures with axes, and players on one clock of which one is heard |
//! | [`spectrogram`] | levels over time and frequency, and their picture |
//! | [`waveform`] | the range of the samples in each column, and its picture |
//! | [`axis`] | round marks of time and frequency |
//! | [`colours`] | what colour a level has |
//! | [`inline`] | bytes and pictures as addresses that need no request |

pub mod axis;
pub mod colours;
pub mod inline;
pub mod player;
pub mod spectrogram;
pub mod waveform;

pub use player::{Exhibit, Voice};
