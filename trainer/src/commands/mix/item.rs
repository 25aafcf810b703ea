//! One item of a mix: a crop of speech, and noise of each kind on it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use cli::{inputs, recording};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::json;
use shared::audio::rms;
use shared::noise::{self, Chain, Noise, NoiseGroup, NoiseRecipe, Recordings, Value, active_power};

use super::MixArguments;
use crate::SAMPLE_RATE_HZ;
use crate::data::manifest::{FileContent, Manifest};
use crate::recipe::default_noise;

/// Talkers of babble.
const TALKERS: usize = 6;
/// Stretches of a recording that are tried before another recording is.
const TRIES: usize = 8;
/// A crop holds speech if its power over its length is at least this share of its recording's active power.
const LEAST_SPEECH: f64 = 0.1;
/// Cross-fade where a recording is repeated, in samples: 50 ms.
const FADE: usize = SAMPLE_RATE_HZ as usize / 20;
/// What is below it everywhere is silence.
const FAINTEST: f32 = 1e-5;

/// Clean speech, and the same with noise of each kind.
pub struct MixItem {
    /// Path of the clean file below OUT.
    pub name: String,
    /// Samples at 16 kHz.
    pub clean: Vec<f32>,
    /// As many samples each.
    pub noisy: Vec<(NoisyFile, Vec<f32>)>,
}

/// What a noisy file was made of: an entry of `mix.json`.
#[derive(Debug, Serialize)]
pub struct NoisyFile {
    /// Path of the noisy file below OUT.
    pub file: String,
    /// Path of the clean one.
    clean: String,
    kind: &'static str,
    /// Of active speech to noise; none where nothing is added.
    snr_db: Option<f32>,
    /// Path below --speech.
    speech: String,
    /// Where in it the crop begins, in samples at 16 kHz.
    start: usize,
    /// Recordings the noise was made of: paths below --noise, for babble below --speech.
    noise: Vec<String>,
    /// The noise, with nothing left to draw but what `seed` decides.
    chain: Chain,
    seed: u64,
}

/// Makes items, each of which depends on seed and number alone.
pub struct Mixer<'a> {
    arguments: &'a MixArguments,
    speech: Folder<'a>,
    noise: Option<Folder<'a>>,
    recipe: NoiseRecipe,
    /// Recordings that cannot be read, a line for each.
    pub left_out: Vec<String>,
}

impl<'a> Mixer<'a> {
    /// Looks for the recordings that the arguments name.
    pub fn new(arguments: &'a MixArguments) -> Result<Self> {
        let mut seen = HashSet::new();
        if let Some(twice) = arguments.kinds.iter().find(|kind| !seen.insert(kind.kind())) {
            bail!("--kinds: expected every kind once, got {} twice", twice.kind());
        }
        let needs_noise = seen.contains("recording");
        ensure!(arguments.noise.is_some() || !needs_noise, "--noise: expected a folder, for the kind recording");
        let noise = arguments.noise.as_deref().filter(|_| needs_noise);
        let mut left_out = Vec::new();
        let mut open = |option, root| {
            let mut folder = Folder::open(option, root)?;
            if arguments.skip_unusable {
                left_out.extend(folder.leave_out_unusable(option)?);
            }
            Ok::<_, anyhow::Error>(folder)
        };
        let speech = open("--speech", &arguments.speech)?;
        let noise = noise.map(|noise| open("--noise", noise)).transpose()?;
        Ok(Self { arguments, speech, noise, recipe: default_noise(), left_out })
    }

    /// Item number `index`. Fails where there is no speech, or no noise, to make it of.
    pub fn item(&self, index: u32) -> Result<MixItem> {
        let (speech, start, clean) = self.crop(&mut self.generator(index, 0))?;
        let name = format!("clean/{index:05}.wav");
        let ratios = &self.arguments.snr_db;
        let snr_db = ratios[index as usize % ratios.len()];
        let noisy = |noise: &Noise| -> Result<_> {
            let kind = noise.kind();
            // The number of the kind among all, so that what else is asked for does not matter.
            let number = Noise::kinds().iter().take_while(|other| other.kind() != kind).count();
            let mut rng = self.generator(index, 1 + number as u64);
            let (chain, heard) = self.chain(noise, snr_db, speech, &mut rng)?;
            let seed = rng.next_u64();
            let drawn = chain.draw(clean.len(), SAMPLE_RATE_HZ, 0, seed, &heard)?;
            let mixture = NoisyFile {
                file: format!("noisy/{kind}/{index:05}.wav"),
                clean: name.clone(),
                kind,
                snr_db: (noise.group() == NoiseGroup::Additive).then_some(snr_db),
                speech: speech.display().to_string(),
                start,
                noise: chain.recordings().map(str::to_owned).collect(),
                chain,
                seed,
            };
            Ok((mixture, drawn.apply(&clean)))
        };
        let noisy = self.arguments.kinds.iter().map(noisy).collect::<Result<_>>()?;
        Ok(MixItem { name, clean, noisy })
    }

    /// The generator for one purpose of one item.
    fn generator(&self, index: u32, purpose: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.arguments.seed);
        rng.set_stream(u64::from(index) << 8 | purpose);
        rng
    }

    /// Speech from anywhere in one of the recordings: which, where it starts, and the samples. Recordings that are too short are
    /// repeated, not filled up with zeros: those would count among the small STFT coefficients, and zero-small would do nothing.
    fn crop(&self, rng: &mut ChaCha8Rng) -> Result<(&Path, usize, Vec<f32>)> {
        let len = (self.arguments.seconds * f64::from(SAMPLE_RATE_HZ)) as usize;
        for path in self.speech.shuffled(rng) {
            let recording = self.speech.read(path)?;
            let least = LEAST_SPEECH * active_power(&recording, SAMPLE_RATE_HZ);
            for _ in 0..TRIES {
                let start = rng.random_range(0..=recording.len().saturating_sub(len));
                let samples = match recording.get(start..start + len) {
                    Some(samples) => samples.to_vec(),
                    None => noise::loop_to(&recording, 0, FADE, len),
                };
                if has_sound(&samples) && f64::from(rms(&samples)).powi(2) >= least {
                    return Ok((path, start, samples));
                }
            }
        }
        let seconds = self.arguments.seconds;
        bail!("--speech: expected speech, found no {seconds} s of it in {}", self.speech.root.display())
    }

    /// The chain of one noise for an item whose clean side is of the recording `speech`, and the recordings that it needs.
    fn chain(&self, noise: &Noise, snr_db: f32, speech: &Path, rng: &mut ChaCha8Rng) -> Result<(Chain, Heard)> {
        let mut step = json!({"kind": noise.kind()});
        match noise.group() {
            NoiseGroup::Stft => step["quantile"] = self.quantile(noise)?.draw(rng).into(),
            _ => step["snr_db"] = snr_db.into(),
        }
        let mut heard = Heard::default();
        match (noise, &self.noise) {
            (Noise::Recording(_), Some(folder)) => {
                heard = folder.some(1, None, rng)?;
                let name = heard.0.keys().next();
                let silent = || format!("--noise: expected sound, got only silence in {}", folder.root.display());
                step["file"] = name.with_context(silent)?.as_str().into();
            }
            (Noise::Babble(_), _) => {
                heard = self.speech.some(TALKERS, Some(speech), rng)?;
                let mut names: Vec<&String> = heard.0.keys().collect();
                names.sort();
                // Without any the talkers are synthetic voices.
                step["files"] = json!(names);
                step["talkers"] = TALKERS.into();
            }
            _ => {}
        }
        Ok((Chain::from_json(&json!([step]).to_string())?, heard))
    }

    /// The range of the quantile of an STFT noise in the default recipe.
    fn quantile(&self, noise: &Noise) -> Result<Value> {
        let steps = self.recipe.chains().iter().flat_map(|weighted| weighted.chain.steps());
        let same = steps.filter(|step| step.noise.kind() == noise.kind());
        let mut numbers = same.flat_map(|step| step.noise.numbers());
        let range = numbers.find(|number| number.name == "quantile").and_then(|number| number.value);
        range.with_context(|| format!("the default recipe has no quantile of {}", noise.kind()))
    }
}

/// Whether a signal is more than silence.
fn has_sound(samples: &[f32]) -> bool {
    samples.iter().any(|sample| sample.abs() > FAINTEST)
}

/// The recordings below a folder.
struct Folder<'a> {
    root: &'a Path,
    /// Their paths below it.
    paths: Vec<PathBuf>,
}

impl<'a> Folder<'a> {
    fn open(option: &str, root: &'a Path) -> Result<Self> {
        ensure!(root.is_dir(), "{option}: expected a folder, got {}", root.display());
        let below = |path: PathBuf| path.strip_prefix(root).map(Path::to_owned).unwrap_or(path);
        Ok(Self { root, paths: inputs::list(root)?.into_iter().map(below).collect() })
    }

    /// Forgets the recordings that cannot be read; why, a line for each.
    fn leave_out_unusable(&mut self, option: &str) -> Result<Vec<String>> {
        let (mut readable, mut reasons) = (Vec::new(), Vec::new());
        for file in Manifest::scan(self.root)?.files {
            match file.content {
                FileContent::Unusable(reason) => reasons.push(reason),
                FileContent::Sound { .. } | FileContent::Silence => readable.push(file.path),
            }
        }
        let first = reasons.first().map_or("", |reason| reason);
        ensure!(!readable.is_empty(), "{option}: not one recording in {} can be read: {first}", self.root.display());
        self.paths = readable;
        Ok(reasons)
    }

    fn read(&self, path: &Path) -> Result<Vec<f32>> {
        recording::read_mono(&self.root.join(path), SAMPLE_RATE_HZ)
            .map_err(|error| anyhow!("{error:#}. Remove the file, or leave out such files with --skip-unusable"))
    }

    fn shuffled(&self, rng: &mut ChaCha8Rng) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.paths.iter().map(PathBuf::as_path).collect();
        paths.shuffle(rng);
        paths
    }

    /// `count` recordings that are not silent, or as many as there are; never `but`.
    fn some(&self, count: usize, but: Option<&Path>, rng: &mut ChaCha8Rng) -> Result<Heard> {
        let mut heard = Heard::default();
        for path in self.shuffled(rng).into_iter().filter(|path| Some(*path) != but) {
            if heard.0.len() == count {
                break;
            }
            let samples = self.read(path)?;
            if has_sound(&samples) {
                heard.0.insert(path.display().to_string(), samples);
            }
        }
        Ok(heard)
    }
}

/// Recordings at 16 kHz by the names that a chain has for them.
#[derive(Default)]
struct Heard(HashMap<String, Vec<f32>>);

impl Recordings for Heard {
    fn recording(&self, name: &str, _choice: u64, sample_rate_hz: u32) -> Option<Cow<'_, [f32]>> {
        self.0.get(name).filter(|_| sample_rate_hz == SAMPLE_RATE_HZ).map(|samples| samples.as_slice().into())
    }
}
