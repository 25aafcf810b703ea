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
use serde::{Deserialize, Serialize};

use super::complex::{ComplexBatchNorm, ComplexConv2d, ComplexConvTranspose2d, complex_leaky_relu};
use super::{check_range, count, in_precision, product};
use crate::dsp::StftConfig;
use crate::dsp::stft::Stft;
use crate::error::{Error, Result};

/// Added to squared magnitudes under a root, so that the gradient at 0 is finite.
pub(super) const EPSILON: f64 = 1e-8;

/// One encoder layer, and the decoder layer that mirrors it. Pairs are `[frequency, time]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DcunetLayer {
    /// Complex channels that leave the encoder layer.
    pub channels: usize,
    /// Kernel size, both odd, in bins and frames.
    pub kernel_size: [usize; 2],
    /// Stride, in bins and frames.
    pub stride: [usize; 2],
}

/// The shape of a Deep Complex U-Net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DcunetConfig {
    /// The transform at both ends, `n_fft` at most 4096. `n_fft / 2` must be divisible by the product of all frequency strides.
    pub stft: StftConfig,
    /// Encoder layers from the outermost in: half as many as the network's name counts.
    pub layers: Vec<DcunetLayer>,
    /// The network sees `|S|^compression`, phase kept. 0 (exclusive) to 1 (no compression, as in the paper).
    pub compression: f64,
    /// The bounded mask's magnitude is raised to this power, its phase kept: below 1 everything is attenuated less, and nothing is where
    /// nothing was. 0 (exclusive) to 2; 1, as in the paper, if left out. Nothing learned depends on it.
    #[serde(default = "one")]
    pub mask_exponent: f64,
}

fn one() -> f64 {
    1.0
}

impl DcunetConfig {
    fn from_table(stft: StftConfig, compression: f64, table: &[(usize, [usize; 2], [usize; 2])]) -> Self {
        let layer = |&(channels, kernel_size, stride): &_| DcunetLayer { channels, kernel_size, stride };
        Self { stft, layers: table.iter().map(layer).collect(), compression, mask_exponent: 1.0 }
    }

    /// The paper's DCUnet-10.
    pub fn dcunet_10() -> Self {
        Self::from_table(
            StftConfig::SPEECH,
            1.0,
            &[
                (32, [7, 5], [2, 2]),
                (64, [7, 5], [2, 2]),
                (64, [5, 3], [2, 2]),
                (64, [5, 3], [2, 2]),
                (64, [5, 3], [2, 1]),
            ],
        )
    }

    /// The paper's DCUnet-16.
    pub fn dcunet_16() -> Self {
        Self::from_table(
            StftConfig::SPEECH,
            1.0,
            &[
                (32, [7, 5], [2, 2]),
                (32, [7, 5], [2, 1]),
                (64, [7, 5], [2, 2]),
                (64, [5, 3], [2, 1]),
                (64, [5, 3], [2, 2]),
                (64, [5, 3], [2, 1]),
                (64, [5, 3], [2, 2]),
                (64, [5, 3], [2, 1]),
            ],
        )
    }

    /// The paper's DCUnet-20.
    pub fn dcunet_20() -> Self {
        Self::twenty(32, 64, 90)
    }

    /// The paper's Large-DCUnet-20.
    pub fn large_dcunet_20() -> Self {
        Self::twenty(45, 90, 128)
    }

    fn twenty(outer: usize, inner: usize, innermost: usize) -> Self {
        Self::from_table(
            StftConfig::SPEECH,
            1.0,
            &[
                (outer, [7, 1], [1, 1]),
                (outer, [1, 7], [1, 1]),
                (inner, [7, 5], [2, 2]),
                (inner, [7, 5], [2, 1]),
                (inner, [5, 3], [2, 2]),
                (inner, [5, 3], [2, 1]),
                (inner, [5, 3], [2, 2]),
                (inner, [5, 3], [2, 1]),
                (inner, [5, 3], [2, 2]),
                (innermost, [5, 3], [2, 1]),
            ],
        )
    }

    /// DCUnet-10 at half width on 32 ms frames with compressed magnitudes: what two CPU cores can train, and a page can run.
    pub fn small() -> Self {
        Self::from_table(
            StftConfig { n_fft: 512, hop_length: 128 },
            0.5,
            &[
                (16, [7, 5], [2, 2]),
                (32, [7, 5], [2, 2]),
                (32, [5, 3], [2, 2]),
                (32, [5, 3], [2, 2]),
                (32, [5, 3], [2, 1]),
            ],
        )
    }

    /// [`DcunetConfig::small`] with more channels further in, where they cost little: as many parameters as DCUnet-10, for 1.4 times
    /// the computation of the small one.
    pub fn medium() -> Self {
        let mut config = Self::small();
        for (layer, channels) in config.layers.iter_mut().zip([16, 32, 64, 96, 96]) {
            layer.channels = channels;
        }
        config
    }

    /// Whether a network of this shape may become one of the other by [`Dcunet::grown`]: nothing differs but channels, none of
    /// which get fewer, and the mask's exponent.
    pub fn grows_to(&self, larger: &Self) -> bool {
        let mut grown = Self { mask_exponent: larger.mask_exponent, ..self.clone() };
        for (layer, to) in grown.layers.iter_mut().zip(&larger.layers) {
            layer.channels = layer.channels.max(to.channels);
        }
        grown == *larger
    }

    /// Checks the ranges given at the fields.
    ///
    /// # Errors
    /// When a field is outside its range.
    pub fn validate(&self) -> Result<()> {
        self.stft.validate()?;
        // Its bases take `n_fft²` memory.
        check_range("n_fft", self.stft.n_fft, 4..=4096)?;
        check_range("layers", self.layers.len(), 1..=16)?;
        for layer in &self.layers {
            check_range("channels", layer.channels, 1..=512)?;
            for axis in 0..2 {
                check_range("kernel_size", layer.kernel_size[axis], 1..=31)?;
                check_range("stride", layer.stride[axis], 1..=4)?;
                if layer.kernel_size[axis].is_multiple_of(2) {
                    return Err(Error::config("kernel_size", "odd numbers", layer.kernel_size[axis]));
                }
            }
        }
        let stride = self.total_stride(0);
        if !(self.stft.n_fft / 2).is_multiple_of(stride) {
            let expected = format!("frequency strides whose product divides {}", self.stft.n_fft / 2);
            return Err(Error::config("stride", expected, stride));
        }
        check_range("time stride", self.total_stride(1), 1..=1024)?;
        if !(self.compression > 0.0 && self.compression <= 1.0) {
            return Err(Error::config("compression", "above 0, at most 1", self.compression));
        }
        if !(self.mask_exponent > 0.0 && self.mask_exponent <= 2.0) {
            return Err(Error::config("mask_exponent", "above 0, at most 2", self.mask_exponent));
        }
        Ok(())
    }

    fn total_stride(&self, axis: usize) -> usize {
        product(self.layers.iter().map(|layer| layer.stride[axis]))
    }

    /// Samples between two positions at which the network behaves the same: its time strides times the hop.
    pub fn alignment(&self) -> usize {
        self.total_stride(1) * self.stft.hop_length
    }

    /// Input samples that one output sample depends on, at most.
    pub fn receptive_field(&self) -> usize {
        let mut jump = 1;
        let mut reach = 0; // frames to either side
        for layer in &self.layers {
            // The encoder layer looks around at its input's resolution, and so does its mirror at the same, its output's.
            reach += 2 * (layer.kernel_size[1] / 2) * jump;
            jump *= layer.stride[1];
        }
        2 * (reach * self.stft.hop_length + self.stft.n_fft) - 1
    }

    /// Multiplications of real numbers for every [`DcunetConfig::alignment`] samples of a long signal.
    ///
    /// A complex convolution from `I` to `O` channels with a kernel of `k_f × k_t` takes `4 · I · O · k_f · k_t` at every
    /// position of its smaller side: of the output in the encoder, of the input in the decoder. That counts the taps that fall
    /// off the edges of the spectrum, which nothing multiplies. The transform and its inverse count as the matrix products that
    /// they are, `2 · n_fft · bins` each for a frame. Masks, normalisation and activations are not counted.
    pub(super) fn macs(&self) -> u64 {
        let mut frames = self.total_stride(1);
        let mut steps = self.stft.n_fft / 2; // one less than the bins
        let mut total = count(&[2, 2, self.stft.n_fft, self.stft.bins(), frames]);
        let mut input = 1;
        for (depth, layer) in self.layers.iter().enumerate() {
            let [k_f, k_t] = layer.kernel_size;
            frames /= layer.stride[1];
            steps /= layer.stride[0];
            let encoder = layer.channels;
            let decoder = if depth + 1 == self.layers.len() { layer.channels } else { 2 * layer.channels };
            total += count(&[4, input, encoder + decoder, k_f, k_t, steps + 1, frames]);
            input = layer.channels;
        }
        total
    }

    /// Learned numbers in the network.
    pub fn parameters(&self) -> u64 {
        let mut total = 0;
        let mut input = 1;
        for (depth, layer) in self.layers.iter().enumerate() {
            // Complex kernels, and five numbers for each normalised channel.
            let [k_f, k_t] = layer.kernel_size;
            total += count(&[2, input, layer.channels, k_f, k_t]) + count(&[5, layer.channels]);
            let concatenated = if depth + 1 == self.layers.len() { 1 } else { 2 };
            total += count(&[2, concatenated, layer.channels, input, k_f, k_t]);
            if depth > 0 {
                total += count(&[5, input]);
            }
            input = layer.channels;
        }
        total
    }

    /// Values that leave a layer, real and imaginary parts apart, for every [`DcunetConfig::alignment`] samples of a long signal.
    pub(super) fn activations(&self) -> u64 {
        let mut frames = self.total_stride(1);
        let mut steps = self.stft.n_fft / 2;
        // The spectrum and the mask.
        let mut total = count(&[2, 2, self.stft.bins(), frames]);
        let mut input = 1;
        for layer in &self.layers {
            // A decoder layer gives what its mirror in the encoder is given.
            total += count(&[2, input, steps + 1, frames]);
            frames /= layer.stride[1];
            steps /= layer.stride[0];
            total += count(&[2, layer.channels, steps + 1, frames]);
            input = layer.channels;
        }
        total
    }

    /// Values held at the worst moment of a run over so many samples, estimated: spectra, the encoder's maps, which the decoder
    /// receives, and the layer that takes most on top of them.
    pub(super) fn working_values(&self, samples: u64) -> u64 {
        let mut frames = samples.div_ceil(self.stft.hop_length as u64) + 1;
        let mut steps = self.stft.n_fft as u64 / 2;
        let spectra = 12 * (steps + 1) * frames;
        let (mut skips, mut widest, mut input) = (0, 0, 1);
        for layer in &self.layers {
            let [k_f, k_t] = layer.kernel_size.map(|size| size as u64);
            let (channels, outside) = (layer.channels as u64, 2 * input * (steps + 1) * frames);
            let outside_padded = 2 * input * (steps + 1 + k_f) * (frames + k_t);
            steps /= layer.stride[0] as u64;
            frames = frames.div_ceil(layer.stride[1] as u64);
            let inside = 2 * channels * (steps + 1) * frames;
            let inside_padded = 2 * channels * (steps + 1 + k_f) * (frames + k_t);
            // Outputs three times: a product, the sum so far, and the sum to be. The decoder is given two maps, and Burn's
            // transposed convolution on the CPU writes every tap of every output down before it adds them up.
            let encoder = outside_padded + 3 * inside;
            let columns = 2 * input * k_f * k_t * (steps + 1) * frames;
            let decoder = 2 * inside_padded + 3 * outside + columns;
            skips += inside;
            widest = widest.max(encoder).max(decoder);
            input = channels;
        }
        spectra + skips + widest
    }

    /// Running means and covariances: five numbers for each normalised channel, as many as it learns there.
    pub(super) fn statistics(&self) -> u64 {
        let encoder: usize = self.layers.iter().map(|layer| layer.channels).sum();
        let innermost = self.layers.last().map_or(0, |layer| layer.channels);
        // The decoder's layers give the channels of the layer above, the outermost one without normalisation.
        count(&[5, 2 * encoder - innermost])
    }

    /// The network, with random weights.
    ///
    /// # Panics
    /// When [`DcunetConfig::validate`] would refuse the configuration.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Dcunet<B> {
        self.validate().expect("validated configuration");
        let mut inputs = vec![1];
        inputs.extend(self.layers.iter().map(|layer| layer.channels));
        let encoder = self.layers.iter().zip(&inputs).map(|(layer, &input)| EncoderLayer {
            convolution: ComplexConv2d::new([input, layer.channels], layer.kernel_size, layer.stride, device),
            norm: ComplexBatchNorm::new(layer.channels, device),
        });
        let last = self.layers.len() - 1;
        let decoder = self.layers.iter().zip(&inputs[..=last]).enumerate().rev().map(|(depth, (layer, &output))| {
            // All but the innermost also receive the encoder's output of their depth.
            let input = if depth == last { layer.channels } else { 2 * layer.channels };
            DecoderLayer {
                convolution: ComplexConvTranspose2d::new([input, output], layer.kernel_size, layer.stride, device),
                norm: (depth > 0).then(|| ComplexBatchNorm::new(output, device)),
            }
        });
        Dcunet {
            stft: self.stft.init(device),
            encoder: encoder.collect(),
            decoder: decoder.collect(),
            compression: self.compression,
            mask_exponent: self.mask_exponent,
            alignment: self.alignment(),
        }
    }
}

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
    /// The same function with more channels (and the other's exponent of the mask), to be trained further, after Chen et al. 2016, "Net2Net: Accelerating Learning via
    /// Knowledge Transfer". Channels that there were see nothing of the new ones yet.
    ///
    /// Deviation: new channels begin at random, as in [`DcunetConfig::init`], not as copies of others.
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

    /// The same network, whose normalisation uses the statistics it has even while it is trained: it learns as what it will be run as.
    pub fn with_frozen_statistics(self) -> Self {
        let encoder = self.encoder.into_iter().map(|layer| EncoderLayer { norm: layer.norm.frozen(), ..layer });
        let decoder = self.decoder.into_iter();
        let decoder = decoder.map(|layer| DecoderLayer { norm: layer.norm.map(ComplexBatchNorm::frozen), ..layer });
        Self { encoder: encoder.collect(), decoder: decoder.collect(), ..self }
    }

    /// # Shapes
    /// `[batch, 1, samples]` → the same, for any number of samples.
    pub fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let precision = self.encoder[0].convolution.precision();
        self.forward_through(waveform, |features| in_precision(precision, features, |x| self.unet(x)))
    }

    /// The same with another body: `unet` maps compressed spectra `[batch, 2, bins, frames]` to masks not yet bounded.
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
        let mask = self.bound(unet(self.compress(spectrum.clone())));
        self.stft.inverse(complex_product(mask, spectrum), samples).reshape([batch, 1, samples])
    }

    /// `S · |S|^(compression - 1)`
    fn compress(&self, spectrum: Tensor<B, 4>) -> Tensor<B, 4> {
        if self.compression == 1.0 {
            return spectrum;
        }
        let power = spectrum.clone().powi_scalar(2).sum_dim(1) + EPSILON;
        spectrum * power.powf_scalar((self.compression - 1.0) / 2.0)
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
    skips.pop(); // the innermost goes on as it is
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

/// The element-wise product of two complex maps of one channel, `[batch, 2, …]` each.
fn complex_product<B: Backend>(a: Tensor<B, 4>, b: Tensor<B, 4>) -> Tensor<B, 4> {
    let part = |x: &Tensor<B, 4>, index: usize| x.clone().narrow(1, index, 1);
    let (a_r, a_i, b_r, b_i) = (part(&a, 0), part(&a, 1), part(&b, 0), part(&b, 1));
    let real = a_r.clone() * b_r.clone() - a_i.clone() * b_i.clone();
    let imaginary = a_r * b_i + a_i * b_r;
    Tensor::cat(vec![real, imaginary], 1)
}
