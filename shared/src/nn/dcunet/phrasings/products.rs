//! The U-Net as matrix products.

use burn::prelude::*;
use burn::tensor::activation::leaky_relu;
use burn::tensor::ops::PadMode;

use super::folding::{Folded, folded_layers};
use super::window_products::{MapPart, WindowConvolution, assemble};
use crate::nn::dcunet::complex::SLOPE;
use crate::nn::dcunet::network::Dcunet;
use crate::nn::tensors::EPSILON;
use crate::nn::transform::{InferenceStft, SpectrumParts};

/// The network as matrix products; see [`super::window_products`].
#[derive(Clone, Debug)]
pub(in crate::nn::dcunet) struct ProductDcunet<B: Backend> {
    stft: InferenceStft<B>,
    encoder: Vec<WindowConvolution<B>>,
    decoder: Vec<WindowConvolution<B>>,
    compression: f64,
    mask_exponent: f64,
    alignment: usize,
}

impl<B: Backend> ProductDcunet<B> {
    pub(in crate::nn::dcunet) fn new(network: &Dcunet<B>) -> Self {
        let (encoder, decoder) = folded_layers(network);
        let decoder = decoder.into_iter().enumerate().map(|(index, Folded { kernel, shift, stride })| {
            // Maps lie side by side whole, not halves first; the innermost layer has only one.
            let kernel = if index == 0 { kernel } else { halves_apart(kernel) };
            WindowConvolution::new(kernel, shift, stride, true)
        });
        Self {
            stft: InferenceStft::new(&network.stft),
            encoder: encoder
                .into_iter()
                .map(|layer| WindowConvolution::new(layer.kernel, layer.shift, layer.stride, false))
                .collect(),
            decoder: decoder.collect(),
            compression: network.compression,
            mask_exponent: network.mask_exponent,
            alignment: network.alignment,
        }
    }

    /// `[batch, 1, samples]` → the same.
    pub(in crate::nn::dcunet) fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, _, samples] = waveform.dims();
        let padded = samples.next_multiple_of(self.alignment);
        let waveform = waveform.reshape([batch, samples]).pad([(0, 0), (0, padded - samples)], PadMode::Constant(0.0));
        let spectrum = self.stft.forward(waveform);
        let output = self.unet(channels(compress(spectrum.clone(), self.compression)));
        let masked = multiply(bounded(parts(output), self.mask_exponent), spectrum);
        self.stft.inverse(masked, samples).reshape([batch, 1, samples])
    }

    fn unet(&self, features: Tensor<B, 4>) -> Tensor<B, 4> {
        let [_, time, frequency, _] = features.dims();
        let mut size = [time, frequency];
        let mut pieces = vec![MapPart::whole(features)];
        let mut skips = Vec::with_capacity(self.encoder.len());
        for layer in &self.encoder {
            pieces = activate(layer.forward(pieces, size));
            size = layer.output_size(size);
            skips.push(pieces[0].clone());
        }
        skips.pop(); // the innermost has no skip
        for (index, layer) in self.decoder.iter().enumerate() {
            pieces = layer.forward(pieces, size);
            size = layer.output_size(size);
            if index + 1 < self.decoder.len() {
                pieces = activate(pieces);
            }
            if let Some(skip) = skips.pop() {
                let channel = pieces[0].values.dims()[3];
                pieces.push(MapPart { channel, ..skip });
            }
        }
        assemble(pieces, size, 2, [[0; 2]; 2])
    }
}

fn activate<B: Backend>(pieces: Vec<MapPart<B>>) -> Vec<MapPart<B>> {
    pieces.into_iter().map(|piece| MapPart { values: leaky_relu(piece.values, SLOPE), ..piece }).collect()
}

/// Input channels of two concatenated maps, from `[real a, real b, imaginary a, imaginary b]` to
/// `[real a, imaginary a, real b, imaginary b]`.
fn halves_apart<B: Backend>(kernel: Tensor<B, 4>) -> Tensor<B, 4> {
    let quarter = kernel.dims()[1] / 4;
    Tensor::cat([0, 2, 1, 3].map(|part| kernel.clone().narrow(1, part * quarter, quarter)).to_vec(), 1)
}

/// Both parts as the two channels of a map `[batch, frames, bins, 2]`.
fn channels<B: Backend>(spectrum: SpectrumParts<B>) -> Tensor<B, 4> {
    let map: Tensor<B, 4> = Tensor::stack(spectrum.to_vec(), 0);
    map.permute([1, 2, 3, 0])
}

/// The two channels of a map as the parts of a spectrum.
fn parts<B: Backend>(map: Tensor<B, 4>) -> SpectrumParts<B> {
    let [batch, frames, bins, _] = map.dims();
    let map = map.permute([3, 0, 1, 2]).reshape([2, batch * frames * bins]);
    [0, 1].map(|part| map.clone().narrow(0, part, 1).reshape([batch, frames, bins]))
}

/// Squared magnitudes, a little more.
fn power<B: Backend>([real, imaginary]: &SpectrumParts<B>) -> Tensor<B, 3> {
    real.clone() * real.clone() + imaginary.clone() * imaginary.clone() + EPSILON
}

/// `S · |S|^(compression - 1)`
fn compress<B: Backend>(spectrum: SpectrumParts<B>, compression: f64) -> SpectrumParts<B> {
    if compression == 1.0 {
        return spectrum;
    }
    let power = power(&spectrum);
    let gain = match compression {
        // Roots take a fraction of the time of a power.
        0.5 => power.sqrt().sqrt().recip(),
        _ => power.powf_scalar((compression - 1.0) / 2.0),
    };
    spectrum.map(|part| part * gain.clone())
}

/// `(tanh|O|)^exponent · O / |O|`
fn bounded<B: Backend>(output: SpectrumParts<B>, exponent: f64) -> SpectrumParts<B> {
    let magnitude = power(&output).sqrt();
    let bounded = magnitude.clone().tanh();
    let bounded = match exponent {
        1.0 => bounded,
        // Roots, as above.
        0.75 => (bounded.clone() * bounded.sqrt()).sqrt(),
        _ => bounded.powf_scalar(exponent),
    };
    let gain = bounded / magnitude;
    output.map(|part| part * gain.clone())
}

/// The complex product.
fn multiply<B: Backend>([a_r, a_i]: SpectrumParts<B>, [b_r, b_i]: SpectrumParts<B>) -> SpectrumParts<B> {
    let real = a_r.clone() * b_r.clone() - a_i.clone() * b_i.clone();
    [real, a_r * b_i + a_i * b_r]
}
