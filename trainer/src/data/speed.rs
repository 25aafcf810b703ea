//! Random speed: a recording played faster or slower, pitch and all, is another voice, or another noise.
//!
//! Ko et al. 2015, "Audio Augmentation for Speech Recognition", section 2.2, with speech up to a tenth faster or slower. Noise may be as
//! much as a third slower, or half as fast again.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};
use shared::resample::resample;

use crate::SAMPLE_RATE_HZ;

/// Speeds are fractions with this denominator, so that resampling takes short transforms.
const STEPS: u32 = 20;

/// How much faster something is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(u32);

impl Speed {
    /// 0.9 to 1.1.
    pub const SPEECH: RangeInclusive<u32> = 18..=22;
    /// 0.65 to 1.5.
    pub const NOISE: RangeInclusive<u32> = 13..=30;

    /// As it was recorded.
    pub const RECORDED: Self = Self(STEPS);

    /// One of a range with such a probability, and else as it was recorded.
    pub fn draw(probability: f64, range: RangeInclusive<u32>, rng: &mut impl Rng) -> Self {
        if rng.random_bool(probability) { Self(rng.random_range(range)) } else { Self::RECORDED }
    }

    /// Samples that become `len` of them.
    pub fn takes(self, len: usize) -> usize {
        (len * self.0 as usize).div_ceil(STEPS as usize)
    }

    /// The samples at that speed: what [takes](Self::takes) as many becomes at least `len`.
    pub fn apply(self, samples: Vec<f32>) -> Vec<f32> {
        if self == Self::RECORDED {
            return samples;
        }
        let rate_hz = SAMPLE_RATE_HZ / STEPS * self.0;
        resample(&samples, rate_hz, SAMPLE_RATE_HZ).expect("neither rate is 0")
    }
}

#[cfg(test)]
mod tests {
    use core::f64::consts::TAU;

    use super::*;

    #[test]
    fn a_tone_played_faster_is_higher_and_shorter() {
        let tone = |hz: f64, len: usize| -> Vec<f32> {
            (0..len).map(|i| (TAU * hz * i as f64 / f64::from(SAMPLE_RATE_HZ)).sin() as f32).collect()
        };
        for step in [13, 18, 20, 22, 30] {
            let (speed, factor) = (Speed(step), f64::from(step) / f64::from(STEPS));
            let played = speed.apply(tone(440.0, speed.takes(16_000)));
            assert!((16_000..16_004).contains(&played.len()), "{} at {factor}", played.len());
            // The resampler rings at the ends.
            let expected = tone(440.0 * factor, 16_000);
            let error = (2_000..14_000).map(|i| (played[i] - expected[i]).abs()).fold(0.0, f32::max);
            assert!(error < 1e-3, "{error} at {factor}");
        }
    }
}
