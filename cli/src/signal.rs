//! Ending in good order when somebody presses Ctrl-C, closes the terminal, or the system asks to.

use std::process;
use std::sync::Mutex;

use anyhow::{Context, Result};

use crate::output;

type Action = Box<dyn FnOnce() + Send>;

/// What the next signal does instead of ending the program.
static ACTION: Mutex<Option<Action>> = Mutex::new(None);

/// From now on, signals that ask the program to end (SIGINT, SIGTERM and SIGHUP) remove unfinished results first.
///
/// # Errors
/// When the system does not let signals be caught.
pub fn catch() -> Result<()> {
    watch().context("cannot catch Ctrl-C")
}

/// Lets the next signal do `action` instead. The one after it ends the program.
pub fn act_once(action: impl FnOnce() + Send + 'static) {
    if let Ok(mut next) = ACTION.lock() {
        *next = Some(Box::new(action));
    }
}

fn received(exit_code: i32) {
    let action = ACTION.lock().ok().and_then(|mut action| action.take());
    match action {
        Some(action) => action(),
        None => {
            let _kept = output::discard_unfinished();
            process::exit(exit_code);
        }
    }
}

#[cfg(unix)]
fn watch() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut caught = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP) {
        caught.push(SIGHUP);
    }
    let mut signals = Signals::new(caught)?;
    // Shells report a program that a signal ended as 128 and the signal's number.
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || signals.forever().for_each(|n| received(128 + n)))?;
    Ok(())
}

/// Whether `nohup`, or whoever else started the program, wants it to ignore a signal. Known on Linux only.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(not(unix))]
fn watch() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| received(i32::from(crate::exit::INTERRUPTED)))
}
