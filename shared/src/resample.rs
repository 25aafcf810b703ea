//! Changing a signal's sampling rate, aligned with the input to the sample: at once, or as it comes.

use std::collections::VecDeque;

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use crate::error::{Error, Result};

/// Input frames handed to the resampler at a time, at least: its filter's length, hence its sharpness, follows from it.
const CHUNK_LENGTH: usize = 1024;

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
    inner: Option<FftResampler>,
    from_hz: u64,
    to_hz: u64,
    received: u64,
    emitted: u64,
}

struct FftResampler {
    fft: Fft<f32>,
    /// Input that does not fill a chunk yet.
    pending: Vec<f32>,
    /// One chunk of output.
    chunk: Vec<f32>,
    /// Output samples that are still the filter's delay.
    skip: usize,
}

impl Resampler {
    /// A resampler at the start of a signal.
    ///
    /// # Errors
    /// When a rate is 0.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self> {
        for rate_hz in [from_hz, to_hz] {
            if rate_hz == 0 {
                return Err(Error::audio("sampling rate", "at least 1 Hz", "0 Hz"));
            }
        }
        let inner = if from_hz == to_hz { None } else { Some(FftResampler::new(from_hz as usize, to_hz as usize)?) };
        Ok(Self { inner, from_hz: from_hz.into(), to_hz: to_hz.into(), received: 0, emitted: 0 })
    }

    /// Samples that come out for `len` that go in, in all: `ceil(len · to / from)`.
    pub fn output_length(&self, len: u64) -> u64 {
        (u128::from(len) * u128::from(self.to_hz)).div_ceil(u128::from(self.from_hz)) as u64
    }

    /// Input samples that are held back, at most.
    pub fn latency(&self) -> usize {
        // A chunk that is not full, and the filter's delay: half a chunk.
        self.inner.as_ref().map_or(0, |inner| inner.fft.input_frames_next() * 3 / 2)
    }

    /// Takes a block of input; puts what it can tell at the end of `output`.
    pub fn push(&mut self, block: &[f32], output: &mut VecDeque<f32>) {
        self.received += block.len() as u64;
        let before = output.len();
        match &mut self.inner {
            None => output.extend(block),
            Some(inner) => inner.push(block, output),
        }
        self.emitted += (output.len() - before) as u64;
    }

    /// Puts the rest at the end of `output`, zeros taken to follow the input, and goes back to the start.
    pub fn flush(&mut self, output: &mut VecDeque<f32>) {
        let missing = (self.output_length(self.received) - self.emitted) as usize;
        if let Some(inner) = &mut self.inner {
            let length = output.len() + missing;
            while output.len() < length {
                let silence = vec![0.0; inner.fft.input_frames_next() - inner.pending.len()];
                inner.push(&silence, output);
            }
            output.truncate(length);
        }
        self.reset();
    }

    /// Goes back to the start of a signal; what was held back is lost.
    pub fn reset(&mut self) {
        (self.received, self.emitted) = (0, 0);
        if let Some(inner) = &mut self.inner {
            inner.fft.reset();
            inner.pending.clear();
            inner.skip = inner.fft.output_delay();
        }
    }
}

impl FftResampler {
    fn new(from_hz: usize, to_hz: usize) -> Result<Self> {
        // Blocks of an even length on both sides: the filter's delay is half a block, and only whole samples can be taken off.
        let even = 2 * from_hz / greatest_common_divisor(from_hz, to_hz);
        let chunk = CHUNK_LENGTH.next_multiple_of(even);
        let fft = Fft::<f32>::new(from_hz, to_hz, chunk, 1, FixedSync::Both)
            .map_err(|error| Error::audio("sampling rates", "two that can be converted", error))?;
        let (chunk, skip) = (vec![0.0; fft.output_frames_next()], fft.output_delay());
        Ok(Self { fft, pending: Vec::new(), chunk, skip })
    }

    fn push(&mut self, block: &[f32], output: &mut VecDeque<f32>) {
        self.pending.extend_from_slice(block);
        let (input_length, output_length) = (self.fft.input_frames_next(), self.chunk.len());
        let whole = self.pending.len() / input_length * input_length;
        for input in self.pending[..whole].chunks_exact(input_length) {
            let input = SequentialSlice::new(input, 1, input_length).expect("one channel of the chunk's length");
            let mut chunk =
                SequentialSlice::new_mut(&mut self.chunk, 1, output_length).expect("one channel of the chunk's length");
            self.fft.process_into_buffer(&input, &mut chunk, None).expect("buffers of the lengths it asks for");
            let skipped = self.skip.min(output_length);
            self.skip -= skipped;
            output.extend(&self.chunk[skipped..]);
        }
        self.pending.drain(..whole);
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
            let whole = resample(&signal, from, to).expect("valid rates");
            let mut resampler = Resampler::new(from, to).expect("valid rates");
            // Twice: a flush brings it back to the start.
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
}
