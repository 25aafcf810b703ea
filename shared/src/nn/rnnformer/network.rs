//! RNNFormer, the network of FastEnhancer: Ahn et al. 2025, "FastEnhancer: Speed-Optimized Streaming Neural Speech
//! Enhancement", arXiv 2509.21867.
//!
//! A complex mask on the compressed spectrum. Convolutions see the frequencies of one frame; blocks between them see the past of
//! every band through a [GRU](Gru), with the same weights for all bands, and all bands of a frame through attention. Nothing but
//! the GRUs sees another frame, so a stream keeps their states and nothing else, and lags behind by the frames of the transform.
//!
//! Sizes are the paper's (table 1) for its T and B; the large preset lies between its S and M.
//!
//! Deviations from the paper:
//! - The filters between sub-bands and bands are fixed triangles, see [`Bands`](super::bands::Bands); the paper learns them.
//! - The mask begins near 1, by the last layer's bias and small weights: one that is far off is further off by the power that undoes
//!   the compression, and the first steps would be lost.

use burn::module::Param;
use burn::prelude::*;

use super::bands::Bands;
use super::config::{KERNEL, RnnformerConfig, STRIDE};
use super::flow::{Flow, FlowBlock};
use super::gru::Gru;
use super::inference::RnnformerInference;
use super::layers::{BatchNorm, Convolution, Linear, Normalised, weight};
use crate::dsp::stft::Stft;
use crate::nn::form::{Phrasing, TrainableNetwork};
use crate::nn::shape::NetworkShape;
use crate::nn::tensors::{complex_product, in_precision, raise_magnitude};

/// Gain of the last layer's first weights.
const FIRST_MASK: f64 = 0.1;

/// The network. Make one with [`RnnformerConfig::init`].
#[derive(Module, Debug)]
pub struct Rnnformer<B: Backend> {
    pub(super) stft: Stft<B>,
    /// Strided: real and imaginary part of neighbouring bins to the channels of a sub-band.
    input: Convolution<B>,
    input_norm: BatchNorm<B>,
    encoder: Vec<NormalisedConvolution<B>>,
    /// From sub-bands to bands, in channels.
    down: NormalisedLinear<B>,
    /// `[bands, inner_channels]`, added to what the first block is given.
    embedding: Param<Tensor<B, 2>>,
    blocks: Vec<Block<B>>,
    /// From bands to sub-bands, in channels.
    up: NormalisedLinear<B>,
    decoder: Vec<DecoderLayer<B>>,
    /// Joins the first layer's output.
    join: NormalisedLinear<B>,
    output: Output<B>,
    /// `[bands, sub_bands]` and `[sub_bands, bands]`. Constants, neither trained nor saved.
    filters_down: Tensor<B, 2>,
    filters_up: Tensor<B, 2>,
    heads: usize,
    pub(super) compression: f64,
}

/// A linear layer with its normalisation.
#[derive(Module, Debug)]
struct NormalisedLinear<B: Backend> {
    linear: Linear<B>,
    norm: BatchNorm<B>,
}

/// A convolution of three sub-bands with its normalisation.
#[derive(Module, Debug)]
struct NormalisedConvolution<B: Backend> {
    convolution: Convolution<B>,
    norm: BatchNorm<B>,
}

/// Joins what the encoder had at this depth, then convolves.
#[derive(Module, Debug)]
struct DecoderLayer<B: Backend> {
    join: NormalisedLinear<B>,
    convolution: Convolution<B>,
    norm: BatchNorm<B>,
}

/// A GRU along time and attention along bands; both are added to what they were given.
#[derive(Module, Debug)]
struct Block<B: Backend> {
    gru: Gru<B>,
    gru_linear: Linear<B>,
    gru_norm: BatchNorm<B>,
    /// Queries, keys and values of all heads.
    qkv: Linear<B>,
    attention_linear: Linear<B>,
    attention_norm: BatchNorm<B>,
}

/// A transposed convolution from sub-bands to the mask.
#[derive(Module, Debug)]
struct Output<B: Backend> {
    /// `[channels, 2, kernel]`
    weight: Param<Tensor<B, 3>>,
    /// `[2]`: real and imaginary part.
    bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> NormalisedLinear<B> {
    fn new(channels: [usize; 2], device: &B::Device) -> Self {
        Self { linear: Linear::new(channels, device), norm: BatchNorm::new(channels[1], device) }
    }

    fn layer(&self) -> Normalised<'_, B> {
        Normalised { matrix: self.linear.matrix(), norm: &self.norm }
    }

    fn frozen(self) -> Self {
        Self { norm: self.norm.frozen(), ..self }
    }
}

impl<B: Backend> Rnnformer<B> {
    /// The network, with random weights.
    ///
    /// # Panics
    /// When [`RnnformerConfig::validate`] would refuse the configuration.
    pub(super) fn new(config: &RnnformerConfig, device: &B::Device) -> Self {
        config.validate().expect("validated configuration");
        let (channels, inner) = (config.channels, config.inner_channels);
        let three_taps = || Convolution::new([channels, channels, 3], device);
        let norm = || BatchNorm::new(channels, device);
        let join = || NormalisedLinear::new([2 * channels, channels], device);
        let filters = Bands::new(config.bands, config.sub_bands());
        let constant = |values: Vec<f32>, shape: [usize; 2]| Tensor::from_data(TensorData::new(values, shape), device);
        let block = |_| Block {
            gru: Gru::new(inner, device),
            gru_linear: Linear::new([inner, inner], device),
            gru_norm: BatchNorm::new(inner, device),
            qkv: Linear::new([inner, 3 * inner], device),
            attention_linear: Linear::new([inner, inner], device),
            attention_norm: BatchNorm::new(inner, device),
        };
        Self {
            stft: config.stft.init(device),
            input: Convolution::new([channels, 2, KERNEL], device),
            input_norm: norm(),
            encoder: (0..2).map(|_| NormalisedConvolution { convolution: three_taps(), norm: norm() }).collect(),
            down: NormalisedLinear::new([channels, inner], device),
            embedding: weight([config.bands, inner], 1.0, device),
            blocks: (0..config.blocks).map(block).collect(),
            up: NormalisedLinear::new([inner, channels], device),
            decoder: (0..2).map(|_| DecoderLayer { join: join(), convolution: three_taps(), norm: norm() }).collect(),
            join: join(),
            output: Output {
                weight: weight([channels, 2, KERNEL], FIRST_MASK, device),
                bias: Param::from_data(TensorData::from([1.0f32, 0.0]), device),
            },
            filters_down: constant(filters.down(), [config.bands, config.sub_bands()]),
            filters_up: constant(filters.up(), [config.sub_bands(), config.bands]),
            heads: config.heads,
            compression: config.compression,
        }
    }

    /// The way of a spectrum through the network.
    pub(super) fn flow(&self) -> Flow<B, Normalised<'_, B>> {
        let convolution = |convolution: &Convolution<B>, norm| Normalised { matrix: convolution.matrix(), norm };
        let linear = |linear: &Linear<B>, norm| Normalised { matrix: linear.matrix(), norm };
        let [channels, _, _] = self.output.weight.dims();
        let blocks = [KERNEL / STRIDE, STRIDE];
        // Bins are given, and wanted, in blocks of one stride: both parts of the first bin, of the next, …
        let input = self.input.weight.val().reshape([channels, 2, blocks[0], blocks[1]]).permute([2, 3, 1, 0]);
        let output = self.output.weight.val().reshape([channels, 2, blocks[0], blocks[1]]).permute([0, 2, 3, 1]);
        Flow {
            input: Normalised { matrix: input.reshape([2 * KERNEL, channels]), norm: &self.input_norm },
            encoder: self.encoder.iter().map(|layer| convolution(&layer.convolution, &layer.norm)).collect(),
            filters_down: self.filters_down.clone(),
            down: self.down.layer(),
            embedding: self.embedding.val(),
            blocks: self
                .blocks
                .iter()
                .map(|block| FlowBlock {
                    gates: block.gru.gates(),
                    gru: linear(&block.gru_linear, &block.gru_norm),
                    qkv: block.qkv.matrix(),
                    attention: linear(&block.attention_linear, &block.attention_norm),
                })
                .collect(),
            up: self.up.layer(),
            filters_up: self.filters_up.clone(),
            decoder: self
                .decoder
                .iter()
                .map(|layer| [layer.join.layer(), convolution(&layer.convolution, &layer.norm)])
                .collect(),
            join: self.join.layer(),
            output: output.reshape([channels, 2 * KERNEL]),
            output_bias: self.output.bias.val(),
            heads: self.heads,
        }
    }
}

impl<B: Backend> TrainableNetwork<B> for Rnnformer<B> {
    type Inference = RnnformerInference<B>;

    fn with_frozen_statistics(self) -> Self {
        let encoder = self.encoder.into_iter();
        let decoder = self.decoder.into_iter();
        let blocks = self.blocks.into_iter();
        Self {
            input_norm: self.input_norm.frozen(),
            encoder: encoder.map(|layer| NormalisedConvolution { norm: layer.norm.frozen(), ..layer }).collect(),
            down: self.down.frozen(),
            blocks: blocks
                .map(|block| Block {
                    gru_norm: block.gru_norm.frozen(),
                    attention_norm: block.attention_norm.frozen(),
                    ..block
                })
                .collect(),
            up: self.up.frozen(),
            decoder: decoder
                .map(|layer| DecoderLayer { join: layer.join.frozen(), norm: layer.norm.frozen(), ..layer })
                .collect(),
            join: self.join.frozen(),
            ..self
        }
    }

    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, _, samples] = waveform.dims();
        let spectrum = self.stft.forward(waveform.reshape([batch, samples])); // [batch, 2, bins, frames]
        let [_, _, bins, frames] = spectrum.dims();
        let device = spectrum.device();
        let compressed = raise_magnitude(spectrum.narrow(2, 0, bins - 1), self.compression);
        let precision = self.input.weight.val().dtype();
        let mask = in_precision(precision, compressed.clone(), |x| {
            let (mask, _) = self.flow().forward(x.permute([2, 3, 0, 1]), None);
            mask.permute([2, 3, 0, 1])
        });
        let estimate = raise_magnitude(complex_product(mask, compressed), 1.0 / self.compression);
        let nyquist = Tensor::zeros([batch, 2, 1, frames], &device);
        self.stft.inverse(Tensor::cat(vec![estimate, nyquist], 2), samples).reshape([batch, 1, samples])
    }

    fn for_inference(self, phrasing: Phrasing) -> RnnformerInference<B> {
        RnnformerInference::new(&self, phrasing)
    }
}
