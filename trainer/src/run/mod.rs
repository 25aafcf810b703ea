//! A run's folder: what is where in it.
//!
//! | file | what it holds |
//! |---|---|
//! | `recipe.toml` | the recipe, with everything that was left out or overridden |
//! | `plan.json` | what was found and planned: data, network, memory, device, commit, seed |
//! | `data.json` | every recording with its size and length, to notice changes; changes that were accepted |
//! | `metrics.jsonl` | a line for every report and every validation ([`LogEntry`]) |
//! | `best.zip` | the best network so far, ready for `denoise` |
//! | `scores.json` | its scores, a `Scored` for each item of the validation set |
//! | `examples/N-{clean,noisy,denoised}.wav` | some items of the validation set through it |
//! | `checkpoints/` | all that it takes to go on |
//! | `report.html` | what `trainer report` makes of it |

pub mod read;
pub mod write;

use serde::{Deserialize, Serialize};

use crate::scores::MeanScores;
pub use crate::scores::Scored;

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LogEntry {
    /// What training did since the last such line.
    Training {
        /// Steps done.
        step: usize,
        /// Mean loss; none where every step was skipped.
        loss: Option<f64>,
        /// Learning rate of the last step.
        learning_rate: f64,
        /// Mean norm of the gradient over all weights, before it was clipped.
        gradient_norm: Option<f64>,
        /// Steps whose loss or gradient was not finite, from the beginning.
        skipped: usize,
        /// Steps a second, validation left out.
        steps_per_second: f64,
        /// Share of that time in which the device waited for data, 0 to 1.
        waiting: f64,
    },
    /// A validation.
    Validation {
        /// Steps done.
        step: usize,
        /// Mean scores over what checkpoints are chosen by.
        all: MeanScores,
        /// Mean scores for each kind of noise.
        by_kind: Vec<MeanScores>,
        /// Items without scores, because the network gave samples that are not finite.
        #[serde(default)]
        not_finite: usize,
        /// Whether the network was the best so far.
        best: bool,
    },
    /// The run was resumed with other data, or with another best network than its checkpoint knew.
    Resumed {
        /// Steps done.
        step: usize,
        /// What changed in the data, a line for each kind of recordings.
        changes: Vec<String>,
        /// Scores of the best network so far, if it was scored again.
        best: Option<Rescored>,
    },
}

/// A network of an earlier step, scored again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rescored {
    /// Steps after which it was written.
    pub step: usize,
    /// Mean scores over what checkpoints are chosen by.
    pub all: MeanScores,
}

impl LogEntry {
    /// Steps done when it was written.
    pub fn step(&self) -> usize {
        match self {
            Self::Training { step, .. } | Self::Validation { step, .. } | Self::Resumed { step, .. } => *step,
        }
    }

    /// Whether it tells of a validation.
    pub fn is_validation(&self) -> bool {
        matches!(self, Self::Validation { .. })
    }
}
