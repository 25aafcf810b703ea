//! What people should know about a trained network.

use core::fmt::Write;

use serde::{Deserialize, Serialize};

use super::BundleConfig;
use super::markdown::{code_block, inline};
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

    /// The card for people, as Markdown. Its texts are shown as they were written, whatever is in them.
    pub(super) fn to_markdown(&self, config: &BundleConfig) -> String {
        let mut text = format!("# {}\n\n{}\n", inline(&self.name), inline(&self.summary));
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
        let Training { command, commit, began_with, seed, steps, hours_seen, loss, noise, device, date } =
            &self.training;
        line(format_args!("\n## Training\n\n{}\n", code_block(command)));
        if !began_with.is_empty() {
            line(format_args!("- Began with {}", inline(began_with)));
        }
        line(format_args!("- Steps: {steps}, {hours_seen:.1} hours of audio seen"));
        line(format_args!("- Loss: {}", inline(loss)));
        line(format_args!("- Noise: {}", inline(noise)));
        line(format_args!("- Seed: {seed}"));
        if !commit.is_empty() {
            line(format_args!("- Commit: {}", inline(commit)));
        }
        line(format_args!("- Device: {}, ended {}", inline(device), inline(date)));
        if !self.data.is_empty() {
            line(format_args!("\n## Data\n\n| source | licence | attribution |\n|---|---|---|"));
            for DataSource { name, licence, attribution } in &self.data {
                line(format_args!("| {} | {} | {} |", inline(name), inline(licence), inline(attribution)));
            }
        }
        if !self.scores.is_empty() {
            line(format_args!("\n## Scores\n\n| set | metric | before | after |\n|---|---|---|---|"));
            for Score { set, metric, before, after } in &self.scores {
                line(format_args!("| {} | {} | {before:.2} | {after:.2} |", inline(set), inline(metric)));
            }
        }
        if !self.limits.is_empty() {
            line(format_args!("\n## Limits\n"));
            for limit in &self.limits {
                line(format_args!("- {}", inline(limit)));
            }
        }
        text
    }
}
