//! The dilated convolution of a WaveNet, and how waveforms become its steps.

use core::ops::Range;

use burn::module::{Initializer, Param};
use burn::prelude::*;

use crate::nn::tensors::pad_samples;

/// `[batch, 1, samples]` → `[batch, steps, frame_length]`, zeros after the end.
pub(super) fn frames<B: Backend>(waveform: Tensor<B, 3>, frame_length: usize) -> Tensor<B, 3> {
    let [batch, _, samples] = waveform.dims();
    let steps = samples.div_ceil(frame_length);
    pad_samples(waveform, 0, steps * frame_length - samples).reshape([batch, steps, frame_length])
}

/// The reverse of [`frames`], for a waveform of so many samples.
pub(super) fn unframe<B: Backend>(frames: Tensor<B, 3>, samples: usize) -> Tensor<B, 3> {
    let [batch, steps, frame_length] = frames.dims();
    frames.reshape([batch, 1, steps * frame_length]).narrow(2, 0, samples)
}

/// A convolution padded so that the output is as long as the input, as one matrix product over all taps.
///
/// Burn's convolution on the CPU is several times slower on signals this long with channels this few, forwards and backwards.
/// Signals are `[channels, batch, steps]`, so that some of the channels are neighbours in memory, and a product need not go
/// through the items of a batch.
#[derive(Module, Debug)]
pub(super) struct DilatedConvolution<B: Backend> {
    /// `[output, input, kernel_size]`
    pub(super) weight: Param<Tensor<B, 3>>,
    /// `[output]`
    pub(super) bias: Param<Tensor<B, 1>>,
    pub(super) dilation: usize,
}

impl<B: Backend> DilatedConvolution<B> {
    /// Initialised as Glorot and Bengio 2010 do, uniform within `gain · √(6 / (fan-in + fan-out))`, without biases.
    pub(super) fn new(
        [input, output]: [usize; 2],
        kernel_size: usize,
        dilation: usize,
        gain: f64,
        device: &B::Device,
    ) -> Self {
        let bound = gain * (6.0 / ((input + output) * kernel_size) as f64).sqrt();
        Self {
            weight: Initializer::Uniform { min: -bound, max: bound }.init([output, input, kernel_size], device),
            bias: Initializer::Zeros.init([output], device),
            dilation,
        }
    }

    /// `[input, batch, steps]` → `[output, batch, steps]`
    pub(super) fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [_, batch, steps] = x.dims();
        let output = self.weight.dims()[0];
        self.product(&self.taps(x), 0..output, [1.0; 2]).reshape([output, batch, steps])
    }

    /// What the weights are multiplied by: `[input, batch, steps]` → `[kernel_size * input, batch * steps]`
    pub(super) fn taps(&self, x: Tensor<B, 3>) -> Tensor<B, 2> {
        let [input, batch, steps] = x.dims();
        let kernel_size = self.weight.dims()[2];
        let taps = if kernel_size == 1 {
            x
        } else {
            let middle = (kernel_size / 2) as isize;
            let tap = |k: isize| shift(x.clone(), (k - middle) * self.dilation as isize);
            Tensor::cat((0..kernel_size as isize).map(tap).collect(), 0)
        };
        taps.reshape([kernel_size * input, batch * steps])
    }

    /// The outputs `rows`, `[rows, batch * steps]`, with weights and biases times their `gains`.
    pub(super) fn product(&self, taps: &Tensor<B, 2>, rows: Range<usize>, gains: [f64; 2]) -> Tensor<B, 2> {
        let [_, input, kernel_size] = self.weight.dims();
        let count = rows.len();
        let weight = self.weight.val().narrow(0, rows.start, count).permute([0, 2, 1]);
        let weight = weight.reshape([count, kernel_size * input]) * gains[0];
        let bias = self.bias.val().narrow(0, rows.start, count).reshape([count, 1]) * gains[1];
        weight.matmul(taps.clone()) + bias
    }
}

/// The signals as they are `offset` steps later, zeros assumed outside.
fn shift<B: Backend>(x: Tensor<B, 3>, offset: isize) -> Tensor<B, 3> {
    let [channels, batch, steps] = x.dims();
    let outside = offset.unsigned_abs().min(steps);
    let zeros = || Tensor::zeros([channels, batch, outside], (&x.device(), x.dtype()));
    let inside = |start: usize| x.clone().narrow(2, start, steps - outside);
    match offset {
        0 => x,
        _ if outside == steps => x.zeros_like(),
        1.. => Tensor::cat(vec![inside(outside), zeros()], 2),
        _ => Tensor::cat(vec![zeros(), inside(0)], 2),
    }
}
