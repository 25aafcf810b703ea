//! The WaveNet with biases as rows of the products, and gates of one exponential pass.

use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::ops::PadMode;
#[cfg(not(target_family = "wasm"))]
use rayon::prelude::*;

use super::convolution::{DilatedConvolution, frames, unframe};
use super::estimate::Estimate;
use super::network::{ResidualBlock, Wavenet};
use crate::nn::form::InferenceForm;

/// The WaveNet, ready to run.
#[derive(Clone, Debug)]
pub struct WavenetInference<B: Backend> {
    input: TapProduct<B>,
    blocks: Vec<GatedBlock<B>>,
    /// `[1, skip_channels, 1]`: the biases of all skip outputs.
    skip_bias: Tensor<B, 3>,
    final_1: TapProduct<B>,
    final_2: TapProduct<B>,
    output: TapProduct<B>,
    frame_length: usize,
    estimate: Estimate,
    /// Steps to either side that an output depends on.
    reach: usize,
    /// Whether long signals are computed in blocks, several at once where there are threads. The layers do little with what they
    /// read, so that a processor waits for memory unless all of a block stays in its cache, and Burn's CPU backend has
    /// threads for products only.
    blocked: bool,
}

/// Steps of a block, in multiples of the reach. Twice the reach on top of them is computed in vain.
const BLOCK_REACHES: usize = 16;

impl<B: Backend> WavenetInference<B> {
    pub(super) fn new(network: &Wavenet<B>, blocked: bool) -> Self {
        let blocks: Vec<_> = network.blocks.iter().map(GatedBlock::new).collect();
        let skip = |block: &ResidualBlock<B>| {
            let bias = block.outputs.bias.val();
            let residual = bias.dims()[0] - block.skip_channels;
            bias.narrow(0, residual, block.skip_channels).reshape([1, block.skip_channels, 1])
        };
        let skip_bias = network.blocks.iter().map(skip).reduce(|a, b| a + b);
        let product = |convolution: &DilatedConvolution<B>| {
            TapProduct::new(convolution.weight.val(), convolution.bias.val(), convolution.dilation)
        };
        Self {
            input: product(&network.input),
            blocks,
            skip_bias: skip_bias.expect("a validated configuration has at least one block"),
            final_1: product(&network.final_1),
            final_2: product(&network.final_2),
            output: product(&network.output),
            reach: network.blocks.iter().map(|block| reach(&block.dilated)).sum::<usize>()
                + reach(&network.input)
                + reach(&network.final_1)
                + reach(&network.final_2),
            frame_length: network.input.weight.dims()[1],
            estimate: network.estimate,
            blocked,
        }
    }

    /// `[batch, frame_length, steps]` → the last layer's outputs, `[batch, channels, steps]`.
    fn forward_frames(&self, frames: Tensor<B, 3>) -> Tensor<B, 3> {
        if !self.blocked {
            return self.forward_block(frames);
        }
        let steps = frames.dims()[2];
        let length = BLOCK_REACHES * self.reach;
        let block = |start: usize| {
            let end = (start + length).min(steps);
            let (first, last) = (start.saturating_sub(self.reach), (end + self.reach).min(steps));
            self.forward_block(frames.clone().narrow(2, first, last - first)).narrow(2, start - first, end - start)
        };
        let starts: Vec<usize> = (0..steps).step_by(length).collect();
        #[cfg(not(target_family = "wasm"))]
        let blocks = starts.into_par_iter().map(block).collect();
        #[cfg(target_family = "wasm")]
        let blocks = starts.into_iter().map(block).collect();
        Tensor::cat(blocks, 2)
    }

    fn forward_block(&self, frames: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, ..] = frames.dims();
        let mut x = self.input.forward(frames);
        let mut skips: Option<Tensor<B, 3>> = None;
        for block in &self.blocks {
            let z = block.gate(&x);
            let skip = block.skip.clone().matmul(z.clone());
            skips = Some(match skips {
                Some(sum) => sum + skip,
                None => skip,
            });
            if let Some((weight, bias)) = &block.residual {
                x = x + weight.clone().matmul(z) + bias.clone().repeat_dim(0, batch);
            }
        }
        let skips = skips.expect("a validated configuration has at least one block");
        let x = self.final_1.forward(relu(skips + self.skip_bias.clone().repeat_dim(0, batch)));
        let x = self.final_2.forward(relu(x));
        self.output.forward(relu(x))
    }
}

impl<B: Backend> InferenceForm<B> for WavenetInference<B> {
    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let samples = waveform.dims()[2];
        let frames = frames(waveform, self.frame_length).swap_dims(1, 2);
        let outputs = self.forward_frames(frames.clone());
        unframe(self.estimate.speech(frames, outputs, 1).swap_dims(1, 2), samples)
    }
}

fn reach<B: Backend>(convolution: &DilatedConvolution<B>) -> usize {
    (convolution.weight.dims()[2] - 1) / 2 * convolution.dilation
}

#[derive(Clone, Debug)]
struct GatedBlock<B: Backend> {
    /// Gives `-2a` and `-b` for the filter `tanh(a)` and the gate `σ(b)`.
    gates: TapProduct<B>,
    /// `[1, residual_channels, residual_channels]` and `[1, residual_channels, 1]`; none in the last block.
    residual: Option<(Tensor<B, 3>, Tensor<B, 3>)>,
    /// `[1, skip_channels, residual_channels]`
    skip: Tensor<B, 3>,
}

impl<B: Backend> GatedBlock<B> {
    fn new(block: &ResidualBlock<B>) -> Self {
        let scale = |tensor: Tensor<B, 3>| {
            let half = tensor.dims()[0] / 2;
            Tensor::cat(vec![tensor.clone().narrow(0, 0, half) * -2.0, tensor.narrow(0, half, half).neg()], 0)
        };
        let [width, channels, _] = block.outputs.weight.dims();
        let bias = block.dilated.bias.val();
        let gates = bias.dims()[0];
        let bias = scale(bias.reshape([gates, 1, 1])).reshape([gates]);
        // What `gate` returns is half of `tanh(a) σ(b)`.
        let outputs = block.outputs.weight.val().reshape([1, width, channels]) * 2.0;
        let residual = width - block.skip_channels;
        Self {
            gates: TapProduct::new(scale(block.dilated.weight.val()), bias, block.dilated.dilation),
            residual: (residual > 0).then(|| {
                let bias = block.outputs.bias.val().narrow(0, 0, residual).reshape([1, residual, 1]);
                (outputs.clone().narrow(1, 0, residual), bias)
            }),
            skip: outputs.narrow(1, residual, block.skip_channels),
        }
    }

    /// `tanh(a) σ(b) / 2` as `(σ(2a) - 1/2) σ(b)`, with `σ(x) = 1 / (1 + exp(-x))`: the CPU backend computes an exponential in a
    /// sixth of the time of a hyperbolic tangent. Where the exponential overflows, its reciprocal is 0, as it should be.
    fn gate(&self, x: &Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, channels, steps] = x.dims();
        let columns: Tensor<B, 4> = self.gates.wide_columns(x.clone()).unsqueeze();
        let columns = columns.narrow(3, self.gates.reach(), steps);
        let [_, output, rows] = self.gates.weight.dims();
        // Filter and gate along the first dimension, so that each half is one piece of memory.
        let weight = self.gates.weight.clone().reshape([2, 1, output / 2, rows]);
        let sigmoids = (weight.matmul(columns).exp() + 1.0).recip();
        let part = |index: usize| sigmoids.clone().narrow(0, index, 1).reshape([batch, channels, steps]);
        (part(0) - 0.5) * part(1)
    }
}

/// A convolution as a product of its kernel, a row of biases below, with copies of the signal shifted by its taps.
#[derive(Clone, Debug)]
struct TapProduct<B: Backend> {
    /// `[1, output, taps * input + 1]`
    weight: Tensor<B, 3>,
    taps: usize,
    dilation: usize,
}

impl<B: Backend> TapProduct<B> {
    /// From weights `[output, input, taps]` and biases `[output]`.
    fn new(weight: Tensor<B, 3>, bias: Tensor<B, 1>, dilation: usize) -> Self {
        let [output, input, taps] = weight.dims();
        let rows = weight.permute([0, 2, 1]).reshape([1, output, taps * input]);
        Self { weight: Tensor::cat(vec![rows, bias.reshape([1, output, 1])], 2), taps, dilation }
    }

    /// `[batch, input, steps]` → `[batch, output, steps]`
    fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, input, steps] = x.dims();
        let output = self.weight.dims()[1];
        if self.taps == 1 || input < output {
            return self.weight.clone().matmul(self.wide_columns(x).narrow(2, self.reach(), steps));
        }
        // Where more comes in than goes out, a product for each tap takes less memory than copies of the signal.
        let padded = x.pad([(0, 0), (0, 0), (self.reach(), self.reach())], PadMode::Constant(0.0));
        let product = |tap: usize| {
            let weight = self.weight.clone().narrow(2, tap * input, input);
            weight.matmul(padded.clone().narrow(2, tap * self.dilation, steps))
        };
        let sum = (1..self.taps).map(product).fold(product(0), |sum, next| sum + next);
        sum + self.weight.clone().narrow(2, self.taps * input, 1).repeat_dim(0, batch)
    }

    fn reach(&self) -> usize {
        (self.taps - 1) / 2 * self.dilation
    }

    /// `[batch, input, steps]` → `[batch, taps * input + 1, steps + 2 * reach]`, the last row ones. What a product needs
    /// starts at `reach`: there, all taps lie one below the other.
    fn wide_columns(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, input, steps] = x.dims();
        let device = x.device();
        let reach = self.reach();
        // By `cat`, because assigning to a slice copies all of the tensor on the CPU backend.
        let shifted = |tap: usize| {
            let before = 2 * reach - tap * self.dilation;
            let mut parts = Vec::with_capacity(3);
            for (zeros, next) in [(before, Some(&x)), (2 * reach - before, None)] {
                if zeros > 0 {
                    parts.push(Tensor::zeros([batch, input, zeros], &device));
                }
                parts.extend(next.cloned());
            }
            Tensor::cat(parts, 2)
        };
        let mut rows: Vec<Tensor<B, 3>> = (0..self.taps).map(shifted).collect();
        rows.push(Tensor::ones([batch, 1, steps + 2 * reach], &device));
        Tensor::cat(rows, 1)
    }
}
