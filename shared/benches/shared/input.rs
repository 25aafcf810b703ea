//! What benches are given: threads and noise.

use std::sync::OnceLock;

use burn::backend::Flex;
use burn::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A pool of that many threads, on which Burn's CPU backend and its matrix products then run: they take the pool they are
/// called on.
pub fn pool(threads: usize) -> &'static ThreadPool {
    static POOLS: [OnceLock<ThreadPool>; 2] = [const { OnceLock::new() }; 2];
    POOLS[threads - 1].get_or_init(|| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads"))
}

/// White noise with a root mean square of 0.1.
pub fn samples(len: usize) -> Vec<f32> {
    let noise = shared::noise::white(len, &mut ChaCha8Rng::seed_from_u64(1));
    noise.into_iter().map(|sample| 0.1 * sample).collect()
}

/// The same, `[1, 1, len]`.
pub fn hiss(len: usize) -> Tensor<Flex, 3> {
    Tensor::from_data(TensorData::new(samples(len), [1, 1, len]), &Default::default())
}
