//! Resampling that holds back next to nothing: a windowed sinc, whose few taps are looked up.
//!
//! J. O. Smith, "Digital Audio Resampling Home Page", <https://ccrma.stanford.edu/~jos/resample>: coefficients between the rows of
//! a table are interpolated linearly, so that any two rates will do.

use std::collections::VecDeque;
use std::f64::consts::PI;

/// Zero crossings of the filter on either side, at the lower of the two rates.
const ZERO_CROSSINGS: usize = 32;
/// Where the filter is 6 dB down, as a share of the lower rate's half.
const CUTOFF: f64 = 0.92;
/// Shape of the Kaiser window: some 80 dB of attenuation.
const BETA: f64 = 8.0;
/// Rows of the table for every input sample. What linear interpolation leaves is 100 dB down.
const PHASES: usize = 512;

/// A band-limited change of rate, output samples computed one by one.
pub(super) struct SincResampler {
    /// `[PHASES + 1, 2 * reach]`: row `p` is for output samples `p / PHASES` after an input sample.
    table: Vec<f32>,
    /// Input samples that are seen on either side of an output sample.
    reach: usize,
    from_hz: u64,
    to_hz: u64,
    /// Input from `first` on, `reach` zeros taken to precede it.
    samples: VecDeque<f32>,
    first: u64,
    /// The next output sample.
    next: u64,
}

impl SincResampler {
    pub(super) fn new(from_hz: usize, to_hz: usize) -> Self {
        let band = (to_hz as f64 / from_hz as f64).min(1.0);
        let reach = (ZERO_CROSSINGS as f64 / band).ceil() as usize;
        let cutoff = CUTOFF * band;
        let tap = |distance: f64| {
            let position = distance / reach as f64;
            let window = bessel(BETA * (1.0 - position * position).max(0.0).sqrt());
            let phase = PI * cutoff * distance;
            window * if phase == 0.0 { 1.0 } else { phase.sin() / phase }
        };
        let mut table = Vec::with_capacity((PHASES + 1) * 2 * reach);
        for phase in 0..=PHASES {
            let offset = phase as f64 / PHASES as f64;
            let row: Vec<f64> = (0..2 * reach).map(|index| tap(index as f64 + 1.0 - reach as f64 - offset)).collect();
            // A constant stays what it is, whatever the phase.
            let sum: f64 = row.iter().sum();
            table.extend(row.into_iter().map(|value| (value / sum) as f32));
        }
        let mut resampler = Self {
            table,
            reach,
            from_hz: from_hz as u64,
            to_hz: to_hz as u64,
            samples: VecDeque::new(),
            first: 0,
            next: 0,
        };
        resampler.reset();
        resampler
    }

    /// Goes back to the start of a signal.
    pub(super) fn reset(&mut self) {
        (self.first, self.next) = (0, 0);
        self.samples.clear();
        self.samples.resize(self.reach, 0.0);
    }

    /// Input samples that are held back, at most.
    pub(super) fn latency(&self) -> usize {
        self.reach + 1
    }

    pub(super) fn push(&mut self, block: &[f32], output: &mut VecDeque<f32>) {
        self.samples.extend(block);
        let taps = 2 * self.reach;
        loop {
            // In input samples; the queue is as far behind as it begins with zeros.
            let time = u128::from(self.next) * u128::from(self.from_hz);
            let position = (time / u128::from(self.to_hz)) as u64;
            // The first of the taps: `reach - 1` samples before the position.
            let start = (position + 1 - self.first) as usize;
            if start + taps > self.samples.len() {
                break;
            }
            let phase = (time % u128::from(self.to_hz)) as f64 / self.to_hz as f64 * PHASES as f64;
            let (row, part) = ((phase as usize).min(PHASES - 1), phase.fract() as f32);
            let rows = self.table[row * taps..].split_at(taps);
            let sum: f32 = (self.samples.range(start..start + taps).zip(rows.0).zip(rows.1))
                .map(|((sample, here), there)| sample * (here + (there - here) * part))
                .sum();
            output.push_back(sum);
            self.next += 1;
        }
        // What lies before the next output sample's taps is not needed any more.
        let position = (u128::from(self.next) * u128::from(self.from_hz) / u128::from(self.to_hz)) as u64;
        let done = ((position - self.first) as usize).min(self.samples.len());
        self.samples.drain(..done);
        self.first += done as u64;
    }
}

/// The modified Bessel function of the first kind and order 0, by its power series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..50 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}
