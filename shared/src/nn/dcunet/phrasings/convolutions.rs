//! The U-Net as convolutions.

use burn::prelude::*;
use burn::tensor::activation::leaky_relu;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PaddedConvOptions};

use super::folding::{Folded, folded_layers};
use crate::nn::dcunet::complex::SLOPE;
use crate::nn::dcunet::network::{Dcunet, unet};

/// The network as convolutions.
#[derive(Clone, Debug)]
pub(in crate::nn::dcunet) struct ConvolutionDcunet<B: Backend> {
    network: Dcunet<B>,
    encoder: Vec<FoldedLayer<B>>,
    decoder: Vec<FoldedLayer<B>>,
}

/// A real kernel as Burn's convolutions want it, a shift, stride and padding `[frequency, time]`.
#[derive(Clone, Debug)]
struct FoldedLayer<B: Backend> {
    kernel: Tensor<B, 4>,
    shift: Option<Tensor<B, 1>>,
    stride: [usize; 2],
    padding: [usize; 2],
}

impl<B: Backend> ConvolutionDcunet<B> {
    pub(in crate::nn::dcunet) fn new(network: &Dcunet<B>) -> Self {
        let layer = |Folded { kernel, shift, stride }: Folded<B>| {
            let [_, _, k_f, k_t] = kernel.dims();
            FoldedLayer { kernel, shift, stride, padding: [(k_f - 1) / 2, (k_t - 1) / 2] }
        };
        let (encoder, decoder) = folded_layers(network);
        let transposed = |layer: FoldedLayer<B>| FoldedLayer { kernel: layer.kernel.swap_dims(0, 1), ..layer };
        Self {
            network: network.clone(),
            encoder: encoder.into_iter().map(layer).collect(),
            decoder: decoder.into_iter().map(layer).map(transposed).collect(),
        }
    }

    /// `[batch, 1, samples]` → the same.
    pub(in crate::nn::dcunet) fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        self.network.forward_through(waveform, |features| self.unet(features))
    }

    fn unet(&self, features: Tensor<B, 4>) -> Tensor<B, 4> {
        let encode = |x, layer: &FoldedLayer<B>| {
            let options = ConvOptions::new(layer.stride, layer.padding, [1, 1], 1);
            leaky_relu(conv2d(x, layer.kernel.clone(), layer.shift.clone(), PaddedConvOptions::from(options)), SLOPE)
        };
        let decode = |x, layer: &FoldedLayer<B>| {
            let options = ConvTransposeOptions::new(layer.stride, layer.padding, [0, 0], [1, 1], 1);
            let x = conv_transpose2d(x, layer.kernel.clone(), layer.shift.clone(), options);
            if layer.shift.is_some() { leaky_relu(x, SLOPE) } else { x }
        };
        unet(features, &self.encoder, &self.decoder, encode, decode)
    }
}
