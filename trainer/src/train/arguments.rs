//! What `trainer train` can be told.

use std::env;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use shared::loss::Loss;

use super::{About, Plan};
use crate::data::recipe;
use crate::device::Device;

/// Train a network.
///
/// With neither --speech nor --noise it trains on synthetic sound, so that a fresh machine can try it. The best network so far
/// is always in OUT/best.zip, ready for `denoise`.
#[derive(Args)]
pub struct TrainArguments {
    /// Preset of the network (see `trainer models`).
    #[arg(long, default_value = "dcunet-small")]
    network: String,
    /// Folder of clean speech; `train` and `valid` below it are used as such.
    #[arg(long)]
    speech: Option<PathBuf>,
    /// Folder of noise, likewise.
    #[arg(long)]
    noise: Option<PathBuf>,
    /// JSON list of weighted noise chains, `[{"weight": 1, "chain": [...]}]`, in place of the default mixture; `trainer corrupt
    /// --help` lists the kinds of noise. Of recordings, `*` is any of --noise and `speech/*` any of --speech.
    #[arg(long, value_name = "FILE.json")]
    noise_recipe: Option<PathBuf>,
    /// Folder of the run.
    #[arg(short, long, default_value = "runs/default")]
    out: PathBuf,
    /// Go on with the run in OUT as it was planned; only --steps may differ.
    #[arg(long)]
    resume: bool,
    /// Name on the model's card; the preset's if not given.
    #[arg(long)]
    name: Option<String>,
    /// What is minimised: l1, mse, wsdr or multi-resolution-stft.
    #[arg(long, default_value = "wsdr", value_parser = loss)]
    loss: Loss,
    /// Optimiser steps in all [default: 2000].
    #[arg(long)]
    steps: Option<usize>,
    /// Items a step.
    #[arg(long, default_value_t = 8)]
    batch_size: usize,
    /// Length of an item in seconds.
    #[arg(long, default_value_t = 2.0)]
    crop_seconds: f64,
    /// Peak learning rate.
    #[arg(long, default_value_t = 1.5e-3)]
    learning_rate: f64,
    /// Decoupled weight decay.
    #[arg(long, default_value_t = 1e-4)]
    weight_decay: f32,
    /// Steps over which the learning rate rises.
    #[arg(long, default_value_t = 100)]
    warmup_steps: usize,
    /// Steps between two lines of the log.
    #[arg(long, default_value_t = 20)]
    log_every: usize,
    /// Steps between two validations, each with a checkpoint.
    #[arg(long, default_value_t = 200)]
    valid_every: usize,
    /// Seed of weights, data order and noise.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// cpu, wgpu, cuda or cuda:N.
    #[arg(long, default_value_t = Device::Cpu)]
    device: Device,
    /// JSON with what only people know, for the model's card: summary, data, limits, date, device.
    #[arg(long)]
    about: Option<PathBuf>,
}

fn loss(name: &str) -> Result<Loss, String> {
    serde_json::from_value(name.into())
        .map_err(|_| format!("expected l1, mse, wsdr or multi-resolution-stft, got {name:?}"))
}

impl TrainArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let about = self.about.as_deref().map(About::load).transpose()?.unwrap_or_default();
        if self.resume {
            let mut plan = Plan::load(&self.out)?;
            plan.steps = self.steps.unwrap_or(plan.steps);
            return super::run(plan, &self.out, about, true);
        }
        if self.out.join("plan.json").exists() {
            bail!("{} holds a run already: go on with it by --resume, or give another --out", self.out.display());
        }
        let plan = Plan {
            name: self.name.unwrap_or_else(|| self.network.clone()),
            network: self.network,
            speech: self.speech,
            noise: self.noise,
            noise_recipe: self.noise_recipe.as_deref().map_or_else(|| Ok(recipe::default()), recipe::read)?,
            loss: self.loss,
            steps: self.steps.unwrap_or(2000),
            batch_size: self.batch_size,
            crop_seconds: self.crop_seconds,
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            warmup_steps: self.warmup_steps,
            log_every: self.log_every,
            valid_every: self.valid_every,
            seed: self.seed,
            device: self.device.to_string(),
            command: env::args().skip(1).fold("trainer".into(), |line, word| line + " " + &word),
        };
        super::run(plan, &self.out, about, false)
    }
}
