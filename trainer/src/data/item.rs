//! One training example: clean speech and the same made noisy.

use anyhow::{Context, Result};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::audio::{db_to_amplitude, rms};
use shared::noise::{self, Recipe};
use shared::pipeline::INPUT_RMS;

use super::corpus::Split;
use crate::SAMPLE_RATE_HZ;

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
    ///
    /// One of the recipe's chains makes it noisy; its [target](noise::DrawnChain::target) is the clean side. Fails where the
    /// recipe names recordings that the split does not have.
    pub fn train(split: &Split, recipe: &Recipe, len: usize, seed: u64, index: u64) -> Result<Self> {
        let mut rng = generator(seed, index);
        let speech = crop(&split.speech, len, &mut rng);
        let chain = recipe.pick(&mut rng);
        let drawn = chain
            .draw(len, SAMPLE_RATE_HZ, 0, rng.next_u64(), split)
            .context("the noise recipe does not fit the training data")?;
        // A level around the one at which the network will be used, as whole recordings and crops of them differ.
        let level = INPUT_RMS * db_to_amplitude(rng.random_range(-8.0..8.0));
        Ok(Self { clean: drawn.target(&speech), noisy: drawn.apply(&speech) }.at_level(level))
    }

    /// Item `index` of the validation set: a recorded noise at 0, 2.5, 5, 7.5 or 10 dB, energies taken over the whole length.
    ///
    /// It depends on no recipe, so that all scores are of the same mixtures.
    pub fn valid(split: &Split, len: usize, index: u64) -> Self {
        let mut rng = generator(0, index);
        let clean = crop(&split.speech, len, &mut rng);
        let noise = crop(&split.noise, len, &mut rng);
        let noisy = noise::mix(&clean, &noise, (index % 5) as f32 * 2.5).expect("crops have sound");
        Self { clean, noisy }.at_level(INPUT_RMS)
    }

    fn at_level(mut self, level: f32) -> Self {
        // A chain may leave hardly anything of a signal; what is asked for must not become infinitely loud for that.
        let faintest = 1e-3 * rms(&self.clean);
        let gain = level / rms(&self.noisy).max(faintest).max(f32::MIN_POSITIVE);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples by integer arithmetic alone, so that they are the same everywhere.
    fn recording(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from((state >> 16) as u16 as i16) / 65_536.0
        };
        (0..len).map(|_| next()).collect()
    }

    fn split() -> Split {
        Split {
            speech: (0..5).map(|i| recording(9_000 + 1_000 * i, 1 + i as u32)).collect(),
            noise: (0..4).map(|i| recording(3_000 + 5_000 * i, 11 + i as u32)).collect(),
        }
    }

    /// FNV-1a of the samples' bits.
    fn hash(item: &Item) -> u64 {
        let bytes = item.clean.iter().chain(&item.noisy).flat_map(|sample| sample.to_bits().to_le_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn an_item_depends_on_its_number_alone() -> Result<()> {
        let recipe = crate::data::recipe::default();
        let (split, len) = (split(), 4_000);
        let item = |seed, index| Item::train(&split, &recipe, len, seed, index);
        let items = (0..40).map(|index| item(1, index)).collect::<Result<Vec<_>>>()?;
        for (index, expected) in items.iter().enumerate().rev() {
            assert_eq!(&item(1, index as u64)?, expected);
            assert_ne!(&item(2, index as u64)?, expected);
            let level_db = 20.0 * (rms(&expected.noisy) / INPUT_RMS).log10();
            assert!(level_db.abs() < 8.01, "{level_db} dB");
            assert_ne!(expected.clean, expected.noisy);
        }
        Ok(())
    }

    #[test]
    fn a_recipe_may_have_every_kind_of_noise() -> Result<()> {
        let kinds = noise::Noise::kinds();
        let chains: Vec<String> = kinds.iter().map(|noise| format!(r#"[{{"kind": "{}"}}]"#, noise.kind())).collect();
        let talkers = r#"[{"kind": "babble", "files": ["speech/*"]}, {"kind": "recording"}]"#;
        for chain in chains.iter().map(String::as_str).chain([talkers]) {
            let recipe = Recipe::from_json(&format!(r#"[{{"weight": 1, "chain": {chain}}}]"#))?;
            let item = Item::train(&split(), &recipe, 4_000, 1, 2)?;
            assert!(item.noisy.iter().all(|sample| sample.is_finite()), "{chain}");
            assert!(chain.contains("gain") || item.clean != item.noisy, "{chain}");
        }
        Ok(())
    }

    #[test]
    fn what_is_left_of_nothing_is_finite() -> Result<()> {
        let recipe = Recipe::from_json(r#"[{"weight": 1, "chain": [{"kind": "drop-packets", "loss": 1}]}]"#)?;
        let item = Item::train(&split(), &recipe, 4_000, 1, 1)?;
        assert!(item.noisy.iter().all(|&sample| sample == 0.0));
        assert!(item.clean.iter().all(|sample| sample.abs() < 1e4));
        Ok(())
    }

    #[test]
    fn gains_are_not_to_be_undone_but_all_else_is() -> Result<()> {
        let item = |chain: &str| {
            let recipe = Recipe::from_json(&format!(r#"[{{"weight": 1, "chain": {chain}}}]"#))?;
            Item::train(&split(), &recipe, 4_000, 3, 4)
        };
        let clipped = item(r#"[{"kind": "clip"}]"#)?;
        let louder = item(r#"[{"kind": "clip"}, {"kind": "gain", "gain_db": 12}]"#)?;
        let differences = clipped.clean.iter().zip(&louder.clean).map(|(a, b)| (a - b).abs());
        assert!(differences.fold(0.0, f32::max) < 1e-5);
        assert_ne!(clipped.clean, clipped.noisy);
        Ok(())
    }

    #[test]
    fn validation_items_stay_as_they_were() {
        // Published scores rest on these mixtures: if this fails, scores before and after cannot be compared.
        let hashes: Vec<u64> = (0..7).map(|index| hash(&Item::valid(&split(), 10_000, index))).collect();
        let expected = [
            0x69fc_b4c5_1121_ce2f,
            0xc659_c61b_0f48_9d49,
            0x731c_2970_ce49_ec29,
            0x9c65_43f0_9c60_def3,
            0x5258_3221_4a8a_6c5b,
            0xcd28_595a_a744_ffcb,
            0x84d3_4802_2248_9062,
        ];
        assert_eq!(hashes, expected);
    }
}
