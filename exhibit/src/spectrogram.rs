//! Spectrograms: levels over time and frequency, and their picture.

use shared::dsp::StftConfig;
use shared::dsp::spectrum::{Spectrum, SpectrumPlan};

use crate::colours::COLOURS;

/// The power of a level of 0 dB: that of a sine 110 dB below full scale. Nothing weaker is seen.
pub const FLOOR_POWER: f32 = 1e-11;
/// The level of a sine of full scale.
pub const FULL_SCALE_DB: f32 = 110.0;
/// Below the brightest, what is this much weaker in dB has the darkest colour.
pub const RANGE_DB: f32 = 80.0;

/// The level that pictures to be compared show brightest: the highest of these peaks, in dB.
/// At least half the range, so that next to nothing does not look loud.
pub fn top_db(peaks_db: impl IntoIterator<Item = f32>) -> f32 {
    peaks_db.into_iter().fold(RANGE_DB / 2.0, f32::max)
}

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

    /// A picture of `height` rows of RGBA pixels, low frequencies at the bottom, brightest at `top_db`. Transparent
    /// where there is no sound. Where `small` says so of a column and a level, the colour is taken away: what a
    /// threshold would change.
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
        // The periodic Hann window has three coefficients of a tone, the outer two 6 dB weaker.
        assert!((grid.levels_db[bin - 1] - FULL_SCALE_DB + 6.02).abs() < 0.1);
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
        let top_db = top_db([grid.peak_db()]);
        assert!(top_db > 0.0);
        let loud = FULL_SCALE_DB;
        assert!(grid.pixels(8, loud, |_, _| false).chunks(4).all(|pixel| pixel[..3] == COLOURS[0] && pixel[3] == 255));
        let none = Grid { rows: 2, levels_db: vec![f32::NAN; 4] };
        assert!(none.pixels(2, 80.0, |_, _| true).iter().all(|value| *value == 0));
    }
}
