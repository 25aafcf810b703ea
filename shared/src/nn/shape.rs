//! What every configuration of a network can say without weights, and how it makes the network.

use core::fmt::Debug;

use burn::prelude::*;

use super::form::TrainableNetwork;
use crate::error::{Error, Result};

/// The root mean square to which recordings are brought before a network sees them, in training and afterwards.
pub const INPUT_RMS: f32 = 0.1;

/// The configuration of one kind of network.
///
/// All sizes are of a long signal; what is lost or added at its ends is not counted.
pub trait NetworkShape: Debug {
    /// The network of this shape, as it is trained.
    type Network<B: Backend>: TrainableNetwork<B>
    where
        Self: Sized;

    /// Presets by name, the one to begin with first.
    fn presets() -> Vec<(&'static str, Self)>
    where
        Self: Sized;

    /// A shape that has every part the network can have, yet can run thousands of times in a test.
    fn tiny() -> Self
    where
        Self: Sized;

    /// The network with random weights.
    ///
    /// # Panics
    /// When [`NetworkShape::validate`] would refuse the configuration.
    fn init<B: Backend>(&self, device: &B::Device) -> Self::Network<B>
    where
        Self: Sized;

    /// A network that returns its input, to see whether training leaves it alone.
    ///
    /// # Errors
    /// When no weights are known that make this network the identity.
    fn identity<B: Backend>(&self, _device: &B::Device) -> Result<Self::Network<B>>
    where
        Self: Sized,
    {
        Err(Error::config("network", "one for which identity weights are known", self.kind()))
    }

    /// Turns a trained network of the shape `from` into one of this shape that computes the same, to be trained further. `None` if
    /// that is impossible. Equal shapes are not asked about.
    fn adopt<B: Backend>(&self, _network: Self::Network<B>, _from: &Self) -> Option<Self::Network<B>>
    where
        Self: Sized,
    {
        None
    }

    /// The network's name in configurations: the value of the field `network`.
    fn kind(&self) -> &'static str;

    /// Checks every field against its documented range.
    ///
    /// # Errors
    /// When a field is outside its range.
    fn validate(&self) -> Result<()>;

    /// Samples between two positions at which the network behaves the same.
    fn alignment(&self) -> usize;

    /// Input samples that one output sample depends on, at most. None for a recurrent network: it depends on all that was before.
    fn receptive_field(&self) -> Option<usize>;

    /// Multiply-accumulate operations on real numbers for [`NetworkShape::alignment`] samples, in convolutions and matrix products.
    fn macs(&self) -> u64;

    /// Learned numbers in the network.
    fn parameters(&self) -> u64;

    /// Numbers that normalisation layers track while the network is trained, as many as they learn. Both are always stored in
    /// 32 bits.
    fn statistics(&self) -> u64;

    /// Whether a weight may be stored in 16 bits. `weight` is its path, as in `encoder.0.convolution.kernel.real`. Normalisation
    /// layers keep 32 bits, because their variances could underflow.
    fn is_halvable(&self, weight: &str) -> bool;

    /// Values that a training step keeps at its worst moment for [`NetworkShape::alignment`] samples, estimated.
    fn training_values(&self) -> f64;

    /// Values held at the worst moment of a run over so many samples, estimated.
    fn working_values(&self, samples: u64) -> u64;

    /// Samples on either side of a stretch that its output depends on, at most: half the receptive field, rounded up to the
    /// [`NetworkShape::alignment`]. A recurrent network needs none: it remembers.
    fn context(&self) -> usize {
        self.receptive_field().map_or(0, |field| (field / 2).next_multiple_of(self.alignment()))
    }

    /// How far a streamed output lags behind its input, in samples, not counting time for computing.
    ///
    /// A sample's output needs the [`NetworkShape::context`] that follows it, and waits for the rest of its own aligned block. A
    /// recurrent network says what its transform needs.
    fn latency(&self) -> usize {
        self.context() + self.alignment()
    }
}
