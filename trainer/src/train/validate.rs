//! Scoring a network while it is being trained, through the same pipeline that people will use.

use anyhow::{Context, Result};
use burn::prelude::*;
use serde_json::json;
use shared::nn::{Network, NetworkConfig};
use shared::noise::Chain;
use shared::pipeline::Denoiser;

use crate::SAMPLE_RATE_HZ;
use crate::data::{Item, Split};
use crate::scores::{Group, Scored, Scores};

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
}

/// An item of the set.
struct Case {
    /// The kind of noise.
    kind: String,
    item: Item,
    /// Scores of the noisy signal, which no network changes.
    before: Scores,
}

impl Case {
    fn new(kind: &str, item: Item) -> Self {
        let before = Scores::of(&item.noisy, &item.clean, &item.noisy, SAMPLE_RATE_HZ);
        Self { kind: kind.into(), item, before }
    }
}

/// An item with the network's output.
pub struct Example {
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
        let mut items = Vec::new();
        if !split.speech.is_empty() && !no_noise {
            for index in 0..RECORDED {
                items.push(Case::new(RECORDED_KIND, Item::recorded(split, len, index)?));
            }
            for (kind, field, [first, last]) in OTHER_KINDS {
                for index in 0..OTHERS {
                    let value = first + (last - first) * index as f64 / (OTHERS - 1) as f64;
                    let chain = Chain::from_json(&json!([{"kind": kind, field: value}]).to_string()).context(kind)?;
                    items.push(Case::new(kind, Item::corrupted(split, &chain, len, index)?));
                }
            }
        }
        if !split.speech.is_empty() {
            for index in 0..OTHERS {
                items.push(Case::new(CLEAN, Item::corrupted(split, &Chain::default(), len, index)?));
            }
        }
        if !split.pairs.is_empty() {
            for index in 0..RECORDED {
                items.push(Case::new(PAIRED, Item::paired(split, len, index)?));
            }
        }
        Ok(Self { items })
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The mean that checkpoints are chosen by: of recorded noise and pairs, or of clean speech where there is nothing else. Networks that
    /// do little score high on the report's corruptions, of which most leave 30 dB, so those are only told.
    pub fn overall(scored: &[Scored]) -> Option<Group> {
        let chosen: Vec<&Scored> = scored.iter().filter(|item| CHOSEN_BY.contains(&item.kind.as_str())).collect();
        Group::of("all", &chosen).or_else(|| Group::of(CLEAN, &scored.iter().collect::<Vec<_>>()))
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
        device: &B::Device,
        mut progress: impl FnMut(usize),
    ) -> Result<(Vec<Scored>, Vec<Example>)> {
        let denoiser = Denoiser::from_network(network, config.clone(), SAMPLE_RATE_HZ, device.clone());
        let (mut scored, mut examples) = (Vec::new(), Vec::<Example>::new());
        for (number, Case { kind, item: Item { clean, noisy }, before }) in self.items.iter().enumerate() {
            let estimate = pollster::block_on(denoiser.pieces(noisy, |_| ()))?;
            let after = Scores::of(noisy, clean, &estimate, SAMPLE_RATE_HZ);
            scored.push(Scored { name: format!("{kind} {number}"), kind: kind.clone(), before: *before, after });
            if examples.iter().filter(|example| example.kind == *kind).count() < EXAMPLES_OF_A_KIND {
                examples.push(Example { kind: kind.clone(), signals: [clean.clone(), noisy.clone(), estimate] });
            }
            progress(number + 1);
        }
        Ok((scored, examples))
    }
}
