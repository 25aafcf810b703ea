//! Progress for people: a bar on a terminal, nothing where there is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of `length` things to do.
pub fn bar(length: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {elapsed} of about {duration}");
    let bar = ProgressBar::new(length as u64).with_message(what.to_owned());
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Says something on the standard error stream without disturbing the bar.
pub fn warn(bar: &ProgressBar, message: &str) {
    bar.suspend(|| eprintln!("{message}"));
}
