//! Changing a signal's sampling rate, aligned with the input to the sample.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

use crate::error::{Error, Result};

/// Input frames handed to the resampler at a time, at least: its filter's length, hence its sharpness, follows from it.
const CHUNK_LENGTH: usize = 1024;

/// `samples` at `from_hz`, as they would be at `to_hz`: `ceil(len · to / from)` samples, the resampler's delay taken off.
///
/// # Errors
/// When a rate is 0.
pub fn resample(samples: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>> {
    if from_hz == to_hz {
        return Ok(samples.to_vec());
    }
    let refuse = |error: &dyn core::fmt::Display| Error::audio("sampling rates", "two that can be converted", error);
    // Blocks of an even length on both sides: the filter's delay is half a block, and only whole samples can be taken off.
    let (from, to) = (from_hz as usize, to_hz as usize);
    let even = 2 * from / greatest_common_divisor(from, to);
    let chunk = CHUNK_LENGTH.next_multiple_of(even.max(1));
    let mut resampler = Fft::<f32>::new(from, to, chunk, 1, FixedSync::Both).map_err(|error| refuse(&error))?;
    let input = [samples.to_vec()];
    let input = SequentialSliceOfVecs::new(&input, 1, samples.len()).map_err(|error| refuse(&error))?;
    let output = resampler.process_all(&input, samples.len(), None).map_err(|error| refuse(&error))?;
    Ok(output.take_data())
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency_hz: f64, rate_hz: u32, len: usize) -> Vec<f32> {
        (0..len)
            .map(|i| (core::f64::consts::TAU * frequency_hz * i as f64 / f64::from(rate_hz)).sin() as f32 * 0.5)
            .collect()
    }

    #[test]
    fn a_tone_stays_where_it_was() {
        for (from, to) in [(48_000, 16_000), (44_100, 16_000), (16_000, 48_000), (16_000, 44_100), (8_000, 16_000)] {
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
        for len in [1, 2, 7, 1023, 1024, 1025] {
            let down = resample(&vec![0.1; len], 44_100, 16_000).expect("valid rates");
            assert_eq!(down.len(), (len as f64 * 16_000.0 / 44_100.0).ceil() as usize);
        }
    }
}
