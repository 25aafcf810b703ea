//! The shape of a Denoising WaveNet.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::estimate::Estimate;
use super::network::Wavenet;
use crate::error::{Error, Result};
use crate::nn::arithmetic::{check_range, count, product};
use crate::nn::shape::NetworkShape;

/// The shape of a Denoising WaveNet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WavenetConfig {
    /// How often the series of dilations is repeated, 1 to 16.
    pub stacks: usize,
    /// Residual blocks in a stack; their dilations are 1, 2, 4, … 1 to 14.
    pub blocks_per_stack: usize,
    /// Taps of the dilated convolutions, odd, 3 to 9.
    pub kernel_size: usize,
    /// Channels on the residual path, 1 to 1024.
    pub residual_channels: usize,
    /// Channels on the skip path, 1 to 1024.
    pub skip_channels: usize,
    /// Channels of the two final three-tap convolutions, 1 to 4096 each.
    pub final_channels: [usize; 2],
    /// Samples that make a step, 1 to 256; 1 in the paper.
    pub frame_length: usize,
    /// What the last layer gives.
    pub estimate: Estimate,
}

impl WavenetConfig {
    /// The paper's: 3 stacks of dilations 1 to 512, 128 channels, final convolutions of 2048 and 256.
    pub fn paper() -> Self {
        Self {
            stacks: 3,
            blocks_per_stack: 10,
            kernel_size: 3,
            residual_channels: 128,
            skip_channels: 128,
            final_channels: [2048, 256],
            frame_length: 1,
            estimate: Estimate::Speech,
        }
    }

    /// What a laptop can train: 2 stacks of dilations 1 to 128 on steps of a millisecond, half the channels.
    pub fn small() -> Self {
        Self {
            stacks: 2,
            blocks_per_stack: 8,
            kernel_size: 3,
            residual_channels: 64,
            skip_channels: 64,
            final_channels: [128, 64],
            frame_length: 16,
            estimate: Estimate::Speech,
        }
    }

    /// [`WavenetConfig::small`], which also says how far its input is to be trusted.
    pub(super) fn small_blend() -> Self {
        Self { estimate: Estimate::Blend, ..Self::small() }
    }

    /// The dilations of all blocks, in order.
    pub(super) fn dilations(&self) -> impl ExactSizeIterator<Item = usize> {
        let per_stack = self.blocks_per_stack;
        (0..product([self.stacks, per_stack].into_iter())).map(move |block| 1 << (block % per_stack))
    }

    /// Values that leave a layer for every frame.
    fn activations(&self) -> u64 {
        let (residual, skip, [first, second]) = (self.residual_channels, self.skip_channels, self.final_channels);
        // Taps, filter and gate, their product, both outputs.
        let block = self.kernel_size * residual + 2 * residual + residual + residual + skip;
        (self.dilations().len() * block + 3 * (skip + first) + first + second) as u64
    }
}

impl NetworkShape for WavenetConfig {
    type Network<B: Backend> = Wavenet<B>;

    fn presets() -> Vec<(&'static str, Self)> {
        vec![("wavenet-small", Self::small()), ("wavenet-small-blend", Self::small_blend()), ("wavenet", Self::paper())]
    }

    fn tiny() -> Self {
        Self {
            stacks: 2,
            blocks_per_stack: 3,
            kernel_size: 3,
            residual_channels: 4,
            skip_channels: 4,
            final_channels: [6, 5],
            frame_length: 2,
            estimate: Estimate::Blend,
        }
    }

    fn init<B: Backend>(&self, device: &B::Device) -> Wavenet<B> {
        Wavenet::<B>::new(self, device)
    }

    /// A network that estimates speech becomes one that blends.
    fn adopt<B: Backend>(&self, network: Wavenet<B>, from: &Self) -> Option<Wavenet<B>> {
        let blended = Self { estimate: Estimate::Blend, ..from.clone() };
        (*self == blended).then(|| Wavenet::<B>::into_blend(network))
    }

    fn kind(&self) -> &'static str {
        "wavenet"
    }

    fn validate(&self) -> Result<()> {
        check_range("stacks", self.stacks, 1..=16)?;
        check_range("blocks_per_stack", self.blocks_per_stack, 1..=14)?;
        check_range("kernel_size", self.kernel_size, 3..=9)?;
        check_range("residual_channels", self.residual_channels, 1..=1024)?;
        check_range("skip_channels", self.skip_channels, 1..=1024)?;
        for channels in self.final_channels {
            check_range("final_channels", channels, 1..=4096)?;
        }
        check_range("frame_length", self.frame_length, 1..=256)?;
        if self.kernel_size.is_multiple_of(2) {
            return Err(Error::config("kernel_size", "an odd number", self.kernel_size));
        }
        Ok(())
    }

    fn alignment(&self) -> usize {
        self.frame_length
    }

    /// Whole frames: 6145 for the paper's preset (which gives 6139 by leaving out the first and the final three-tap layers).
    fn receptive_field(&self) -> Option<usize> {
        let blocks: usize = self.dilations().map(|dilation| (self.kernel_size - 1) * dilation).sum();
        Some(self.frame_length * (1 + blocks + 3 * 2))
    }

    /// Multiplications for every frame: with its samples `N`, residual channels `R`, skip channels `S`, final channels `F1`, `F2` and
    /// `k` taps, `3 · N · R` at the input, `k · R · 2R + R (R + S)` in a block (without `R²` in the last, see the deviations),
    /// `3 (S · F1 + F1 · F2) + F2 · N` at the end, `F2` more for a blend. The gates' products are not counted.
    fn macs(&self) -> u64 {
        let (residual, skip, [first, second]) = (self.residual_channels, self.skip_channels, self.final_channels);
        let block = count(&[self.kernel_size, residual, 2, residual]) + count(&[residual, residual + skip]);
        let unused = count(&[residual, residual]);
        let outputs = self.estimate.channels(self.frame_length);
        let ends = count(&[3, self.frame_length, residual])
            + count(&[3, skip, first])
            + count(&[3, first, second])
            + count(&[second, outputs]);
        self.dilations().len() as u64 * block - unused + ends
    }

    fn parameters(&self) -> u64 {
        let convolution = |input: usize, output: usize, taps: usize| count(&[output, input, taps]) + output as u64;
        let (residual, skip, [first, second]) = (self.residual_channels, self.skip_channels, self.final_channels);
        let block = convolution(residual, 2 * residual, self.kernel_size) + convolution(residual, residual + skip, 1);
        let unused = convolution(residual, residual, 1); // the last block's residual output
        let outputs = self.estimate.channels(self.frame_length);
        let ends = [(self.frame_length, residual, 3), (skip, first, 3), (first, second, 3), (second, outputs, 1)];
        let ends: u64 = ends.into_iter().map(|(input, output, taps)| convolution(input, output, taps)).sum();
        self.dilations().len() as u64 * block - unused + ends
    }

    fn statistics(&self) -> u64 {
        0
    }

    fn is_halvable(&self, _weight: &str) -> bool {
        true
    }

    /// Measured: 1.3 numbers for each activation.
    fn training_values(&self) -> f64 {
        self.activations() as f64 * 1.3
    }

    /// Estimated for the form for inference.
    fn working_values(&self, samples: u64) -> u64 {
        let (residual, skip, [first, second]) = (self.residual_channels, self.skip_channels, self.final_channels);
        let steps = samples.div_ceil(self.frame_length as u64);
        // Gates and what becomes of them; or the sum of skips and the final layers, each padded and with partial sums.
        let widest = (7 * residual).max(4 * skip + 2 * first).max(3 * (first + second));
        // Copies of the signal shifted by the taps, as long as the largest dilation reaches.
        let reach = (self.kernel_size - 1) << (self.blocks_per_stack - 1);
        let taps = count(&[self.kernel_size * residual + 1]) * (steps + reach as u64);
        count(&[3 * self.frame_length + residual + skip + widest]) * steps + taps
    }
}
