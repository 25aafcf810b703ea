//! Changing a signal's sampling rate, aligned with the input to the sample: at once, or as it comes.

mod fft;
mod sinc;

use std::collections::VecDeque;

use crate::error::{Error, Result};
use fft::FftResampler;
use sinc::SincResampler;

/// `samples` at `from_hz`, as they would be at `to_hz`: `ceil(len · to / from)` samples.
///
/// # Errors
/// When a rate is 0.
pub fn resample(samples: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>> {
    let mut resampler = Resampler::new(from_hz, to_hz)?;
    let mut output = VecDeque::with_capacity(resampler.output_length(samples.len() as u64) as usize);
    resampler.push(samples, &mut output);
    resampler.flush(&mut output);
    Ok(output.into())
}

/// A band-limited change of sampling rate of one signal that comes in blocks of any size.
///
/// Output sample `n` is the signal at time `n / to_hz`, whatever the blocks: the filter's delay is taken off.
pub(crate) struct Resampler {
    /// None where both rates are the same.
    inner: Option<Method>,
    from_hz: u64,
    to_hz: u64,
    received: u64,
    emitted: u64,
}

enum Method {
    /// Sharp, for files.
    Fft(Box<FftResampler>),
    /// Soon, for live sound.
    Sinc(SincResampler),
}

impl Resampler {
    /// A resampler at the start of a signal.
    ///
    /// # Errors
    /// When a rate is 0.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self> {
        Self::with(from_hz, to_hz, |from, to| Ok(Method::Fft(Box::new(FftResampler::new(from, to)?))))
    }

    /// The same with a filter so short that 2 ms are held back, at the lower rate of 16 kHz.
    ///
    /// # Errors
    /// When a rate is 0.
    pub fn low_latency(from_hz: u32, to_hz: u32) -> Result<Self> {
        Self::with(from_hz, to_hz, |from, to| Ok(Method::Sinc(SincResampler::new(from, to))))
    }

    fn with(from_hz: u32, to_hz: u32, method: impl Fn(usize, usize) -> Result<Method>) -> Result<Self> {
        for rate_hz in [from_hz, to_hz] {
            if rate_hz == 0 {
                return Err(Error::audio("sampling rate", "at least 1 Hz", "0 Hz"));
            }
        }
        let inner = if from_hz == to_hz { None } else { Some(method(from_hz as usize, to_hz as usize)?) };
        Ok(Self { inner, from_hz: from_hz.into(), to_hz: to_hz.into(), received: 0, emitted: 0 })
    }

    /// Samples that come out for `len` that go in, in all: `ceil(len · to / from)`.
    pub fn output_length(&self, len: u64) -> u64 {
        (u128::from(len) * u128::from(self.to_hz)).div_ceil(u128::from(self.from_hz)) as u64
    }

    /// Input samples that are held back, at most.
    pub fn latency(&self) -> usize {
        match &self.inner {
            None => 0,
            Some(Method::Fft(inner)) => inner.latency(),
            Some(Method::Sinc(inner)) => inner.latency(),
        }
    }

    /// Takes a block of input; puts what it can tell at the end of `output`.
    pub fn push(&mut self, block: &[f32], output: &mut VecDeque<f32>) {
        self.received += block.len() as u64;
        let before = output.len();
        match &mut self.inner {
            None => output.extend(block),
            Some(Method::Fft(inner)) => inner.push(block, output),
            Some(Method::Sinc(inner)) => inner.push(block, output),
        }
        self.emitted += (output.len() - before) as u64;
    }

    /// Puts the rest at the end of `output`, zeros taken to follow the input, and goes back to the start.
    pub fn flush(&mut self, output: &mut VecDeque<f32>) {
        let missing = (self.output_length(self.received) - self.emitted) as usize;
        let length = output.len() + missing;
        // Silence until all that is missing has come out, then no more than that.
        match &mut self.inner {
            None => {}
            Some(Method::Fft(inner)) => {
                while output.len() < length {
                    inner.push(&vec![0.0; inner.wanted()], output);
                }
            }
            Some(Method::Sinc(inner)) => inner.push(&vec![0.0; inner.latency()], output),
        }
        output.truncate(length);
        self.reset();
    }

    /// Goes back to the start of a signal; what was held back is lost.
    pub fn reset(&mut self) {
        (self.received, self.emitted) = (0, 0);
        match &mut self.inner {
            None => {}
            Some(Method::Fft(inner)) => inner.reset(),
            Some(Method::Sinc(inner)) => inner.reset(),
        }
    }
}

pub(crate) fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [(u32, u32); 6] =
        [(48_000, 16_000), (44_100, 16_000), (16_000, 48_000), (16_000, 44_100), (8_000, 16_000), (16_000, 16_000)];

    fn tone(frequency_hz: f64, rate_hz: u32, len: usize) -> Vec<f32> {
        (0..len)
            .map(|i| (core::f64::consts::TAU * frequency_hz * i as f64 / f64::from(rate_hz)).sin() as f32 * 0.5)
            .collect()
    }

    #[test]
    fn a_tone_stays_where_it_was() {
        for (from, to) in RATES {
            let len = from as usize;
            let resampled = resample(&tone(1_000.0, from, len), from, to).expect("valid rates");
            let expected = tone(1_000.0, to, resampled.len());
            assert!(resampled.len().abs_diff(to as usize) <= 1, "{from} to {to}: {} samples", resampled.len());
            // The first and last tenth carry the filter's response to the sudden start and end.
            let (a, b) = (resampled.len() / 10, resampled.len() * 9 / 10);
            let error = (a..b).map(|i| (resampled[i] - expected[i]).abs()).fold(0.0, f32::max);
            assert!(error < 2e-3, "{from} to {to}: {error}");
        }
    }

    /// The short filter, where it passes: to 80 % of the lower rate's half, level with the input, and in step with it to the sample.
    #[test]
    fn the_short_filter_leaves_tones_where_they_were_and_takes_away_what_would_fold() {
        for (from, to) in RATES.into_iter().chain([(47_999, 16_000), (16_000, 192_000), (8_000, 48_000)]) {
            let lower = f64::from(from.min(to));
            let run = |frequency_hz: f64| {
                let mut resampler = Resampler::low_latency(from, to).expect("valid rates");
                let mut output = VecDeque::new();
                resampler.push(&tone(frequency_hz, from, from as usize), &mut output);
                resampler.flush(&mut output);
                assert_eq!(output.len(), to as usize);
                Vec::from(output)
            };
            for frequency_hz in [100.0, 0.2 * lower, 0.4 * lower] {
                let (got, expected) = (run(frequency_hz), tone(frequency_hz, to, to as usize));
                let (a, b) = (got.len() / 10, got.len() * 9 / 10);
                let error = (a..b).map(|i| (got[i] - expected[i]).abs()).fold(0.0, f32::max);
                assert!(error < 1e-3, "{from} to {to}, {frequency_hz} Hz: {error}");
            }
            if from > to {
                let folded = run(0.55 * lower);
                let error = folded[1_000..folded.len() - 1_000].iter().fold(0.0f32, |a, b| a.max(b.abs()));
                assert!(error < 1e-3, "{from} to {to}: {error} of what is above the band");
            }
            let milliseconds =
                1e3 * Resampler::low_latency(from, to).expect("valid").latency() as f64 / f64::from(from);
            assert!(
                from == to || milliseconds <= 33e3 / lower + 1e3 / f64::from(from),
                "{from} to {to}: {milliseconds} ms"
            );
        }
    }

    #[test]
    fn a_rate_of_0_is_refused() {
        for (from, to) in [(0, 16_000), (16_000, 0)] {
            resample(&[0.1; 10], from, to).expect_err("no such rate");
        }
    }

    #[test]
    fn any_length_is_kept() {
        for len in [0, 1, 2, 7, 1023, 1024, 1025] {
            let down = resample(&vec![0.1; len], 44_100, 16_000).expect("valid rates");
            assert_eq!(down.len(), (len as f64 * 16_000.0 / 44_100.0).ceil() as usize);
        }
    }

    #[test]
    fn blocks_do_not_matter_and_latency_is_what_it_says() {
        for (from, to) in RATES {
            let signal = tone(440.0, from, 9_001);
            for resampler in [Resampler::new(from, to), Resampler::low_latency(from, to)] {
                check_blocks(resampler.expect("valid rates"), &signal);
            }
        }
    }

    /// Twice: a flush brings it back to the start.
    fn check_blocks(mut resampler: Resampler, signal: &[f32]) {
        let mut whole = VecDeque::new();
        resampler.push(signal, &mut whole);
        resampler.flush(&mut whole);
        let whole = Vec::from(whole);
        let (from, to) = (resampler.from_hz, resampler.to_hz);
        for block_length in [1, 997] {
            let mut output = VecDeque::new();
            let mut received = 0;
            for block in signal.chunks(block_length) {
                resampler.push(block, &mut output);
                received += block.len();
                let owed = resampler.output_length(received.saturating_sub(resampler.latency()) as u64);
                assert!(output.len() as u64 >= owed, "{from} to {to}: {} of {owed}", output.len());
            }
            resampler.flush(&mut output);
            assert_eq!(Vec::from(output), whole, "{from} to {to}");
        }
    }
}
