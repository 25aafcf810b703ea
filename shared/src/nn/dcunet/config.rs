//! The shape of a Deep Complex U-Net.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::network::Dcunet;
use crate::dsp::StftConfig;
use crate::error::{Error, Result};
use crate::nn::arithmetic::{check_range, count, product};
use crate::nn::shape::NetworkShape;

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
    /// Whether a network of this shape may become one of the other by [`Dcunet::grown`](super::Dcunet::grown): nothing differs but channels, none of
    /// which get fewer, and the mask's exponent.
    pub fn grows_to(&self, larger: &Self) -> bool {
        let mut grown = Self { mask_exponent: larger.mask_exponent, ..self.clone() };
        for (layer, to) in grown.layers.iter_mut().zip(&larger.layers) {
            layer.channels = layer.channels.max(to.channels);
        }
        grown == *larger
    }

    pub(super) fn total_stride(&self, axis: usize) -> usize {
        product(self.layers.iter().map(|layer| layer.stride[axis]))
    }

    /// Values that leave a layer, real and imaginary parts apart, for every [`NetworkShape::alignment`] samples.
    fn activations(&self) -> u64 {
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
}

impl NetworkShape for DcunetConfig {
    type Network<B: Backend> = Dcunet<B>;

    fn presets() -> Vec<(&'static str, Self)> {
        vec![
            ("dcunet-small", Self::small()),
            ("dcunet-medium", Self::medium()),
            ("dcunet-10", Self::dcunet_10()),
            ("dcunet-16", Self::dcunet_16()),
            ("dcunet-20", Self::dcunet_20()),
            ("large-dcunet-20", Self::large_dcunet_20()),
        ]
    }

    fn tiny() -> Self {
        let layer = |channels, stride| DcunetLayer { channels, kernel_size: [3, 3], stride };
        Self {
            stft: StftConfig { n_fft: 16, hop_length: 4 },
            layers: vec![layer(2, [2, 2]), layer(3, [2, 1])],
            compression: 0.5,
            mask_exponent: 0.8,
        }
    }

    fn init<B: Backend>(&self, device: &B::Device) -> Dcunet<B> {
        Dcunet::<B>::new(self, device)
    }

    /// A network gets more channels, or another exponent of its mask.
    fn adopt<B: Backend>(&self, network: Dcunet<B>, from: &Self) -> Option<Dcunet<B>> {
        from.grows_to(self).then(|| Dcunet::<B>::grown(network, self))
    }

    fn kind(&self) -> &'static str {
        "dcunet"
    }

    fn validate(&self) -> Result<()> {
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

    /// The time strides times the hop.
    fn alignment(&self) -> usize {
        self.total_stride(1) * self.stft.hop_length
    }

    fn receptive_field(&self) -> Option<usize> {
        let mut jump = 1;
        let mut reach = 0; // frames to either side
        for layer in &self.layers {
            // The encoder layer looks around at its input's resolution, and so does its mirror at the same, its output's.
            reach += 2 * (layer.kernel_size[1] / 2) * jump;
            jump *= layer.stride[1];
        }
        Some(2 * (reach * self.stft.hop_length + self.stft.n_fft) - 1)
    }

    /// Multiplications of real numbers for every [`NetworkShape::alignment`] samples.
    ///
    /// A complex convolution from `I` to `O` channels with a kernel of `k_f × k_t` takes `4 · I · O · k_f · k_t` at every
    /// position of its smaller side: of the output in the encoder, of the input in the decoder. That counts the taps that fall
    /// off the edges of the spectrum, which nothing multiplies. The transform and its inverse count as the matrix products that
    /// they are, `2 · n_fft · bins` each for a frame. Masks, normalisation and activations are not counted.
    fn macs(&self) -> u64 {
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

    fn parameters(&self) -> u64 {
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

    /// Running means and covariances: five numbers for each normalised channel, as many as it learns there.
    fn statistics(&self) -> u64 {
        let encoder: usize = self.layers.iter().map(|layer| layer.channels).sum();
        let innermost = self.layers.last().map_or(0, |layer| layer.channels);
        // The decoder's layers give the channels of the layer above, the outermost one without normalisation.
        count(&[5, 2 * encoder - innermost])
    }

    fn is_halvable(&self, weight: &str) -> bool {
        !weight.split('.').any(|field| field == "norm")
    }

    /// Measured: 6 numbers for each activation.
    fn training_values(&self) -> f64 {
        self.activations() as f64 * 6.0
    }

    /// Values held at the worst moment of a run over so many samples, estimated: spectra, the encoder's maps, which the decoder
    /// receives, and the layer that takes most on top of them.
    fn working_values(&self, samples: u64) -> u64 {
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
}
