//! A recording in memory.

use crate::error::{Error, Result};

/// Lowest sampling rate accepted, in Hz.
pub const MIN_SAMPLE_RATE_HZ: u32 = 4_000;
/// Highest sampling rate accepted, in Hz.
pub const MAX_SAMPLE_RATE_HZ: u32 = 384_000;

/// A recording: one vector of samples per channel, all of one length, full scale at ±1.
///
/// Values are checked on construction, so that code which receives an `Audio` need not check again.
///
/// ```
/// use shared::{Audio, Error};
///
/// let stereo = Audio::new(8_000, vec![vec![0.5; 4_000], vec![0.0; 4_000]])?;
/// assert_eq!((stereo.len(), stereo.seconds()), (4_000, 0.5));
/// assert_eq!(stereo.to_mono()[0], 0.25);
/// assert!(matches!(Audio::mono(8_000, vec![f32::NAN]), Err(Error::Audio { what: "samples", .. })));
/// # Ok::<(), shared::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    sample_rate_hz: u32,
    channels: Vec<Vec<f32>>,
}

impl Audio {
    /// A recording from its channels.
    ///
    /// # Errors
    /// When the rate is outside [`MIN_SAMPLE_RATE_HZ`]`..=`[`MAX_SAMPLE_RATE_HZ`], when there is no channel or no sample, when
    /// the channels differ in length, or when a sample is not finite.
    pub fn new(sample_rate_hz: u32, channels: Vec<Vec<f32>>) -> Result<Self> {
        check_rate(sample_rate_hz)?;
        let Some(first) = channels.first() else {
            return Err(Error::audio("channels", "at least 1", 0));
        };
        if first.is_empty() {
            return Err(Error::audio("length", "at least 1 sample", 0));
        }
        check_channels(&channels)?;
        Ok(Self { sample_rate_hz, channels })
    }

    /// A recording of one channel. Errors as [`Audio::new`].
    pub fn mono(sample_rate_hz: u32, samples: Vec<f32>) -> Result<Self> {
        Self::new(sample_rate_hz, vec![samples])
    }

    /// Samples per second.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// The channels, each of [`Audio::len`] samples.
    pub fn channels(&self) -> &[Vec<f32>] {
        &self.channels
    }

    /// The channels, by value.
    pub fn into_channels(self) -> Vec<Vec<f32>> {
        self.channels
    }

    /// Samples per channel; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "an Audio is never empty")]
    pub fn len(&self) -> usize {
        self.channels[0].len()
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.len() as f64 / f64::from(self.sample_rate_hz)
    }

    /// The mean of all channels.
    pub fn to_mono(&self) -> Vec<f32> {
        let scale = 1.0 / self.channels.len() as f32;
        (0..self.len()).map(|i| self.channels.iter().map(|channel| channel[i]).sum::<f32>() * scale).collect()
    }
}

/// Refuses rates outside [`MIN_SAMPLE_RATE_HZ`]`..=`[`MAX_SAMPLE_RATE_HZ`].
///
/// # Errors
/// When `sample_rate_hz` is such a one.
pub fn check_rate(sample_rate_hz: u32) -> Result<()> {
    if (MIN_SAMPLE_RATE_HZ..=MAX_SAMPLE_RATE_HZ).contains(&sample_rate_hz) {
        return Ok(());
    }
    let expected = format!("{MIN_SAMPLE_RATE_HZ} to {MAX_SAMPLE_RATE_HZ} Hz");
    Err(Error::audio("sampling rate", expected, format!("{sample_rate_hz} Hz")))
}

/// Refuses channels that differ in length, and samples that are not finite.
pub(crate) fn check_channels(channels: &[impl AsRef<[f32]>]) -> Result<()> {
    let mut channels = channels.iter().map(AsRef::as_ref);
    let length = channels.clone().next().map_or(0, <[f32]>::len);
    if let Some(other) = channels.clone().find(|channel| channel.len() != length) {
        return Err(Error::audio("channel length", format!("{length} samples in each"), other.len()));
    }
    match channels.find_map(|channel| channel.iter().find(|sample| !sample.is_finite())) {
        Some(value) => Err(Error::audio("samples", "finite numbers", value)),
        None => Ok(()),
    }
}

/// Root mean square of `samples`, in the samples' own unit; 0 for none.
pub fn rms(samples: &[f32]) -> f32 {
    let energy: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (energy / samples.len().max(1) as f64).sqrt() as f32
}

/// The amplitude factor of a gain in dB: `10^(dB/20)`.
pub fn db_to_amplitude(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cannot_be_processed() {
        for (rate, channels, word) in [
            (0, vec![vec![0.0]], "sampling rate"),
            (3_999, vec![vec![0.0]], "sampling rate"),
            (384_001, vec![vec![0.0]], "sampling rate"),
            (16_000, vec![], "channels"),
            (16_000, vec![vec![]], "length"),
            (16_000, vec![vec![0.0], vec![0.0, 1.0]], "channel length"),
            (16_000, vec![vec![f32::NAN]], "samples"),
            (16_000, vec![vec![0.0, f32::INFINITY]], "samples"),
        ] {
            let message = Audio::new(rate, channels).expect_err("should be refused").to_string();
            assert!(message.starts_with(word), "{message}");
        }
    }

    #[test]
    fn levels() {
        assert_eq!(rms(&[]), 0.0);
        assert_eq!(rms(&[3.0, -3.0]), 3.0);
        assert!((db_to_amplitude(-20.0) - 0.1).abs() < 1e-7);
    }
}
