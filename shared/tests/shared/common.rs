//! What several test files need.

use burn::module::{ModuleMapper, Param};
use burn::prelude::*;
use burn_store::ModuleSnapshot;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::nn::{Network, NetworkConfig};

pub fn device<B: Backend>() -> B::Device {
    B::Device::default()
}

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// White noise with a root mean square of 0.1.
pub fn hiss(len: usize, seed: u64) -> Vec<f32> {
    shared::noise::white(len, &mut rng(seed)).into_iter().map(|sample| 0.1 * sample).collect()
}

pub fn tensor<B: Backend, const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<B, D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &device::<B>())
}

pub fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().to_vec().expect("a tensor of f32")
}

/// The tiny network of that kind.
pub fn tiny(kind: &str) -> NetworkConfig {
    NetworkConfig::tiny().into_iter().find(|config| config.kind() == kind).expect("a network of that kind")
}

/// Gives kernels and biases uniform values of their own generator (Burn's is shared by all threads), and leaves normalisation
/// layers alone.
struct Seeded {
    rng: ChaCha8Rng,
    gain: f32,
    /// Names of the modules around a parameter.
    path: Vec<String>,
}

impl<B: Backend> ModuleMapper<B> for Seeded {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        if self.path.iter().any(|name| name.ends_with("norm")) {
            return param;
        }
        param.map(|old| {
            let shape = old.shape();
            let fan_in: usize = shape.as_slice()[1..].iter().product();
            let bound = if D == 1 { 0.05 } else { self.gain / (fan_in as f32).sqrt() };
            let random = (0..shape.num_elements()).map(|_| self.rng.random_range(-bound..bound)).collect();
            Tensor::from_data(TensorData::new::<f32, _>(random, shape), &old.device())
        })
    }
}

/// A network whose weights depend on nothing but the seed.
pub fn network<B: Backend>(config: &NetworkConfig, seed: u64) -> Network<B> {
    loud_network(config, seed, 1.0)
}

/// The same, with kernels `gain` times as large.
pub fn loud_network<B: Backend>(config: &NetworkConfig, seed: u64, gain: f32) -> Network<B> {
    config.init::<B>(&device::<B>()).map(&mut Seeded { rng: rng(seed), gain, path: Vec::new() })
}

pub fn forward<B: Backend>(network: &Network<B>, signal: &[f32]) -> Vec<f32> {
    let output = network.forward(tensor(signal, [1, 1, signal.len()]));
    assert_eq!(output.dims(), [1, 1, signal.len()]);
    values(output)
}

/// The values of the parameter or statistic whose path ends like this.
pub fn weight<B: Backend>(module: &impl ModuleSnapshot<B>, path: &str) -> Vec<f32> {
    let found: Vec<_> =
        module.collect(None, None, false).into_iter().filter(|snapshot| snapshot.full_path().ends_with(path)).collect();
    assert_eq!(found.len(), 1, "parameters called {path}");
    found[0].to_data().expect("readable").to_vec().expect("f32")
}

pub fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let difference = |(a, b): (&f32, &f32)| (a - b).abs();
    // `max` would skip what is not a number.
    a.iter().zip(b).map(difference).fold(0.0, |worst, next| if next > worst || next.is_nan() { next } else { worst })
}

#[track_caller]
pub fn assert_close(a: &[f32], b: &[f32], tolerance: f32) {
    let difference = largest_difference(a, b);
    assert!(difference <= tolerance, "differ by {difference}, more than {tolerance}");
}
