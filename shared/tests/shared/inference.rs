//! The form in which networks are run gives what the form in which they are trained gives.

use crate::common::*;
use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module, ModuleMapper, Param};
use burn::prelude::*;
use rand::RngExt;
use shared::dsp::StftConfig;
use shared::nn::dcunet::DcunetLayer;
use shared::nn::{DcunetConfig, Network, NetworkConfig, Phrasing};

/// Moves the matrices of normalisation layers away from where they start.
struct Shaken(rand_chacha::ChaCha8Rng);

impl<B: Backend> ModuleMapper<B> for Shaken {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        if D != 2 {
            return param;
        }
        param.map(|old| {
            let moves: Vec<f32> = (0..old.shape().num_elements()).map(|_| self.0.random_range(-0.2..0.2)).collect();
            let shape = old.shape();
            let device = old.device();
            old + Tensor::from_data(TensorData::new(moves, shape), &device)
        })
    }
}

/// A network with statistics that a few batches have left in it.
fn trained(config: &NetworkConfig, seed: u64) -> Network<Flex> {
    let network = network::<Autodiff<Flex>>(config, seed).map(&mut Shaken(rng(seed)));
    for step in 0..3 {
        network.forward(tensor(&hiss(4 * config.alignment(), step), [1, 1, 4 * config.alignment()]));
    }
    network.valid()
}

#[track_caller]
fn assert_same(config: &NetworkConfig, batch: usize, lens: &[usize]) {
    let network = trained(config, 1);
    for phrasing in [Phrasing::Products, Phrasing::Convolutions] {
        let inference = network.clone().for_inference(phrasing);
        for &len in lens {
            let input = tensor(&hiss(batch * len, len as u64), [batch, 1, len]);
            let expected = values(network.forward(input.clone()));
            let output = values(inference.forward(input));
            let peak = expected.iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
            let difference = largest_difference(&output, &expected);
            assert!(difference <= 1e-5 * peak, "{config:?}, {phrasing:?}, {len} samples: {difference} of {peak}");
        }
    }
}

#[test]
fn inference_equals_the_plain_forward() {
    for config in tiny() {
        assert_same(&config, 1, &[1, 2, 3, 16, 31, 64, 257, 1_000]);
        assert_same(&config, 3, &[1, 77, 500]);
    }
}

#[test]
fn every_geometry_of_the_unet() {
    for (kernel_size, stride, mask_exponent) in [
        ([7, 5], [2, 2], 0.75),
        ([5, 3], [2, 1], 1.0),
        ([1, 7], [1, 1], 0.6),
        ([7, 1], [1, 1], 1.0),
        ([3, 5], [4, 3], 1.0),
        ([1, 1], [2, 2], 2.0),
        ([1, 3], [4, 4], 1.0),
        ([9, 3], [1, 4], 1.0),
    ] {
        let layer = |channels| DcunetLayer { channels, kernel_size, stride };
        let config = NetworkConfig::Dcunet(DcunetConfig {
            stft: StftConfig { n_fft: 32, hop_length: 4 },
            layers: vec![layer(2), layer(3)],
            compression: 0.7,
            mask_exponent,
        });
        assert_same(&config, 2, &[1, 40, 200]);
    }
}

#[test]
fn presets_equal_too() {
    for name in ["autoencoder", "wavenet-small-blend", "dcunet-medium"] {
        let config = NetworkConfig::preset(name).expect("listed");
        assert_same(&config, 1, &[8_000]);
    }
}
