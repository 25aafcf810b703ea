//! Layers on rows of channels. Whatever else a tensor has, its channels are neighbours in memory.

use burn::module::{Initializer, Param, RunningState};
use burn::prelude::*;
use burn::tensor::DType;

use crate::nn::tensors::in_precision;

/// Momentum of running statistics, and what is added to variances: PyTorch's.
const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;

/// Batch normalisation of rows: Ioffe and Szegedy 2015, arXiv 1502.03167.
#[derive(Module, Debug)]
pub(super) struct BatchNorm<B: Backend> {
    /// `[channels]`: the learned scale.
    weight: Param<Tensor<B, 1>>,
    /// `[channels]`: the learned shift.
    bias: Param<Tensor<B, 1>>,
    /// `[channels]`
    running_mean: RunningState<Tensor<B, 1>>,
    /// `[channels]`: unbiased, as in PyTorch.
    running_var: RunningState<Tensor<B, 1>>,
    /// Whether the running statistics stay what they are, under autodiff too.
    frozen: bool,
}

impl<B: Backend> BatchNorm<B> {
    pub(super) fn new(channels: usize, device: &B::Device) -> Self {
        Self {
            weight: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            frozen: false,
        }
    }

    /// The same layer with the statistics it has, whatever it is trained on.
    pub(super) fn frozen(self) -> Self {
        Self { frozen: true, ..self }
    }

    /// `[rows, channels]` → the same. Computed in 32 bits, whatever the precision of `x`.
    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        in_precision(DType::F32, x, |x| self.normalise(x))
    }

    fn normalise(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        if !B::ad_enabled(&x.device()) || self.frozen {
            let (scale, shift) = self.affine();
            return x * scale.unsqueeze() + shift.unsqueeze();
        }
        let [rows, _] = x.dims();
        // Matrix products are the fastest sums over rows on the CPU, forwards and backwards.
        let ones = Tensor::<B, 2>::ones([1, rows], &x.device());
        let mean = ones.clone().matmul(x.clone()) / rows as f64; // [1, channels]
        let centred = x - mean.clone();
        let variance = ones.matmul(centred.clone().powi_scalar(2)) / rows as f64;
        let unbiased = variance.clone() * (rows as f64 / (rows.max(2) - 1) as f64);
        self.track(&self.running_mean, mean);
        self.track(&self.running_var, unbiased);
        let scale = (variance + EPSILON).sqrt().recip() * self.weight.val().cast(DType::F32).unsqueeze();
        centred * scale + self.bias.val().cast(DType::F32).unsqueeze()
    }

    fn track(&self, state: &RunningState<Tensor<B, 1>>, batch: Tensor<B, 2>) {
        // Several devices share the statistics, and leave them where they were last.
        let old = state.value_sync().to_device(&batch.device());
        let batch = batch.detach().reshape(old.dims());
        state.update((old * (1.0 - MOMENTUM) + batch * MOMENTUM).detach());
    }

    /// What the layer does with its running statistics: `scale · x + shift`, `[channels]` each.
    fn affine(&self) -> (Tensor<B, 1>, Tensor<B, 1>) {
        let deviation = (self.running_var.value() + EPSILON).sqrt();
        let scale = self.weight.val().cast(DType::F32) / deviation;
        let shift = self.bias.val().cast(DType::F32) - self.running_mean.value() * scale.clone();
        (scale, shift)
    }
}

/// A weight in the layout of PyTorch's layers, `[output, …]`, uniform within `gain / √fan_in`; theirs start with a gain of 1.
pub(super) fn weight<B: Backend, const D: usize>(
    shape: [usize; D],
    gain: f64,
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    let fan_in: usize = shape[1..].iter().product();
    let bound = gain / (fan_in as f64).sqrt();
    Initializer::Uniform { min: -bound, max: bound }.init(shape, device)
}

/// A linear layer on rows, or a convolution with one tap, without a bias.
#[derive(Module, Debug)]
pub(super) struct Linear<B: Backend> {
    /// `[output, input]`
    weight: Param<Tensor<B, 2>>,
}

impl<B: Backend> Linear<B> {
    pub(super) fn new([input, output]: [usize; 2], device: &B::Device) -> Self {
        Self { weight: weight([output, input], 1.0, device) }
    }

    /// `[input, output]`: what rows are multiplied by.
    pub(super) fn matrix(&self) -> Tensor<B, 2> {
        self.weight.val().transpose()
    }
}

/// A convolution along frequency, without a bias.
#[derive(Module, Debug)]
pub(super) struct Convolution<B: Backend> {
    /// `[output, input, taps]`
    pub(super) weight: Param<Tensor<B, 3>>,
}

impl<B: Backend> Convolution<B> {
    pub(super) fn new(shape: [usize; 3], device: &B::Device) -> Self {
        Self { weight: weight(shape, 1.0, device) }
    }

    /// `[taps * input, output]`: what rows of neighbours are multiplied by.
    pub(super) fn matrix(&self) -> Tensor<B, 2> {
        let [output, input, taps] = self.weight.dims();
        self.weight.val().permute([2, 1, 0]).reshape([taps * input, output])
    }
}

/// A layer that maps rows of channels to rows of other channels.
pub(super) trait RowLayer<B: Backend> {
    /// `[rows, input]` → `[rows, output]`
    fn forward(&self, rows: Tensor<B, 2>) -> Tensor<B, 2>;
}

/// A product, then [`BatchNorm`]: as a network is trained.
pub(super) struct Normalised<'a, B: Backend> {
    /// `[input, output]`
    pub(super) matrix: Tensor<B, 2>,
    pub(super) norm: &'a BatchNorm<B>,
}

impl<B: Backend> RowLayer<B> for Normalised<'_, B> {
    fn forward(&self, rows: Tensor<B, 2>) -> Tensor<B, 2> {
        self.norm.forward(rows.matmul(self.matrix.clone()))
    }
}

/// A product and a shift, in which the running statistics of a [`BatchNorm`] are contained: as a network is run.
#[derive(Clone, Debug)]
pub(super) struct Folded<B: Backend> {
    /// `[input, output]`
    matrix: Tensor<B, 2>,
    /// `[1, output]`
    shift: Tensor<B, 2>,
}

impl<B: Backend> Folded<B> {
    pub(super) fn new(layer: &Normalised<'_, B>) -> Self {
        let (scale, shift) = layer.norm.affine();
        // Computed, so that rows lie in memory as the product reads them.
        Self { matrix: layer.matrix.clone().cast(DType::F32) * scale.unsqueeze(), shift: shift.unsqueeze() }
    }
}

impl<B: Backend> RowLayer<B> for Folded<B> {
    fn forward(&self, rows: Tensor<B, 2>) -> Tensor<B, 2> {
        rows.matmul(self.matrix.clone()) + self.shift.clone()
    }
}
