//! `trainer` as people call it: every command on small data.

#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

mod average;
mod bench;
mod common;
mod exchange;
mod mix;
mod models;
mod program;
mod report;
mod train;
