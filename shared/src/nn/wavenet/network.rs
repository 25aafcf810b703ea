//! Denoising WaveNet: Rethage, Pons and Serra 2018, "A Wavenet for Speech Denoising", arXiv 1706.07162.
//!
//! Gated, dilated, non-causal residual blocks on the raw waveform; the sum of their skip connections goes through two
//! three-tap convolutions to a real-valued output (section 3).
//!
//! Deviations from the paper:
//! - No conditioning on the speaker, as in the report.
//! - Zeros stand for what lies outside the recording, so that the output is as long as the input; the paper predicts only the
//!   part of each window that needs no padding. Away from a recording's ends the two are the same.
//! - The last block computes its residual output only for its skip connection: nothing reads the other half, so it has none.
//! - [`WavenetConfig::frame_length`] above 1 makes a step of that many samples, side by side as channels of the first and of the
//!   last layer; what is between sees further and computes less, as behind the encoder of Luo and Mesgarani 2019, "Conv-TasNet",
//!   arXiv 1809.07454. [`WavenetConfig::estimate`] may be a blend with the input. The paper's preset has neither.
//! - Weights start as Glorot and Bengio's, without biases, and the first layer's louder by what waveforms are less than 1; the paper
//!   does not say how.

use burn::module::Param;
use burn::prelude::*;
use burn::tensor::activation::{relu, sigmoid};

use super::config::WavenetConfig;
use super::convolution::{DilatedConvolution, frames, unframe};
use super::estimate::Estimate;
use super::inference::WavenetInference;
use crate::nn::form::{Phrasing, TrainableNetwork};
use crate::nn::shape::{INPUT_RMS, NetworkShape};
use crate::nn::tensors::in_precision;

/// `a` before training: the input is trusted little.
const INITIAL_TRUST: f32 = -3.0;

/// The network. Make one with [`WavenetConfig::init`].
#[derive(Module, Debug)]
pub struct Wavenet<B: Backend> {
    pub(super) input: DilatedConvolution<B>,
    pub(super) blocks: Vec<ResidualBlock<B>>,
    pub(super) final_1: DilatedConvolution<B>,
    pub(super) final_2: DilatedConvolution<B>,
    pub(super) output: DilatedConvolution<B>,
    #[module(skip)]
    pub(super) estimate: Estimate,
}

impl<B: Backend> Wavenet<B> {
    /// The network, with random weights.
    ///
    /// # Panics
    /// When [`WavenetConfig::validate`] would refuse the configuration.
    pub(super) fn new(config: &WavenetConfig, device: &B::Device) -> Self {
        config.validate().expect("validated configuration");
        let [first, second] = config.final_channels;
        let last = config.stacks * config.blocks_per_stack - 1;
        let block = |(index, dilation)| ResidualBlock::new(config, dilation, index == last, device);
        let network = Self {
            // Waveforms come at this level, and gates open and close at one.
            input: DilatedConvolution::new(
                [config.frame_length, config.residual_channels],
                3,
                1,
                f64::from(INPUT_RMS).recip(),
                device,
            ),
            blocks: config.dilations().enumerate().map(block).collect(),
            final_1: DilatedConvolution::new([config.skip_channels, first], 3, 1, 1.0, device),
            final_2: DilatedConvolution::new([first, second], 3, 1, 1.0, device),
            output: DilatedConvolution::new([second, config.frame_length], 1, 1, f64::from(INPUT_RMS), device),
            estimate: Estimate::Speech,
        };
        match config.estimate {
            Estimate::Speech => network,
            Estimate::Blend => network.into_blend(),
        }
    }

    /// [`TrainableNetwork::forward`] in the precision of the weights.
    fn denoise(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        let samples = waveform.dims()[2];
        let frame_length = self.input.weight.dims()[1];
        let frames = frames(waveform, frame_length).permute([2, 0, 1]);
        let outputs = self.forward_frames(frames.clone());
        unframe(self.estimate.speech(frames, outputs, 0).permute([1, 2, 0]), samples)
    }

    /// A network that estimates the speech, as the [blend](Estimate::Blend) that trusts its input little yet, always the same; one
    /// that blends already stays as it is.
    pub fn into_blend(self) -> Self {
        if self.estimate == Estimate::Blend {
            return self;
        }
        let DilatedConvolution { weight, bias, dilation } = self.output;
        let (weight, bias) = (weight.val(), bias.val());
        let [_, input, taps] = weight.dims();
        let device = weight.device();
        let row = Tensor::zeros([1, input, taps], (&device, weight.dtype()));
        let trust = Tensor::full([1], INITIAL_TRUST, (&device, bias.dtype()));
        let output = DilatedConvolution {
            weight: Param::from_tensor(Tensor::cat(vec![weight, row], 0).detach()),
            bias: Param::from_tensor(Tensor::cat(vec![bias, trust], 0).detach()),
            dilation,
        };
        Self { output, estimate: Estimate::Blend, ..self }
    }

    /// `[frame_length, batch, steps]` → the last layer's outputs, `[channels, batch, steps]`.
    fn forward_frames(&self, frames: Tensor<B, 3>) -> Tensor<B, 3> {
        let [_, batch, steps] = frames.dims();
        let mut x = self.input.forward(frames); // [residual_channels, batch, steps]
        let mut skips: Option<Tensor<B, 2>> = None; // [skip_channels, batch * steps]
        for block in &self.blocks {
            let (residual, skip) = block.forward(x);
            x = residual;
            skips = Some(match skips {
                Some(sum) => sum + skip,
                None => skip,
            });
        }
        let skips = skips.expect("a validated configuration has at least one block");
        let channels = skips.dims()[0];
        let x = self.final_1.forward(relu(skips.reshape([channels, batch, steps])));
        let x = self.final_2.forward(relu(x));
        self.output.forward(relu(x))
    }
}

/// `z = tanh(W_f * x) ⊙ σ(W_g * x)`; the residual output is `x + W_r z`, the skip output `W_s z`.
#[derive(Module, Debug)]
pub(super) struct ResidualBlock<B: Backend> {
    /// Filter and gate in one, `2 * residual_channels` wide.
    pub(super) dilated: DilatedConvolution<B>,
    /// `W_r` above `W_s`, both of one tap; `W_s` alone in the last block.
    pub(super) outputs: DilatedConvolution<B>,
    pub(super) skip_channels: usize,
}

impl<B: Backend> ResidualBlock<B> {
    fn new(config: &WavenetConfig, dilation: usize, last: bool, device: &B::Device) -> Self {
        let (residual, skip) = (config.residual_channels, config.skip_channels);
        let outputs = if last { skip } else { residual + skip };
        Self {
            dilated: DilatedConvolution::new([residual, 2 * residual], config.kernel_size, dilation, 1.0, device),
            outputs: DilatedConvolution::new([residual, outputs], 1, 1, 1.0, device),
            skip_channels: skip,
        }
    }

    /// The residual output `[residual_channels, batch, steps]` and the skip output `[skip_channels, batch * steps]`.
    fn forward(&self, x: Tensor<B, 3>) -> (Tensor<B, 3>, Tensor<B, 2>) {
        let (shape, channels) = (x.dims(), x.dims()[0]);
        let taps = self.dilated.taps(x.clone());
        // tanh(a) = 2 (σ(2a) - 1/2), which the CPU backend computes faster than its own tanh; weights take the factors.
        let filter = sigmoid(self.dilated.product(&taps, 0..channels, [2.0; 2])) - 0.5;
        let gate = sigmoid(self.dilated.product(&taps, channels..2 * channels, [1.0; 2]));
        let half = filter * gate; // [residual_channels, batch * steps]
        let outputs = self.outputs.weight.dims()[0];
        let residual = outputs - self.skip_channels;
        let skip = self.outputs.product(&half, residual..outputs, [2.0, 1.0]);
        let x = if residual == 0 { x } else { x + self.outputs.product(&half, 0..residual, [2.0, 1.0]).reshape(shape) };
        (x, skip)
    }
}

impl<B: Backend> TrainableNetwork<B> for Wavenet<B> {
    type Inference = WavenetInference<B>;

    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        in_precision(self.input.weight.val().dtype(), waveform, |x| self.denoise(x))
    }

    fn for_inference(self, phrasing: Phrasing) -> WavenetInference<B> {
        WavenetInference::new(&self, phrasing == Phrasing::Products)
    }
}
