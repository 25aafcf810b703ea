//! Deep Complex U-Net: Choi et al. 2019, "Phase-aware Speech Enhancement with Deep Complex U-Net", openreview SkeRTsAcYm.
//!
//! A U-Net of complex convolutions estimates a complex mask on the STFT. The mask's magnitude is bounded by tanh (the paper's
//! best, "BDT") and its phase is free. The decoder mirrors the encoder layer by layer. Transform and inverse transform are part
//! of the network: waveform in, waveform out.
//!
//! Layers, strides, kernels and channels are those of the paper's tables (appendix B), and so are the parameters: 1.42 million for
//! DCUnet-10 (the paper rounds to 1.4), 2.38 for DCUnet-16 (2.3), 3.53 for DCUnet-20 (3.5).
//!
//! Deviations from the paper:
//! - Kernels start uniform as in PyTorch's real layers, not from Trabelsi's Rayleigh distribution: batch normalisation follows
//!   every layer but the last.
//! - [`DcunetConfig::compression`] below 1 shows the network compressed magnitudes; the mask still applies to the plain
//!   spectrum. The paper's presets have 1, which is no compression.
//! - [`DcunetConfig::mask_exponent`] other than 1 bends the bounded mask's magnitude once a network is trained, as the parametric Wiener
//!   filter's exponent does its gain: Lim and Oppenheim 1979, "Enhancement and Bandwidth Compression of Noisy Speech", section V.

use burn::prelude::*;

use super::complex::{ComplexBatchNorm, ComplexConv2d, ComplexConvTranspose2d, complex_leaky_relu};
use super::config::DcunetConfig;
use super::inference::DcunetInference;
use crate::dsp::stft::Stft;
use crate::nn::form::{Phrasing, TrainableNetwork};
use crate::nn::shape::NetworkShape;
use crate::nn::tensors::{EPSILON, complex_product, in_precision, raise_magnitude};

/// The network. Make one with [`DcunetConfig::init`].
#[derive(Module, Debug)]
pub struct Dcunet<B: Backend> {
    pub(super) stft: Stft<B>,
    pub(super) encoder: Vec<EncoderLayer<B>>,
    pub(super) decoder: Vec<DecoderLayer<B>>,
    pub(super) compression: f64,
    pub(super) mask_exponent: f64,
    pub(super) alignment: usize,
}

#[derive(Module, Debug)]
pub(super) struct EncoderLayer<B: Backend> {
    pub(super) convolution: ComplexConv2d<B>,
    pub(super) norm: ComplexBatchNorm<B>,
}

#[derive(Module, Debug)]
pub(super) struct DecoderLayer<B: Backend> {
    pub(super) convolution: ComplexConvTranspose2d<B>,
    pub(super) norm: Option<ComplexBatchNorm<B>>,
}

impl<B: Backend> Dcunet<B> {
    /// The network, with random weights.
    ///
    /// # Panics
    /// When [`DcunetConfig::validate`] would refuse the configuration.
    pub(super) fn new(config: &DcunetConfig, device: &B::Device) -> Self {
        config.validate().expect("validated configuration");
        let mut inputs = vec![1];
        inputs.extend(config.layers.iter().map(|layer| layer.channels));
        let encoder = config.layers.iter().zip(&inputs).map(|(layer, &input)| EncoderLayer {
            convolution: ComplexConv2d::new([input, layer.channels], layer.kernel_size, layer.stride, device),
            norm: ComplexBatchNorm::new(layer.channels, device),
        });
        let last = config.layers.len() - 1;
        let decoder = config.layers.iter().zip(&inputs[..=last]).enumerate().rev().map(|(depth, (layer, &output))| {
            // All but the innermost also receive the encoder's output of their depth.
            let input = if depth == last { layer.channels } else { 2 * layer.channels };
            DecoderLayer {
                convolution: ComplexConvTranspose2d::new([input, output], layer.kernel_size, layer.stride, device),
                norm: (depth > 0).then(|| ComplexBatchNorm::new(output, device)),
            }
        });
        Self {
            stft: config.stft.init(device),
            encoder: encoder.collect(),
            decoder: decoder.collect(),
            compression: config.compression,
            mask_exponent: config.mask_exponent,
            alignment: config.alignment(),
        }
    }

    /// The same function with more channels (and the other's exponent of the mask), to be trained further, after Chen et al. 2016, "Net2Net: Accelerating Learning via
    /// Knowledge Transfer". Channels that there were see nothing of the new ones yet.
    ///
    /// Deviation: new channels begin at random, as those of a new network, not as copies of others.
    ///
    /// # Panics
    /// Unless this network's [`DcunetConfig::grows_to`] the `larger` configuration.
    pub fn grown(self, larger: &DcunetConfig) -> Self {
        let larger: Self = larger.init(&self.devices()[0]);
        let encoder = self.encoder.into_iter().zip(larger.encoder).map(|(small, large)| EncoderLayer {
            convolution: small.convolution.grown_to(large.convolution),
            norm: small.norm.grown_to(large.norm),
        });
        let decoder = self.decoder.into_iter().zip(larger.decoder).enumerate().map(|(depth, (small, large))| {
            // All but the innermost are given two maps.
            let groups = if depth == 0 { 1 } else { 2 };
            DecoderLayer {
                convolution: small.convolution.grown_to(large.convolution, groups),
                norm: small.norm.zip(large.norm).map(|(small, large)| small.grown_to(large)),
            }
        });
        Self { encoder: encoder.collect(), decoder: decoder.collect(), ..larger }
    }

    /// The network with `unet` as its body, which maps compressed spectra `[batch, 2, bins, frames]` to masks not yet bounded.
    pub(super) fn forward_through(
        &self,
        waveform: Tensor<B, 3>,
        unet: impl Fn(Tensor<B, 4>) -> Tensor<B, 4>,
    ) -> Tensor<B, 3> {
        let [batch, _, samples] = waveform.dims();
        // Frame counts of 1 + a multiple of the time stride pass every strided layer and its mirror without a remainder.
        let padded = samples.next_multiple_of(self.alignment);
        let waveform = waveform
            .reshape([batch, samples])
            .pad([(0, 0), (0, padded - samples)], burn::tensor::ops::PadMode::Constant(0.0));
        let spectrum = self.stft.forward(waveform); // [batch, 2, bins, frames]
        let mask = self.bound(unet(raise_magnitude(spectrum.clone(), self.compression)));
        self.stft.inverse(complex_product(mask, spectrum), samples).reshape([batch, 1, samples])
    }

    /// The bounded mask, `[batch, 2, bins, frames]`: `tanh|O| · O / |O|`, the paper's "bounded (tanh)" masking.
    fn bound(&self, output: Tensor<B, 4>) -> Tensor<B, 4> {
        let magnitude = (output.clone().powi_scalar(2).sum_dim(1) + EPSILON).sqrt();
        let bounded = magnitude.clone().tanh();
        let bounded = if self.mask_exponent == 1.0 { bounded } else { bounded.powf_scalar(self.mask_exponent) };
        output * (bounded / magnitude)
    }

    fn unet(&self, features: Tensor<B, 4>) -> Tensor<B, 4> {
        let encode = |x, layer: &EncoderLayer<B>| complex_leaky_relu(layer.norm.forward(layer.convolution.forward(x)));
        let decode = |x, layer: &DecoderLayer<B>| {
            let x = layer.convolution.forward(x);
            match &layer.norm {
                Some(norm) => complex_leaky_relu(norm.forward(x)),
                None => x,
            }
        };
        unet(features, &self.encoder, &self.decoder, encode, decode)
    }
}

impl<B: Backend> TrainableNetwork<B> for Dcunet<B> {
    type Inference = DcunetInference<B>;

    fn with_frozen_statistics(self) -> Self {
        let encoder = self.encoder.into_iter().map(|layer| EncoderLayer { norm: layer.norm.frozen(), ..layer });
        let decoder = self.decoder.into_iter();
        let decoder = decoder.map(|layer| DecoderLayer { norm: layer.norm.map(ComplexBatchNorm::frozen), ..layer });
        Self { encoder: encoder.collect(), decoder: decoder.collect(), ..self }
    }

    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let precision = self.encoder[0].convolution.precision();
        self.forward_through(waveform, |features| in_precision(precision, features, |x| self.unet(x)))
    }

    fn for_inference(self, phrasing: Phrasing) -> DcunetInference<B> {
        DcunetInference::new(self, phrasing)
    }
}

/// Encoder, decoder, and between them a way for every depth but the innermost.
pub(super) fn unet<B: Backend, E, D>(
    mut x: Tensor<B, 4>,
    encoder: &[E],
    decoder: &[D],
    encode: impl Fn(Tensor<B, 4>, &E) -> Tensor<B, 4>,
    decode: impl Fn(Tensor<B, 4>, &D) -> Tensor<B, 4>,
) -> Tensor<B, 4> {
    let mut skips = Vec::with_capacity(encoder.len());
    for layer in encoder {
        x = encode(x, layer);
        skips.push(x.clone());
    }
    skips.pop(); // the innermost has no skip
    for layer in decoder {
        x = decode(x, layer);
        if let Some(skip) = skips.pop() {
            x = concatenate(x, skip);
        }
    }
    x
}

/// The channels of two complex feature maps side by side: all real parts first.
fn concatenate<B: Backend>(a: Tensor<B, 4>, b: Tensor<B, 4>) -> Tensor<B, 4> {
    let [a, b] = [a, b].map(|x| {
        let channels = x.dims()[1] / 2;
        [x.clone().narrow(1, 0, channels), x.narrow(1, channels, channels)]
    });
    let [[a_r, a_i], [b_r, b_i]] = [a, b];
    Tensor::cat(vec![a_r, b_r, a_i, b_i], 1)
}
