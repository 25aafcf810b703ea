//! Every network's forward pass on Burn's CPU backend. Items are samples at 16 kHz: above 16 k items/s is faster than real time.
//!
//! `cargo bench -p shared -- networks`

use crate::input::{hiss, pool};
use burn::backend::Flex;
use divan::Bencher;
use divan::counter::ItemsCount;
use shared::nn::{NetworkConfig, Phrasing};

/// Multiplications in a run, about, so that large and small networks take alike long.
const MACS: f64 = 1.5e9;

const THREADS: [usize; 2] = [1, 2];

/// Every preset, and the samples that it is given.
fn cases() -> impl Iterator<Item = (&'static str, usize)> {
    NetworkConfig::presets().into_iter().map(|(name, config)| {
        let samples = (MACS / config.macs_per_second(1)) as usize;
        (name, samples.clamp(2_000, 64_000))
    })
}

/// The form in which they are trained.
#[divan::bench(args = cases(), consts = THREADS, sample_count = 20, max_time = 10)]
fn plain<const COUNT: usize>(bencher: Bencher, (preset, samples): (&str, usize)) {
    let network = NetworkConfig::preset(preset).expect("listed").init::<Flex>(&Default::default());
    bencher
        .counter(ItemsCount::new(samples))
        .with_inputs(|| hiss(samples))
        .bench_local_values(|input| pool(COUNT).install(|| network.forward(input).into_data()));
}

/// The recurrent ones, a hop at a time: what live sound costs.
#[divan::bench(args = ["rnnformer-tiny", "rnnformer", "rnnformer-large"], sample_count = 500, max_time = 10)]
fn frame(bencher: Bencher, preset: &str) {
    let config = NetworkConfig::preset(preset).expect("listed");
    let network = config.init::<Flex>(&Default::default()).for_inference(Phrasing::Products);
    let recurrent = || network.recurrent().expect("a recurrent network");
    let mut memory = recurrent().start();
    let samples = config.alignment();
    bencher
        .counter(ItemsCount::new(samples))
        .with_inputs(|| hiss(samples))
        .bench_local_values(|input| pool(1).install(|| recurrent().advance(&mut memory, input).into_data()));
}

/// The form in which they are run.
#[divan::bench(args = cases(), consts = THREADS, sample_count = 20, max_time = 10)]
fn inference<const COUNT: usize>(bencher: Bencher, (preset, samples): (&str, usize)) {
    let network = NetworkConfig::preset(preset).expect("listed").init::<Flex>(&Default::default());
    let network = network.for_inference(Phrasing::Products);
    bencher
        .counter(ItemsCount::new(samples))
        .with_inputs(|| hiss(samples))
        .bench_local_values(|input| pool(COUNT).install(|| network.forward(input).into_data()));
}
