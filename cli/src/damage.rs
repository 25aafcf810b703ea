//! Words for what could not be decoded of a recording.

use media::Damage;

/// Most lines about one recording.
const MOST_LINES: usize = 10;

/// A line for each stretch that could not be decoded: where it is, how long it is, and why.
pub fn lines(name: &str, sample_rate_hz: u32, damage: &[Damage]) -> Vec<String> {
    let seconds = |samples: u64| samples as f64 / f64::from(sample_rate_hz);
    let line = |Damage { start, length, reason }: &Damage| {
        let place = time(seconds(*start));
        match length {
            0 => format!("{name}: damaged at {place}: {reason}"),
            _ => format!("{name}: damaged at {place}: {reason}; {:.2} s are silent instead", seconds(*length)),
        }
    };
    let mut lines: Vec<String> = damage.iter().take(MOST_LINES).map(line).collect();
    if damage.len() > MOST_LINES {
        lines.push(format!("{name}: damaged in {} more places", damage.len() - MOST_LINES));
    }
    lines
}

/// A time as `h:mm:ss.s`.
fn time(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() as u64;
    let (hours, minutes) = (tenths / 36_000, tenths / 600 % 60);
    format!("{hours}:{minutes:02}:{:02}.{}", tenths / 10 % 60, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_hours_minutes_and_seconds() {
        for (seconds, expected) in
            [(0.0, "0:00:00.0"), (59.96, "0:01:00.0"), (3_725.25, "1:02:05.3"), (36_000.0, "10:00:00.0")]
        {
            assert_eq!(time(seconds), expected);
        }
    }

    #[test]
    fn many_places_are_counted() {
        let damage = |start| Damage { start, length: 800, reason: "a broken frame".into() };
        let all: Vec<Damage> = (0..13).map(|n| damage(n * 8_000)).collect();
        let said = lines("a.flac", 8_000, &all);
        assert_eq!(said.len(), 11);
        assert_eq!(said[1], "a.flac: damaged at 0:00:01.0: a broken frame; 0.10 s are silent instead");
        assert_eq!(said[10], "a.flac: damaged in 3 more places");
        let cut = Damage { start: 80, length: 0, reason: "the file is cut off".into() };
        assert_eq!(lines("a.wav", 8_000, &[cut]), ["a.wav: damaged at 0:00:00.0: the file is cut off"]);
    }
}
