//! What people should know about a trained network.

use core::fmt::Write;

use serde::{Deserialize, Serialize};

use super::BundleConfig;
use crate::error::{Error, Result};
use crate::nn::Precision;

/// Most sources, scores or limits on a card: it is shown as a whole.
const MAX_LINES: usize = 1000;

/// A model card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The model's name, as in `--model NAME`.
    pub name: String,
    /// What it is, in a sentence.
    pub summary: String,
    /// Learned numbers in the network.
    pub parameters: usize,
    /// Multiply-accumulate operations for a second of audio; 0 on cards from before they were counted.
    #[serde(default)]
    pub macs_per_second: f64,
    /// How it was trained.
    pub training: Training,
    /// What it was trained and validated on, with licences.
    pub data: Vec<DataSource>,
    /// What it scores.
    pub scores: Vec<Score>,
    /// What it is bad at.
    pub limits: Vec<String>,
}

/// How a network was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The command line.
    pub command: String,
    /// The commit of the program; empty on cards from before it was noted.
    #[serde(default)]
    pub commit: String,
    /// The weights it began with; empty where they were random.
    #[serde(default)]
    pub began_with: String,
    /// Seed of weights, data order and noise.
    pub seed: u64,
    /// Optimiser steps.
    pub steps: usize,
    /// Hours of audio seen in those steps.
    pub hours_seen: f64,
    /// The loss.
    pub loss: String,
    /// The noise that was added.
    pub noise: String,
    /// The device.
    pub device: String,
    /// The day it ended, `YYYY-MM-DD`.
    pub date: String,
}

/// One collection of recordings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSource {
    /// Its name.
    pub name: String,
    /// Its licence.
    pub licence: String,
    /// Whom to credit.
    pub attribution: String,
}

/// One measured figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// On what.
    pub set: String,
    /// Which figure, with its unit.
    pub metric: String,
    /// Of the input.
    pub before: f64,
    /// Of the output.
    pub after: f64,
}

impl Card {
    /// Checks that the card can be shown.
    pub(super) fn validate(&self) -> Result<()> {
        let lists = [("data", self.data.len()), ("scores", self.scores.len()), ("limits", self.limits.len())];
        match lists.into_iter().find(|(_, lines)| *lines > MAX_LINES) {
            Some((field, lines)) => Err(Error::config(field, format!("at most {MAX_LINES} entries"), lines)),
            None => Ok(()),
        }
    }

    /// The card for people.
    pub fn to_markdown(&self, config: &BundleConfig) -> String {
        let mut text = format!("# {}\n\n{}\n", self.name, self.summary);
        // Writing to a String cannot fail.
        let mut line = |arguments: core::fmt::Arguments| writeln!(text, "{arguments}").unwrap_or_default();
        let bits = match config.precision {
            Precision::F32 => 32,
            Precision::F16 => 16,
        };
        line(format_args!("\n- Parameters: {}, stored in {bits} bits", self.parameters));
        line(format_args!("- Sampling rate: {} Hz", config.sample_rate_hz));
        if self.macs_per_second > 0.0 {
            line(format_args!("- {:.0} million multiplications for a second of audio", self.macs_per_second / 1e6));
        }
        let training = &self.training;
        line(format_args!("\n## Training\n\n```\n{}\n```\n", training.command));
        if !training.began_with.is_empty() {
            line(format_args!("- Began with {}", training.began_with));
        }
        line(format_args!("- Steps: {}, {:.1} hours of audio seen", training.steps, training.hours_seen));
        line(format_args!("- Loss: {}", training.loss));
        line(format_args!("- Noise: {}", training.noise));
        line(format_args!("- Seed: {}", training.seed));
        if !training.commit.is_empty() {
            line(format_args!("- Commit: {}", training.commit));
        }
        line(format_args!("- Device: {}, ended {}", training.device, training.date));
        if !self.data.is_empty() {
            line(format_args!("\n## Data\n\n| source | licence | attribution |\n|---|---|---|"));
            for DataSource { name, licence, attribution } in &self.data {
                line(format_args!("| {name} | {licence} | {attribution} |"));
            }
        }
        if !self.scores.is_empty() {
            line(format_args!("\n## Scores\n\n| set | metric | before | after |\n|---|---|---|---|"));
            for Score { set, metric, before, after } in &self.scores {
                line(format_args!("| {set} | {metric} | {before:.2} | {after:.2} |"));
            }
        }
        if !self.limits.is_empty() {
            line(format_args!("\n## Limits\n"));
            for limit in &self.limits {
                line(format_args!("- {limit}"));
            }
        }
        text
    }
}
