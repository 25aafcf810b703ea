//! Normalisation folded into the kernels before it.

use burn::prelude::*;

use crate::nn::dcunet::complex::ComplexBatchNorm;
use crate::nn::dcunet::network::Dcunet;

/// A kernel `[2 * output, 2 * input, kernel_frequency, kernel_time]` on stacked halves, and a shift, that do what a convolution
/// and the normalisation after it do.
fn fold<B: Backend>(block: Tensor<B, 4>, norm: Option<&ComplexBatchNorm<B>>) -> (Tensor<B, 4>, Option<Tensor<B, 1>>) {
    let Some(norm) = norm else { return (block, None) };
    let dims @ [output, input, k_f, k_t] = block.dims();
    let (matrix, shift) = norm.affine();
    let kernel = matrix.matmul(block.reshape([output, input * k_f * k_t])).reshape(dims);
    (kernel, Some(shift))
}

/// A layer of either half: the folded kernel with its output first, its shift, and its stride `[frequency, time]`.
pub(super) struct Folded<B: Backend> {
    pub(super) kernel: Tensor<B, 4>,
    pub(super) shift: Option<Tensor<B, 1>>,
    pub(super) stride: [usize; 2],
}

/// The folded layers of the encoder and of the decoder.
pub(super) fn folded_layers<B: Backend>(network: &Dcunet<B>) -> (Vec<Folded<B>>, Vec<Folded<B>>) {
    let encoder = network.encoder.iter().map(|layer| {
        let (kernel, shift) = fold(layer.convolution.block(), Some(&layer.norm));
        Folded { kernel, shift, stride: layer.convolution.stride }
    });
    let decoder = network.decoder.iter().map(|layer| {
        let (kernel, shift) = fold(layer.convolution.block().swap_dims(0, 1), layer.norm.as_ref());
        Folded { kernel, shift, stride: layer.convolution.stride }
    });
    (encoder.collect(), decoder.collect())
}
