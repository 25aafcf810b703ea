//! The plan of a run: what was found and what will be done, said before the first step and kept in the run's folder.

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cli::output::write_whole;
use serde::{Deserialize, Serialize};
use shared::bundle::DataSource;
use sysinfo::System;

use crate::SAMPLE_RATE_HZ;
use crate::data::{Corpus, Split};
use crate::device::Devices;
use crate::recipe::{ItemKind, Recipe};

/// The plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunPlan {
    /// Name of the model.
    pub name: String,
    /// Preset of the network.
    pub network: String,
    /// Learned numbers.
    pub parameters: u64,
    /// Multiply-accumulate operations for a second of audio.
    pub macs_per_second: f64,
    /// What training draws from.
    pub training: SplitSummary,
    /// What validation draws from.
    pub validation: SplitSummary,
    /// Items of the validation set.
    pub validation_items: usize,
    /// Files that cannot be used and are left out.
    pub left_out: Vec<String>,
    /// Recordings shorter than a crop, which are padded.
    pub shorter_than_a_crop: usize,
    /// Items in an epoch, which goes through the speech once.
    pub epoch_items: usize,
    /// Steps in all.
    pub steps: usize,
    /// Items a step.
    pub batch_size: usize,
    /// Hours of audio in all steps; none where items are whole recordings of different lengths.
    pub hours: Option<f64>,
    /// The weights that the first step begins with; empty where they are random.
    #[serde(default)]
    pub begins_with: String,
    /// What is minimised.
    pub loss: String,
    /// Memory of a step on the device, estimated.
    pub memory_bytes: u64,
    /// The device as asked for.
    pub device: String,
    /// What it is, as far as the system tells.
    pub hardware: String,
    /// Memory of the machine.
    pub machine_bytes: u64,
    /// Seed of weights, data order and noise.
    pub seed: u64,
    /// The commit that the program was built from.
    pub commit: String,
    /// The command line that began the run.
    pub command: String,
    /// Fields of the recipe that were set on that command line, or when the run was resumed: `schedule.steps=500`.
    #[serde(default)]
    pub overrides: Vec<String>,
}

/// What was found of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitSummary {
    /// Recordings of speech, pairs included.
    pub speech_files: usize,
    /// Pairs among them.
    pub pairs: usize,
    /// Hours of it.
    pub speech_hours: f64,
    /// Speakers, taking each folder for one.
    pub speakers: usize,
    /// Recordings of noise.
    pub noise_files: usize,
    /// Hours of it.
    pub noise_hours: f64,
}

impl SplitSummary {
    fn of(split: &Split) -> Self {
        let [speech_hours, noise_hours] = split.hours();
        Self {
            speech_files: split.clean().count(),
            pairs: split.pairs.len(),
            speech_hours,
            speakers: split.speakers(),
            noise_files: split.noise.len(),
            noise_hours,
        }
    }
}

impl RunPlan {
    /// The plan of a recipe with the recordings that it names.
    pub fn new(recipe: &Recipe, corpus: &Corpus, validation_items: usize, devices: &Devices) -> Result<Self> {
        let config = recipe.network_config()?;
        let (schedule, data) = (&recipe.schedule, &recipe.data);
        let (item_seconds, at_once) = match data.items {
            ItemKind::Crops => (Some(data.crop_seconds), data.crop_seconds),
            ItemKind::Recordings if data.piece_seconds > 0.0 => {
                (None, data.piece_seconds + 2.0 * config.context() as f64 / f64::from(SAMPLE_RATE_HZ))
            }
            ItemKind::Recordings => (None, corpus.train.longest()),
        };
        let items = schedule.batch_size.div_ceil(devices.count());
        let samples = (at_once * f64::from(SAMPLE_RATE_HZ)) as u64 * items as u64;
        let system = System::new_with_specifics(
            sysinfo::RefreshKind::nothing()
                .with_cpu(sysinfo::CpuRefreshKind::nothing())
                .with_memory(sysinfo::MemoryRefreshKind::nothing().with_ram()),
        );
        let cpu = system.cpus().first().map_or("unknown processor", |cpu| cpu.brand().trim());
        Ok(Self {
            name: recipe.name().to_owned(),
            network: recipe.network.preset.clone(),
            parameters: config.parameters(),
            macs_per_second: config.macs_per_second(SAMPLE_RATE_HZ),
            training: SplitSummary::of(&corpus.train),
            validation: SplitSummary::of(&corpus.valid),
            validation_items,
            left_out: corpus.left_out.clone(),
            shorter_than_a_crop: match data.items {
                ItemKind::Crops => {
                    corpus.train.clean().filter(|recording| recording.seconds < data.crop_seconds).count()
                }
                ItemKind::Recordings => 0,
            },
            epoch_items: 0,
            steps: schedule.steps,
            batch_size: schedule.batch_size,
            hours: item_seconds.map(|seconds| seconds * (schedule.steps * schedule.batch_size) as f64 / 3600.0),
            begins_with: String::new(),
            loss: recipe.loss.to_string(),
            memory_bytes: config.training_bytes(samples),
            device: recipe.run.device.clone(),
            hardware: format!("{cpu}, {} cores", system.cpus().len()),
            machine_bytes: system.total_memory(),
            seed: recipe.run.seed,
            commit: env!("COMMIT").into(),
            command: env::args().skip(1).fold("trainer".into(), |line, word| line + " " + &word),
            overrides: vec![],
        })
    }

    /// The plan of the run in a folder, if it is there and this program can read it.
    pub fn read(run: &Path) -> Option<Self> {
        fs::read(run.join("plan.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }

    /// Keeps what began the run that is resumed in a folder, if its plan is there.
    pub fn keep_beginning(&mut self, run: &Path) {
        if let Some(before) = Self::read(run) {
            (self.command, self.begins_with) = (before.command, before.begins_with);
        }
    }

    /// Writes it into the run's folder.
    pub fn save(&self, run: &Path) -> Result<()> {
        write_whole(&run.join("plan.json"), &serde_json::to_vec_pretty(self)?)
    }
}

impl fmt::Display for RunPlan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        let Self { training, validation, .. } = self;
        writeln!(
            f,
            "model       {}: {}, {} parameters, {:.0} million MAC a second",
            self.name,
            self.network,
            self.parameters,
            self.macs_per_second / 1e6
        )?;
        let found = |found: &SplitSummary| {
            let pairs = if found.pairs > 0 { format!(" ({} pairs)", found.pairs) } else { String::new() };
            format!(
                "{} recordings{pairs} of {} speakers, {:.2} h; noise: {} recordings, {:.2} h",
                found.speech_files, found.speakers, found.speech_hours, found.noise_files, found.noise_hours
            )
        };
        writeln!(f, "training    {}", found(training))?;
        writeln!(f, "validation  {}; {} items", found(validation), self.validation_items)?;
        if !self.left_out.is_empty() {
            writeln!(f, "left out    {} files that cannot be used", self.left_out.len())?;
        }
        if self.shorter_than_a_crop > 0 {
            writeln!(f, "padded      {} recordings are shorter than a crop", self.shorter_than_a_crop)?;
        }
        let epochs = (self.steps * self.batch_size) as f64 / self.epoch_items as f64;
        let hours = self.hours.map_or(String::new(), |hours| format!(", {hours:.1} h of audio"));
        writeln!(f, "steps       {} of {} items: {epochs:.1} epochs{hours}", self.steps, self.batch_size)?;
        if !self.begins_with.is_empty() {
            writeln!(f, "begins with {}", self.begins_with)?;
        }
        writeln!(f, "loss        {}", self.loss)?;
        writeln!(
            f,
            "memory      about {:.1} GB for a step, {:.1} GB in this machine",
            gigabytes(self.memory_bytes),
            gigabytes(self.machine_bytes)
        )?;
        writeln!(f, "device      {} ({})", self.device, self.hardware)?;
        write!(f, "seed        {}, commit {}", self.seed, self.commit)
    }
}

/// A file of sources, `[[sources]]`, for cards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sources {
    sources: Vec<DataSource>,
}

/// Reads the sources that a recipe names; none if it names none.
pub fn sources(path: &Path) -> Result<Vec<DataSource>> {
    if path.as_os_str().is_empty() {
        return Ok(vec![]);
    }
    let context = || format!("cannot use the sources {}", path.display());
    let text = fs::read_to_string(path).with_context(context)?;
    let sources: Sources =
        toml::from_str(&text).map_err(|error| anyhow::anyhow!("{}", error.message())).with_context(context)?;
    Ok(sources.sources)
}
