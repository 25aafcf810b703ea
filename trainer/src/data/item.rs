//! One training example: clean speech and the same made noisy.

use anyhow::{Context, Result};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::audio::{db_to_amplitude, rms};
use shared::nn::INPUT_RMS;
use shared::noise;

use super::corpus::{CorpusRecording, Split};
use super::equaliser::Equaliser;
use super::manifest::SILENCE_RMS;
use super::order::EpochOrder;
use super::playback::{Playback, PlayedRecordings};
use super::room::reverberate;
use super::speed::Speed;
use crate::SAMPLE_RATE_HZ;
use crate::recipe::{ItemKind, Recipe};

/// Places that are looked at for one with sound.
const TRIES: usize = 100;

/// Clean speech and the same made noisy, of one length and at one level: the noisy one has about [`INPUT_RMS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What the network should give.
    pub clean: Vec<f32>,
    /// What the network is given.
    pub noisy: Vec<f32>,
}

/// Makes the items of a run.
pub struct Maker {
    split: Split,
    order: EpochOrder,
    mixture: noise::NoiseRecipe,
    /// Length of a crop; whole recordings where there is none.
    crop_length: Option<usize>,
    equaliser_probability: f64,
    speed_probability: f64,
    room_probability: f64,
    playing: Playback,
    seed: u64,
}

impl Maker {
    /// A maker of what a recipe asks for, from the recordings in `split`.
    pub fn new(split: Split, recipe: &Recipe) -> Self {
        let (data, seed) = (&recipe.data, recipe.run.seed);
        let crop_length = (data.crop_seconds * f64::from(SAMPLE_RATE_HZ)) as usize;
        Self {
            order: EpochOrder::new(&split, data.items, data.crop_seconds, seed),
            mixture: recipe.noise.chains.clone(),
            crop_length: (data.items == ItemKind::Crops).then_some(crop_length),
            equaliser_probability: data.equaliser_probability,
            speed_probability: data.speed_probability,
            room_probability: data.room_probability,
            playing: Playback::new(&split, data),
            seed,
            split,
        }
    }

    /// Items in an epoch: all of the speech once.
    pub fn epoch_length(&self) -> usize {
        self.order.epoch_length()
    }

    /// Item `number` of the run's endless sequence, which goes from epoch to epoch.
    ///
    /// # Errors
    /// As [`Maker::item_of_epoch`].
    pub fn item(&self, number: u64) -> Result<Item> {
        let length = self.order.epoch_length() as u64;
        self.item_of_epoch(number / length, (number % length) as usize)
    }

    /// Item `index` of an epoch: the same for the same seed, epoch and index, whatever came before it and whoever asks for it.
    ///
    /// One of the mixture's chains makes it noisy; its [target](noise::DrawnChain::target) is the clean side. Clean speech is
    /// played at another speed before that, as is noise, and put into a room. Equalisers change clean speech before it, and both
    /// sides of an item after it, so that speech and noise are coloured each in its own way.
    ///
    /// # Errors
    /// When a recording cannot be read, or a chain asks for one that there is not.
    pub fn item_of_epoch(&self, epoch: u64, index: usize) -> Result<Item> {
        let mut rng = generator(self.seed, epoch << 32 | index as u64);
        let number = self.order.recording(epoch, index);
        let mut item = match self.split.speech.get(number) {
            Some(speech) => {
                let speech = self.split.read(speech)?;
                let speed = Speed::draw(self.speed_probability, Speed::SPEECH, &mut rng);
                let taken = self.crop_length.map(|len| speed.takes(len));
                let mut clean = speed.apply(cut(&speech, place(&speech, taken, &mut rng), taken));
                clean.truncate(self.crop_length.unwrap_or(clean.len()));
                if rng.random_bool(self.room_probability) {
                    clean = reverberate(&clean, &mut rng)?;
                }
                if let Some(equaliser) = self.equaliser(&mut rng) {
                    equaliser.apply(&mut clean);
                }
                self.add_noise(&clean, &mut rng)?
            }
            None => {
                let pair = &self.split.pairs[number - self.split.speech.len()];
                Item::stretch(&self.split, pair, self.crop_length, &mut rng)?
            }
        };
        if let Some(equaliser) = self.equaliser(&mut rng) {
            equaliser.apply(&mut item.clean);
            equaliser.apply(&mut item.noisy);
        }
        // A level around the one at which the network will be used, as whole recordings and crops of them differ.
        Ok(item.at_level(INPUT_RMS * db_to_amplitude(rng.random_range(-8.0..8.0))))
    }

    fn equaliser(&self, rng: &mut impl Rng) -> Option<Equaliser> {
        rng.random_bool(self.equaliser_probability).then(|| Equaliser::draw(rng))
    }

    fn add_noise(&self, clean: &[f32], rng: &mut impl Rng) -> Result<Item> {
        let chain = self.mixture.pick(rng);
        let recordings = PlayedRecordings::new(&self.split, clean.len(), &self.playing);
        let drawn = chain.draw(clean.len(), SAMPLE_RATE_HZ, 0, rng.next_u64(), &recordings);
        if let Some(error) = recordings.error.take() {
            return Err(error);
        }
        let drawn = drawn.context("the mixture of noises does not fit the training data")?;
        Ok(Item { clean: drawn.target(clean), noisy: drawn.apply(clean) })
    }
}

impl Item {
    /// Recorded noise at 0, 2.5, 5, 7.5 or 10 dB in turn, energies taken over the whole length.
    ///
    /// It depends on the recordings and on `index` alone, so that all scores are of the same mixtures.
    ///
    /// # Errors
    /// When a recording cannot be read.
    pub fn recorded(split: &Split, len: usize, index: u64) -> Result<Self> {
        let mut rng = generator(0, index);
        let clean = crop(split, &split.speech, len, &mut rng)?;
        let noise = crop(split, &split.noise, len, &mut rng)?;
        let noisy = noise::mix(&clean, &noise, (index % 5) as f32 * 2.5).context("two crops cannot be mixed")?;
        Ok(Self { clean, noisy }.at_level(INPUT_RMS))
    }

    /// Speech through a chain that needs no recordings; again it depends on `index` alone.
    ///
    /// # Errors
    /// When a recording cannot be read.
    pub fn corrupted(split: &Split, chain: &noise::Chain, len: usize, index: u64) -> Result<Self> {
        let mut rng = generator(0, index);
        let clean = crop(split, &split.speech, len, &mut rng)?;
        let drawn = chain.draw(len, SAMPLE_RATE_HZ, 0, rng.next_u64(), &noise::NoRecordings)?;
        Ok(Self { clean: drawn.target(&clean), noisy: drawn.apply(&clean) }.at_level(INPUT_RMS))
    }

    /// A stretch of pair `index`, the pairs being gone through in their order.
    ///
    /// # Errors
    /// When a recording cannot be read.
    pub fn paired(split: &Split, len: usize, index: u64) -> Result<Self> {
        let pair = &split.pairs[index as usize % split.pairs.len()];
        Ok(Self::stretch(split, pair, Some(len), &mut generator(0, index))?.at_level(INPUT_RMS))
    }

    /// `len` samples from the same place of both sides of a pair; all of them where there is no `len`.
    fn stretch(
        split: &Split,
        [clean, noisy]: &[CorpusRecording; 2],
        len: Option<usize>,
        rng: &mut impl Rng,
    ) -> Result<Self> {
        let (clean, noisy) = (split.read(clean)?, split.read(noisy)?);
        // Brought to one rate, two of equal length may differ by a sample.
        let common = clean.len().min(noisy.len());
        let start = place(&clean[..common], len, rng);
        let [clean, noisy] = [clean, noisy].map(|samples| cut(&samples[..common], start, len));
        Ok(Self { clean, noisy })
    }

    fn at_level(mut self, level: f32) -> Self {
        // A chain may leave hardly anything of a signal; what is asked for must not become infinitely loud for that.
        let faintest = 1e-3 * rms(&self.clean);
        let gain = level / rms(&self.noisy).max(faintest).max(f32::MIN_POSITIVE);
        self.clean.iter_mut().chain(&mut self.noisy).for_each(|sample| *sample *= gain);
        self
    }
}

fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// `len` samples from anywhere in one of `recordings`, with some sound in them.
fn crop(split: &Split, recordings: &[CorpusRecording], len: usize, rng: &mut impl Rng) -> Result<Vec<f32>> {
    // Recordings may be short of sound; then another is tried.
    for _ in 0..TRIES {
        let samples = split.read(recordings.choose(rng).context("there are no recordings")?)?;
        let start = rng.random_range(0..=samples.len().saturating_sub(len));
        let crop = cut(&samples, start, Some(len));
        if rms(&crop) * (len as f32 / samples.len().min(len) as f32).sqrt() > SILENCE_RMS {
            return Ok(crop);
        }
    }
    anyhow::bail!("{TRIES} recordings in a row were silent where they were looked at")
}

/// Where to cut `len` samples with some sound in them.
fn place(samples: &[f32], len: Option<usize>, rng: &mut impl Rng) -> usize {
    let Some(len) = len else { return 0 };
    let last = samples.len().saturating_sub(len);
    for _ in 0..TRIES {
        let start = rng.random_range(0..=last);
        if rms(&samples[start..samples.len().min(start + len)]) > SILENCE_RMS {
            return start;
        }
    }
    // Hardly any sound in it: where it is loudest.
    let loudest = samples.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).map_or(0, |(at, _)| at);
    loudest.saturating_sub(len / 2).min(last)
}

/// `len` samples from `start` on, zeros after the end; all of them where there is no `len`.
fn cut(samples: &[f32], start: usize, len: Option<usize>) -> Vec<f32> {
    let Some(len) = len else { return samples.to_vec() };
    let mut cut = samples[start..samples.len().min(start + len)].to_vec();
    cut.resize(len, 0.0);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::corpus::in_memory;

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
        let speech = (0..5).map(|i| recording(9_000 + 1_000 * i, 1 + i as u32)).collect();
        in_memory(speech, (0..4).map(|i| recording(3_000 + 5_000 * i, 11 + i as u32)).collect())
    }

    /// Items of a quarter of a second with noise from a mixture, the default if there is none.
    fn maker(mixture: Option<&str>, seed: u64) -> Result<Maker> {
        let mut recipe = Recipe::from_toml("version = 1\ndata.crop_seconds = 0.25", &[format!("run.seed={seed}")])?;
        if let Some(json) = mixture {
            recipe.noise.chains = noise::NoiseRecipe::from_json(json)?;
        }
        Ok(Maker::new(split(), &recipe))
    }

    /// FNV-1a of the samples' bits.
    fn hash(item: &Item) -> u64 {
        let bytes = item.clean.iter().chain(&item.noisy).flat_map(|sample| sample.to_bits().to_le_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn an_item_depends_on_its_number_alone() -> Result<()> {
        let [one, same, other] = [maker(None, 1)?, maker(None, 1)?, maker(None, 2)?];
        let items = (0..40).map(|number| one.item(number)).collect::<Result<Vec<_>>>()?;
        for (number, expected) in items.iter().enumerate().rev() {
            assert_eq!(&same.item(number as u64)?, expected);
            assert_ne!(&other.item(number as u64)?, expected);
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
            let maker = maker(Some(&format!(r#"[{{"weight": 1, "chain": {chain}}}]"#)), 1)?;
            let items = (0..8).map(|number| maker.item(number)).collect::<Result<Vec<_>>>()?;
            assert!(items.iter().flat_map(|item| &item.noisy).all(|sample| sample.is_finite()), "{chain}");
            // Rare noises do not happen in every quarter of a second.
            assert!(chain.contains("gain") || items.iter().any(|item| item.clean != item.noisy), "{chain}");
        }
        Ok(())
    }

    #[test]
    fn what_is_left_of_nothing_is_finite() -> Result<()> {
        let item = maker(Some(r#"[{"weight": 1, "chain": [{"kind": "drop-packets", "loss": 1}]}]"#), 1)?.item(1)?;
        assert!(item.noisy.iter().all(|&sample| sample == 0.0));
        assert!(item.clean.iter().all(|sample| sample.abs() < 1e4));
        Ok(())
    }

    #[test]
    fn gains_are_not_to_be_undone_but_all_else_is() -> Result<()> {
        let item = |chain: &str| maker(Some(&format!(r#"[{{"weight": 1, "chain": {chain}}}]"#)), 3)?.item(4);
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
        let hashes: Vec<u64> =
            (0..7).map(|index| hash(&Item::recorded(&split(), 10_000, index).expect("there are recordings"))).collect();
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

    #[test]
    fn an_epoch_goes_through_all_of_the_speech_once() -> Result<()> {
        let maker = maker(None, 1)?;
        // Recordings of 9 000 to 13 000 samples hold 2 to 3 crops of 4 000.
        assert_eq!(maker.epoch_length(), 2 + 3 + 3 + 3 + 3);
        let count = |epoch: u64| {
            let mut counts = [0; 5];
            (0..maker.epoch_length()).for_each(|index| counts[maker.order.recording(epoch, index)] += 1);
            counts
        };
        assert_eq!(count(0), [2, 3, 3, 3, 3]);
        assert_eq!(count(1), count(0));
        let order = |epoch| (0..14).map(|index| maker.order.recording(epoch, index)).collect::<Vec<_>>();
        assert_ne!(order(0), order(1), "epochs differ");
        Ok(())
    }

    #[test]
    fn silence_in_recordings_is_passed_over_and_never_loops() {
        let mut samples = vec![0.0; 100_000];
        samples[70_000] = 0.5;
        for stream in 0..20 {
            let start = place(&samples, Some(50), &mut generator(1, stream));
            assert!(cut(&samples, start, Some(50)).contains(&0.5), "from {start}");
        }
        assert_eq!(place(&[0.0; 10], Some(50), &mut generator(1, 1)), 0);
        assert_eq!(cut(&[1.0, 2.0], 0, Some(4)), [1.0, 2.0, 0.0, 0.0]);
    }
}
