//! What the last layer of a WaveNet gives, and the speech in it.

use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use serde::{Deserialize, Serialize};

/// What the last layer gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimate {
    /// The speech, as in the paper.
    Speech,
    /// The speech and, for every step, how far the input is to be trusted instead. `x` being the input, of which the last layer gives
    /// `r` and `a`: `g x + (1 - g) r` with `g = σ(a)`. What needs no denoising can pass unchanged.
    ///
    /// Trained from random weights it learns to trust its input and nothing else; begin with [`super::Wavenet::into_blend`].
    Blend,
}

impl Estimate {
    /// Channels of the last layer for steps of so many samples.
    pub(super) fn channels(self, frame_length: usize) -> usize {
        match self {
            Self::Speech => frame_length,
            Self::Blend => frame_length + 1,
        }
    }

    /// The speech in `frames`, for which the last layer gave `outputs`; channels are dimension `axis`.
    pub(super) fn speech<B: Backend>(self, frames: Tensor<B, 3>, outputs: Tensor<B, 3>, axis: usize) -> Tensor<B, 3> {
        match self {
            Self::Speech => outputs,
            Self::Blend => {
                let frame_length = frames.dims()[axis];
                let trust = sigmoid(outputs.clone().narrow(axis, frame_length, 1));
                let speech = outputs.narrow(axis, 0, frame_length);
                speech.clone() + trust * (frames - speech)
            }
        }
    }
}
