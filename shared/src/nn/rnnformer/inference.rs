//! The network as it is run: frame by frame with a memory, or over a whole signal, which is the same from an empty memory.

use burn::prelude::*;
use burn::tensor::ops::PadMode;

use super::flow::Flow;
use super::layers::Folded;
use super::network::Rnnformer;
use crate::dsp::StftConfig;
use crate::nn::form::{InferenceForm, Memory, Phrasing, RecurrentForm};
use crate::nn::tensors::{complex_product, raise_magnitude};

/// The network, ready to run: normalisation is contained in the products, and so are the windows of both transforms.
#[derive(Clone, Debug)]
pub struct RnnformerInference<B: Backend> {
    flow: Flow<B, Folded<B>>,
    /// `[1, n_fft, 2 * (bins - 1)]`: real parts before imaginary parts, without the last bin.
    analysis: Tensor<B, 3>,
    /// `[1, 2 * 2 * (bins - 1), hop_length]`: a block of one hop from both frames that reach it, the earlier one first.
    synthesis: Tensor<B, 3>,
    stft: StftConfig,
    compression: f64,
    /// Frames that go through the network together; none for all that there are.
    frames_at_once: Option<usize>,
}

/// On a CPU. Maps of more frames do not fit into its caches: 500 took nearly twice as long for each (2026-11-28).
const FRAMES_AT_ONCE: usize = 16;

impl<B: Backend> RnnformerInference<B> {
    pub(super) fn new(network: &Rnnformer<B>, phrasing: Phrasing) -> Self {
        let stft = network.stft.config();
        let StftConfig { n_fft, hop_length } = stft;
        let (bins, kept) = (stft.bins(), stft.bins() - 1);
        let parts = |basis: Tensor<B, 2>, axis: usize| {
            let part = |start: usize| basis.clone().narrow(axis, start, kept);
            Tensor::cat(vec![part(0), part(bins)], axis)
        };
        // What frames add up to is divided by the sum of both squared windows.
        let envelope = network.stft.squared_window.clone().reshape([2, hop_length]).sum_dim(0);
        let synthesis = parts(network.stft.synthesis.clone(), 0).reshape([2 * kept, 2, hop_length]);
        // The earlier frame ends in this block: its part is the last of the window.
        let synthesis = synthesis.flip([1]).swap_dims(0, 1).reshape([1, 4 * kept, hop_length]);
        Self {
            flow: network.flow().folded(|layer| Folded::new(&layer)),
            analysis: parts(network.stft.analysis.clone(), 1).reshape([1, n_fft, 2 * kept]),
            synthesis: synthesis / envelope.unsqueeze(),
            stft,
            compression: network.compression,
            frames_at_once: (phrasing == Phrasing::Products).then_some(FRAMES_AT_ONCE),
        }
    }

    /// An empty memory for a batch of signals.
    fn silence(&self, batch: usize) -> Memory<B> {
        let device = self.analysis.device();
        let zeros = |rows: usize, width: usize| Tensor::zeros([rows, width], &device);
        let [bands, inner] = self.flow.embedding.dims();
        let mut memory = vec![zeros(batch, self.stft.hop_length), zeros(batch, self.stft.n_fft)];
        memory.extend(self.flow.blocks.iter().map(|_| zeros(bands * batch, inner)));
        Memory(memory)
    }

    /// Estimates `[batch, frames, 2, bins]` of spectra of the same shape, without the last bin.
    fn estimate(&self, spectrum: Tensor<B, 4>, states: &mut [Tensor<B, 2>]) -> Tensor<B, 4> {
        // As `[batch * frames, 2, bins, 1]`, so that both parts are where spectra have them.
        let [batch, frames, _, bins] = spectrum.dims();
        let compressed = raise_magnitude(spectrum.reshape([batch * frames, 2, bins, 1]), self.compression);
        let map = compressed.clone().reshape([batch, frames, 2, bins]).permute([3, 1, 0, 2]);
        let (mask, last) = self.flow.forward(map, Some(states));
        states.clone_from_slice(&last);
        let mask = mask.permute([2, 1, 3, 0]).reshape([batch * frames, 2, bins, 1]);
        let estimate = raise_magnitude(complex_product(mask, compressed), 1.0 / self.compression);
        estimate.reshape([batch, frames, 2, bins])
    }
}

impl<B: Backend> RecurrentForm<B> for RnnformerInference<B> {
    fn start(&self) -> Memory<B> {
        self.silence(1)
    }

    fn advance(&self, memory: &mut Memory<B>, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let hop_length = self.stft.hop_length;
        let samples = waveform.dims()[2];
        assert!(samples.is_multiple_of(hop_length) && samples > 0, "{samples} samples are not a number of hops");
        let at_once = self.frames_at_once.map_or(samples, |frames| frames * hop_length);
        let part = |start: usize| self.step(memory, waveform.clone().narrow(2, start, at_once.min(samples - start)));
        Tensor::cat((0..samples).step_by(at_once).map(part).collect(), 2)
    }
}

impl<B: Backend> RnnformerInference<B> {
    /// [`RecurrentForm::advance`] by not too many frames.
    fn step(&self, Memory(memory): &mut Memory<B>, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let StftConfig { n_fft, hop_length } = self.stft;
        let [batch, _, samples] = waveform.dims();
        let frames = samples / hop_length;
        let [last_block, last_estimate, states @ ..] = memory.as_mut_slice() else {
            panic!("not a memory of this network");
        };
        let signal = Tensor::cat(vec![last_block.clone(), waveform.reshape([batch, samples])], 1);
        *last_block = signal.clone().narrow(1, samples, hop_length);
        let windows = pairs(signal.reshape([batch, frames + 1, hop_length]));
        let spectrum = windows.matmul(self.analysis.clone()); // [batch, frames, n_fft]
        let estimate = self.estimate(spectrum.reshape([batch, frames, 2, n_fft / 2]), states);
        let estimate = estimate.reshape([batch, frames, n_fft]);
        let rows = Tensor::cat(vec![last_estimate.clone().reshape([batch, 1, n_fft]), estimate.clone()], 1);
        *last_estimate = estimate.narrow(1, frames - 1, 1).reshape([batch, n_fft]);
        pairs(rows).matmul(self.synthesis.clone()).reshape([batch, 1, samples])
    }
}

/// Every row and the next one: `[batch, rows + 1, width]` → `[batch, rows, 2 * width]`.
fn pairs<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 3> {
    let rows = x.dims()[1] - 1;
    Tensor::cat(vec![x.clone().narrow(1, 0, rows), x.narrow(1, 1, rows)], 2)
}

impl<B: Backend> InferenceForm<B> for RnnformerInference<B> {
    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let hop_length = self.stft.hop_length;
        let [batch, _, samples] = waveform.dims();
        let frames = samples.div_ceil(hop_length) + 1;
        let waveform = waveform.pad([(0, 0), (0, 0), (0, frames * hop_length - samples)], PadMode::Constant(0.0));
        let output = self.advance(&mut self.silence(batch), waveform);
        output.narrow(2, hop_length, samples)
    }

    fn recurrent(&self) -> Option<&dyn RecurrentForm<B>> {
        Some(self)
    }
}
