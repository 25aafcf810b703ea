//! A track seen from afar: extremes and levels over time, made as the track comes, so that an hour can be drawn at
//! once.

use exhibit::spectrogram::{FLOOR_POWER, Grid};
use shared::dsp::StftConfig;
use shared::dsp::spectrum::SpectrumPlan;

/// Columns of an overview for a second.
pub const COLUMNS_PER_SECOND: usize = 10;
/// Levels in a column, from 0 Hz to half the sampling rate.
const ROWS: usize = 128;
/// Spectra whose mean is a column.
const SPECTRA: usize = 3;

/// A track seen from afar.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// Samples for a column.
    step: usize,
    /// Lowest and highest sample of each column.
    extremes: Vec<[f32; 2]>,
    /// Mean power of each column, [`ROWS`] values, as decibels above that of [`FLOOR_POWER`], in a byte.
    levels: Vec<u8>,
    /// Samples that do not fill a column yet.
    rest: Vec<f32>,
}

impl Overview {
    /// Nothing yet, of a track at this rate.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self { step: (sample_rate_hz as usize).div_ceil(COLUMNS_PER_SECOND), ..Self::default() }
    }

    /// Seconds that a column stands for.
    pub fn column_seconds(&self, sample_rate_hz: u32) -> f64 {
        self.step as f64 / f64::from(sample_rate_hz)
    }

    /// Takes the next samples; what does not fill a column waits, unless the track is `complete` with them.
    pub fn push(&mut self, samples: &[f32], complete: bool) {
        self.rest.extend_from_slice(samples);
        let rest = std::mem::take(&mut self.rest);
        let whole = rest.len() / self.step * self.step;
        let plan = SpectrumPlan::new(self.stft());
        rest[..whole].chunks(self.step).for_each(|column| self.add(&plan, column));
        if complete && whole < rest.len() {
            self.add(&plan, &rest[whole..]);
        } else {
            self.rest = rest[whole..].to_vec();
        }
    }

    fn stft(&self) -> StftConfig {
        // Of two frames at most a quarter apart; the mean of a few is enough for a column.
        let n_fft = (2 * ROWS).max((self.step / SPECTRA).next_power_of_two());
        StftConfig { n_fft, hop_length: n_fft / 4 }
    }

    fn add(&mut self, plan: &SpectrumPlan, column: &[f32]) {
        let extremes = column.iter().fold([f32::MAX, f32::MIN], |[low, high], x| [low.min(*x), high.max(*x)]);
        self.extremes.push(extremes);
        let spectrum = plan.forward(column);
        let bins = self.stft().n_fft / 2;
        let mut powers = [0.0f32; ROWS];
        for frame in spectrum.frames() {
            for (bin, coefficient) in frame[..bins].iter().enumerate() {
                powers[bin * ROWS / bins] += coefficient.norm_sqr();
            }
        }
        // As one frame of a sine of the same amplitude would have it, whatever the length of the transform.
        let scale = 16.0 / (bins * bins) as f32 / spectrum.frames().len() as f32;
        self.levels.extend(powers.map(|power| {
            let level_db = 10.0 * (power * scale / FLOOR_POWER).max(1.0).log10();
            (2.0 * level_db).min(255.0) as u8
        }));
    }

    /// The highest level there is, in dB as in a [`Grid`].
    pub fn peak_db(&self) -> f32 {
        f32::from(self.levels.iter().copied().max().unwrap_or(0)) / 2.0
    }

    /// Lowest and highest sample of every one of `width` columns from `from` to `to` seconds; nothing where there is
    /// none.
    pub fn extremes(&self, sample_rate_hz: u32, [from, to]: [f64; 2], width: usize) -> Vec<Option<[f32; 2]>> {
        let column_seconds = self.column_seconds(sample_rate_hz);
        let index = |x: usize| ((from + (to - from) * x as f64 / width as f64) / column_seconds).max(0.0) as usize;
        let column = |x: usize| {
            let range = index(x)..(index(x + 1)).max(index(x) + 1);
            let columns = self.extremes.get(range.start..range.end.min(self.extremes.len()))?;
            columns.iter().copied().reduce(|[low, high], [l, h]| [low.min(l), high.max(h)])
        };
        (0..width).map(column).collect()
    }

    /// Levels of `width` columns from `from` to `to` seconds.
    pub fn grid(&self, sample_rate_hz: u32, [from, to]: [f64; 2], width: usize) -> Grid {
        let column_seconds = self.column_seconds(sample_rate_hz);
        let mut levels_db = Vec::with_capacity(width * ROWS);
        for x in 0..width {
            let index = ((from + (to - from) * (x as f64 + 0.5) / width as f64) / column_seconds).max(0.0) as usize;
            match self.levels.chunks_exact(ROWS).nth(index) {
                Some(column) => levels_db.extend(column.iter().map(|level| f32::from(*level) / 2.0)),
                None => levels_db.extend([f32::NAN; ROWS]),
            }
        }
        Grid { rows: ROWS, levels_db }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 16_000;

    fn tone(seconds: f32, amplitude: f32, frequency_hz: f32) -> Vec<f32> {
        let step = core::f32::consts::TAU * frequency_hz / RATE_HZ as f32;
        (0..(seconds * RATE_HZ as f32) as usize).map(|i| amplitude * (i as f32 * step).sin()).collect()
    }

    #[test]
    fn cuts_do_not_matter() {
        let signal = tone(1.23, 0.5, 1_000.0);
        let mut whole = Overview::new(RATE_HZ);
        whole.push(&signal, true);
        assert_eq!(whole.extremes.len(), 13);
        for length in [1, 999, 1_600, 7_777] {
            let mut cut = Overview::new(RATE_HZ);
            let parts = signal.chunks(length).count();
            signal.chunks(length).enumerate().for_each(|(index, part)| cut.push(part, index + 1 == parts));
            assert_eq!((&cut.extremes, &cut.levels), (&whole.extremes, &whole.levels), "{length}");
        }
    }

    #[test]
    fn a_tone_is_seen_at_its_place_in_time_and_frequency() {
        let mut signal = vec![0.0; 16_000];
        signal.extend(tone(1.0, 0.5, 2_000.0));
        let mut overview = Overview::new(RATE_HZ);
        overview.push(&signal, true);
        let extremes = overview.extremes(RATE_HZ, [0.0, 4.0], 8);
        assert_eq!(extremes[0], Some([0.0, 0.0]));
        assert!(extremes[2].is_some_and(|[low, high]| low < -0.49 && high > 0.49));
        assert_eq!(extremes[5], None);
        let grid = overview.grid(RATE_HZ, [0.0, 4.0], 8);
        let column = |x: usize| &grid.levels_db[x * grid.rows..(x + 1) * grid.rows];
        assert!(column(0).iter().all(|level| *level == 0.0));
        assert!(column(7)[0].is_nan());
        let loudest = (0..grid.rows).max_by(|a, b| column(3)[*a].total_cmp(&column(3)[*b])).expect("rows");
        assert_eq!(loudest, 2_000 * grid.rows / 8_000);
    }
}
