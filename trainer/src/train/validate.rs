//! Scoring a network while it is being trained, through the same pipeline that people will use.

use anyhow::{Context, Result, bail};
use burn::prelude::*;
use serde_json::json;
use shared::Denoiser;
use shared::nn::{Network, NetworkConfig, Phrasing};
use shared::noise::Chain;

use crate::SAMPLE_RATE_HZ;
use crate::data::{Item, Split};
use crate::scores::{MeanScores, Scored, SpeechScores};

/// Length of each item in seconds.
const SECONDS: u32 = 4;
/// Mixtures with recorded noise at 0 to 10 dB. Their bits depend on the recordings alone.
const RECORDED: u64 = 40;
/// Items of every other kind.
const OTHERS: u64 = 10;
/// Noises of which there are some items, a field of theirs, and its values in the first and the last of them.
const OTHER_KINDS: [(&str, &str, [f64; 2]); 3] = [
    ("zero-small", "quantile", [0.6, 0.95]),
    ("raise-small", "quantile", [0.3, 0.85]),
    ("white", "snr_db", [0.0, 10.0]),
];
const RECORDED_KIND: &str = "recorded";
const PAIRED: &str = "paired";
/// What clean speech is called among the kinds of noise.
const CLEAN: &str = "clean";
/// Kinds by which checkpoints are chosen.
const CHOSEN_BY: [&str; 2] = [RECORDED_KIND, PAIRED];
/// Items of which there is something to hear: the first ones of each kind.
const EXAMPLES_OF_A_KIND: usize = 1;

/// A fixed set of items, the same in every run on one corpus.
pub struct ValidationSet {
    items: Vec<Case>,
    /// What cannot be scored, a line for each item.
    left_out: Vec<String>,
}

/// How a network did on the set.
pub struct ValidationResult {
    /// Scores of every item that has some.
    pub scored: Vec<Scored>,
    /// Items for which the network gave samples that are not finite.
    pub not_finite: usize,
    /// Some items to hear.
    pub examples: Vec<ValidationExample>,
}

/// An item of the set.
struct Case {
    /// The kind of noise.
    kind: String,
    item: Item,
    /// Scores of the noisy signal, which no network changes.
    before: SpeechScores,
}

/// An item with the network's output.
pub struct ValidationExample {
    /// The kind of noise.
    pub kind: String,
    /// Clean, noisy, denoised.
    pub signals: [Vec<f32>; 3],
}

impl ValidationSet {
    /// Makes the set: 40 mixtures with recorded noise, and ten items of each of the report's two corruptions, of white noise, and of
    /// clean speech; of pairs, if there are any, 40. Of clean speech alone where there is to be no noise.
    ///
    /// # Errors
    /// When a recording cannot be read.
    pub fn new(split: &Split, no_noise: bool) -> Result<Self> {
        let len = (SECONDS * SAMPLE_RATE_HZ) as usize;
        let mut set = Self { items: Vec::new(), left_out: Vec::new() };
        if !split.speech.is_empty() && !no_noise {
            for index in 0..RECORDED {
                set.add(RECORDED_KIND, Item::recorded(split, len, index)?);
            }
            for (kind, field, [first, last]) in OTHER_KINDS {
                for index in 0..OTHERS {
                    let value = first + (last - first) * index as f64 / (OTHERS - 1) as f64;
                    let chain = Chain::from_json(&json!([{"kind": kind, field: value}]).to_string()).context(kind)?;
                    set.add(kind, Item::corrupted(split, &chain, len, index)?);
                }
            }
        }
        if !split.speech.is_empty() {
            for index in 0..OTHERS {
                set.add(CLEAN, Item::corrupted(split, &Chain::default(), len, index)?);
            }
        }
        if !split.pairs.is_empty() {
            for index in 0..RECORDED {
                set.add(PAIRED, Item::paired(split, len, index)?);
            }
        }
        if set.items.is_empty() {
            bail!("the validation set has no item to score: {}", set.left_out.first().map_or("", |reason| reason));
        }
        Ok(set)
    }

    /// Adds an item if it can be scored.
    fn add(&mut self, kind: &str, item: Item) {
        match SpeechScores::of(&item.noisy, &item.clean, &item.noisy, SAMPLE_RATE_HZ) {
            Ok(before) => self.items.push(Case { kind: kind.into(), item, before }),
            Err(reason) => {
                let number = self.items.len() + self.left_out.len();
                self.left_out.push(format!("item {number} of the validation set ({kind}): {reason}"));
            }
        }
    }

    /// What was left out because it has no scores, a line for each item.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// A checksum of every sample: whether two sets give scores that can be compared. It may also differ on another processor.
    pub fn checksum(&self) -> u32 {
        let mut checksum = crc32fast::Hasher::new();
        for Case { kind, item: Item { clean, noisy }, .. } in &self.items {
            checksum.update(kind.as_bytes());
            for side in [clean, noisy] {
                checksum.update(&side.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>());
            }
        }
        checksum.finalize()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The mean that checkpoints are chosen by: of recorded noise and pairs, or of clean speech where there is nothing else. Networks that
    /// do little score high on the report's corruptions, of which most leave 30 dB, so those are only told.
    pub fn overall(scored: &[Scored]) -> Option<MeanScores> {
        let chosen: Vec<&Scored> = scored.iter().filter(|item| CHOSEN_BY.contains(&item.kind.as_str())).collect();
        MeanScores::of("all", &chosen).or_else(|| MeanScores::of(CLEAN, &scored.iter().collect::<Vec<_>>()))
    }

    /// In words.
    pub fn describe(&self) -> String {
        format!("{} items of {SECONDS} s of the validation split", self.len())
    }

    /// Scores a network that is not being trained. `progress` is told of every item that is done.
    ///
    /// # Errors
    /// When the device fails.
    pub fn score<B: Backend>(
        &self,
        network: Network<B>,
        config: &NetworkConfig,
        phrasing: Phrasing,
        device: &B::Device,
        mut progress: impl FnMut(usize),
    ) -> Result<ValidationResult> {
        let denoiser = Denoiser::from_network(network, config.clone(), SAMPLE_RATE_HZ, phrasing, device.clone());
        let (mut scored, mut not_finite, mut examples) = (Vec::new(), 0, Vec::<ValidationExample>::new());
        for (number, Case { kind, item: Item { clean, noisy }, before }) in self.items.iter().enumerate() {
            let estimate = denoiser.pieces_blocking(noisy, |_| ())?;
            progress(number + 1);
            let Ok(after) = SpeechScores::of(noisy, clean, &estimate, SAMPLE_RATE_HZ) else {
                not_finite += 1;
                continue;
            };
            scored.push(Scored { name: format!("{kind} {number}"), kind: kind.clone(), before: *before, after });
            if examples.iter().filter(|example| example.kind == *kind).count() < EXAMPLES_OF_A_KIND {
                examples
                    .push(ValidationExample { kind: kind.clone(), signals: [clean.clone(), noisy.clone(), estimate] });
            }
        }
        Ok(ValidationResult { scored, not_finite, examples })
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::module::{Module, ModuleMapper, Param};

    use super::*;
    use crate::data::corpus::in_memory;

    struct ToNan;

    impl<B: Backend> ModuleMapper<B> for ToNan {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            param.map(|weights| weights * f32::NAN)
        }
    }

    #[test]
    fn what_has_no_scores_is_in_no_mean() -> Result<()> {
        let sound = |seed: usize| (0..80_000).map(|i| ((i * seed) as f32 * 0.0137).sin() * 0.3).collect::<Vec<f32>>();
        let mut set = ValidationSet::new(&in_memory(vec![sound(3)], vec![sound(7)]), true)?;
        let (items, checksum) = (set.len(), set.checksum());
        set.add(PAIRED, Item { clean: vec![0.0; 64_000], noisy: sound(5) });
        set.add(PAIRED, Item { clean: sound(5), noisy: vec![0.0; 80_000] });
        assert_eq!((set.len(), set.checksum()), (items, checksum));
        assert!(set.left_out()[0].contains("(paired): the clean original is silent"), "{:?}", set.left_out());
        assert_eq!(set.left_out().len(), 2);

        let config = NetworkConfig::preset("autoencoder")?;
        let network = config.init::<Flex>(&Default::default());
        let validation = set.score(network.clone(), &config, Phrasing::Products, &Default::default(), |_| ())?;
        assert_eq!((validation.scored.len(), validation.not_finite), (items, 0));
        let validation =
            set.score(network.map(&mut ToNan), &config, Phrasing::Products, &Default::default(), |_| ())?;
        assert_eq!((validation.scored.len(), validation.not_finite), (0, items));
        assert_eq!(ValidationSet::overall(&validation.scored), None);

        set.add(PAIRED, Item { clean: sound(5), noisy: sound(6) });
        assert_ne!(set.checksum(), checksum);
        let silent = ValidationSet::new(&in_memory(vec![vec![0.0; 80_000]], vec![sound(7)]), true);
        assert!(silent.is_err());
        Ok(())
    }
}
