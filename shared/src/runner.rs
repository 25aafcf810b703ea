//! A network on a device, ready to run: what recordings and streams have in common.

use burn::prelude::*;

use crate::bundle::Bundle;
use crate::error::{Error, Result};
use crate::nn::{InferenceNetwork, Memory, Network, NetworkConfig, Phrasing};

/// A network on a device with what must be known to use it. A clone shares the weights.
#[derive(Clone, Debug)]
pub(crate) struct Runner<B: Backend> {
    network: InferenceNetwork<B>,
    config: NetworkConfig,
    sample_rate_hz: u32,
    device: B::Device,
}

impl<B: Backend> Runner<B> {
    pub(crate) fn from_bundle(bundle: &Bundle, phrasing: Phrasing, device: B::Device) -> Result<Self> {
        let (network, config) = (bundle.network(&device)?, bundle.config.network.clone());
        Ok(Self::new(network, config, bundle.config.sample_rate_hz, phrasing, device))
    }

    pub(crate) fn new(
        network: Network<B>,
        config: NetworkConfig,
        sample_rate_hz: u32,
        phrasing: Phrasing,
        device: B::Device,
    ) -> Self {
        Self { network: network.for_inference(phrasing), config, sample_rate_hz, device }
    }

    /// The network's shape.
    pub(crate) fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Sampling rate that the network works at, in Hz.
    pub(crate) fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// What a recurrent network remembers at the start of a signal; none for others.
    pub(crate) fn memory(&self) -> Option<Memory<B>> {
        self.network.recurrent().map(|network| network.start())
    }

    /// The network's output for samples at its own rate and level: all at once, or as the next ones of a signal of which there is
    /// a memory.
    pub(crate) async fn run(&self, samples: Vec<f32>, memory: Option<&mut Memory<B>>) -> Result<Vec<f32>> {
        let shape = [1, 1, samples.len()];
        let waveform = Tensor::from_data(TensorData::new(samples, shape), &self.device);
        let output = match (self.network.recurrent(), memory) {
            (Some(network), Some(memory)) => network.advance(memory, waveform),
            _ => self.network.forward(waveform),
        };
        let data = output.into_data_async().await.map_err(|error| Error::Device(error.to_string()))?;
        Ok(data.iter::<f32>().collect())
    }
}
