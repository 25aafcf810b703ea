//! The recordings that chains of noise ask for: which ones they get, and how those are played.
//!
//! In a recipe `*` is any of the noise that the run trains on, and `speech/*` any of its speech, for babble.

use std::borrow::Cow;
use std::cell::RefCell;

use anyhow::{Error, Result, ensure};
use elsa::FrozenVec;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::noise::{NoiseRecipe, Recordings};

use super::corpus::{CorpusRecording, Split};
use super::speed::Speed;
use super::store::SharedSamples;
use super::variation::vary;
use crate::SAMPLE_RATE_HZ;
use crate::recipe::DataSection;

/// Any of the noise.
const NOISE: &str = "*";
/// Any of the speech.
const SPEECH: &str = "speech/*";

/// Longest stretch of a recording that is played at another speed, in items: one that a chain may still choose from.
const STRETCH: usize = 4;

/// Checks that the recordings that a mixture of noises names are there to train on.
///
/// # Errors
/// When it names one by its own name, or asks for any of a kind of which there is none.
pub fn check(mixture: &NoiseRecipe, split: &Split) -> Result<()> {
    for name in mixture.chains().iter().flat_map(|chain| chain.chain.recordings()) {
        let known = named(split, name).is_some_and(|recordings| !recordings.is_empty());
        ensure!(known, "noise.chains: expected * (any of the noise) or speech/* (any of the speech), got {name:?}");
    }
    Ok(())
}

fn named<'a>(split: &'a Split, name: &str) -> Option<&'a [CorpusRecording]> {
    match name {
        NOISE => Some(&split.noise),
        SPEECH => Some(&split.speech),
        _ => None,
    }
}

/// How recordings are chosen and played.
#[derive(Clone, Debug)]
pub struct Playback {
    /// How often each recording of noise is chosen; all alike where there are none.
    noise_weights: Option<WeightedIndex<f64>>,
    /// How often a recording is played at another speed.
    speed_probability: f64,
    /// How often noise is varied.
    variation_probability: f64,
}

impl Playback {
    /// As a recipe says.
    pub fn new(split: &Split, data: &DataSection) -> Self {
        let exponent = data.noise_length_exponent;
        let weights = split.noise.iter().map(|recording| recording.seconds.powf(exponent));
        Self {
            // There are no weights of nothing.
            noise_weights: if exponent == 0.0 { None } else { WeightedIndex::new(weights).ok() },
            speed_probability: data.speed_probability,
            variation_probability: data.noise_variation_probability,
        }
    }
}

/// The recordings that one item's chain asks for, held until the item is made.
pub struct PlayedRecordings<'a> {
    split: &'a Split,
    item_length: usize,
    playing: &'a Playback,
    samples: FrozenVec<SharedSamples>,
    /// Why one could not be read.
    pub error: RefCell<Option<Error>>,
}

impl<'a> PlayedRecordings<'a> {
    /// None yet.
    pub fn new(split: &'a Split, item_length: usize, playing: &'a Playback) -> Self {
        Self { split, item_length, playing, samples: FrozenVec::new(), error: RefCell::default() }
    }

    fn chosen(&self, name: &str, choice: u64) -> Option<&'a CorpusRecording> {
        let recordings = named(self.split, name)?;
        let index = match self.playing.noise_weights.as_ref().filter(|_| name == NOISE) {
            Some(weights) => weights.sample(&mut generator(choice, 1)),
            None => choice.checked_rem(recordings.len() as u64)? as usize,
        };
        recordings.get(index)
    }

    /// What a chain is given of a recording, everything but the samples decided by `choice`.
    fn played(&self, name: &str, samples: SharedSamples, choice: u64) -> SharedSamples {
        let mut rng = generator(choice, 0);
        let range = if name == SPEECH { Speed::SPEECH } else { Speed::NOISE };
        let speed = Speed::draw(self.playing.speed_probability, range, &mut rng);
        let mut variation = generator(choice, 2);
        let varied = name == NOISE && variation.random_bool(self.playing.variation_probability);
        if speed == Speed::RECORDED && !varied {
            return samples;
        }
        let len = speed.takes(STRETCH * self.item_length).min(samples.len());
        let start = rng.random_range(0..=samples.len() - len);
        let mut played = speed.apply(samples[start..start + len].to_vec());
        if varied {
            vary(&mut played, &mut variation);
        }
        played.into()
    }
}

impl Recordings for PlayedRecordings<'_> {
    fn recording(&self, name: &str, choice: u64, sample_rate_hz: u32) -> Option<Cow<'_, [f32]>> {
        match self.split.read(self.chosen(name, choice)?) {
            Ok(samples) => (sample_rate_hz == SAMPLE_RATE_HZ)
                .then(|| Cow::from(self.samples.push_get(self.played(name, samples, choice)).as_slice())),
            Err(error) => {
                *self.error.borrow_mut() = Some(error);
                None
            }
        }
    }
}

/// Each stream decides one thing of a choice.
fn generator(choice: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(choice);
    rng.set_stream(stream);
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::corpus::in_memory;

    #[test]
    fn longer_noise_is_chosen_as_often_as_its_weight_says() {
        let second = SAMPLE_RATE_HZ as usize;
        let split = in_memory(vec![vec![0.1; second]], vec![vec![0.1; second], vec![0.2; 9 * second]]);
        for (exponent, expected) in [(0.0, 0.5), (0.5, 0.75), (1.0, 0.9)] {
            let playing =
                Playback::new(&split, &DataSection { noise_length_exponent: exponent, ..DataSection::default() });
            let held = PlayedRecordings::new(&split, second, &playing);
            let long = (0..2000).filter(|&choice| {
                let recording = held.recording(NOISE, choice, SAMPLE_RATE_HZ).expect("there is noise");
                recording.len() == 9 * second
            });
            let share = long.count() as f64 / 2000.0;
            // Four standard deviations of a share of 2000.
            assert!((share - expected).abs() < 0.045, "{exponent}: {share}, not {expected}");
            assert_eq!(held.recording(SPEECH, 7, SAMPLE_RATE_HZ).map(|speech| speech.len()), Some(second));
        }
    }

    #[test]
    fn only_recordings_of_the_run_can_be_named() {
        let split = in_memory(vec![vec![0.1]], vec![vec![0.1]]);
        check(&crate::recipe::default_noise(), &split).expect("its recordings are those of a corpus");
        let named = NoiseRecipe::from_json(r#"[{"weight": 1, "chain": [{"kind": "recording", "file": "a.wav"}]}]"#);
        let message = check(&named.expect("valid"), &split).expect_err("no such recording").to_string();
        assert!(message.contains("speech/*") && message.contains("a.wav"), "{message}");
    }
}
