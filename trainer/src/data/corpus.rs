//! What there is to train on: recordings by the folders they lie in, split into what trains and what validates.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use shared::{noise, synth};

use super::manifest::{FileContent, Manifest};
use super::store::{RecordingStore, SampleSource, SharedSamples};
use crate::SAMPLE_RATE_HZ;
use crate::recipe::DataSection;

/// One in so many speakers, or files, validates where folders do not say which.
const VALID_SHARE: usize = 20;

/// Clean speech and noise, split into what trains and what validates.
pub struct Corpus {
    /// For training.
    pub train: Split,
    /// For choosing checkpoints; shares no recording with `train`.
    pub valid: Split,
    /// What was left out, a line for each file.
    pub left_out: Vec<String>,
}

/// Recordings to train on, or to validate on.
pub struct Split {
    /// Clean speech, to which noise is added.
    pub speech: Vec<CorpusRecording>,
    /// Noise.
    pub noise: Vec<CorpusRecording>,
    /// Clean recordings and the same with noise.
    pub pairs: Vec<[CorpusRecording; 2]>,
    store: Arc<RecordingStore>,
}

/// A recording.
#[derive(Clone, Debug)]
pub struct CorpusRecording {
    /// Where it comes from.
    pub source: SampleSource,
    /// Its length.
    pub seconds: f64,
    /// The folder it lies in, which is taken for its speaker.
    pub speaker: String,
    /// What is known of its file; none if code made it.
    pub file: Option<FileIdentity>,
}

/// By what a file is known again wherever it lies.
#[derive(Clone, Debug)]
pub struct FileIdentity {
    /// Its path below the folder that was searched, with `/` between its parts.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

impl Split {
    /// The samples of one of its recordings.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, recording: &CorpusRecording) -> Result<SharedSamples> {
        self.store.read(&recording.source)
    }

    /// All that items are made of: speech, then the clean sides of pairs.
    pub fn clean(&self) -> impl Iterator<Item = &CorpusRecording> {
        self.speech.iter().chain(self.pairs.iter().map(|[clean, _]| clean))
    }

    /// Hours of speech, pairs included, and of noise.
    pub fn hours(&self) -> [f64; 2] {
        [self.clean().map(|r| r.seconds).sum::<f64>(), self.noise.iter().map(|r| r.seconds).sum()]
            .map(|seconds: f64| (seconds + 0.0) / 3600.0) // a sum of nothing is -0
    }

    /// Length of the longest speech in seconds.
    pub fn longest(&self) -> f64 {
        self.clean().map(|recording| recording.seconds).fold(0.0, f64::max)
    }

    /// How many speakers there are.
    pub fn speakers(&self) -> usize {
        self.clean().map(|recording| &recording.speaker).collect::<BTreeSet<_>>().len()
    }
}

impl Corpus {
    /// Finds what a recipe names; synthetic sound where it names nothing.
    ///
    /// # Errors
    /// When a folder is empty or cannot be listed, when it has too few recordings to keep any for validation, when a pair does not
    /// match, or when a file cannot be used and the recipe does not say to skip such files.
    pub fn open(data: &DataSection, seed: u64) -> Result<Self> {
        let store = Arc::new(RecordingStore::new(data.cache_gib));
        if data.is_synthetic() {
            return Ok(Self::synthetic(seed, store));
        }
        let mut left_out = Vec::new();
        let mut read = |folder: &Path, by_speaker| -> Result<[Vec<CorpusRecording>; 2]> {
            if folder.as_os_str().is_empty() {
                Ok([vec![], vec![]])
            } else {
                read_folder(folder, by_speaker, &mut left_out)
            }
        };
        let [train_speech, valid_speech] = read(&data.speech, true)?;
        let [train_noise, valid_noise] = read(&data.noise, false)?;
        let (clean, noisy) = (read(&data.clean, true)?, read(&data.noisy, true)?);
        if let Some(first) = left_out.first().filter(|_| !data.skip_unusable) {
            let others = match left_out.len() - 1 {
                0 => String::new(),
                others => format!(" (and {others} more)"),
            };
            bail!("{first}{others}: remove it, or leave such files out by --set data.skip_unusable=true");
        }
        let [train_pairs, valid_pairs] = pair(data, clean, noisy, &mut left_out)?;
        let split = |speech, noise, pairs| Split { speech, noise, pairs, store: store.clone() };
        Ok(Self {
            train: split(train_speech, train_noise, train_pairs),
            valid: split(valid_speech, valid_noise, valid_pairs),
            left_out,
        })
    }

    /// Ten minutes of speech-like sound from 40 synthetic voices, with white and brown noise; two more voices to validate.
    fn synthetic(seed: u64, store: Arc<RecordingStore>) -> Self {
        let samples = |seconds: usize| seconds * SAMPLE_RATE_HZ as usize;
        let split = |first: u64, voices: u64| {
            let rng = |index: u64| ChaCha8Rng::seed_from_u64(seed.wrapping_add(first + index));
            let voice = |i| {
                CorpusRecording::made(synth::speech(samples(15), SAMPLE_RATE_HZ, &mut rng(i)), format!("voice {i}"))
            };
            let noises = [
                noise::white(samples(60), &mut rng(voices)),
                noise::brown(samples(60), SAMPLE_RATE_HZ, &mut rng(voices + 1)),
            ];
            Split {
                speech: (0..voices).map(voice).collect(),
                noise: noises.map(|samples| CorpusRecording::made(samples, String::new())).into(),
                pairs: vec![],
                store: store.clone(),
            }
        };
        Self { train: split(0, 40), valid: split(1000, 2), left_out: vec![] }
    }
}

impl CorpusRecording {
    fn made(samples: Vec<f32>, speaker: String) -> Self {
        let seconds = samples.len() as f64 / f64::from(SAMPLE_RATE_HZ);
        Self { source: SampleSource::Made(Arc::new(samples)), seconds, speaker, file: None }
    }

    fn path(&self) -> &Path {
        match &self.source {
            SampleSource::File(path) => path,
            SampleSource::Made(_) => Path::new(""),
        }
    }
}

/// The recordings of a folder that train and those that validate. Files that cannot be used are said in `left_out`.
fn read_folder(folder: &Path, by_speaker: bool, left_out: &mut Vec<String>) -> Result<[Vec<CorpusRecording>; 2]> {
    let splits = ["train", "valid"].map(|split| folder.join(split));
    if splits.iter().all(|split| split.is_dir()) {
        let [train, valid] = splits.map(|split| usable(&split, left_out));
        return Ok([train?, valid?]);
    }
    let all = usable(folder, left_out)?;
    let mut speakers: Vec<&String> = all.iter().map(|recording| &recording.speaker).collect();
    speakers.sort();
    speakers.dedup();
    let number: HashMap<String, usize> = speakers.into_iter().cloned().enumerate().map(|(i, name)| (name, i)).collect();
    let by_speaker = by_speaker && number.len() >= VALID_SHARE;
    let last = |index: usize| index % VALID_SHARE == VALID_SHARE - 1;
    let numbered = all.into_iter().enumerate();
    let (valid, train): (Vec<_>, Vec<_>) =
        numbered.partition(|(index, recording)| last(if by_speaker { number[&recording.speaker] } else { *index }));
    let splits = [train, valid].map(|split| split.into_iter().map(|(_, recording)| recording).collect::<Vec<_>>());
    ensure!(
        !splits[1].is_empty(),
        "too few recordings in {}: expected at least {VALID_SHARE}, of which one validates, or folders train and valid, got {}",
        folder.display(),
        splits[0].len()
    );
    Ok(splits)
}

/// The recordings of a folder that can be used.
fn usable(folder: &Path, left_out: &mut Vec<String>) -> Result<Vec<CorpusRecording>> {
    let mut recordings = Vec::new();
    let before = left_out.len();
    for file in Manifest::scan(folder)?.files {
        let path = folder.join(&file.path);
        match file.content {
            FileContent::Sound { seconds } => {
                let speaker = path.parent().unwrap_or(folder).display().to_string();
                let parts: Vec<_> = file.path.iter().map(|part| part.to_string_lossy()).collect();
                let file = Some(FileIdentity { name: parts.join("/"), bytes: file.bytes });
                recordings.push(CorpusRecording { source: SampleSource::File(path), seconds, speaker, file });
            }
            FileContent::Silence => left_out.push(format!("{} is silent", path.display())),
            FileContent::Unusable(reason) => left_out.push(reason),
        }
    }
    if recordings.is_empty() {
        bail!(
            "not one recording in {} can be used: {}",
            folder.display(),
            left_out[before..].first().map_or("", |s| s)
        );
    }
    Ok(recordings)
}

/// Clean recordings with the noisy ones of the same names, for training and for validation. Where the recipe says to skip what cannot
/// be used, clean recordings without a noisy one of their length are said in `left_out`.
fn pair(
    data: &DataSection,
    clean: [Vec<CorpusRecording>; 2],
    noisy: [Vec<CorpusRecording>; 2],
    left_out: &mut Vec<String>,
) -> Result<[Vec<[CorpusRecording; 2]>; 2]> {
    // All noisy ones together, so that which split a pair is in depends on its clean side alone.
    let name = |folder: &Path, recording: &CorpusRecording| -> PathBuf {
        recording.path().strip_prefix(folder).unwrap_or(recording.path()).with_extension("")
    };
    let mut by_name = HashMap::<PathBuf, CorpusRecording>::new();
    for recording in noisy.into_iter().flatten() {
        let path = recording.path().to_owned();
        if let Some(other) = by_name.insert(name(&data.noisy, &recording), recording) {
            bail!("{} and {} have the same name: remove one of them", other.path().display(), path.display());
        }
    }
    let mut find = |clean: &CorpusRecording| -> Result<CorpusRecording> {
        let path = clean.path().display();
        let Some(noisy) = by_name.remove(&name(&data.clean, clean)) else {
            bail!("{path} has no noisy recording of its name in {}", data.noisy.display());
        };
        let [expected, got] = [clean, &noisy].map(|recording| format!("{:.3} s", recording.seconds));
        ensure!(expected == got, "{}: expected {expected} like {path}, got {got}", noisy.path().display());
        Ok(noisy)
    };
    let mut pairs = |split: Vec<CorpusRecording>| -> Result<Vec<[CorpusRecording; 2]>> {
        let (mut pairs, mut reason) = (Vec::new(), None);
        for clean in split {
            match find(&clean) {
                Ok(noisy) => pairs.push([clean, noisy]),
                Err(error) if data.skip_unusable => {
                    left_out.push(format!("{error:#}"));
                    reason = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match reason.filter(|_| pairs.is_empty()) {
            Some(error) => Err(error.context(format!("not one pair of {} can be used", data.clean.display()))),
            None => Ok(pairs),
        }
    };
    let [train, valid] = clean;
    Ok([pairs(train)?, pairs(valid)?])
}

#[cfg(test)]
pub(crate) fn in_memory(speech: Vec<Vec<f32>>, noise: Vec<Vec<f32>>) -> Split {
    let made = |recordings: Vec<Vec<f32>>| {
        recordings.into_iter().enumerate().map(|(i, samples)| CorpusRecording::made(samples, i.to_string())).collect()
    };
    Split { speech: made(speech), noise: made(noise), pairs: vec![], store: Arc::new(RecordingStore::new(0.0)) }
}
