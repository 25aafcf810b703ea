//! Marks on axes of time and frequency, and times as people read them.

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where, from 0 to 1.
    pub at: f64,
    /// What it says.
    pub text: String,
}

/// Marks of an axis from `from` to `to`, at most `most` of them, at round numbers.
fn round_steps(from: f64, to: f64, most: usize) -> Vec<(f64, f64)> {
    let span = to - from;
    if !(span > 0.0 && span.is_finite()) {
        return Vec::new();
    }
    let rough = span / most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    (first..=last).map(|index| (index as f64 * step, step)).collect()
}

/// Marks of a time axis in seconds; in minutes and seconds from a minute on.
pub fn time_marks([from, to]: [f64; 2], most: usize) -> Vec<Mark> {
    let span = to - from;
    // From a minute on, round numbers are those of a clock.
    let clock = [10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0];
    let times: Vec<(f64, f64)> = match clock.into_iter().find(|step| span / step <= most.max(1) as f64) {
        Some(step) if to > 60.0 && step <= span && span / most.max(1) as f64 >= 5.0 => {
            let first = (from / step).ceil() as i64;
            (first..).map(|index| (index as f64 * step, step)).take_while(|(time, _)| *time <= to).collect()
        }
        _ => round_steps(from, to, most),
    };
    times
        .into_iter()
        .map(|(time, step)| {
            let decimals = (-step.log10().floor()).clamp(0.0, 3.0) as usize;
            Mark { at: (time - from) / span, text: time_text(time, decimals, to > 60.0) }
        })
        .collect()
}

/// A time as people read it: `4.2`, or `1:04.2`.
pub fn time_text(seconds: f64, decimals: usize, minutes: bool) -> String {
    if !minutes {
        return format!("{seconds:.decimals$}");
    }
    let scale = 10f64.powi(decimals as i32);
    let total = (seconds * scale).round() / scale;
    let (minute, second) = ((total / 60.0).floor(), total % 60.0);
    let width = if decimals > 0 { decimals + 3 } else { 2 };
    match minute {
        60.0.. => {
            let (hour, minute) = ((minute / 60.0).floor(), minute % 60.0);
            format!("{hour}:{minute:02}:{second:0width$.decimals$}")
        }
        _ => format!("{minute}:{second:0width$.decimals$}"),
    }
}

/// Marks of a frequency axis from 0 to half the sampling rate.
pub fn frequency_marks(sample_rate_hz: u32, most: usize) -> Vec<Mark> {
    let top = f64::from(sample_rate_hz) / 2.0;
    let text = |hz: f64| if hz >= 1000.0 { format!("{} kHz", hz / 1000.0) } else { format!("{hz} Hz") };
    round_steps(0.0, top, most).into_iter().map(|(hz, _)| Mark { at: hz / top, text: text(hz) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        let texts = |marks: Vec<Mark>| marks.into_iter().map(|mark| mark.text).collect::<Vec<_>>();
        assert_eq!(texts(time_marks([0.0, 4.0], 5)), ["0", "1", "2", "3", "4"]);
        assert_eq!(texts(time_marks([1.2, 1.45], 3)), ["1.2", "1.3", "1.4"]);
        assert_eq!(texts(time_marks([0.0, 150.0], 6)), ["0:00", "0:30", "1:00", "1:30", "2:00", "2:30"]);
        assert_eq!(texts(time_marks([3590.0, 3610.0], 2)), ["59:50", "1:00:00", "1:00:10"]);
        assert_eq!(texts(time_marks([61.0, 62.0], 2)), ["1:01.0", "1:01.5", "1:02.0"]);
        assert_eq!(texts(frequency_marks(16_000, 4)), ["0 Hz", "2 kHz", "4 kHz", "6 kHz", "8 kHz"]);
        assert_eq!(texts(frequency_marks(44_100, 4)), ["0 Hz", "10 kHz", "20 kHz"]);
        assert_eq!(time_marks([1.0, 1.0], 4), []);
        for most in 1..12 {
            for to in [0.001, 0.5, 3.0, 59.0, 61.0, 200.0, 3600.0, 20_000.0] {
                assert!(time_marks([0.0, to], most).len() <= most + 1, "{to} {most}");
            }
        }
    }

    #[test]
    fn times_do_not_say_sixty_seconds() {
        assert_eq!(time_text(59.96, 1, true), "1:00.0");
        assert_eq!(time_text(3599.99, 0, true), "1:00:00");
        assert_eq!(time_text(4.25, 1, false), "4.2");
    }
}
