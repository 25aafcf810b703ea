//! The sections of a recipe. `recipes/dcunet-small.toml` explains every field to people.

use std::path::{Component, Path};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use shared::nn::NetworkConfig;

use super::fields::nearest;

/// `[network]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkSection {
    /// A preset of `trainer models`.
    pub preset: String,
    /// What differs from the preset: fields of the network's configuration.
    pub shape: toml::Table,
    /// The model whose weights are the first ones; random ones if empty.
    pub weights: String,
    /// Whether normalisation keeps the statistics that came with those weights.
    pub frozen_statistics: bool,
}

impl Default for NetworkSection {
    fn default() -> Self {
        Self {
            preset: "dcunet-small".into(),
            shape: toml::Table::new(),
            weights: String::new(),
            frozen_statistics: false,
        }
    }
}

impl NetworkSection {
    /// The preset with what differs from it.
    ///
    /// # Errors
    /// When there is no such preset or field, or a value is out of its range.
    pub fn config(&self) -> Result<NetworkConfig> {
        let preset = NetworkConfig::preset(&self.preset).context("network")?;
        if self.shape.is_empty() {
            return Ok(preset);
        }
        let mut shape = serde_json::to_value(preset)?;
        overlay(&mut shape, &serde_json::to_value(&self.shape)?, "network.shape")?;
        let config: NetworkConfig = serde_json::from_value(shape).context("network.shape")?;
        config.validate().context("network.shape")?;
        Ok(config)
    }

    pub(super) fn validate(&self) -> Result<()> {
        self.config()?;
        ensure!(
            !self.frozen_statistics || !self.weights.is_empty(),
            "network.frozen_statistics: expected network.weights, whose statistics are kept, got none"
        );
        Ok(())
    }
}

/// Puts the fields of `changes` in place of those of `value`, which must have them.
fn overlay(value: &mut serde_json::Value, changes: &serde_json::Value, path: &str) -> Result<()> {
    let (serde_json::Value::Object(fields), serde_json::Value::Object(changes)) = (&mut *value, changes) else {
        *value = changes.clone();
        return Ok(());
    };
    for (name, change) in changes {
        let path = format!("{path}.{name}");
        if !fields.contains_key(name) {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            let nearest = nearest(name, names.iter().copied()).map(|name| format!("; did you mean {name}?"));
            anyhow::bail!(
                "{path}: there is no such field{}",
                nearest.unwrap_or_else(|| format!("; expected one of {}", names.join(", ")))
            );
        }
        overlay(&mut fields[name], change, &path)?;
    }
    Ok(())
}

/// `[optimiser]`: AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OptimiserSection {
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Gradients are scaled down to this norm over all weights together.
    pub max_gradient_norm: f32,
    /// Share of the old weights in their moving average at each step; 0 keeps none.
    pub ema_decay: f64,
}

impl Default for OptimiserSection {
    fn default() -> Self {
        Self { learning_rate: 1.5e-3, weight_decay: 1e-4, max_gradient_norm: 3.0, ema_decay: 0.995 }
    }
}

impl OptimiserSection {
    pub(super) fn validate(&self) -> Result<()> {
        let Self { learning_rate, weight_decay, max_gradient_norm, ema_decay } = *self;
        let rate = learning_rate > 0.0 && learning_rate <= 1.0;
        ensure!(rate, "optimiser.learning_rate: expected above 0, at most 1, got {learning_rate}");
        ensure!((0.0..=1.0).contains(&weight_decay), "optimiser.weight_decay: expected 0 to 1, got {weight_decay}");
        let norm = max_gradient_norm > 0.0 && max_gradient_norm.is_finite();
        ensure!(norm, "optimiser.max_gradient_norm: expected above 0, got {max_gradient_norm}");
        ensure!((0.0..1.0).contains(&ema_decay), "optimiser.ema_decay: expected 0 to below 1, got {ema_decay}");
        Ok(())
    }
}

/// `[schedule]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleSection {
    /// Optimiser steps in all.
    pub steps: usize,
    /// Items a step, over all devices.
    pub batch_size: usize,
    /// Steps over which the learning rate rises.
    pub warmup_steps: usize,
    /// The learning rate at the last step, as a share of the peak.
    pub final_learning_rate: f64,
    /// Steps between two reports.
    pub log_every: usize,
    /// Steps between two validations, each with a checkpoint.
    pub valid_every: usize,
    /// Steps between two checkpoints besides; 0 for none but those.
    pub checkpoint_every: usize,
    /// Validations without a better score after which the run ends; 0 for never.
    pub patience: usize,
}

impl Default for ScheduleSection {
    fn default() -> Self {
        Self {
            steps: 2000,
            batch_size: 8,
            warmup_steps: 200,
            final_learning_rate: 0.01,
            log_every: 20,
            valid_every: 200,
            checkpoint_every: 0,
            patience: 0,
        }
    }
}

impl ScheduleSection {
    pub(super) fn validate(&self) -> Result<()> {
        for (name, value) in [
            ("steps", self.steps),
            ("batch_size", self.batch_size),
            ("log_every", self.log_every),
            ("valid_every", self.valid_every),
        ] {
            ensure!(value > 0, "schedule.{name}: expected at least 1, got 0");
        }
        let share = self.final_learning_rate;
        ensure!((0.0..=1.0).contains(&share), "schedule.final_learning_rate: expected 0 to 1, got {share}");
        Ok(())
    }

    /// The learning rate of a step, as a share of the peak: a linear warm-up, then half a cosine.
    pub fn learning_rate(&self, step: usize) -> f64 {
        let warmup = ((step + 1) as f64 / self.warmup_steps.max(1) as f64).min(1.0);
        let position = step as f64 / self.steps as f64;
        let cosine = 0.5 + 0.5 * (std::f64::consts::PI * position).cos();
        warmup * (self.final_learning_rate + (1.0 - self.final_learning_rate) * cosine)
    }
}

/// Floats that the networks compute with while they are trained. Weights, normalisation, transforms and losses stay in 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComputePrecision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the range of 32.
    Bf16,
    /// 16 bits with a smaller range.
    F16,
}

/// `[run]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunSection {
    /// Name on the model's card and of the run's folder; the preset's if empty.
    pub name: String,
    /// What the model is, in a sentence.
    pub summary: String,
    /// What it is bad at.
    pub limits: Vec<String>,
    /// Seed of weights, data order and noise.
    pub seed: u64,
    /// cpu, wgpu, cuda:N, or several with commas between them.
    pub device: String,
    /// What is computed with.
    pub precision: ComputePrecision,
    /// Whether cheap activations are computed again in the backward pass and not kept.
    pub gradient_checkpointing: bool,
}

impl Default for RunSection {
    fn default() -> Self {
        Self {
            name: String::new(),
            summary: String::new(),
            limits: Vec::new(),
            seed: 1,
            device: "cpu".into(),
            precision: ComputePrecision::F32,
            gradient_checkpointing: false,
        }
    }
}

impl RunSection {
    pub(super) fn validate(&self) -> Result<()> {
        let name = &self.name;
        ensure!(
            name.is_empty() || is_plain_name(name),
            "run.name: expected one plain folder name such as \"quiet-2\", without slashes, control characters or spaces at its \
             ends, got {name:?}; use --out for another place"
        );
        Ok(())
    }
}

/// Whether a text names one folder, in the folder where it is used, on every system.
fn is_plain_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    let one = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == text);
    one && text.trim() == text && !text.contains(|c: char| c.is_control() || matches!(c, '/' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_name_one_folder_here() {
        for name in ["dcunet-small", "v1.2", "leise Räume", "..quiet", ".hidden"] {
            assert!(is_plain_name(name), "{name:?}");
        }
        for name in [
            "", ".", "..", "/", "/etc", "a/b", "a/", "./a", "../a", "a/../b", "a\\b", "..\\a", " ", " a", "a ", "a\n",
            "\t", "a\0b", "a\u{7f}",
        ] {
            assert!(!is_plain_name(name), "{name:?}");
        }
    }
}
