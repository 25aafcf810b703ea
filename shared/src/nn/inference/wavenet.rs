//! The WaveNet with biases as rows of the products, and gates of one exponential pass.

use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::s;

use crate::nn::Wavenet;
use crate::nn::wavenet::{Convolution, ResidualBlock};

#[derive(Clone, Debug)]
pub(super) struct InferenceWavenet<B: Backend> {
    input: TapProduct<B>,
    blocks: Vec<Block<B>>,
    /// `[1, skip_channels, 1]`: the biases of all skip outputs.
    skip_bias: Tensor<B, 3>,
    final_1: TapProduct<B>,
    final_2: TapProduct<B>,
    output: TapProduct<B>,
}

impl<B: Backend> InferenceWavenet<B> {
    pub(super) fn new(network: &Wavenet<B>) -> Self {
        let blocks: Vec<_> = network.blocks.iter().map(Block::new).collect();
        let skip = |block: &ResidualBlock<B>| {
            let bias = block.outputs.bias.val();
            let residual = bias.dims()[0] - block.skip_channels;
            bias.narrow(0, residual, block.skip_channels).reshape([1, block.skip_channels, 1])
        };
        let skip_bias = network.blocks.iter().map(skip).reduce(|a, b| a + b);
        let product = |convolution: &Convolution<B>| {
            TapProduct::new(convolution.weight.val(), convolution.bias.val(), convolution.dilation)
        };
        Self {
            input: product(&network.input),
            blocks,
            skip_bias: skip_bias.expect("a validated configuration has at least one block"),
            final_1: product(&network.final_1),
            final_2: product(&network.final_2),
            output: product(&network.output),
        }
    }

    /// `[batch, 1, samples]` → the same.
    pub(super) fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, ..] = waveform.dims();
        let mut x = self.input.forward(waveform);
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

#[derive(Clone, Debug)]
struct Block<B: Backend> {
    /// Gives `-2a` and `-b` for the filter `tanh(a)` and the gate `σ(b)`.
    gates: TapProduct<B>,
    /// `[1, residual_channels, residual_channels]` and `[1, residual_channels, 1]`; none in the last block.
    residual: Option<(Tensor<B, 3>, Tensor<B, 3>)>,
    /// `[1, skip_channels, residual_channels]`
    skip: Tensor<B, 3>,
}

impl<B: Backend> Block<B> {
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
        let channels = x.dims()[1];
        let sigmoids = (self.gates.forward(x.clone()).exp() + 1.0).recip();
        (sigmoids.clone().narrow(1, 0, channels) - 0.5) * sigmoids.narrow(1, channels, channels)
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

    /// `[batch, input, samples]` → `[batch, output, samples]`
    fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, input, samples] = x.dims();
        let reach = (self.taps - 1) / 2 * self.dilation;
        // Shifting within a wider row pads as well, and the product reads the part that it needs.
        let rows = self.taps * input;
        let mut columns = Tensor::zeros([batch, rows + 1, samples + 2 * reach], &x.device());
        for tap in 0..self.taps {
            let start = 2 * reach - tap * self.dilation;
            columns = columns.slice_assign(s![.., tap * input..(tap + 1) * input, start..start + samples], x.clone());
        }
        let columns = columns.slice_fill(s![.., rows..rows + 1, ..], 1.0);
        self.weight.clone().matmul(columns.narrow(2, reach, samples))
    }
}
