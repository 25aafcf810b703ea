//! The Deep Complex U-Net, ready to run.

use burn::prelude::*;

use super::network::Dcunet;
use super::phrasings::{ConvolutionDcunet, ProductDcunet};
use crate::nn::form::{InferenceForm, Phrasing};

/// The Deep Complex U-Net, ready to run.
#[derive(Clone, Debug)]
pub struct DcunetInference<B: Backend>(PhrasedDcunet<B>);

#[derive(Clone, Debug)]
enum PhrasedDcunet<B: Backend> {
    Products(ProductDcunet<B>),
    Convolutions(ConvolutionDcunet<B>),
}

impl<B: Backend> DcunetInference<B> {
    pub(super) fn new(network: Dcunet<B>, phrasing: Phrasing) -> Self {
        Self(match phrasing {
            Phrasing::Products => PhrasedDcunet::Products(ProductDcunet::new(&network)),
            Phrasing::Convolutions => PhrasedDcunet::Convolutions(ConvolutionDcunet::new(&network)),
        })
    }
}

impl<B: Backend> InferenceForm<B> for DcunetInference<B> {
    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        match &self.0 {
            PhrasedDcunet::Products(network) => network.forward(waveform),
            PhrasedDcunet::Convolutions(network) => network.forward(waveform),
        }
    }
}
