//! The program `denoise`, as a library that `trainer` builds on.
//!
//! | module | what it holds |
//! |---|---|
//! | [`denoise`] | the command: recordings in, recordings without their noise out |
//! | [`inputs`] | which recordings are meant: files, folders, patterns, standard input |
//! | [`plan`] | where each result goes |
//! | [`recording`], [`damage`] | reading a recording, and what could not be read of it |
//! | [`output`] | writing results: whole or not at all |
//! | [`stdout`] | text on standard output |
//! | [`batch`], [`progress`] | many files side by side, and what people see of it |
//! | [`model`], [`device`] | trained networks, and where they run |
//! | [`signal`], [`exit`] | how the program ends |
//! | [`memory`] | settings of the system's allocator, and how much memory was needed |

#![warn(clippy::print_stdout, reason = "println! panics when the reader of a pipe has gone; use stdout::print")]
#![warn(clippy::print_stderr, reason = "eprintln! panics when the reader of a pipe has gone; use progress::say")]

pub mod batch;
pub mod damage;
pub mod denoise;
pub mod device;
pub mod exit;
pub mod inputs;
pub mod memory;
pub mod model;
pub mod output;
pub mod plan;
pub mod progress;
pub mod recording;
pub mod signal;
pub mod stdout;
