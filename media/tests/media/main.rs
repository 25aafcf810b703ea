//! Recordings read and written: every format of the fixtures, WAV files made byte by byte, and what the writer writes.

#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

mod common;
mod formats;
mod wav;
mod writer;
