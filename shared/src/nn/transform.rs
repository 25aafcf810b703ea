//! The short-time Fourier transform and its inverse as one matrix product each over overlapping windows.

use burn::prelude::*;
use burn::tensor::ops::PadMode;

use crate::dsp::StftConfig;
use crate::dsp::stft::Stft;

/// Real and imaginary part of a spectrum, `[batch, frames, bins]` each.
pub(super) type SpectrumParts<B> = [Tensor<B, 3>; 2];

/// As [`Stft`], with time before frequency and neither frames copied nor overlaps added up.
#[derive(Clone, Debug)]
pub(super) struct InferenceStft<B: Backend> {
    /// `[1, n_fft, bins]` each: for real and imaginary parts.
    analysis: [Tensor<B, 3>; 2],
    /// `[1, overlap * 2 * bins, hop_length]`: a block of one hop from all frames that reach it, the earliest first.
    synthesis: Tensor<B, 3>,
    /// `[1, overlap, hop_length]`: the squared window likewise.
    envelope: Tensor<B, 3>,
    config: StftConfig,
}

impl<B: Backend> InferenceStft<B> {
    pub(super) fn new(stft: &Stft<B>) -> Self {
        let config = stft.config();
        let StftConfig { n_fft, hop_length } = config;
        let (overlap, rows) = (n_fft / hop_length, 2 * config.bins());
        // The earliest frame ends in this block: its part is the last of the window.
        let synthesis = stft.synthesis.clone().reshape([rows, overlap, hop_length]).flip([1]).swap_dims(0, 1);
        Self {
            analysis: [0, config.bins()].map(|start| {
                // Copied, so that the rows of each are neighbours.
                let basis = stft.analysis.clone().narrow(1, start, config.bins());
                (basis + 0.0).unsqueeze()
            }),
            synthesis: synthesis.reshape([1, overlap * rows, hop_length]),
            envelope: stft.squared_window.clone().reshape([1, overlap, hop_length]).flip([1]),
            config,
        }
    }

    /// Of `[batch, samples]`.
    pub(super) fn forward(&self, signal: Tensor<B, 2>) -> SpectrumParts<B> {
        let StftConfig { n_fft, hop_length } = self.config;
        let samples = signal.dims()[1];
        let (half, covered) = (n_fft / 2, (self.config.frames(samples) - 1) * hop_length);
        let signal = signal.pad([(0, 0), (half, half + covered - samples)], PadMode::Constant(0.0));
        let frames: Tensor<B, 3> = signal.unfold(1, n_fft, hop_length);
        self.analysis.clone().map(|basis| frames.clone().matmul(basis))
    }

    /// To `[batch, samples]`.
    pub(super) fn inverse(&self, spectrum: SpectrumParts<B>, samples: usize) -> Tensor<B, 2> {
        let spectrum = Tensor::cat(spectrum.to_vec(), 2);
        let [batch, frames, _] = spectrum.dims();
        let ones = Tensor::ones([1, frames, 1], &spectrum.device());
        let envelope = self.overlap(ones, &self.envelope, samples);
        self.overlap(spectrum, &self.synthesis, samples) / envelope.repeat_dim(0, batch)
    }

    /// `[batch, frames, width]` and `[1, overlap * width, hop_length]` → `[batch, samples]`
    fn overlap(&self, frames: Tensor<B, 3>, basis: &Tensor<B, 3>, samples: usize) -> Tensor<B, 2> {
        let StftConfig { n_fft, hop_length } = self.config;
        let overlap = n_fft / hop_length;
        let padded = frames.pad([(0, 0), (overlap - 1, overlap - 1), (0, 0)], PadMode::Constant(0.0));
        let [batch, rows, width] = padded.dims();
        let windows: Tensor<B, 3> = padded.reshape([batch, rows * width]).unfold(1, overlap * width, width);
        let blocks = windows.matmul(basis.clone()); // [batch, rows - overlap + 1, hop_length]
        let count = rows - overlap + 1;
        blocks.reshape([batch, count * hop_length]).narrow(1, n_fft / 2, samples)
    }
}
