//! Waveforms and spectrograms as pixels, and the marks on their axes.

use std::sync::LazyLock;

use colorgrad::Gradient;
use shared::dsp::StftConfig;
use shared::dsp::spectrum::{Spectrum, SpectrumPlan};

/// The power of a level of 0 dB: that of a sine 110 dB below full scale. Nothing weaker is seen.
pub const FLOOR_POWER: f32 = 1e-11;
/// The level of a sine of full scale.
pub const FULL_SCALE_DB: f32 = 110.0;
/// Below the brightest, what is this much weaker in dB has the darkest colour.
pub const RANGE_DB: f32 = 80.0;

/// The colours from dark to bright: viridis, which people see alike whatever colours they can tell apart.
pub static COLOURS: LazyLock<[[u8; 3]; 256]> = LazyLock::new(|| {
    let gradient = colorgrad::preset::viridis();
    core::array::from_fn(|shade| {
        let [red, green, blue, _] = gradient.at(shade as f32 / 255.0).to_rgba8();
        [red, green, blue]
    })
});

/// What makes the power of a coefficient that of a sine of its amplitude, where a frame has this many coefficients.
fn scale(bins: usize) -> f32 {
    let n_fft = 2 * (bins - 1);
    16.0 / (n_fft * n_fft) as f32
}

fn level_db(power: f32) -> f32 {
    10.0 * (power / FLOOR_POWER).max(1.0).log10()
}

/// The level in a [`Grid`] of a coefficient of this magnitude, where a frame has this many coefficients.
pub fn magnitude_db(magnitude: f32, bins: usize) -> f32 {
    level_db(magnitude * magnitude * scale(bins))
}

/// Levels over time and frequency.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// Levels in a column, evenly from 0 Hz to half the sampling rate.
    pub rows: usize,
    /// Column after column, in dB above [`FLOOR_POWER`]; not a number where there is no sound.
    pub levels_db: Vec<f32>,
}

impl Grid {
    /// The spectrogram of samples: a column for each frame that is centred on an even `width`-th of them.
    ///
    /// `samples` are those to be seen, with `margin` more on either side (zeros beyond the track's ends).
    pub fn of_samples(samples: &[f32], margin: usize, n_fft: usize, width: usize) -> Self {
        let seen = samples.len().saturating_sub(2 * margin);
        let plan = SpectrumPlan::new(StftConfig { n_fft, hop_length: n_fft / 4 });
        let centre = |x: usize| margin + (seen as f64 * (x as f64 + 0.5) / width as f64) as usize;
        Self::of_spectrum(&plan.centred_on(samples, (0..width).map(centre)), 0..width)
    }

    /// The spectrogram of some frames of a spectrum.
    pub fn of_spectrum(spectrum: &Spectrum, frames: impl ExactSizeIterator<Item = usize>) -> Self {
        let rows = spectrum.bins - 1;
        let scale = scale(spectrum.bins);
        let mut levels_db = Vec::with_capacity(frames.len() * rows);
        for frame in frames {
            let coefficients = &spectrum.coefficients[frame * spectrum.bins..][..rows];
            levels_db.extend(coefficients.iter().map(|c| level_db(c.norm_sqr() * scale)));
        }
        Self { rows, levels_db }
    }

    /// The same, multiplied with an amplitude.
    pub fn amplified(mut self, amplitude: f32) -> Self {
        let gain_db = 20.0 * amplitude.max(1e-6).log10();
        self.levels_db
            .iter_mut()
            .for_each(|level| *level = if level.is_nan() { *level } else { (*level + gain_db).max(0.0) });
        self
    }

    /// The sum of two of the same size, if both are in phase.
    pub fn plus(&self, other: &Self) -> Self {
        let sum = |(a, b): (&f32, &f32)| 20.0 * (10f32.powf(a / 20.0) + 10f32.powf(b / 20.0)).log10();
        Self { rows: self.rows, levels_db: self.levels_db.iter().zip(&other.levels_db).map(sum).collect() }
    }

    /// How many columns.
    pub fn width(&self) -> usize {
        self.levels_db.len() / self.rows.max(1)
    }

    /// The highest level; that of the floor if there is no sound.
    pub fn peak_db(&self) -> f32 {
        self.levels_db.iter().copied().filter(|level| !level.is_nan()).fold(0.0, f32::max)
    }

    /// A picture of `height` rows of RGBA pixels, low frequencies at the bottom, brightest at `top_db`. Transparent where there
    /// is no sound. Where `small` says so of a column and a level, the colour is taken away: what a threshold would change.
    pub fn pixels(&self, height: usize, top_db: f32, small: impl Fn(usize, f32) -> bool) -> Vec<u8> {
        let width = self.width();
        let mut pixels = vec![0; 4 * width * height];
        for y in 0..height {
            let [from, to] = [height - 1 - y, height - y].map(|edge| edge * self.rows / height);
            for x in 0..width {
                let column = &self.levels_db[x * self.rows..(x + 1) * self.rows];
                let level = column[from..to.max(from + 1).min(self.rows)].iter().copied().fold(f32::NAN, f32::max);
                if level.is_nan() {
                    continue;
                }
                let shade = (255.0 * (1.0 + (level - top_db) / RANGE_DB)).clamp(0.0, 255.0) as u8;
                let [red, green, blue] =
                    if small(x, level) { [shade / 3 + 90; 3] } else { COLOURS[usize::from(shade)] };
                pixels[4 * (y * width + x)..][..4].copy_from_slice(&[red, green, blue, 255]);
            }
        }
        pixels
    }
}

/// The length of a transform for a rate: about 32 ms.
pub fn n_fft(sample_rate_hz: u32) -> usize {
    (sample_rate_hz as usize / 32).next_power_of_two().clamp(128, 8192)
}

/// Lowest and highest sample of each of `width` columns.
pub fn extremes(samples: &[f32], width: usize) -> Vec<Option<[f32; 2]>> {
    let edge = |x: usize| (samples.len() as u64 * x as u64 / width.max(1) as u64) as usize;
    let column = |x: usize| {
        let range = edge(x)..edge(x + 1).max(edge(x) + 1).min(samples.len());
        samples.get(range)?.iter().map(|x| [*x; 2]).reduce(|[low, high], [l, h]| [low.min(l), high.max(h)])
    };
    (0..width).map(column).collect()
}

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
    fn a_sine_of_full_scale_has_its_level_at_its_frequency() {
        let (rate_hz, n_fft) = (16_000, n_fft(16_000));
        assert_eq!(n_fft, 512);
        let bin = 64;
        let step = core::f32::consts::TAU * bin as f32 / n_fft as f32;
        let sine: Vec<f32> = (0..rate_hz + 2 * n_fft).map(|i| (i as f32 * step).sin()).collect();
        let grid = Grid::of_samples(&sine, n_fft, n_fft, 10);
        assert_eq!((grid.width(), grid.rows), (10, 256));
        for column in grid.levels_db.chunks(grid.rows) {
            assert!((column[bin] - FULL_SCALE_DB).abs() < 0.1, "{}", column[bin]);
            assert!(column[bin + 20] < 30.0);
        }
        let pixels = grid.pixels(256, FULL_SCALE_DB, |_, _| false);
        let at = |row: usize| &pixels[4 * 10 * row..][..3];
        assert!(at(255 - bin).iter().zip(COLOURS[255]).all(|(got, brightest)| got.abs_diff(brightest) < 5));
        assert_eq!(at(10), COLOURS[0]);
        let halved = grid.clone().amplified(0.5);
        assert!((halved.levels_db[bin] - FULL_SCALE_DB + 6.02).abs() < 0.1);
        assert!((halved.plus(&halved).levels_db[bin] - FULL_SCALE_DB).abs() < 0.1);
        let grey = grid.pixels(256, FULL_SCALE_DB, |_, level| level < 50.0);
        assert!(grey[4 * 10 * 10..][..3].iter().all(|value| *value == grey[4 * 10 * 10]));
    }

    #[test]
    fn silence_is_dark_and_what_is_not_there_transparent() {
        let grid = Grid::of_samples(&[0.0; 4_000], 100, 128, 4);
        assert_eq!(grid.peak_db(), 0.0);
        assert!(grid.pixels(8, 80.0, |_, _| false).chunks(4).all(|pixel| pixel[..3] == COLOURS[0] && pixel[3] == 255));
        let none = Grid { rows: 2, levels_db: vec![f32::NAN; 4] };
        assert!(none.pixels(2, 80.0, |_, _| true).iter().all(|value| *value == 0));
    }

    #[test]
    fn extremes_cover_every_sample_once() {
        let samples: Vec<f32> = (0..10).map(|x| x as f32).collect();
        assert_eq!(extremes(&samples, 3), [Some([0.0, 2.0]), Some([3.0, 5.0]), Some([6.0, 9.0])]);
        assert_eq!(extremes(&samples[..1], 2), [Some([0.0, 0.0]); 2]);
        assert_eq!(extremes(&[], 2), [None; 2]);
    }

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
