//! Every network's forward pass on Burn's CPU backend. Items are samples at 16 kHz: above 16 k items/s is faster than real time.
//!
//! `cargo bench -p shared -- networks`

use crate::input::{hiss, pool};
use burn::backend::Flex;
use divan::Bencher;
use divan::counter::ItemsCount;
use shared::nn::{NetworkConfig, Phrasing};

/// Presets, and the samples that each is given.
const CASES: [(&str, usize); 7] = [
    ("autoencoder", 64_000),
    ("wavenet-small", 32_000),
    ("wavenet", 2_000),
    ("dcunet-small", 32_000),
    ("dcunet-medium", 32_000),
    ("dcunet-10", 32_000),
    ("dcunet-20", 8_192),
];
const THREADS: [usize; 2] = [1, 2];

/// The form in which they are trained.
#[divan::bench(args = CASES, consts = THREADS, sample_count = 20, max_time = 10)]
fn plain<const COUNT: usize>(bencher: Bencher, (preset, samples): (&str, usize)) {
    let network = NetworkConfig::preset(preset).expect("listed").init::<Flex>(&Default::default());
    bencher
        .counter(ItemsCount::new(samples))
        .with_inputs(|| hiss(samples))
        .bench_local_values(|input| pool(COUNT).install(|| network.forward(input).into_data()));
}

/// The form in which they are run.
#[divan::bench(args = CASES, consts = THREADS, sample_count = 20, max_time = 10)]
fn inference<const COUNT: usize>(bencher: Bencher, (preset, samples): (&str, usize)) {
    let network = NetworkConfig::preset(preset).expect("listed").init::<Flex>(&Default::default());
    let network = network.for_inference(Phrasing::Products);
    bencher
        .counter(ItemsCount::new(samples))
        .with_inputs(|| hiss(samples))
        .bench_local_values(|input| pool(COUNT).install(|| network.forward(input).into_data()));
}
