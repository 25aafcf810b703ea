//! The autoencoder as two matrix products over overlapping windows, none of which is copied.

use burn::prelude::*;
use burn::tensor::ops::PadMode;

use super::network::Autoencoder;
use crate::nn::form::{InferenceForm, Phrasing, TrainableNetwork};

/// The autoencoder, ready to run.
#[derive(Clone, Debug)]
pub struct AutoencoderInference<B: Backend>(PhrasedAutoencoder<B>);

#[derive(Clone, Debug)]
enum PhrasedAutoencoder<B: Backend> {
    Products(WindowProducts<B>),
    /// Already phrased as convolutions.
    Convolutions(Box<Autoencoder<B>>),
}

impl<B: Backend> AutoencoderInference<B> {
    pub(super) fn new(network: Autoencoder<B>, phrasing: Phrasing) -> Self {
        Self(match phrasing {
            Phrasing::Products => PhrasedAutoencoder::Products(WindowProducts::new(&network)),
            Phrasing::Convolutions => PhrasedAutoencoder::Convolutions(Box::new(network)),
        })
    }
}

impl<B: Backend> InferenceForm<B> for AutoencoderInference<B> {
    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        match &self.0 {
            PhrasedAutoencoder::Products(network) => network.forward(waveform),
            PhrasedAutoencoder::Convolutions(network) => network.forward(waveform),
        }
    }
}

/// Both layers as products.
#[derive(Clone, Debug)]
struct WindowProducts<B: Backend> {
    /// `[1, kernel_size, channels]`
    encoder: Tensor<B, 3>,
    /// `[1, 1, channels]`
    encoder_bias: Tensor<B, 3>,
    /// `[1, taps * channels, stride]`: a block of `stride` output samples from the codes of `taps` blocks.
    decoder: Tensor<B, 3>,
    /// `[1, 1, 1]`
    decoder_bias: Tensor<B, 3>,
    padding: usize,
}

impl<B: Backend> WindowProducts<B> {
    fn new(network: &Autoencoder<B>) -> Self {
        let [channels, _, kernel_size] = network.encoder_weight.dims();
        let (stride, taps) = (network.stride, kernel_size / network.stride);
        let encoder = network.encoder_weight.val().reshape([1, channels, kernel_size]).swap_dims(1, 2);
        // A transposed convolution is a convolution with the kernel turned around.
        let decoder = network.decoder_weight.val().reshape([channels, taps, stride]).flip([1]).swap_dims(0, 1);
        Self {
            encoder,
            encoder_bias: network.encoder_bias.val().reshape([1, 1, channels]),
            decoder: decoder.reshape([1, taps * channels, stride]),
            decoder_bias: network.decoder_bias.val().reshape([1, 1, 1]),
            padding: network.padding,
        }
    }

    /// `[batch, 1, samples]` → the same.
    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, _, samples] = waveform.dims();
        let [_, kernel_size, channels] = self.encoder.dims();
        let [_, width, stride] = self.decoder.dims();
        let taps = width / channels;
        let codes = samples.saturating_sub(2).div_ceil(stride) + 1;

        let right = (codes - 1) * stride + kernel_size - self.padding - samples;
        let padded = waveform.reshape([batch, samples]).pad([(0, 0), (self.padding, right)], PadMode::Constant(0.0));
        let windows: Tensor<B, 3> = padded.unfold(1, kernel_size, stride); // [batch, codes, kernel_size]
        let codes = windows.matmul(self.encoder.clone()) + self.encoder_bias.clone();

        let padded = codes.pad([(0, 0), (taps - 1, taps - 1), (0, 0)], PadMode::Constant(0.0));
        let [_, rows, _] = padded.dims();
        let windows: Tensor<B, 3> = padded.reshape([batch, rows * channels]).unfold(1, width, channels);
        let blocks = windows.matmul(self.decoder.clone()); // [batch, blocks, stride]
        let [_, count, _] = blocks.dims();
        blocks.reshape([batch, 1, count * stride]).narrow(2, self.padding, samples) + self.decoder_bias.clone()
    }
}
