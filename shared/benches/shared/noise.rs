//! Every noise of a chain with its defaults: drawn, done to a slice, and done to a tensor on Burn's CPU backend. Items are
//! samples at 16 kHz. A noise that is added to `Noise::kinds` is measured without a word here.
//!
//! `cargo bench -p shared -- noise`

use std::borrow::Cow;

use crate::input::{hiss, pool, samples};
use burn::backend::Flex;
use divan::Bencher;
use divan::counter::ItemsCount;
use shared::noise::{Chain, Noise, Recordings};

const LEN: usize = 64_000;
const RATE_HZ: u32 = 16_000;

fn kinds() -> Vec<&'static str> {
    Noise::kinds().iter().map(Noise::kind).collect()
}

/// Every recording is a second and a half of hiss.
struct Hiss;

impl Recordings for Hiss {
    fn recording(&self, _name: &str, _choice: u64, sample_rate_hz: u32) -> Option<Cow<'_, [f32]>> {
        Some(samples(sample_rate_hz as usize * 3 / 2).into())
    }
}

fn chain(kind: &str) -> Chain {
    Chain::new(vec![Noise::of_kind(kind).expect("listed").into()]).expect("defaults are in range")
}

/// Fixing what is random, which for added noise makes all of it.
#[divan::bench(args = kinds(), max_time = 2)]
fn draw(bencher: Bencher, kind: &str) {
    let chain = chain(kind);
    bencher.counter(ItemsCount::new(LEN)).bench_local(|| chain.draw(LEN, RATE_HZ, 0, 1, &Hiss).expect("drawn"));
}

/// Doing it to a slice.
#[divan::bench(args = kinds(), max_time = 2)]
fn slice(bencher: Bencher, kind: &str) {
    let drawn = chain(kind).draw(LEN, RATE_HZ, 0, 1, &Hiss).expect("drawn");
    let signal = samples(LEN);
    bencher.counter(ItemsCount::new(LEN)).bench_local(|| drawn.apply(&signal));
}

/// Doing it to a tensor, on two threads.
#[divan::bench(args = kinds(), max_time = 2)]
fn tensor(bencher: Bencher, kind: &str) {
    let drawn = chain(kind).draw(LEN, RATE_HZ, 0, 1, &Hiss).expect("drawn");
    let signal = hiss(LEN).reshape([1, LEN]);
    bencher
        .counter(ItemsCount::new(LEN))
        .bench_local(|| pool(2).install(|| drawn.forward::<Flex>(signal.clone()).into_data()));
}
