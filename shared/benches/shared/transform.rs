//! The short-time Fourier transform and its inverse: as tensor code by matrix products, and on slices by FFT. Items are samples.
//!
//! `cargo bench -p shared -- transform`

use crate::input::{hiss, pool, samples};
use burn::backend::Flex;
use divan::Bencher;
use divan::counter::ItemsCount;
use shared::dsp::StftConfig;
use shared::dsp::spectrum::SpectrumPlan;

const SIZES: [StftConfig; 2] = [StftConfig { n_fft: 512, hop_length: 128 }, StftConfig::SPEECH];
const THREADS: [usize; 2] = [1, 2];
const LEN: usize = 64_000;

#[divan::bench(args = SIZES, consts = THREADS, max_time = 5)]
fn tensor_forward<const COUNT: usize>(bencher: Bencher, config: &StftConfig) {
    let stft = config.init::<Flex>(&Default::default());
    let signal = hiss(LEN).reshape([1, LEN]);
    bencher
        .counter(ItemsCount::new(LEN))
        .bench_local(|| pool(COUNT).install(|| stft.forward(signal.clone()).into_data()));
}

#[divan::bench(args = SIZES, consts = THREADS, max_time = 5)]
fn tensor_inverse<const COUNT: usize>(bencher: Bencher, config: &StftConfig) {
    let stft = config.init::<Flex>(&Default::default());
    let spectrum = stft.forward(hiss(LEN).reshape([1, LEN]));
    bencher
        .counter(ItemsCount::new(LEN))
        .bench_local(|| pool(COUNT).install(|| stft.inverse(spectrum.clone(), LEN).into_data()));
}

#[divan::bench(args = SIZES, max_time = 5)]
fn slices_forward(bencher: Bencher, config: &StftConfig) {
    let (plan, signal) = (SpectrumPlan::new(*config), samples(LEN));
    bencher.counter(ItemsCount::new(LEN)).bench_local(|| plan.forward(&signal));
}

#[divan::bench(args = SIZES, max_time = 5)]
fn slices_inverse(bencher: Bencher, config: &StftConfig) {
    let plan = SpectrumPlan::new(*config);
    let spectrum = plan.forward(&samples(LEN));
    bencher.counter(ItemsCount::new(LEN)).bench_local(|| plan.inverse(&spectrum, LEN));
}
