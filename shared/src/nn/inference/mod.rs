//! The networks as they are run, not trained: everything that does not depend on the signal is computed once.
//!
//! Block kernels of complex convolutions are made, batch normalisation is folded into them with its running statistics, and
//! the sums are phrased so that a CPU does them as large matrix products without copying windows. The results are those of
//! [`Network::forward`] up to rounding. There are no gradients: the phrasing relies on overlapping views, whose gradients Burn
//! takes window by window.

mod autoencoder;
mod convolution;
mod dcunet;
mod transform;
mod wavenet;

use burn::prelude::*;

use super::Network;
use autoencoder::InferenceAutoencoder;
use dcunet::{FoldedDcunet, InferenceDcunet};
use wavenet::InferenceWavenet;

/// How the sums of a network are put to the backend. The result is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phrasing {
    /// Matrix products over overlapping views: fastest where a convolution gathers its windows first and the processor has
    /// caches, which is Burn's CPU backend. See `docs/benchmarks.md`.
    #[default]
    Products,
    /// Convolutions, for graphics processors: their kernels gather windows on the fly.
    Convolutions,
}

/// A network that can only be run. Make one with [`Network::for_inference`].
#[derive(Clone, Debug)]
pub struct InferenceNetwork<B: Backend>(Kind<B>);

#[derive(Clone, Debug)]
enum Kind<B: Backend> {
    Plain(Box<Network<B>>),
    Autoencoder(InferenceAutoencoder<B>),
    Wavenet(InferenceWavenet<B>),
    Dcunet(InferenceDcunet<B>),
    FoldedDcunet(FoldedDcunet<B>),
}

impl<B: Backend> Network<B> {
    /// The network with its present weights and running statistics, ready to run as often as needed.
    pub fn for_inference(self, phrasing: Phrasing) -> InferenceNetwork<B> {
        InferenceNetwork(match (self, phrasing) {
            (Self::Autoencoder(network), Phrasing::Products) => Kind::Autoencoder(InferenceAutoencoder::new(&network)),
            (Self::Wavenet(network), phrasing) => {
                Kind::Wavenet(InferenceWavenet::new(&network, phrasing == Phrasing::Products))
            }
            (Self::Dcunet(network), Phrasing::Products) => Kind::Dcunet(InferenceDcunet::new(&network)),
            (Self::Dcunet(network), Phrasing::Convolutions) => Kind::FoldedDcunet(FoldedDcunet::new(&network)),
            (network, Phrasing::Convolutions) => Kind::Plain(Box::new(network)),
        })
    }
}

impl<B: Backend> InferenceNetwork<B> {
    /// # Shapes
    /// `[batch, 1, samples]` → the same, for any number of samples from 1.
    pub fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        match &self.0 {
            Kind::Plain(network) => network.forward(waveform),
            Kind::Autoencoder(network) => network.forward(waveform),
            Kind::Wavenet(network) => network.forward(waveform),
            Kind::Dcunet(network) => network.forward(waveform),
            Kind::FoldedDcunet(network) => network.forward(waveform),
        }
    }
}
