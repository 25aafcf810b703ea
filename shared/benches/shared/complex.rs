//! A complex convolution as one real one with a block kernel, or by Gauss's trick as three of half the channels: the second
//! encoder layer of DCUnet-10 on 4 s of audio, phrased as a product and as a convolution.
//!
//! `cargo bench -p shared -- complex`

use crate::input::pool;
use burn::backend::Flex;
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PaddedConvOptions};
use burn::tensor::{Distribution, Tensor};
use divan::Bencher;

/// Complex channels in and out.
const CHANNELS: [usize; 2] = [32, 64];
const KERNEL: [usize; 2] = [7, 5];
/// Bins and frames that go in; half of both come out.
const MAP: [usize; 2] = [129, 126];
const THREADS: [usize; 2] = [1, 2];

fn random<const D: usize>(shape: [usize; D]) -> Tensor<Flex, D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Default::default())
}

/// `(a + bi)(c + di)` of three products: `k = (a + b)c`, then `k - b(c + d)` and `k + a(d - c)`.
///
/// What depends on the kernel alone is made once, as it would be.
fn gauss<const D: usize>(
    [real, imaginary]: [Tensor<Flex, D>; 2],
    [c, sum, difference]: [Tensor<Flex, D>; 3],
    product: impl Fn(Tensor<Flex, D>, Tensor<Flex, D>) -> Tensor<Flex, D>,
) -> [Tensor<Flex, D>; 2] {
    let k = product(real.clone() + imaginary.clone(), c);
    [k.clone() - product(imaginary, sum), k + product(real, difference)]
}

/// Windows gathered already: `[positions, taps * channels]`.
fn windows(parts: usize) -> Tensor<Flex, 2> {
    random([MAP[0].div_ceil(2) * MAP[1].div_ceil(2), KERNEL[0] * KERNEL[1] * CHANNELS[0] * parts])
}

#[divan::bench(consts = THREADS, max_time = 5)]
fn one_product<const COUNT: usize>(bencher: Bencher) {
    let (x, w) = (windows(2), random([KERNEL[0] * KERNEL[1] * CHANNELS[0] * 2, CHANNELS[1] * 2]));
    bencher.bench_local(|| pool(COUNT).install(|| x.clone().matmul(w.clone())));
}

#[divan::bench(consts = THREADS, max_time = 5)]
fn three_products<const COUNT: usize>(bencher: Bencher) {
    let x = [windows(1), windows(1)];
    let w = [0; 3].map(|_| random([KERNEL[0] * KERNEL[1] * CHANNELS[0], CHANNELS[1]]));
    bencher.bench_local(|| pool(COUNT).install(|| gauss(x.clone(), w.clone(), Tensor::matmul)));
}

fn convolution(x: Tensor<Flex, 4>, w: Tensor<Flex, 4>) -> Tensor<Flex, 4> {
    conv2d(x, w, None, PaddedConvOptions::from(ConvOptions::new([2, 2], KERNEL.map(|k| k / 2), [1, 1], 1)))
}

#[divan::bench(consts = THREADS, max_time = 5)]
fn one_convolution<const COUNT: usize>(bencher: Bencher) {
    let x = random([1, 2 * CHANNELS[0], MAP[0], MAP[1]]);
    let w = random([2 * CHANNELS[1], 2 * CHANNELS[0], KERNEL[0], KERNEL[1]]);
    bencher.bench_local(|| pool(COUNT).install(|| convolution(x.clone(), w.clone())));
}

#[divan::bench(consts = THREADS, max_time = 5)]
fn three_convolutions<const COUNT: usize>(bencher: Bencher) {
    let x = [0; 2].map(|_| random([1, CHANNELS[0], MAP[0], MAP[1]]));
    let w = [0; 3].map(|_| random([CHANNELS[1], CHANNELS[0], KERNEL[0], KERNEL[1]]));
    bencher.bench_local(|| pool(COUNT).install(|| gauss(x.clone(), w.clone(), convolution)));
}
