//! The shape of an RNNFormer.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::network::Rnnformer;
use crate::dsp::StftConfig;
use crate::error::{Error, Result};
use crate::nn::arithmetic::{check_range, count};
use crate::nn::shape::NetworkShape;

/// Bins that the first and the last layer see of every sub-band, and bins in a sub-band.
pub(super) const KERNEL: usize = 8;
pub(super) const STRIDE: usize = 4;

/// The shape of an RNNFormer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RnnformerConfig {
    /// The transform at both ends: `n_fft` 24 to 4096, a multiple of 8, and half of it as `hop_length`.
    pub stft: StftConfig,
    /// Channels of the convolutions along frequency, 1 to 512.
    pub channels: usize,
    /// Blocks of a GRU and attention, 1 to 8.
    pub blocks: usize,
    /// Channels of the blocks, 1 to 512, a multiple of `heads`.
    pub inner_channels: usize,
    /// Bands of the blocks, 3 to as many as there are sub-bands: `n_fft / 8`.
    pub bands: usize,
    /// Heads of the attention, 1 to 16.
    pub heads: usize,
    /// The network sees `|S|^compression`, phase kept, and masks it. 0.1 to 1 (no compression).
    pub compression: f64,
}

impl RnnformerConfig {
    fn of(channels: usize, blocks: usize, inner_channels: usize, bands: usize) -> Self {
        let stft = StftConfig { n_fft: 512, hop_length: 256 };
        Self { stft, channels, blocks, inner_channels, bands, heads: 4, compression: 0.3 }
    }

    /// The paper's T.
    pub fn small() -> Self {
        Self::of(24, 2, 20, 16)
    }

    /// The paper's B.
    pub fn base() -> Self {
        Self::of(48, 3, 36, 24)
    }

    /// Between the paper's S and M.
    pub fn large() -> Self {
        Self::of(64, 3, 64, 32)
    }

    /// Bins between the layers of stride [`STRIDE`].
    pub(super) fn sub_bands(&self) -> usize {
        self.stft.n_fft / 2 / STRIDE
    }

    /// Values that leave a layer for every frame.
    fn activations(&self) -> u64 {
        let (channels, inner) = (self.channels, self.inner_channels);
        // Of a map of sub-bands: what neighbours, joins and layers give, before and after their normalisation and activation.
        let encoder = count(&[self.sub_bands(), 3 * channels + 2 * (3 * channels + 3 * channels)]);
        let decoder = count(&[self.sub_bands(), 2 * (2 * channels + 3 * channels + 3 * channels + 3 * channels)]);
        let join = count(&[self.sub_bands(), 2 * channels + 3 * channels]);
        let block = count(&[self.bands, (8 + 3 + 3 + 3 + 5) * inner + 3 * self.heads * self.bands]);
        encoder + decoder + join + self.blocks as u64 * block
    }
}

impl NetworkShape for RnnformerConfig {
    type Network<B: Backend> = Rnnformer<B>;

    fn presets() -> Vec<(&'static str, Self)> {
        vec![("rnnformer", Self::base()), ("rnnformer-tiny", Self::small()), ("rnnformer-large", Self::large())]
    }

    fn tiny() -> Self {
        Self {
            stft: StftConfig { n_fft: 32, hop_length: 16 },
            channels: 3,
            blocks: 2,
            inner_channels: 4,
            bands: 3,
            heads: 2,
            compression: 0.5,
        }
    }

    fn init<B: Backend>(&self, device: &B::Device) -> Rnnformer<B> {
        Rnnformer::<B>::new(self, device)
    }

    fn kind(&self) -> &'static str {
        "rnnformer"
    }

    fn validate(&self) -> Result<()> {
        self.stft.validate_overlap(2)?;
        check_range("n_fft", self.stft.n_fft, 24..=4096)?;
        if !self.stft.n_fft.is_multiple_of(2 * STRIDE) {
            return Err(Error::config("n_fft", format!("a multiple of {}", 2 * STRIDE), self.stft.n_fft));
        }
        if self.stft.hop_length != self.stft.n_fft / 2 {
            return Err(Error::config(
                "hop_length",
                format!("half of n_fft, {}", self.stft.n_fft / 2),
                self.stft.hop_length,
            ));
        }
        check_range("channels", self.channels, 1..=512)?;
        check_range("blocks", self.blocks, 1..=8)?;
        check_range("inner_channels", self.inner_channels, 1..=512)?;
        check_range("bands", self.bands, 3..=self.sub_bands())?;
        check_range("heads", self.heads, 1..=16)?;
        if !self.inner_channels.is_multiple_of(self.heads) {
            let expected = format!("a multiple of heads, {}", self.heads);
            return Err(Error::config("inner_channels", expected, self.inner_channels));
        }
        if !(0.1..=1.0).contains(&self.compression) {
            return Err(Error::config("compression", "0.1 to 1", self.compression));
        }
        Ok(())
    }

    fn alignment(&self) -> usize {
        self.stft.hop_length
    }

    /// All that was before: the GRUs may remember it.
    fn receptive_field(&self) -> Option<usize> {
        None
    }

    /// A frame's worth: a sample is in two frames, of which the later one must be complete.
    fn latency(&self) -> usize {
        self.stft.n_fft
    }

    /// Multiplications for every frame, with `K` sub-bands, `C` channels, `I` inner channels and `S` bands: `4 · 16 K C` in the
    /// first and the last layer, `K (2 · 3 C² + 2 (2 C² + 3 C²) + 2 C²)` in the convolutions and joins, `2 K S C` in the filters,
    /// `2 S C I` between them and the blocks, and `S (6 + 1 + 3 + 1) I² + 2 S² I` in a block. The transforms are not counted.
    fn macs(&self) -> u64 {
        let (channels, inner, bands, sub_bands) = (self.channels, self.inner_channels, self.bands, self.sub_bands());
        let ends = count(&[2, sub_bands, 2 * KERNEL, channels]);
        let convolutions = count(&[sub_bands, 2 * 3 + 2 * (2 + 3) + 2, channels, channels]);
        let filters = count(&[2, sub_bands, bands, channels]) + count(&[2, bands, channels, inner]);
        let block = count(&[bands, 6 + 1 + 3 + 1, inner, inner]) + count(&[2, bands, bands, inner]);
        ends + convolutions + filters + self.blocks as u64 * block
    }

    fn parameters(&self) -> u64 {
        let (channels, inner) = (self.channels, self.inner_channels);
        let ends = 2 * count(&[2, KERNEL, channels]) + 2;
        let convolutions = count(&[2 * 3 + 2 * (2 + 3) + 2, channels, channels]);
        let between = 2 * count(&[channels, inner]) + count(&[self.bands, inner]);
        let block = count(&[6 + 1 + 3 + 1, inner, inner]) + count(&[6, inner]);
        ends + convolutions + between + self.blocks as u64 * block + self.statistics()
    }

    /// Two for each channel that is normalised: in the first layer, two of the encoder, two and two of the decoder, the last join and
    /// the way up; on the way down and twice in a block.
    fn statistics(&self) -> u64 {
        2 * (count(&[1 + 2 + 4 + 1 + 1, self.channels]) + count(&[1 + 2 * self.blocks, self.inner_channels]))
    }

    fn is_halvable(&self, weight: &str) -> bool {
        !weight.split('.').any(|part| part.ends_with("norm"))
    }

    /// Measured: 1.1 numbers for each activation.
    fn training_values(&self) -> f64 {
        self.activations() as f64 * 1.1
    }

    /// The spectra; and three skips, a map with its neighbours, and what comes of them.
    fn working_values(&self, samples: u64) -> u64 {
        let frames = samples.div_ceil(self.stft.hop_length as u64) + 1;
        let maps = count(&[self.sub_bands(), (3 + 1 + 3 + 1 + 1) * self.channels]);
        let blocks = count(&[self.bands, 10 * self.inner_channels + 3 * self.heads * self.bands]);
        let spectra = count(&[10, self.stft.n_fft]);
        frames * (spectra + maps.max(count(&[self.sub_bands(), 4 * self.channels]) + blocks))
    }
}
