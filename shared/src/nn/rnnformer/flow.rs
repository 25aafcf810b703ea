//! The way of a spectrum through the network, the same in training and afterwards.

use burn::prelude::*;
use burn::tensor::activation::{silu, softmax};

use super::config::STRIDE;
use super::gru::Gates;
use super::layers::RowLayer;

/// The network between compressed spectrum and mask, of layers `L`.
///
/// Maps of sub-bands are `[sub_bands, rows, channels]`, with rows for frames and for the items of a batch within them: neighbouring
/// sub-bands are then whole blocks of memory, and filters between bands are one product.
#[derive(Clone, Debug)]
pub(super) struct Flow<B: Backend, L> {
    pub(super) input: L,
    pub(super) encoder: Vec<L>,
    /// `[bands, sub_bands]`
    pub(super) filters_down: Tensor<B, 2>,
    pub(super) down: L,
    /// `[bands, inner_channels]`
    pub(super) embedding: Tensor<B, 2>,
    pub(super) blocks: Vec<FlowBlock<B, L>>,
    pub(super) up: L,
    /// `[sub_bands, bands]`
    pub(super) filters_up: Tensor<B, 2>,
    /// A join and a convolution each.
    pub(super) decoder: Vec<[L; 2]>,
    pub(super) join: L,
    /// `[channels, blocks * stride * 2]`: the bins that a sub-band reaches.
    pub(super) output: Tensor<B, 2>,
    /// `[2]`
    pub(super) output_bias: Tensor<B, 1>,
    pub(super) heads: usize,
}

/// A block between encoder and decoder.
#[derive(Clone, Debug)]
pub(super) struct FlowBlock<B: Backend, L> {
    pub(super) gates: Gates<B>,
    /// What follows the GRU.
    pub(super) gru: L,
    /// `[inner_channels, 3 * inner_channels]`: queries, keys and values.
    pub(super) qkv: Tensor<B, 2>,
    /// What follows the attention.
    pub(super) attention: L,
}

impl<B: Backend, L> Flow<B, L> {
    /// The same with other layers, and products in memory as they are read.
    pub(super) fn folded<M>(self, fold: impl Fn(L) -> M) -> Flow<B, M> {
        let copy = |matrix: Tensor<B, 2>| matrix + 0.0;
        Flow {
            input: fold(self.input),
            encoder: self.encoder.into_iter().map(&fold).collect(),
            filters_down: self.filters_down,
            down: fold(self.down),
            embedding: self.embedding,
            blocks: self
                .blocks
                .into_iter()
                .map(|block| FlowBlock {
                    gates: block.gates.contiguous(),
                    gru: fold(block.gru),
                    qkv: copy(block.qkv),
                    attention: fold(block.attention),
                })
                .collect(),
            up: fold(self.up),
            filters_up: self.filters_up,
            decoder: self.decoder.into_iter().map(|layers| layers.map(&fold)).collect(),
            join: fold(self.join),
            output: copy(self.output),
            output_bias: self.output_bias,
            heads: self.heads,
        }
    }
}

impl<B: Backend, L: RowLayer<B>> Flow<B, L> {
    /// The mask of a compressed spectrum, and the states of the blocks after its last frame.
    ///
    /// # Shapes
    /// `[bins, frames, batch, 2]` → the same, for bins without the last; states are `[bands * batch, inner_channels]`, one a block,
    /// silence taken to precede where none are given.
    pub(super) fn forward(
        &self,
        spectrum: Tensor<B, 4>,
        states: Option<&[Tensor<B, 2>]>,
    ) -> (Tensor<B, 4>, Vec<Tensor<B, 2>>) {
        let [bins, frames, batch, _] = spectrum.dims();
        let sub_bands = bins / STRIDE;

        let mut x = silu(self.input.forward(windows(spectrum)));
        let mut skips = vec![x.clone()];
        for layer in &self.encoder {
            x = silu(layer.forward(neighbours(x, sub_bands)));
            skips.push(x.clone());
        }

        let x = self.filter(&self.filters_down, x);
        let x = self.down.forward(x);
        let [bands, inner] = self.embedding.dims();
        // Time first, for the GRUs to go along it.
        let x = x.reshape([bands, frames, batch, inner]).swap_dims(0, 1);
        let mut x = x + self.embedding.clone().reshape([1, bands, 1, inner]);
        let mut last = Vec::with_capacity(self.blocks.len());
        for (index, block) in self.blocks.iter().enumerate() {
            let state = states.map(|states| states[index].clone());
            let state = state.unwrap_or_else(|| Tensor::zeros([bands * batch, inner], (&x.device(), x.dtype())));
            let (recurrent, state) = block.along_time(x.clone(), state);
            x = x + recurrent;
            x = x.clone() + block.along_bands(x, self.heads);
            last.push(state);
        }
        let x = x.swap_dims(0, 1).reshape([bands * frames * batch, inner]);

        let mut x = self.filter(&self.filters_up, self.up.forward(x));
        let mut join = |x: Tensor<B, 2>, layer: &L| {
            let skip = skips.pop().expect("an output of the encoder for every join");
            silu(layer.forward(Tensor::cat(vec![x, skip], 1)))
        };
        for [layer, convolution] in &self.decoder {
            x = silu(convolution.forward(neighbours(join(x, layer), sub_bands)));
        }
        let mask = overlap(join(x, &self.join).matmul(self.output.clone()), sub_bands);
        let mask = mask.reshape([bins, frames, batch, 2]);
        (mask + self.output_bias.clone().reshape([1, 1, 1, 2]), last)
    }

    /// `[from * rows, channels]` → `[to * rows, channels]` by filters `[to, from]`.
    fn filter(&self, filters: &Tensor<B, 2>, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let [to, from] = filters.dims();
        let [rows, channels] = x.dims();
        let rows = rows / from;
        let filters = filters.clone().cast(x.dtype());
        filters.matmul(x.reshape([from, rows * channels])).reshape([to * rows, channels])
    }
}

impl<B: Backend, L: RowLayer<B>> FlowBlock<B, L> {
    /// `[frames, bands, batch, channels]` and a state → the same, to be added, and the state after it.
    fn along_time(&self, x: Tensor<B, 4>, state: Tensor<B, 2>) -> (Tensor<B, 4>, Tensor<B, 2>) {
        let [frames, bands, batch, channels] = x.dims();
        let (states, last) = self.gates.forward(x.reshape([frames, bands * batch, channels]), state);
        let x = self.gru.forward(states.reshape([frames * bands * batch, channels]));
        (x.reshape([frames, bands, batch, channels]), last)
    }

    /// Scaled dot-product attention with several heads: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.
    ///
    /// `[frames, bands, batch, channels]` → the same, to be added.
    fn along_bands(&self, x: Tensor<B, 4>, heads: usize) -> Tensor<B, 4> {
        let [frames, bands, batch, channels] = x.dims();
        let width = channels / heads;
        let qkv = x.reshape([frames * bands * batch, channels]).matmul(self.qkv.clone());
        let qkv = qkv.reshape([frames, bands, batch, 3, heads, width]).permute([3, 0, 2, 4, 1, 5]);
        let [q, k, v] =
            [0, 1, 2].map(|index| qkv.clone().narrow(0, index, 1).reshape([frames * batch * heads, bands, width]));
        let scores = (q / (width as f64).sqrt()).matmul(k.swap_dims(1, 2));
        let heard = softmax(scores, 2).matmul(v); // [frames * batch * heads, bands, width]
        let heard = heard.reshape([frames, batch, heads, bands, width]).permute([0, 3, 1, 2, 4]);
        let x = self.attention.forward(heard.reshape([frames * bands * batch, channels]));
        x.reshape([frames, bands, batch, channels])
    }
}

/// What a strided convolution sees of every sub-band: `[bins, frames, batch, 2]` → `[sub_bands * rows, 2 * stride * 2]`.
fn windows<B: Backend>(spectrum: Tensor<B, 4>) -> Tensor<B, 2> {
    let [bins, frames, batch, parts] = spectrum.dims();
    let (sub_bands, rows, margin) = (bins / STRIDE, frames * batch, STRIDE / 2);
    let zeros = Tensor::zeros([margin, frames, batch, parts], (&spectrum.device(), spectrum.dtype()));
    let padded = Tensor::cat(vec![zeros.clone(), spectrum, zeros], 0);
    let blocks = padded.reshape([sub_bands + 1, STRIDE, rows, parts]).swap_dims(1, 2);
    let blocks = blocks.reshape([sub_bands + 1, rows, STRIDE * parts]);
    let both = [0, 1].map(|start| blocks.clone().narrow(0, start, sub_bands));
    Tensor::cat(both.to_vec(), 2).reshape([sub_bands * rows, 2 * STRIDE * parts])
}

/// The reverse: what every sub-band gives to the bins it reaches, added up. `[sub_bands * rows, 2 * stride * 2]` →
/// `[bins, rows * 2]`.
fn overlap<B: Backend>(reached: Tensor<B, 2>, sub_bands: usize) -> Tensor<B, 2> {
    let [rows, width] = reached.dims();
    let (rows, parts, margin) = (rows / sub_bands, width / (2 * STRIDE), STRIDE / 2);
    let reached = reached.reshape([sub_bands, rows, 2, STRIDE * parts]);
    let zeros = Tensor::zeros([1, rows, STRIDE * parts], (&reached.device(), reached.dtype()));
    let half = |index: usize| reached.clone().narrow(2, index, 1).reshape([sub_bands, rows, STRIDE * parts]);
    let sum = Tensor::cat(vec![half(0), zeros.clone()], 0) + Tensor::cat(vec![zeros, half(1)], 0);
    let bins = sum.reshape([sub_bands + 1, rows, STRIDE, parts]).swap_dims(1, 2);
    bins.reshape([(sub_bands + 1) * STRIDE, rows * parts]).narrow(0, margin, sub_bands * STRIDE)
}

/// Every sub-band beside its two neighbours, zeros outside: `[sub_bands * rows, channels]` → `[sub_bands * rows, 3 * channels]`.
fn neighbours<B: Backend>(x: Tensor<B, 2>, sub_bands: usize) -> Tensor<B, 2> {
    let [rows, channels] = x.dims();
    let rows_each = rows / sub_bands;
    let zeros = Tensor::zeros([rows_each, channels], (&x.device(), x.dtype()));
    let padded = Tensor::cat(vec![zeros.clone(), x, zeros], 0);
    Tensor::cat([0, 1, 2].map(|tap| padded.clone().narrow(0, tap * rows_each, rows)).to_vec(), 1)
}
