//! Progress for people: a bar on a terminal, a line now and then elsewhere.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Time between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Prints a line on the standard error stream. One that nobody reads any more is no reason to stop.
pub fn say(message: impl Display) {
    let _ = writeln!(stderr(), "{message}");
}

/// How far some work is. What it shows is gone when it is dropped.
pub struct Progress {
    bar: ProgressBar,
    what: String,
    quiet: bool,
    /// When the last line was printed; none where a bar is shown or nothing is wanted.
    last_line: Option<Mutex<Instant>>,
}

impl Progress {
    /// Nothing of `units` is done yet.
    pub fn new(what: impl Into<String>, units: u64) -> Self {
        let what = what.into();
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {elapsed} of about {duration}");
        let bar = ProgressBar::new(units).with_message(what.clone());
        if let Ok(style) = style {
            bar.set_style(style);
        }
        let last_line = if stderr().is_terminal() {
            bar.enable_steady_tick(Duration::from_millis(250));
            None
        } else {
            Some(Mutex::new(Instant::now()))
        };
        Self { bar, what, quiet: false, last_line }
    }

    /// Shows neither bar nor lines, and swallows notes.
    pub fn quiet() -> Self {
        Self { bar: ProgressBar::hidden(), what: String::new(), quiet: true, last_line: None }
    }

    /// There is more to do than was known.
    pub fn inc_length(&self, units: u64) {
        self.bar.inc_length(units);
    }

    /// More is done.
    pub fn inc(&self, units: u64) {
        self.bar.inc(units);
        if let Some(line) = self.line_after(LINE_INTERVAL) {
            self.warn(&line);
        }
    }

    /// How far the work is, in a line, if the last one is so long ago.
    fn line_after(&self, interval: Duration) -> Option<String> {
        let mut last_line = self.last_line.as_ref()?.lock().ok()?;
        if last_line.elapsed() < interval {
            return None;
        }
        *last_line = Instant::now();
        let (done, all) = (self.bar.position() as f64, self.bar.length().unwrap_or(0).max(1) as f64);
        Some(format!("{}: {:.0} %", self.what, 100.0 * done / all))
    }

    /// Prints what is good to know.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            self.warn(message);
        }
    }

    /// Prints a note where no bar shows the same.
    pub fn log(&self, message: &str) {
        if self.last_line.is_some() {
            self.note(message);
        }
    }

    /// Prints what must be known.
    pub fn warn(&self, message: &str) {
        self.bar.suspend(|| say(message));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressDrawTarget;

    use super::*;

    #[test]
    fn logs_get_a_line_now_and_then() {
        let what = "denoising".to_owned();
        let last_line = Some(Mutex::new(Instant::now()));
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let progress = Progress { bar, what, quiet: false, last_line };
        progress.inc_length(400);
        progress.inc(100);
        assert_eq!(progress.line_after(Duration::from_secs(3_600)), None);
        assert_eq!(progress.line_after(Duration::ZERO).as_deref(), Some("denoising: 25 %"));
        assert_eq!(progress.line_after(Duration::from_secs(3_600)), None);
        assert_eq!(Progress::quiet().line_after(Duration::ZERO), None);
    }
}
