//! Stopping in good order when somebody presses Ctrl-C, or the system asks to.

use std::fmt;
use std::process;
use std::sync::Mutex;

use anyhow::{Context, Result};
use burn_train::Interrupter;

/// The exit code of an interrupted program, as shells have it.
pub const EXIT_CODE: u8 = 130;

/// Somebody wanted it so. Says how to go on.
#[derive(Debug)]
pub struct Interrupted(pub String);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Interrupted {}

/// What the signal stops. A signal has one handler for all of a program's life.
static STOPS: Mutex<Option<Interrupter>> = Mutex::new(None);

/// Lets the first signal stop `interrupter`, and a second end the program at once.
///
/// # Errors
/// When the system does not let signals be caught.
pub fn on_signal(interrupter: &Interrupter) -> Result<()> {
    let stops = |interrupter| STOPS.lock().map(|mut stops| stops.replace(interrupter)).ok().flatten();
    if stops(interrupter.clone()).is_some() {
        return Ok(()); // the handler is there
    }
    ctrlc::set_handler(|| {
        let stopped =
            STOPS.lock().ok().and_then(|stops| stops.clone()).filter(|interrupter| !interrupter.should_stop());
        match stopped {
            Some(interrupter) => interrupter.stop(Some("interrupted")),
            None => process::exit(i32::from(EXIT_CODE)),
        }
    })
    .context("cannot catch Ctrl-C")
}
