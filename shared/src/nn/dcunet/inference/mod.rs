//! The Deep Complex U-Net with its normalisation folded into its kernels, in either phrasing.

mod convolutions;
mod folding;
mod products;
mod window_products;

use burn::prelude::*;

use super::network::Dcunet;
use crate::nn::form::{InferenceForm, Phrasing};
use convolutions::ConvolutionDcunet;
use products::ProductDcunet;

/// The Deep Complex U-Net, ready to run.
#[derive(Clone, Debug)]
pub struct DcunetInference<B: Backend>(Phrased<B>);

#[derive(Clone, Debug)]
enum Phrased<B: Backend> {
    Products(ProductDcunet<B>),
    Convolutions(ConvolutionDcunet<B>),
}

impl<B: Backend> DcunetInference<B> {
    pub(super) fn new(network: Dcunet<B>, phrasing: Phrasing) -> Self {
        Self(match phrasing {
            Phrasing::Products => Phrased::Products(ProductDcunet::new(&network)),
            Phrasing::Convolutions => Phrased::Convolutions(ConvolutionDcunet::new(&network)),
        })
    }
}

impl<B: Backend> InferenceForm<B> for DcunetInference<B> {
    fn forward(&self, waveform: Tensor<B, 3>) -> Tensor<B, 3> {
        match &self.0 {
            Phrased::Products(network) => network.forward(waveform),
            Phrased::Convolutions(network) => network.forward(waveform),
        }
    }
}
