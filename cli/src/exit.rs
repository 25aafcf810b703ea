//! How a program ends: its last line and its exit code.

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::progress::say;

/// Exit code when something failed.
pub const FAILED: u8 = 2;
/// Exit code when everything was done, and some recordings were damaged.
pub const DAMAGED: u8 = 3;
/// Exit code after Ctrl-C, as in shells.
pub const INTERRUPTED: u8 = 130;

/// What `--help` says about exit codes.
pub const HELP: &str = "\
Exit codes:
  0    everything was done
  2    something failed; everything else was done
  3    everything was done, but parts of some recordings could not be decoded and are silent
  130  interrupted by Ctrl-C (129 by SIGHUP, 143 by SIGTERM)";

/// The last line about a batch in which nothing failed but some recordings are damaged.
#[derive(Debug)]
pub struct Damaged {
    /// Damaged recordings.
    pub count: usize,
    /// All recordings.
    pub of: usize,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "done, but {} of {} files are damaged", self.count, self.of)
    }
}

impl std::error::Error for Damaged {}

/// The last line of work that a signal stopped in good order. Says how to resume it.
#[derive(Debug)]
pub struct Interrupted(pub String);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Interrupted {}

/// Nobody reads standard output any more: `head -1`, for example, has seen enough. The program ends without a message.
#[derive(Debug)]
pub struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("nobody reads standard output any more")
    }
}

impl std::error::Error for ReaderGone {}

/// Prints what went wrong, and gives the exit code.
pub fn end(result: Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if error.is::<ReaderGone>() {
        return ExitCode::SUCCESS;
    }
    let code = if error.is::<Damaged>() {
        DAMAGED
    } else if error.is::<Interrupted>() {
        INTERRUPTED
    } else {
        say(format_args!("error: {error:#}"));
        return ExitCode::from(FAILED);
    };
    say(error);
    ExitCode::from(code)
}
