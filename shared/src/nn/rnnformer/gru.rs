//! A gated recurrent unit along time: Cho et al. 2014, arXiv 1406.1078, as PyTorch computes it, with the reset gate behind
//! the recurrent product.

use burn::module::{Initializer, Param};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;

/// The weights, as PyTorch names and orders them: reset, update, candidate.
#[derive(Module, Debug)]
pub(super) struct Gru<B: Backend> {
    /// `[3 * channels, channels]`: products of the input.
    weight_ih_l0: Param<Tensor<B, 2>>,
    /// `[3 * channels, channels]`: products of the state.
    weight_hh_l0: Param<Tensor<B, 2>>,
    /// `[3 * channels]`
    bias_ih_l0: Param<Tensor<B, 1>>,
    /// `[3 * channels]`
    bias_hh_l0: Param<Tensor<B, 1>>,
}

impl<B: Backend> Gru<B> {
    /// As many channels in as out, all weights uniform within `1 / √channels`.
    pub(super) fn new(channels: usize, device: &B::Device) -> Self {
        let bound = 1.0 / (channels as f64).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        Self {
            weight_ih_l0: uniform.init([3 * channels, channels], device),
            weight_hh_l0: uniform.init([3 * channels, channels], device),
            bias_ih_l0: uniform.init([3 * channels], device),
            bias_hh_l0: uniform.init([3 * channels], device),
        }
    }

    /// The weights as products of rows.
    pub(super) fn gates(&self) -> Gates<B> {
        let [rows, channels] = self.weight_ih_l0.dims();
        assert_eq!(rows, 3 * channels);
        let matrices = |weight: &Param<Tensor<B, 2>>| {
            [0, 1, 2].map(|gate| weight.val().narrow(0, gate * channels, channels).transpose())
        };
        let bias =
            |bias: &Param<Tensor<B, 1>>, gate: usize| bias.val().narrow(0, gate * channels, channels).unsqueeze::<2>();
        let (input, hidden) = (|gate| bias(&self.bias_ih_l0, gate), |gate| bias(&self.bias_hh_l0, gate));
        Gates {
            input: matrices(&self.weight_ih_l0),
            // Where both biases are added to the same sum, one does.
            input_bias: [input(0) + hidden(0), input(1) + hidden(1), input(2)],
            hidden: matrices(&self.weight_hh_l0),
            candidate_bias: hidden(2),
        }
    }
}

/// The weights of a [`Gru`] as products of rows: of the reset gate, the update gate, and the candidate.
#[derive(Clone, Debug)]
pub(super) struct Gates<B: Backend> {
    /// `[channels, channels]` each.
    input: [Tensor<B, 2>; 3],
    /// `[1, channels]` each.
    input_bias: [Tensor<B, 2>; 3],
    /// `[channels, channels]` each.
    hidden: [Tensor<B, 2>; 3],
    /// `[1, channels]`: added to the candidate's recurrent product, which the reset gate attenuates.
    candidate_bias: Tensor<B, 2>,
}

impl<B: Backend> Gates<B> {
    /// The same weights, in memory as products read them.
    pub(super) fn contiguous(self) -> Self {
        let copy = |matrix: Tensor<B, 2>| matrix + 0.0;
        Self { input: self.input.map(copy), hidden: self.hidden.map(copy), ..self }
    }

    /// `[frames, rows, channels]` and the state `[rows, channels]` before the first frame → the states after every frame, and
    /// the last of them.
    pub(super) fn forward(&self, x: Tensor<B, 3>, state: Tensor<B, 2>) -> (Tensor<B, 3>, Tensor<B, 2>) {
        let [frames, rows, channels] = x.dims();
        let x = x.reshape([frames * rows, channels]);
        let project = |gate: usize| x.clone().matmul(self.input[gate].clone()) + self.input_bias[gate].clone();
        let mut states = Vec::with_capacity(frames);
        let last = self.run([project(0), project(1), project(2)], frames, state, &mut states);
        (Tensor::cat(states, 0).reshape([frames, rows, channels]), last)
    }

    /// Runs over projections `[frames * rows, channels]` of all gates. In halves: the gradient of a slice is as large as what
    /// it was cut from, so that cutting off frames one by one would take time quadratic in their number.
    fn run(
        &self,
        projections: [Tensor<B, 2>; 3],
        frames: usize,
        state: Tensor<B, 2>,
        states: &mut Vec<Tensor<B, 2>>,
    ) -> Tensor<B, 2> {
        if frames == 1 {
            let state = self.step(projections, state);
            states.push(state.clone());
            return state;
        }
        let (rows, first) = (state.dims()[0], frames / 2);
        let part = |start: usize, count: usize| {
            projections.each_ref().map(|x| x.clone().narrow(0, start * rows, count * rows))
        };
        let state = self.run(part(0, first), first, state, states);
        self.run(part(first, frames - first), frames - first, state, states)
    }

    /// One frame: `r = σ(x_r + W_r h)`, `z = σ(x_z + W_z h)`, `n = tanh(x_n + r (W_n h + b_n))`, and `n + z (h − n)` is the new
    /// state.
    fn step(&self, [reset, update, candidate]: [Tensor<B, 2>; 3], state: Tensor<B, 2>) -> Tensor<B, 2> {
        let product = |gate: usize| state.clone().matmul(self.hidden[gate].clone());
        let reset = sigmoid(reset + product(0));
        let update = sigmoid(update + product(1));
        let candidate = (candidate + reset * (product(2) + self.candidate_bias.clone())).tanh();
        candidate.clone() + update * (state - candidate)
    }
}
