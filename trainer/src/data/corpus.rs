//! Clean speech and noise in memory, at the networks' rate.

use std::path::Path;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use shared::audio::rms;
use shared::{noise, synth};

use crate::SAMPLE_RATE_HZ;
use crate::audio_file;
use crate::progress;

/// Clean speech and noise, split into what trains and what validates.
pub struct Corpus {
    /// For training.
    pub train: Split,
    /// For choosing checkpoints; shares no recording with `train`.
    pub valid: Split,
}

/// Clean speech and noise, one vector a recording, each with some sound in it.
#[derive(Default)]
pub struct Split {
    /// Clean speech.
    pub speech: Vec<Vec<f32>>,
    /// Noise.
    pub noise: Vec<Vec<f32>>,
}

impl Split {
    /// Hours of speech and of noise.
    pub fn hours(&self) -> [f64; 2] {
        [&self.speech, &self.noise].map(|recordings| {
            recordings.iter().map(Vec::len).sum::<usize>() as f64 / f64::from(SAMPLE_RATE_HZ) / 3600.0
        })
    }
}

impl Corpus {
    /// Reads both folders. Where a folder has `train` and `valid` below it they are the splits; otherwise every twentieth
    /// recording validates. Files that cannot be read, or are silent, are named and left out.
    pub fn read(speech: &Path, noise: &Path) -> Result<Self> {
        let ([train_speech, valid_speech], [train_noise, valid_noise]) = (read_folder(speech)?, read_folder(noise)?);
        Ok(Self {
            train: Split { speech: train_speech, noise: train_noise },
            valid: Split { speech: valid_speech, noise: valid_noise },
        })
    }

    /// Ten minutes of speech-like sound from 40 synthetic voices, with white and brown noise; two more voices to validate.
    pub fn synthetic(seed: u64) -> Self {
        let split = |first: u64, voices: u64| {
            let seconds = |seconds: usize| seconds * SAMPLE_RATE_HZ as usize;
            let rng = |index: u64| ChaCha8Rng::seed_from_u64(seed.wrapping_add(first + index));
            Split {
                speech: (0..voices).map(|i| synth::speech(seconds(15), SAMPLE_RATE_HZ, &mut rng(i))).collect(),
                noise: vec![
                    noise::white(seconds(60), &mut rng(voices)),
                    noise::brown(seconds(60), SAMPLE_RATE_HZ, &mut rng(voices + 1)),
                ],
            }
        };
        Self { train: split(0, 40), valid: split(1000, 2) }
    }
}

/// The recordings that train and those that validate.
fn read_folder(folder: &Path) -> Result<[Vec<Vec<f32>>; 2]> {
    let [train, valid] = ["train", "valid"].map(|split| folder.join(split));
    let [train, valid] = if train.is_dir() && valid.is_dir() {
        [audio_file::list(&train)?, audio_file::list(&valid)?]
    } else {
        let numbered = audio_file::list(folder)?.into_iter().enumerate();
        let (valid, train): (Vec<_>, Vec<_>) = numbered.partition(|(index, _)| index % 20 == 19);
        [train, valid].map(|split| split.into_iter().map(|(_, path)| path).collect())
    };
    let bar = progress::bar(train.len() + valid.len(), &format!("reading {}", folder.display()));
    let splits = [read_all(&train, &bar)?, read_all(&valid, &bar)?];
    bar.finish_and_clear();
    if splits[1].is_empty() {
        bail!("too few recordings in {}: 20 are needed to keep one for validation", folder.display());
    }
    Ok(splits)
}

fn read_all(paths: &[std::path::PathBuf], bar: &ProgressBar) -> Result<Vec<Vec<f32>>> {
    let mut recordings = Vec::with_capacity(paths.len());
    for path in paths {
        match audio_file::read_mono(path, SAMPLE_RATE_HZ) {
            Ok(samples) if rms(&samples) > 0.0 => recordings.push(samples),
            Ok(_) => progress::warn(bar, &format!("left out {}: it is silent", path.display())),
            Err(error) => progress::warn(bar, &format!("left out: {error:#}")),
        }
        bar.inc(1);
    }
    let first = paths.first().context("no recordings to read")?;
    if recordings.is_empty() {
        bail!("not one recording could be used, from {} on", first.display());
    }
    Ok(recordings)
}
