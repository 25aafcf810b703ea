//! One training example: clean speech and the same made noisy.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::audio::{db_to_amplitude, rms};
use shared::dsp::spectrum::SpectrumPlan;
use shared::noise::{self, Corruption, Threshold, additive};
use shared::pipeline::INPUT_RMS;

use super::corpus::Split;

/// Share of items that get one of the report's STFT corruptions in place of additive noise.
const CORRUPTED_SHARE: f64 = 0.2;
/// Share of the other items whose noise is synthetic, white or brown.
const SYNTHETIC_SHARE: f64 = 0.15;
/// Share of the other items with almost no noise, so that clean speech learns to stay as it is.
const CLEAN_SHARE: f64 = 0.05;
/// Signal-to-noise ratios of additive noise, in dB.
const SNR_DB: std::ops::Range<f32> = -5.0..20.0;

/// Clean speech and the same made noisy, of one length and at one level: the noisy one has about [`INPUT_RMS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What the network should give.
    pub clean: Vec<f32>,
    /// What the network is given.
    pub noisy: Vec<f32>,
}

impl Item {
    /// Item `index` of the endless training sequence of `seed`: the same whatever came before it.
    pub fn train(split: &Split, plan: &SpectrumPlan, len: usize, seed: u64, index: u64) -> Self {
        let mut rng = generator(seed, index);
        let clean = crop(&split.speech, len, &mut rng);
        let noisy = make_noisy(split, plan, &clean, &mut rng);
        // A level around the one at which the network will be used, as whole recordings and crops of them differ.
        let level = INPUT_RMS * db_to_amplitude(rng.random_range(-8.0..8.0));
        Self { clean, noisy }.at_level(level)
    }

    /// Item `index` of the validation set: a recorded noise at 0, 2.5, 5, 7.5 or 10 dB.
    pub fn valid(split: &Split, len: usize, index: u64) -> Self {
        let mut rng = generator(0, index);
        let clean = crop(&split.speech, len, &mut rng);
        let noise = crop(&split.noise, len, &mut rng);
        let noisy = additive::mix(&clean, &noise, (index % 5) as f32 * 2.5).expect("crops have sound");
        Self { clean, noisy }.at_level(INPUT_RMS)
    }

    fn at_level(mut self, level: f32) -> Self {
        let gain = level / rms(&self.noisy).max(f32::MIN_POSITIVE);
        self.clean.iter_mut().chain(&mut self.noisy).for_each(|sample| *sample *= gain);
        self
    }
}

fn generator(seed: u64, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index);
    rng
}

/// `len` samples from anywhere in one of `recordings`, with some sound in them; zeros follow one that is too short.
fn crop(recordings: &[Vec<f32>], len: usize, rng: &mut impl Rng) -> Vec<f32> {
    loop {
        let recording = recordings.choose(rng).expect("a split has recordings");
        let start = rng.random_range(0..=recording.len().saturating_sub(len));
        let mut samples = recording[start..recording.len().min(start + len)].to_vec();
        // Recordings may have digital silence in them; a crop of it sets no level.
        if rms(&samples) > 1e-5 {
            samples.resize(len, 0.0);
            return samples;
        }
    }
}

fn make_noisy(split: &Split, plan: &SpectrumPlan, clean: &[f32], rng: &mut impl Rng) -> Vec<f32> {
    if rng.random_bool(CORRUPTED_SHARE) {
        let corruption = if rng.random_bool(0.5) {
            Corruption::ZeroSmall(Threshold::Quantile(rng.random_range(0.6..0.95)))
        } else {
            Corruption::RaiseSmall(Threshold::Quantile(rng.random_range(0.3..0.85)))
        };
        return corruption.apply(plan, clean).expect("quantiles are within 0 to 1");
    }
    let mut sound = if rng.random_bool(SYNTHETIC_SHARE) {
        if rng.random_bool(0.5) { noise::white(clean.len(), rng) } else { noise::brown(clean.len(), rng) }
    } else {
        looped(&split.noise, clean.len(), rng)
    };
    if rng.random_bool(0.3) {
        let second = looped(&split.noise, clean.len(), rng);
        sound = additive::mix(&sound, &second, rng.random_range(-10.0..10.0)).expect("crops have sound");
    }
    let snr_db = if rng.random_bool(CLEAN_SHARE) { 40.0 } else { rng.random_range(SNR_DB) };
    additive::mix(clean, &sound, snr_db).expect("crops have sound")
}

/// As [`crop`], but a recording that is too short is repeated.
fn looped(recordings: &[Vec<f32>], len: usize, rng: &mut impl Rng) -> Vec<f32> {
    let start = rng.random_range(0..len);
    let samples = crop(recordings, len, rng);
    let end = samples.iter().rposition(|&sample| sample != 0.0).map_or(len, |last| last + 1);
    additive::loop_to(&samples[..end], if end < len { start } else { 0 }, len)
}
