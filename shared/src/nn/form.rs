//! The two forms of a network: one to train, one to run.

use core::fmt::Debug;

use burn::module::Module;
use burn::prelude::*;

/// How the sums of a network are put to the backend. The result is the same up to rounding.
///
/// This crate knows no backend, so whoever chooses the device also chooses the phrasing. `docs/benchmarks.md` has the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phrasing {
    /// Matrix products over overlapping views. Fastest on Burn's CPU backend, whose convolutions first copy every window. Burn
    /// takes gradients of overlapping views window by window, so this phrasing is for inference only.
    Products,
    /// Convolutions. For graphics processors, whose kernels gather windows on the fly and take no overlapping views.
    Convolutions,
}

/// A network as it is trained.
pub trait TrainableNetwork<B: Backend>: Module<B> {
    /// The same network, ready to run.
    type Inference: InferenceForm<B>;

    /// Waveforms and estimates are in 32 bits. What is between is computed in the precision of the weights, except transforms and
    /// normalisation.
    ///
    /// # Shapes
    /// `[batch, 1, samples]` → the same, for any number of samples from 1.
    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3>;

    /// The same network, whose normalisation keeps its statistics while the network is trained. A network without statistics is
    /// returned as it is.
    fn with_frozen_statistics(self) -> Self {
        self
    }

    /// The network with its present weights and statistics, ready to run as often as needed.
    fn for_inference(self, phrasing: Phrasing) -> Self::Inference;
}

/// What a recurrent network keeps of the signal so far. Make one with [`RecurrentForm::start`].
#[derive(Clone, Debug)]
pub struct Memory<B: Backend>(pub(super) Vec<Tensor<B, 2>>);

impl<B: Backend> Memory<B> {
    /// All that is kept; what each tensor is, the network knows. Those of a GRU come last, one a block.
    pub fn tensors(&self) -> &[Tensor<B, 2>] {
        &self.0
    }
}

/// A network that is run along a signal, which it need not have seen whole: all it needs of what was before is in a
/// [`Memory`].
pub trait RecurrentForm<B: Backend> {
    /// The memory at the start of a signal.
    fn start(&self) -> Memory<B>;

    /// The signal continues. What comes out is what [`InferenceForm::forward`] makes of the whole, delayed by
    /// [`NetworkShape::latency`](super::NetworkShape::latency) less one hop; before it, zeros.
    ///
    /// # Shapes
    /// `[1, 1, samples]` → the same, for samples a multiple of
    /// [`NetworkShape::alignment`](super::NetworkShape::alignment).
    ///
    /// # Panics
    /// When the samples are not such a multiple, or the memory is another network's.
    fn advance(&self, memory: &mut Memory<B>, waveform: Tensor<B, 3>) -> Tensor<B, 3>;
}

/// A network that can only be run. Everything that does not depend on the signal is computed once.
pub trait InferenceForm<B: Backend>: Clone + Debug {
    /// What [`TrainableNetwork::forward`] computes, up to rounding. There are no gradients.
    ///
    /// # Shapes
    /// `[batch, 1, samples]` → the same, for any number of samples from 1.
    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3>;

    /// The same network, to be run along a signal; none where [`NetworkShape::receptive_field`](super::NetworkShape::receptive_field)
    /// is finite.
    fn recurrent(&self) -> Option<&dyn RecurrentForm<B>> {
        None
    }
}
