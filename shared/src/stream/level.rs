//! Bringing a signal of any level and offset to the level that the networks were trained at, as it comes.

use std::collections::VecDeque;

use crate::nn::INPUT_RMS;

/// Blocks whose levels are measured, in seconds.
const BLOCK_SECONDS: f64 = 0.1;
/// The same where levels must not be waited for.
const SHORT_BLOCK_SECONDS: f64 = 0.01;
/// How far back a level looks, in seconds.
const BACK_SECONDS: f64 = 10.0;

/// A slowly varying offset and gain, such that `(sample - offset) * gain` has no offset and a level of [`INPUT_RMS`].
///
/// Both are measured every 0.1 s over the last 10 s and some look-ahead, blocks of digital silence left out, and vary linearly in
/// between. Without look-ahead they are measured every 10 ms, and what was measured holds for the next 10 ms: nothing is held back,
/// and the first 10 ms stay as they are. They depend on the signal and the time alone, not on how it was cut into blocks.
pub struct Leveller {
    block_length: usize,
    /// How far back a level looks, in blocks.
    back: usize,
    /// How far ahead a level looks, in blocks; none if samples are not to wait for it.
    ahead: Option<usize>,
    /// Samples from `position` on.
    samples: VecDeque<f32>,
    /// The block being filled.
    filling: LevelBlock,
    /// Measured blocks, the last of them just before the one being filled.
    blocks: VecDeque<LevelBlock>,
    /// Blocks measured so far, those no longer kept included.
    measured: usize,
    /// Blocks levelled so far.
    levelled: usize,
    /// At the start of the block to be levelled next.
    node: Option<Node>,
    /// Without look-ahead: at both ends of the block being levelled, and whether its last sample was 0.
    ends: [Node; 2],
    zero: bool,
}

/// Sums over one block.
#[derive(Clone, Copy, Default)]
struct LevelBlock {
    count: usize,
    sum: f64,
    squares: f64,
}

/// Offset and gain at one time.
#[derive(Clone, Copy)]
struct Node {
    offset: f64,
    gain: f64,
}

impl Node {
    /// What leaves a signal as it is.
    const NEUTRAL: Self = Self { offset: 0.0, gain: 1.0 };

    /// Some way from this one to another.
    fn towards(self, other: Self, part: f64) -> Self {
        Self {
            offset: self.offset + (other.offset - self.offset) * part,
            gain: self.gain + (other.gain - self.gain) * part,
        }
    }

    fn level(self, sample: f32) -> f32 {
        ((f64::from(sample) - self.offset) * self.gain) as f32
    }
}

impl Leveller {
    /// A leveller that looks so many seconds ahead, or not at all, at the start of a signal of that rate.
    pub fn new(sample_rate_hz: u32, ahead_seconds: Option<f64>) -> Self {
        let block_seconds = if ahead_seconds.is_some() { BLOCK_SECONDS } else { SHORT_BLOCK_SECONDS };
        Self {
            block_length: (f64::from(sample_rate_hz) * block_seconds) as usize,
            back: (BACK_SECONDS / block_seconds).round() as usize,
            ahead: ahead_seconds.map(|seconds| (seconds / block_seconds).round() as usize),
            samples: VecDeque::new(),
            filling: LevelBlock::default(),
            blocks: VecDeque::new(),
            measured: 0,
            levelled: 0,
            node: None,
            ends: [Node::NEUTRAL; 2],
            zero: true,
        }
    }

    /// Samples that are held back, at most.
    pub fn latency(&self) -> usize {
        self.ahead.map_or(0, |ahead| (ahead + 1) * self.block_length)
    }

    /// Takes samples; puts levelled ones at the end of `output`, and the gain of each at the end of `gains`.
    pub fn push(&mut self, samples: &[f32], output: &mut Vec<f32>, gains: &mut VecDeque<f64>) {
        let Some(ahead) = self.ahead else {
            samples.iter().for_each(|&sample| self.level_sample(sample, output, gains));
            return;
        };
        for &sample in samples {
            self.samples.push_back(sample);
            self.filling.add(sample.into());
            if self.filling.count == self.block_length {
                self.measure();
                if self.measured > self.levelled + ahead {
                    self.level_block(output, gains);
                }
            }
        }
    }

    /// Levels one sample by what was before its block.
    fn level_sample(&mut self, sample: f32, output: &mut Vec<f32>, gains: &mut VecDeque<f64>) {
        if self.filling.count == 0 {
            let end = self.node_at(self.levelled);
            self.ends = [self.node.unwrap_or(end), end];
            self.node = Some(end);
        }
        let [start, end] = self.ends;
        let here = start.towards(end, self.filling.count as f64 / self.block_length as f64);
        // Digital silence has no offset, whatever the rest has.
        let silent = sample == 0.0 && self.zero;
        output.push(if silent { 0.0 } else { here.level(sample) });
        gains.push_back(here.gain);
        self.zero = sample == 0.0;
        self.filling.add(sample.into());
        if self.filling.count == self.block_length {
            self.measure();
            self.levelled += 1;
        }
    }

    /// The rest, as the signal ends here. Nothing may follow.
    pub fn flush(&mut self, output: &mut Vec<f32>, gains: &mut VecDeque<f64>) {
        if self.ahead.is_none() {
            return;
        }
        if self.filling.count > 0 {
            self.measure();
        }
        while self.levelled < self.measured {
            self.level_block(output, gains);
        }
    }

    fn measure(&mut self) {
        self.blocks.push_back(std::mem::take(&mut self.filling));
        self.measured += 1;
        if self.blocks.len() > self.back + self.ahead.unwrap_or(0) {
            self.blocks.pop_front();
        }
    }

    /// Levels one block, between the levels at its start and at its end.
    fn level_block(&mut self, output: &mut Vec<f32>, gains: &mut VecDeque<f64>) {
        let start = self.node.unwrap_or_else(|| self.node_at(self.levelled));
        // Digital silence has no offset, whatever the rest has.
        let silent = self.blocks[self.levelled - (self.measured - self.blocks.len())].squares == 0.0;
        self.levelled += 1;
        let end = self.node_at(self.levelled);
        let length = self.samples.len().min(self.block_length);
        for (index, sample) in self.samples.drain(..length).enumerate() {
            let here = start.towards(end, index as f64 / self.block_length as f64);
            output.push(if silent { 0.0 } else { here.level(sample) });
            gains.push_back(here.gain);
        }
        self.node = Some(end);
    }

    /// Offset and gain at the start of block `index`, over those of its surroundings that are measured and not silent.
    fn node_at(&self, index: usize) -> Node {
        let oldest = self.measured - self.blocks.len();
        let first = index.saturating_sub(self.back).saturating_sub(oldest);
        let last = (index + self.ahead.unwrap_or(0).max(1)).min(self.measured) - oldest;
        let mut all = LevelBlock::default();
        for block in self.blocks.range(first.min(last)..last).filter(|block| block.squares > 0.0) {
            all.count += block.count;
            all.sum += block.sum;
            all.squares += block.squares;
        }
        if all.count == 0 {
            return self.node.unwrap_or(Node::NEUTRAL);
        }
        let count = all.count as f64;
        let offset = all.sum / count;
        let variance = (all.squares / count - offset * offset).max(0.0);
        if variance <= f64::EPSILON * offset * offset {
            // A constant: nothing is left without its offset.
            return Node { offset, gain: self.node.map_or(1.0, |node| node.gain) };
        }
        Node { offset, gain: f64::from(INPUT_RMS) / variance.sqrt() }
    }
}

impl LevelBlock {
    fn add(&mut self, sample: f64) {
        self.count += 1;
        self.sum += sample;
        self.squares += sample * sample;
    }
}

#[cfg(test)]
mod tests {
    use core::ops::Range;

    use super::*;
    use crate::audio::rms;

    const RATE_HZ: u32 = 1_000;

    fn level(signal: &[f32], ahead_seconds: impl Into<Option<f64>>, block_length: usize) -> (Vec<f32>, Vec<f64>) {
        let mut leveller = Leveller::new(RATE_HZ, ahead_seconds.into());
        let (mut output, mut gains) = (Vec::new(), VecDeque::new());
        let mut received = 0;
        for block in signal.chunks(block_length) {
            leveller.push(block, &mut output, &mut gains);
            received += block.len();
            assert!(received - output.len() <= leveller.latency(), "{received} {}", output.len());
        }
        leveller.flush(&mut output, &mut gains);
        assert_eq!((output.len(), gains.len()), (signal.len(), signal.len()));
        (output, gains.into())
    }

    fn tone(len: usize, amplitude: f32, offset: f32) -> Vec<f32> {
        (0..len).map(|i| amplitude * (i as f32 * 0.25 * core::f32::consts::PI).sin() + offset).collect()
    }

    #[test]
    fn any_level_and_offset_become_the_same() {
        let (expected, _) = level(&tone(5_000, 1.0, 0.0), 4.0, 1_000);
        assert!((rms(&expected) - INPUT_RMS).abs() < 1e-4);
        for (amplitude, offset) in [(1.0, 0.4), (1e-3, 0.0), (1e-3, -0.3), (1e30, 1e29), (1e-30, 0.0)] {
            let (levelled, _) = level(&tone(5_000, amplitude, offset), 4.0, 77);
            let error = levelled.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // What is left of 24 bits when most of them tell the offset.
            assert!(error < 1e-4 + 1e-7 * (offset / amplitude).abs(), "{amplitude} {offset}: {error}");
        }
    }

    #[test]
    fn cuts_do_not_matter() {
        let mut signal = tone(7_770, 0.3, 0.1);
        signal[2_000..5_000].iter_mut().for_each(|sample| *sample *= 0.01);
        for ahead_seconds in [None, Some(0.0), Some(0.5), Some(4.0)] {
            let whole = level(&signal, ahead_seconds, signal.len());
            for block_length in [1, 99, 100, 101, 1_009] {
                assert_eq!(level(&signal, ahead_seconds, block_length), whole);
            }
        }
    }

    #[test]
    fn a_step_in_level_is_followed() {
        let mut signal = tone(40_000, 0.01, 0.0);
        signal[20_000..].iter_mut().for_each(|sample| *sample *= 10.0);
        let (levelled, gains) = level(&signal, 4.0, 512);
        for range in [10_000..15_000, 35_000..40_000] {
            assert!((rms(&levelled[range]) - INPUT_RMS).abs() < 1e-3);
        }
        // A gain that jumped would be heard.
        assert!(gains.windows(2).all(|pair| (pair[1] / pair[0] - 1.0).abs() < 0.01));
    }

    #[test]
    fn without_look_ahead_nothing_is_held_back_and_levels_are_found_at_once() {
        let mut signal = tone(40_000, 0.01, 0.02);
        signal[20_000..].iter_mut().for_each(|sample| *sample *= 10.0);
        let mut leveller = Leveller::new(RATE_HZ, None);
        assert_eq!(leveller.latency(), 0);
        let (mut output, mut gains) = (Vec::new(), VecDeque::new());
        for (index, sample) in signal.iter().enumerate() {
            leveller.push(&[*sample], &mut output, &mut gains);
            assert_eq!(output.len(), index + 1);
        }
        // After a tenth of a second within 2 dB, after ten seconds where it should be.
        let level_db = |range: Range<usize>| 20.0 * (rms(&output[range]) / INPUT_RMS).log10();
        assert!(level_db(100..1_100).abs() < 2.0, "{}", level_db(100..1_100));
        for range in [11_000..20_000, 31_000..40_000] {
            let level = level_db(range.clone());
            assert!(level.abs() < 0.2, "{range:?}: {level} dB");
        }
    }

    #[test]
    fn silence_is_left_out_and_stays() {
        let mut signal = vec![0.0; 3_000];
        signal.extend(tone(3_000, 0.5, 0.0));
        signal.extend(vec![0.0; 30_000]);
        let (levelled, _) = level(&signal, 4.0, 100);
        assert!((rms(&levelled[3_000..6_000]) - INPUT_RMS).abs() < 1e-3);
        assert!(levelled[6_000..].iter().all(|&sample| sample == 0.0));
        let (constant, gains) = level(&vec![0.25; 2_000], 1.0, 100);
        assert!(constant.iter().all(|sample| sample.abs() < 1e-6) && gains.iter().all(|&gain| gain == 1.0));
        assert_eq!(level(&[0.0; 250], 1.0, 100).0, [0.0; 250]);
    }
}
