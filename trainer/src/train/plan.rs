//! What a training run does: everything that its result depends on.

use std::f64::consts::PI;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use shared::bundle::Source;
use shared::loss::Loss;
use shared::nn::NetworkConfig;
use shared::noise::Recipe;

use crate::audio_file::write_whole;
use crate::data::recipe;

/// A training run. Saved as `plan.json` in its folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Name of the model.
    pub name: String,
    /// Preset of the network.
    pub network: String,
    /// Folder of clean speech.
    pub speech: Option<PathBuf>,
    /// Folder of noise.
    pub noise: Option<PathBuf>,
    /// The chains of noise that training items go through; runs from before there were any have the default.
    #[serde(default = "recipe::default")]
    pub noise_recipe: Recipe,
    /// The loss.
    pub loss: Loss,
    /// Optimiser steps in all.
    pub steps: usize,
    /// Items a step.
    pub batch_size: usize,
    /// Length of an item in seconds.
    pub crop_seconds: f64,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Steps over which the learning rate rises from 0.
    pub warmup_steps: usize,
    /// Steps between two lines of the log.
    pub log_every: usize,
    /// Steps between two validations, each with a checkpoint.
    pub valid_every: usize,
    /// Seed of weights, data order and noise.
    pub seed: u64,
    /// The device.
    pub device: String,
    /// The command line that started the run.
    pub command: String,
}

impl Plan {
    /// The shape of the network.
    pub fn network_config(&self) -> Result<NetworkConfig> {
        Ok(NetworkConfig::preset(&self.network)?)
    }

    /// Checks every figure.
    pub fn validate(&self) -> Result<()> {
        self.network_config()?;
        ensure!(self.steps > 0, "--steps: expected at least 1, got 0");
        ensure!(self.batch_size > 0, "--batch-size: expected at least 1, got 0");
        ensure!(self.log_every > 0 && self.valid_every > 0, "--log-every, --valid-every: expected at least 1, got 0");
        let (crop, rate) = (self.crop_seconds, self.learning_rate);
        ensure!((0.1..=600.0).contains(&crop), "--crop-seconds: expected 0.1 to 600, got {crop}");
        ensure!(rate > 0.0 && rate <= 1.0, "--learning-rate: expected above 0, at most 1, got {rate}");
        Ok(())
    }

    /// Linear warm-up, then a cosine down to a hundredth of the peak at the last step.
    pub fn learning_rate_at(&self, step: usize) -> f64 {
        let warmup = ((step + 1) as f64 / self.warmup_steps.max(1) as f64).min(1.0);
        let position = step as f64 / self.steps as f64;
        let cosine = 0.505 + 0.495 * (PI * position).cos();
        self.learning_rate * warmup * cosine
    }

    /// Writes the plan into the run's folder.
    pub fn save(&self, run: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).context("a plan is always JSON")?;
        write_whole(&run.join("plan.json"), &json)
    }

    /// Reads the plan of an earlier run.
    pub fn load(run: &Path) -> Result<Self> {
        let path = run.join("plan.json");
        let context = || format!("cannot read {}", path.display());
        serde_json::from_slice(&fs::read(&path).with_context(context)?).with_context(context)
    }
}

/// What only people know about a run; goes onto the card.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// What the model is, in a sentence.
    pub summary: String,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// The hardware, better than `cpu`.
    pub device: Option<String>,
    /// The data, with licences.
    pub data: Vec<Source>,
    /// What the model is bad at.
    pub limits: Vec<String>,
}

impl About {
    /// Reads it from a JSON file.
    pub fn load(path: &Path) -> Result<Self> {
        let context = || format!("cannot read {}", path.display());
        serde_json::from_slice(&fs::read(path).with_context(context)?).with_context(context)
    }
}
