//! The Deep Complex U-Net with its normalisation folded into its kernels, in either phrasing.

use burn::prelude::*;
use burn::tensor::activation::leaky_relu;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode, PaddedConvOptions};

use super::convolution::{Convolution, Piece, assemble};
use super::transform::{InferenceStft, Spectrum};
use crate::nn::Dcunet;
use crate::nn::complex::{ComplexBatchNorm, SLOPE};
use crate::nn::dcunet::EPSILON;

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
struct Folded<B: Backend> {
    kernel: Tensor<B, 4>,
    shift: Option<Tensor<B, 1>>,
    stride: [usize; 2],
}

fn folded_layers<B: Backend>(network: &Dcunet<B>) -> (Vec<Folded<B>>, Vec<Folded<B>>) {
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

/// The network as matrix products; see [`super::convolution`].
#[derive(Clone, Debug)]
pub(super) struct InferenceDcunet<B: Backend> {
    stft: InferenceStft<B>,
    encoder: Vec<Convolution<B>>,
    decoder: Vec<Convolution<B>>,
    compression: f64,
    mask_exponent: f64,
    alignment: usize,
}

impl<B: Backend> InferenceDcunet<B> {
    pub(super) fn new(network: &Dcunet<B>) -> Self {
        let (encoder, decoder) = folded_layers(network);
        let decoder = decoder.into_iter().enumerate().map(|(index, Folded { kernel, shift, stride })| {
            // Maps lie side by side whole, not halves first; the innermost layer has only one.
            let kernel = if index == 0 { kernel } else { halves_apart(kernel) };
            Convolution::new(kernel, shift, stride, true)
        });
        Self {
            stft: InferenceStft::new(&network.stft),
            encoder: encoder
                .into_iter()
                .map(|layer| Convolution::new(layer.kernel, layer.shift, layer.stride, false))
                .collect(),
            decoder: decoder.collect(),
            compression: network.compression,
            mask_exponent: network.mask_exponent,
            alignment: network.alignment,
        }
    }

    /// `[batch, 1, samples]` → the same.
    pub(super) fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
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
        let mut pieces = vec![Piece::whole(features)];
        let mut skips = Vec::with_capacity(self.encoder.len());
        for layer in &self.encoder {
            pieces = activate(layer.forward(pieces, size));
            size = layer.output_size(size);
            skips.push(pieces[0].clone());
        }
        skips.pop(); // the innermost goes on as it is
        for (index, layer) in self.decoder.iter().enumerate() {
            pieces = layer.forward(pieces, size);
            size = layer.output_size(size);
            if index + 1 < self.decoder.len() {
                pieces = activate(pieces);
            }
            if let Some(skip) = skips.pop() {
                let channel = pieces[0].values.dims()[3];
                pieces.push(Piece { channel, ..skip });
            }
        }
        assemble(pieces, size, 2, [[0; 2]; 2])
    }
}

fn activate<B: Backend>(pieces: Vec<Piece<B>>) -> Vec<Piece<B>> {
    pieces.into_iter().map(|piece| Piece { values: leaky_relu(piece.values, SLOPE), ..piece }).collect()
}

/// Input channels of two concatenated maps, from `[real a, real b, imaginary a, imaginary b]` to
/// `[real a, imaginary a, real b, imaginary b]`.
fn halves_apart<B: Backend>(kernel: Tensor<B, 4>) -> Tensor<B, 4> {
    let quarter = kernel.dims()[1] / 4;
    Tensor::cat([0, 2, 1, 3].map(|part| kernel.clone().narrow(1, part * quarter, quarter)).to_vec(), 1)
}

/// Both parts as the two channels of a map `[batch, frames, bins, 2]`.
fn channels<B: Backend>(spectrum: Spectrum<B>) -> Tensor<B, 4> {
    let map: Tensor<B, 4> = Tensor::stack(spectrum.to_vec(), 0);
    map.permute([1, 2, 3, 0])
}

/// The two channels of a map as the parts of a spectrum.
fn parts<B: Backend>(map: Tensor<B, 4>) -> Spectrum<B> {
    let [batch, frames, bins, _] = map.dims();
    let map = map.permute([3, 0, 1, 2]).reshape([2, batch * frames * bins]);
    [0, 1].map(|part| map.clone().narrow(0, part, 1).reshape([batch, frames, bins]))
}

/// Squared magnitudes, a little more.
fn power<B: Backend>([real, imaginary]: &Spectrum<B>) -> Tensor<B, 3> {
    real.clone() * real.clone() + imaginary.clone() * imaginary.clone() + EPSILON
}

/// `S · |S|^(compression - 1)`
fn compress<B: Backend>(spectrum: Spectrum<B>, compression: f64) -> Spectrum<B> {
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
fn bounded<B: Backend>(output: Spectrum<B>, exponent: f64) -> Spectrum<B> {
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
fn multiply<B: Backend>([a_r, a_i]: Spectrum<B>, [b_r, b_i]: Spectrum<B>) -> Spectrum<B> {
    let real = a_r.clone() * b_r.clone() - a_i.clone() * b_i.clone();
    [real, a_r * b_i + a_i * b_r]
}

/// The network as convolutions.
#[derive(Clone, Debug)]
pub(super) struct FoldedDcunet<B: Backend> {
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

impl<B: Backend> FoldedDcunet<B> {
    pub(super) fn new(network: &Dcunet<B>) -> Self {
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
    pub(super) fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
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
        crate::nn::dcunet::unet(features, &self.encoder, &self.decoder, encode, decode)
    }
}
