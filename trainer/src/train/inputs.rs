//! What a run is made from, kept in its folder as `data.json`, so that `--resume` notices when it is no longer the same.
//!
//! Recordings are compared by their paths below the recipe's folders, their sizes and their lengths: a copy of the data elsewhere is the
//! same data, whatever the times of its files.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use burn::backend::Flex;
use cli::output::write_whole;
use serde::{Deserialize, Serialize};
use shared::{Bundle, Weights};

use crate::data::Corpus;
use crate::data::corpus::CorpusRecording;

const FILE: &str = "data.json";
/// Lengths that differ by less are the same. No sample is shorter.
const SAME_SECONDS: f64 = 1e-6;
/// Names that are said of each kind of change.
const NAMED: usize = 3;

/// The recordings and the first weights of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunInputs {
    /// Recordings by what they are for, and by their paths below the recipe's folder.
    recordings: BTreeMap<String, BTreeMap<String, RecordingSize>>,
    /// CRC-32 of the weights that the first step begins with. None where the first weights are random, or were not needed any more.
    first_weights: Option<u32>,
    /// Changes that were accepted, in order.
    accepted: Vec<Accepted>,
}

/// How much is in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct RecordingSize {
    bytes: u64,
    seconds: f64,
}

/// A change that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Accepted {
    after_step: usize,
    changes: Vec<String>,
}

impl RunInputs {
    /// What a run would be made from now.
    ///
    /// # Errors
    /// When the first weights cannot be read.
    pub fn of(corpus: &Corpus, first_weights: Option<&Bundle>) -> Result<Self> {
        let mut recordings = BTreeMap::<String, BTreeMap<String, RecordingSize>>::new();
        for (split, name) in [(&corpus.train, "training"), (&corpus.valid, "validation")] {
            let mut add = |kind: &str, recording: &CorpusRecording| {
                if let Some(file) = &recording.file {
                    let extent = RecordingSize { bytes: file.bytes, seconds: recording.seconds };
                    recordings.entry(format!("{name} {kind}")).or_default().insert(file.name.clone(), extent);
                }
            };
            split.speech.iter().for_each(|recording| add("speech", recording));
            split.noise.iter().for_each(|recording| add("noise", recording));
            split.pairs.iter().for_each(|[clean, noisy]| {
                add("pairs, clean", clean);
                add("pairs, noisy", noisy);
            });
        }
        Ok(Self { recordings, first_weights: first_weights.map(checksum).transpose()?, accepted: vec![] })
    }

    /// What the run in a folder was made from, if that is known: earlier programs did not keep it.
    ///
    /// # Errors
    /// When `data.json` cannot be read.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        let path = run.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let inputs = serde_json::from_slice(&bytes);
        inputs.map(Some).with_context(|| format!("{} is broken; remove it to resume without it", path.display()))
    }

    /// What is no longer as it was in `self`, a line for each kind of recordings.
    pub fn changes(&self, now: &Self) -> Vec<String> {
        let none = BTreeMap::new();
        let mut kinds: Vec<&String> = self.recordings.keys().chain(now.recordings.keys()).collect();
        kinds.sort();
        kinds.dedup();
        let mut changes: Vec<String> = Vec::new();
        for kind in kinds {
            let [before, after] = [self, now].map(|inputs| inputs.recordings.get(kind).unwrap_or(&none));
            let added = after.keys().filter(|name| !before.contains_key(*name));
            let removed = before.keys().filter(|name| !after.contains_key(*name));
            let other = before.iter().filter(|(name, extent)| after.get(*name).is_some_and(|now| !now.equals(extent)));
            let parts = [
                summary("added", added.collect()),
                summary("removed", removed.collect()),
                summary("changed", other.map(|(name, _)| name).collect()),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            if !parts.is_empty() {
                changes.push(format!("{kind}: {}", parts.join(", ")));
            }
        }
        if let (Some(before), Some(after)) = (self.first_weights, now.first_weights)
            && before != after
        {
            changes.push("network.weights: another model than the run began with".into());
        }
        changes
    }

    /// Takes over what `before` knows, and records changes that were accepted after a step.
    pub fn follow(&mut self, before: Self, after_step: usize, changes: &[String]) {
        self.accepted = before.accepted;
        if !changes.is_empty() {
            self.accepted.push(Accepted { after_step, changes: changes.to_vec() });
        }
        self.first_weights = self.first_weights.or(before.first_weights);
    }

    /// Writes it into the run's folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, run: &Path) -> Result<()> {
        write_whole(&run.join(FILE), &serde_json::to_vec(self)?)
    }
}

/// A checksum of a model's weights. Not of its bytes: bundles of earlier programs also hold random numbers of the parameters.
fn checksum(bundle: &Bundle) -> Result<u32> {
    let weights = Weights::of(&bundle.network::<Flex>(&Default::default())?)?;
    let mut checksum = crc32fast::Hasher::new();
    for (name, weight) in weights.iter() {
        checksum.update(name.as_bytes());
        checksum.update(&weight.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    }
    Ok(checksum.finalize())
}

impl RecordingSize {
    fn equals(&self, other: &Self) -> bool {
        self.bytes == other.bytes && (self.seconds - other.seconds).abs() < SAME_SECONDS
    }
}

/// How many files there are, with the names of the first.
fn summary(what: &str, names: Vec<&String>) -> Option<String> {
    let named: Vec<&str> = names.iter().take(NAMED).map(|name| name.as_str()).collect();
    let more = if names.len() > NAMED { ", …" } else { "" };
    (!names.is_empty()).then(|| format!("{} {what} ({}{more})", names.len(), named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(kind: &str, files: &[(&str, u64, f64)]) -> RunInputs {
        let extent = |&(name, bytes, seconds): &(&str, u64, f64)| (name.to_owned(), RecordingSize { bytes, seconds });
        let recordings = [(kind.to_owned(), files.iter().map(extent).collect())].into();
        RunInputs { recordings, ..RunInputs::default() }
    }

    #[test]
    fn changes_are_counted_and_named() {
        let before = inputs("validation speech", &[("a", 10, 1.0), ("b", 20, 2.0), ("c", 30, 3.0)]);
        assert_eq!(before.changes(&before), [""; 0]);
        // JSON may move the last digit.
        let again = inputs("validation speech", &[("a", 10, 1.0 + 1e-9), ("b", 20, 2.0), ("c", 30, 3.0)]);
        assert_eq!(before.changes(&again), [""; 0]);
        let after = inputs("validation speech", &[("a", 11, 1.0), ("b", 20, 2.0001), ("d", 30, 3.0)]);
        assert_eq!(before.changes(&after), ["validation speech: 1 added (d), 1 removed (c), 2 changed (a, b)"]);
        let moved = inputs("training noise", &[("a", 10, 1.0), ("b", 20, 2.0), ("c", 30, 3.0), ("d", 1, 1.0)]);
        assert_eq!(
            before.changes(&moved),
            ["training noise: 4 added (a, b, c, …)", "validation speech: 3 removed (a, b, c)"]
        );
    }

    #[test]
    fn first_weights_are_compared_where_both_are_known() {
        let with = |first_weights| RunInputs { first_weights, ..RunInputs::default() };
        assert_eq!(with(Some(1)).changes(&with(Some(2))).len(), 1);
        assert_eq!(with(Some(1)).changes(&with(Some(1))).len(), 0);
        // Once there is a checkpoint they are not needed any more, but remembered.
        let mut later = with(None);
        assert_eq!(with(Some(1)).changes(&later).len(), 0);
        later.follow(with(Some(1)), 5, &["something".into()]);
        assert_eq!(later.first_weights, Some(1));
        assert_eq!(later.accepted, [Accepted { after_step: 5, changes: vec!["something".into()] }]);
    }
}
