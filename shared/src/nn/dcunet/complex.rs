//! Complex-valued layers: convolution, transposed convolution, batch normalisation, leaky ReLU.
//!
//! Burn has no complex dtype. A complex feature map of `channels` channels is a real tensor
//! `[batch, 2 * channels, frequency, time]`: all real parts, then all imaginary parts. A complex convolution is then one real
//! convolution with the block kernel `[[Wr, -Wi], [Wi, Wr]]` (Trabelsi et al. 2018, "Deep Complex Networks", section 3.2).

use burn::module::{Initializer, Param, RunningState};
use burn::prelude::*;
use burn::tensor::DType;
use burn::tensor::activation::relu;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PaddedConvOptions};

use crate::nn::tensors::in_precision;

/// The real and the imaginary kernel of a layer, `[out, in, kernel_frequency, kernel_time]`, or `[in, out, …]` when transposed.
#[derive(Module, Debug)]
pub(super) struct ComplexKernel<B: Backend> {
    real: Param<Tensor<B, 4>>,
    imaginary: Param<Tensor<B, 4>>,
}

impl<B: Backend> ComplexKernel<B> {
    /// Each part uniform in `±1 / sqrt(2 * fan_in)`, so that the sum over both has the variance of a real layer.
    fn new(shape: [usize; 4], fan_in: usize, device: &B::Device) -> Self {
        let bound = 1.0 / (2.0 * fan_in as f64).sqrt();
        let initializer = Initializer::Uniform { min: -bound, max: bound };
        Self { real: initializer.init(shape, device), imaginary: initializer.init(shape, device) }
    }

    /// The block kernel: rows of outputs in dimension `output`, columns of inputs in the other.
    fn block(&self, output: usize) -> Tensor<B, 4> {
        let (real, imaginary) = (self.real.val(), self.imaginary.val());
        let input = 1 - output;
        let to_real = Tensor::cat(vec![real.clone(), imaginary.clone().neg()], input);
        let to_imaginary = Tensor::cat(vec![imaginary, real], input);
        Tensor::cat(vec![to_real, to_imaginary], output)
    }

    /// A larger kernel that gives what `self` does in its first channels, whatever its further inputs are, and keeps its own
    /// weights for the channels after those. Inputs are `groups` maps side by side, each of which may have grown.
    fn grown_to(self, larger: Self, output: usize, groups: usize) -> Self {
        let part = |small: Param<Tensor<B, 4>>, large: Param<Tensor<B, 4>>| {
            let small = small.val();
            large.map(|large| {
                let input = 1 - output;
                let mut of_old_outputs = large.dims();
                of_old_outputs[output] = small.dims()[output];
                let (from, to) = (small.dims()[input] / groups, large.dims()[input] / groups);
                let mut kept = Tensor::zeros(of_old_outputs, &large.device());
                for (group, weights) in small.chunk(groups, input).into_iter().enumerate() {
                    let mut place = of_old_outputs.map(|size| 0..size);
                    place[input] = group * to..group * to + from;
                    kept = kept.slice_assign(place, weights);
                }
                large.slice_assign(of_old_outputs.map(|size| 0..size), kept)
            })
        };
        Self { real: part(self.real, larger.real), imaginary: part(self.imaginary, larger.imaginary) }
    }
}

/// A complex convolution without bias, padded by `(kernel - 1) / 2` on every side.
#[derive(Module, Debug)]
pub struct ComplexConv2d<B: Backend> {
    kernel: ComplexKernel<B>,
    pub(super) stride: [usize; 2],
    padding: [usize; 2],
}

impl<B: Backend> ComplexConv2d<B> {
    /// A layer of `[input, output]` complex channels with an odd `kernel_size`, `[frequency, time]`.
    pub fn new(channels: [usize; 2], kernel_size: [usize; 2], stride: [usize; 2], device: &B::Device) -> Self {
        let [input, output] = channels;
        let [k_f, k_t] = kernel_size;
        let kernel = ComplexKernel::new([output, input, k_f, k_t], input * k_f * k_t, device);
        Self { kernel, stride, padding: kernel_size.map(|k| (k - 1) / 2) }
    }

    /// See [`ComplexKernel::grown_to`].
    pub(super) fn grown_to(self, larger: Self) -> Self {
        Self { kernel: self.kernel.grown_to(larger.kernel, 0, 1), ..larger }
    }

    /// What the kernel's numbers are stored in.
    pub(super) fn precision(&self) -> DType {
        self.kernel.real.val().dtype()
    }

    /// The real kernel `[2 * output, 2 * input, kernel_frequency, kernel_time]` on stacked halves.
    pub(super) fn block(&self) -> Tensor<B, 4> {
        self.kernel.block(0)
    }

    /// # Shapes
    /// `[batch, 2 * input, frequency, time]` → `[batch, 2 * output, (frequency - 1) / stride + 1, (time - 1) / stride + 1]`
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let options = ConvOptions::new(self.stride, self.padding, [1, 1], 1);
        conv2d(x, self.kernel.block(0), None, PaddedConvOptions::from(options))
    }
}

/// A complex transposed convolution without bias: undoes the size change of a [`ComplexConv2d`] with the same figures on odd
/// sizes.
#[derive(Module, Debug)]
pub struct ComplexConvTranspose2d<B: Backend> {
    kernel: ComplexKernel<B>,
    pub(super) stride: [usize; 2],
    padding: [usize; 2],
}

impl<B: Backend> ComplexConvTranspose2d<B> {
    /// A layer of `[input, output]` complex channels with an odd `kernel_size`, `[frequency, time]`.
    pub fn new(channels: [usize; 2], kernel_size: [usize; 2], stride: [usize; 2], device: &B::Device) -> Self {
        let [input, output] = channels;
        let [k_f, k_t] = kernel_size;
        // An output value sees only one in `stride` of the kernel's taps.
        let fan_in = (input * k_f * k_t).div_ceil(stride[0] * stride[1]);
        let kernel = ComplexKernel::new([input, output, k_f, k_t], fan_in, device);
        Self { kernel, stride, padding: kernel_size.map(|k| (k - 1) / 2) }
    }

    /// See [`ComplexKernel::grown_to`].
    pub(super) fn grown_to(self, larger: Self, groups: usize) -> Self {
        Self { kernel: self.kernel.grown_to(larger.kernel, 1, groups), ..larger }
    }

    /// The real kernel `[2 * input, 2 * output, kernel_frequency, kernel_time]` on stacked halves.
    pub(super) fn block(&self) -> Tensor<B, 4> {
        self.kernel.block(1)
    }

    /// # Shapes
    /// `[batch, 2 * input, frequency, time]` → `[batch, 2 * output, (frequency - 1) * stride + 1, (time - 1) * stride + 1]`
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let options = ConvTransposeOptions::new(self.stride, self.padding, [0, 0], [1, 1], 1);
        conv_transpose2d(x, self.kernel.block(1), None, options)
    }
}

/// Complex batch normalisation (Trabelsi et al. 2018, section 3.5): real and imaginary parts of a channel are centred and
/// whitened together by the inverse square root of their 2×2 covariance, then scaled and shifted by learned parameters.
///
/// Under autodiff it uses the batch's statistics and updates the running ones; otherwise, or [frozen](Self::frozen), it uses the
/// running ones.
#[derive(Module, Debug)]
pub struct ComplexBatchNorm<B: Backend> {
    /// `[3, channels]`: the learned symmetric scale γ_rr, γ_ii, γ_ri.
    gamma: Param<Tensor<B, 2>>,
    /// `[2, channels]`: the learned shift β_r, β_i.
    beta: Param<Tensor<B, 2>>,
    /// `[2, channels]`: running mean of real and imaginary parts.
    running_mean: RunningState<Tensor<B, 2>>,
    /// `[3, channels]`: running (biased) covariance V_rr, V_ii, V_ri.
    running_covariance: RunningState<Tensor<B, 2>>,
    momentum: f64,
    epsilon: f64,
    /// Whether the running statistics stay what they are, under autodiff too.
    frozen: bool,
}

impl<B: Backend> ComplexBatchNorm<B> {
    /// A layer of `channels` complex channels, momentum 0.1, epsilon 1e-5. γ starts at the matrix that leaves each part with
    /// variance 1/2, as the source has it.
    pub fn new(channels: usize, device: &B::Device) -> Self {
        let diagonal = |value: f64| {
            let rows = Tensor::full([2, channels], value, device);
            Tensor::cat(vec![rows, Tensor::zeros([1, channels], device)], 0)
        };
        Self {
            gamma: Param::from_tensor(diagonal(core::f64::consts::FRAC_1_SQRT_2)),
            beta: Initializer::Zeros.init([2, channels], device),
            running_mean: RunningState::new(Tensor::zeros([2, channels], device)),
            running_covariance: RunningState::new(diagonal(0.5)),
            momentum: 0.1,
            epsilon: 1e-5,
            frozen: false,
        }
    }

    /// The same layer with the statistics it has, whatever it is trained on.
    pub fn frozen(self) -> Self {
        Self { frozen: true, ..self }
    }

    /// A layer of more channels, of which the first are those of `self`.
    pub(super) fn grown_to(self, larger: Self) -> Self {
        let first = |large: Tensor<B, 2>, small: Tensor<B, 2>| {
            let place = small.dims().map(|size| 0..size);
            large.slice_assign(place, small)
        };
        let state = |large: RunningState<Tensor<B, 2>>, small: RunningState<Tensor<B, 2>>| {
            RunningState::new(first(large.value(), small.value()))
        };
        Self {
            gamma: larger.gamma.map(|gamma| first(gamma, self.gamma.val())),
            beta: larger.beta.map(|beta| first(beta, self.beta.val())),
            running_mean: state(larger.running_mean, self.running_mean),
            running_covariance: state(larger.running_covariance, self.running_covariance),
            ..self
        }
    }

    /// Statistics and transform are computed in 32 bits, whatever the precision of `x`.
    ///
    /// # Shapes
    /// `[batch, 2 * channels, frequency, time]` → the same.
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        in_precision(DType::F32, x, |x| self.normalise(x))
    }

    fn normalise(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let [batch, rows, frequency, time] = x.dims();
        let train = B::ad_enabled(&x.device()) && !self.frozen;
        let x = x.reshape([batch, rows, frequency * time]);

        let mean = if train { Self::mean(x.clone()) } else { self.running_mean.value() };
        let centred = x - per_row(mean.clone(), batch);
        let covariance = if train {
            let covariance = Self::covariance(centred.clone());
            self.track(mean, covariance.clone());
            covariance
        } else {
            self.running_covariance.value()
        };

        let normalised = self.transform(covariance).matmul(centred) + per_row(self.beta.val().cast(DType::F32), batch);
        normalised.reshape([batch, rows, frequency, time])
    }

    /// What the layer does with its running statistics: `matrix · x + shift`, `[2 * channels, 2 * channels]` and
    /// `[2 * channels]`, on the stacked halves of one position.
    pub(super) fn affine(&self) -> (Tensor<B, 2>, Tensor<B, 1>) {
        let mean = self.running_mean.value();
        let rows = 2 * mean.dims()[1];
        let matrix = self.transform(self.running_covariance.value()).reshape([rows, rows]);
        let shift = self.beta.val().reshape([rows, 1]) - matrix.clone().matmul(mean.reshape([rows, 1]));
        (matrix, shift.reshape([rows]))
    }

    /// Mean `[2, channels]` over batch and positions of `[batch, 2 * channels, positions]`.
    fn mean(x: Tensor<B, 3>) -> Tensor<B, 2> {
        let channels = x.dims()[1] / 2;
        x.mean_dim(2).mean_dim(0).reshape([2, channels])
    }

    /// Covariance `[3, channels]` of centred values, read off their Gram matrix: a matrix product is the fastest way to sum
    /// over everything but the channels, forwards and backwards.
    fn covariance(centred: Tensor<B, 3>) -> Tensor<B, 2> {
        let [_, rows, positions] = centred.dims();
        let channels = rows / 2;
        // Only one side of it has a gradient: that of the other would be a view in another order, which is slow to add on the CPU.
        let gram = centred.clone().matmul(centred.detach().swap_dims(1, 2)).mean_dim(0) / positions as f64;
        let gram = gram.reshape([rows, rows]);
        let eye = Tensor::<B, 2>::eye(channels, &gram.device());
        let diagonal = |row: usize, column: usize| {
            let block = gram.clone().slice([row..row + channels, column..column + channels]);
            (block * eye.clone()).sum_dim(0)
        };
        // An element and its mirror image are equal. Both together, and one taken off, have the value of one and the gradient of both.
        let symmetric = |row, column| {
            let (one, other) = (diagonal(row, column), diagonal(column, row));
            one + other.clone() - other.detach()
        };
        Tensor::cat(vec![symmetric(0, 0), symmetric(channels, channels), symmetric(0, channels)], 0)
    }

    fn track(&self, mean: Tensor<B, 2>, covariance: Tensor<B, 2>) {
        let blend = |state: &RunningState<Tensor<B, 2>>, batch: Tensor<B, 2>| {
            // Several devices share the statistics, and leave them where they were last.
            let old = state.value_sync().to_device(&batch.device());
            state.update((old * (1.0 - self.momentum) + batch.detach() * self.momentum).detach());
        };
        blend(&self.running_mean, mean);
        blend(&self.running_covariance, covariance);
    }

    /// Whitening and scale of every channel as one matrix `[1, 2 * channels, 2 * channels]` of diagonal blocks.
    fn transform(&self, covariance: Tensor<B, 2>) -> Tensor<B, 3> {
        let channels = covariance.dims()[1];
        let row = |t: &Tensor<B, 2>, index: usize| t.clone().narrow(0, index, 1);
        let v_rr = row(&covariance, 0) + self.epsilon;
        let v_ii = row(&covariance, 1) + self.epsilon;
        let v_ri = row(&covariance, 2);

        // The inverse square root of a symmetric positive 2×2 matrix, in closed form.
        let s = (v_rr.clone() * v_ii.clone() - v_ri.clone() * v_ri.clone()).clamp_min(self.epsilon.powi(2)).sqrt();
        let t = (v_rr.clone() + v_ii.clone() + s.clone() * 2.0).sqrt();
        let scale = (s.clone() * t).recip();
        let w_rr = (v_ii + s.clone()) * scale.clone();
        let w_ii = (v_rr + s) * scale.clone();
        let w_ri = v_ri.neg() * scale;

        let gamma = self.gamma.val().cast(DType::F32);
        let (g_rr, g_ii, g_ri) = (row(&gamma, 0), row(&gamma, 1), row(&gamma, 2));
        let z_rr = g_rr.clone() * w_rr.clone() + g_ri.clone() * w_ri.clone();
        let z_ri = g_rr * w_ri.clone() + g_ri.clone() * w_ii.clone();
        let z_ir = g_ri.clone() * w_rr + g_ii.clone() * w_ri.clone();
        let z_ii = g_ri * w_ri + g_ii * w_ii;

        let eye = Tensor::<B, 2>::eye(channels, &gamma.device());
        let block_row = |left: Tensor<B, 2>, right: Tensor<B, 2>| {
            Tensor::cat([left, right].map(|z| eye.clone() * z.reshape([channels, 1])).to_vec(), 1)
        };
        Tensor::cat(vec![block_row(z_rr, z_ri), block_row(z_ir, z_ii)], 0).unsqueeze()
    }
}

/// Values `[2, channels]` as `[batch, 2 * channels, 1]`. Repeated over the batch, because the CPU backend is an order of
/// magnitude slower at broadcasting over two separate dimensions.
fn per_row<B: Backend>(values: Tensor<B, 2>, batch: usize) -> Tensor<B, 3> {
    let rows = 2 * values.dims()[1];
    values.reshape([1, rows, 1]).repeat_dim(0, batch)
}

/// Slope of the leaky ReLU below 0.
pub(super) const SLOPE: f64 = 0.01;

/// Leaky ReLU on real and imaginary parts separately (ℂReLU of Trabelsi et al., leaky as in the Deep Complex U-Net).
pub(super) fn complex_leaky_relu<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    // Burn derives the gradient of its own leaky ReLU from three masked passes; this form has two cheap ones.
    relu(x.clone()) * (1.0 - SLOPE) + x * SLOPE
}
