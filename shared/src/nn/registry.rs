//! The list of networks. Adding one is a folder beside this file, its `mod` line, and a line in `networks!` below.
#![expect(clippy::large_enum_variant, reason = "one per process, and Burn's derive needs the variants plain")]

use burn::module::Module;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::autoencoder::{Autoencoder, AutoencoderConfig};
use super::dcunet::{Dcunet, DcunetConfig};
use super::form::{InferenceForm, Phrasing, RecurrentForm, TrainableNetwork};
use super::needs;
use super::precision::Precision;
use super::rnnformer::{Rnnformer, RnnformerConfig};
use super::shape::NetworkShape;
use super::wavenet::{Wavenet, WavenetConfig};
use crate::error::{Error, Result};

/// Makes the three enums over all networks, and the functions that look inside them.
macro_rules! networks {
    ($($(#[$about:meta])* $network:ident($config:ident),)*) => {
        /// Which network, and its shape.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "network", rename_all = "kebab-case")]
        pub enum NetworkConfig {
            $($(#[$about])* $network($config),)*
        }

        /// A network as it is trained. Make one with [`NetworkConfig::init`].
        #[derive(Module, Debug)]
        pub enum Network<B: Backend> {
            $($(#[$about])* $network($network<B>),)*
        }

        #[derive(Clone, Debug)]
        enum AnyInference<B: Backend> {
            $($network(<$network<B> as TrainableNetwork<B>>::Inference),)*
        }

        impl NetworkConfig {
            /// Every preset by name: networks in the order in which people should meet them, and of each the preset to begin with
            /// first.
            pub fn presets() -> Vec<(&'static str, Self)> {
                let mut presets = Vec::new();
                $(presets.extend($config::presets().into_iter().map(|(name, shape)| (name, Self::$network(shape))));)*
                presets
            }

            /// The preset of each network to begin with, by name.
            pub fn first_presets() -> Vec<(&'static str, Self)> {
                let mut presets = Vec::new();
                $(presets.extend($config::presets().into_iter().next().map(|(name, it)| (name, Self::$network(it))));)*
                presets
            }

            /// One of each network, as [`NetworkShape::tiny`]: for tests.
            pub fn tiny() -> Vec<Self> {
                vec![$(Self::$network($config::tiny()),)*]
            }

            /// What the configuration says, whichever network it is of.
            fn shape(&self) -> &dyn NetworkShape {
                match self {
                    $(Self::$network(shape) => shape,)*
                }
            }

            /// The network, with random weights.
            ///
            /// # Panics
            /// When [`NetworkConfig::validate`] would refuse the configuration.
            pub fn init<B: Backend>(&self, device: &B::Device) -> Network<B> {
                match self {
                    $(Self::$network(shape) => Network::$network(NetworkShape::init::<B>(shape, device)),)*
                }
            }

            /// A network that returns its input.
            ///
            /// # Errors
            /// When no weights are known that make this network the identity.
            pub fn identity<B: Backend>(&self, device: &B::Device) -> Result<Network<B>> {
                match self {
                    $(Self::$network(shape) => Ok(Network::$network(NetworkShape::identity::<B>(shape, device)?)),)*
                }
            }

            /// Turns a trained network of the shape `from` into one of this shape that computes the same, to be trained further.
            /// `None` if that is impossible.
            pub fn adopt<B: Backend>(&self, network: Network<B>, from: &Self) -> Option<Network<B>> {
                if from == self {
                    return Some(network);
                }
                match (self, network, from) {
                    $((Self::$network(shape), Network::$network(network), Self::$network(from)) => {
                        shape.adopt::<B>(network, from).map(Network::$network)
                    })*
                    _ => None,
                }
            }
        }

        impl<B: Backend> Network<B> {
            /// See [`TrainableNetwork::with_frozen_statistics`].
            pub fn with_frozen_statistics(self) -> Self {
                match self {
                    $(Self::$network(network) => Self::$network(network.with_frozen_statistics()),)*
                }
            }

            /// See [`TrainableNetwork::forward`].
            ///
            /// # Shapes
            /// `[batch, 1, samples]` → the same, for any number of samples from 1.
            pub fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
                match self {
                    $(Self::$network(network) => TrainableNetwork::forward(network, waveform),)*
                }
            }

            /// See [`TrainableNetwork::for_inference`].
            pub fn for_inference(self, phrasing: Phrasing) -> InferenceNetwork<B> {
                InferenceNetwork(match self {
                    $(Self::$network(network) => AnyInference::$network(network.for_inference(phrasing)),)*
                })
            }
        }

        impl<B: Backend> InferenceNetwork<B> {
            /// See [`InferenceForm::forward`].
            ///
            /// # Shapes
            /// `[batch, 1, samples]` → the same, for any number of samples from 1.
            pub fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
                match &self.0 {
                    $(AnyInference::$network(network) => network.forward(waveform),)*
                }
            }

            /// See [`InferenceForm::recurrent`].
            pub fn recurrent(&self) -> Option<&dyn RecurrentForm<B>> {
                match &self.0 {
                    $(AnyInference::$network(network) => network.recurrent(),)*
                }
            }
        }
    };
}

// In the order in which people should meet them.
networks! {
    /// The report's one-layer convolutional autoencoder.
    Autoencoder(AutoencoderConfig),
    /// The Denoising WaveNet.
    Wavenet(WavenetConfig),
    /// The Deep Complex U-Net.
    Dcunet(DcunetConfig),
    /// FastEnhancer's causal recurrent network.
    Rnnformer(RnnformerConfig),
}

/// A network that can only be run. Make one with [`Network::for_inference`].
#[derive(Clone, Debug)]
pub struct InferenceNetwork<B: Backend>(AnyInference<B>);

impl NetworkConfig {
    /// The preset of that name.
    ///
    /// # Errors
    /// When there is none; the message lists the available ones.
    pub fn preset(name: &str) -> Result<Self> {
        let presets = Self::presets();
        let names: Vec<&str> = presets.iter().map(|(name, _)| *name).collect();
        let expected = format!("one of {}", names.join(", "));
        let found = presets.into_iter().find(|(preset, _)| *preset == name);
        found.map(|(_, config)| config).ok_or_else(|| Error::config("preset", expected, name))
    }

    /// The network's name in configurations, as in `{"network": "dcunet", …}`.
    pub fn kind(&self) -> &'static str {
        self.shape().kind()
    }

    /// Checks every field against its documented range, and that the whole needs no more than [`needs`] allows.
    ///
    /// # Errors
    /// When a field is outside its range, or the network would take too much memory, computation or context.
    pub fn validate(&self) -> Result<()> {
        self.shape().validate()?;
        needs::validate(self.shape())
    }

    /// Checks that the network can be run at this sampling rate in reasonable time.
    ///
    /// # Errors
    /// When it takes more than [`needs::MAX_MACS_PER_SECOND`].
    pub(crate) fn validate_macs(&self, sample_rate_hz: u32) -> Result<()> {
        needs::validate_macs(self.shape(), sample_rate_hz)
    }

    /// Samples between two positions at which the network behaves the same.
    pub fn alignment(&self) -> usize {
        self.shape().alignment()
    }

    /// Input samples that one output sample depends on, at most. None for a recurrent network, which depends on all that was before
    /// and is run by [`InferenceNetwork::recurrent`].
    pub fn receptive_field(&self) -> Option<usize> {
        self.shape().receptive_field()
    }

    /// How far a streamed output lags behind its input, in samples. See [`NetworkShape::latency`].
    pub fn latency(&self) -> usize {
        self.shape().latency()
    }

    /// Samples on either side of a stretch that its output depends on, at most. See [`NetworkShape::context`].
    pub fn context(&self) -> usize {
        self.shape().context()
    }

    /// Multiply-accumulate operations on real numbers for a second of a long signal, in convolutions and matrix products.
    /// Each network's [`NetworkShape::macs`] says how it counts.
    pub fn macs_per_second(&self, sample_rate_hz: u32) -> f64 {
        needs::macs_per_second(self.shape(), sample_rate_hz)
    }

    /// Memory to denoise one piece of the default length with its context, estimated in bytes. The weights are not included.
    pub fn piece_bytes(&self) -> u64 {
        needs::piece_bytes(self.shape())
    }

    /// Learned numbers in the network.
    pub fn parameters(&self) -> u64 {
        self.shape().parameters()
    }

    /// Whether a weight may be stored in 16 bits. `weight` is its path, as in `encoder.0.convolution.kernel.real`.
    pub(crate) fn is_halvable(&self, weight: &str) -> bool {
        self.shape().is_halvable(weight)
    }

    /// Bytes of all weights in a bundle, without the names, the card, and the file's framing (a few kilobytes).
    pub fn weight_bytes(&self, precision: Precision) -> u64 {
        let statistics = self.shape().statistics();
        // Normalisation layers learn as many numbers as they track, and those are never halved.
        let halved = self.parameters() - statistics;
        let size = match precision {
            Precision::F32 => 4,
            Precision::F16 => 2,
        };
        size * halved + 4 * 2 * statistics
    }

    /// Memory of one training step on `samples` samples of audio, all items together, estimated in bytes.
    ///
    /// Four numbers for each parameter (weight, gradient, two moments), and what the backward pass needs of every activation. How
    /// much that is was measured on the CPU backend (`docs/benchmarks.md`); others differ.
    pub fn training_bytes(&self, samples: u64) -> u64 {
        let values = self.shape().training_values() / self.alignment() as f64 * samples as f64;
        size_of::<f32>() as u64 * (4 * self.parameters() + values as u64)
    }
}
