//! Watching a run: Burn's dashboard on a terminal, else a line now and then.

use std::io::IsTerminal;
use std::sync::Arc;

use burn::data::dataloader::Progress;
use burn_train::Interrupter;
use burn_train::metric::{
    MetricAttributes, MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use burn_train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining, ProgressType, TrainingProgress};
use cli::progress::say;

use crate::run::LogEntry;

/// Name, unit, and whether more is better.
type Figure = (&'static str, Option<&'static str>, bool);

const LOSS: Figure = ("Loss", None, false);
const LEARNING_RATE: Figure = ("Learning rate", None, false);
const GRADIENT_NORM: Figure = ("Gradient norm", None, false);
const SPEED: Figure = ("Steps per second", None, true);
const WAITING: Figure = ("Waiting for data", Some("%"), false);
const SI_SDR: Figure = ("SI-SDR", Some("dB"), true);
const STOI: Figure = ("STOI", None, true);

/// Where a run tells people what it does.
pub enum Watch {
    /// Burn's dashboard.
    Dashboard(Box<TuiMetricsRendererWrapper>),
    /// Lines on the standard error stream.
    Lines,
}

impl Watch {
    /// The dashboard if both streams are a terminal and `plain` was not asked for. It stops the run through `interrupter`.
    pub fn start(interrupter: &Interrupter, plain: bool) -> Self {
        if plain || !std::io::stdout().is_terminal() || !std::io::stderr().is_terminal() {
            return Self::Lines;
        }
        let mut dashboard = Box::new(TuiMetricsRendererWrapper::new(interrupter.clone(), None));
        for (name, unit, higher_is_better) in [LOSS, LEARNING_RATE, GRADIENT_NORM, SPEED, WAITING, SI_SDR, STOI] {
            dashboard.register_metric(MetricDefinition {
                metric_id: id(name),
                name: name.into(),
                description: None,
                attributes: MetricAttributes::Numeric(NumericAttributes {
                    unit: unit.map(Into::into),
                    higher_is_better,
                }),
            });
        }
        Self::Dashboard(dashboard)
    }

    /// Steps done.
    pub fn steps(&mut self, done: usize, total: usize, epoch: usize) {
        if let Self::Dashboard(dashboard) = self {
            keep_signals();
            let progress = Progress { items_processed: done, items_total: total };
            let tag = |tag: &str, value| ProgressType::Value { tag: tag.into(), value };
            let item = TrainingProgress { progress: None, global_progress: progress, iteration: Some(done) };
            dashboard.render_train(item, vec![tag("Step", done), tag("Epoch", epoch + 1)]);
        }
    }

    /// Items of the validation set done.
    pub fn validated(&mut self, done: usize, total: usize, step: usize, steps: usize) {
        if let Self::Dashboard(dashboard) = self {
            let progress = |items_processed, items_total| Progress { items_processed, items_total };
            let item = TrainingProgress {
                progress: Some(progress(done, total)),
                global_progress: progress(step, steps),
                iteration: Some(done),
            };
            dashboard.render_valid(item, vec![ProgressType::Value { tag: "Item".into(), value: done }]);
        }
    }

    /// A report or a validation.
    pub fn entry(&mut self, entry: &LogEntry) {
        match self {
            Self::Lines => say(line(entry)),
            Self::Dashboard(dashboard) => match entry {
                LogEntry::Training { loss, learning_rate, gradient_norm, steps_per_second, waiting, .. } => {
                    let figures = [
                        (LOSS, *loss),
                        (LEARNING_RATE, Some(*learning_rate)),
                        (GRADIENT_NORM, *gradient_norm),
                        (SPEED, Some(*steps_per_second)),
                        (WAITING, Some(100.0 * waiting)),
                    ];
                    figures.into_iter().filter_map(state).for_each(|state| dashboard.update_train(state));
                }
                LogEntry::Validation { all, .. } => {
                    let figures = [(SI_SDR, Some(all.after.si_sdr_db)), (STOI, all.after.stoi)];
                    figures.into_iter().filter_map(state).for_each(|state| dashboard.update_valid(state));
                }
                LogEntry::Resumed { .. } => {}
            },
        }
    }
}

fn id(name: &str) -> MetricId {
    MetricId::new(Arc::new(name.into()))
}

fn state(((name, unit, _), value): (Figure, Option<f64>)) -> Option<MetricState> {
    let value = value?;
    let unit = unit.map_or(String::new(), |unit| format!(" {unit}"));
    let text = if value.abs() < 0.01 { format!("{value:.2e}{unit}") } else { format!("{value:.3}{unit}") };
    let entry = MetricEntry { metric_id: id(name), serialized_entry: SerializedEntry::new(text, value.to_string()) };
    Some(MetricState::Numeric(entry, NumericEntry::Value(value)))
}

/// An entry as a line.
fn line(entry: &LogEntry) -> String {
    match entry {
        LogEntry::Training { step, loss, learning_rate, gradient_norm, skipped, steps_per_second, waiting } => {
            let figure = |figure: &Option<f64>| figure.map_or("none".into(), |figure| format!("{figure:.4}"));
            let skipped = if *skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
            format!(
                "step {step}: loss {}, gradient norm {}, learning rate {learning_rate:.2e}, {steps_per_second:.2} steps/s, \
                 {:.1} % of it waiting for data{skipped}",
                figure(loss),
                figure(gradient_norm),
                100.0 * waiting
            )
        }
        LogEntry::Validation { step, all, by_kind, not_finite, best } => {
            let kinds: Vec<String> = by_kind
                .iter()
                .map(|kind| format!("{} {:.2} → {:.2}", kind.name, kind.before.si_sdr_db, kind.after.si_sdr_db))
                .collect();
            let best = if *best { ", the best so far" } else { "" };
            let (before, after) = (all.before.si_sdr_db, all.after.si_sdr_db);
            let left_out = match not_finite {
                0 => String::new(),
                count => format!("; {count} items left out: the network's output is not finite"),
            };
            format!("step {step}: SI-SDR {before:.2} → {after:.2} dB{best} ({}){left_out}", kinds.join(", "))
        }
        LogEntry::Resumed { step, changes, .. } => format!("resumed after step {step}: {}", changes.join("; ")),
    }
}

/// The dashboard switches signals from the keyboard off; Ctrl-C should stop a run all the same.
#[cfg(unix)]
fn keep_signals() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    if let Ok(mut settings) = tcgetattr(std::io::stdin())
        && !settings.local_modes.contains(LocalModes::ISIG)
    {
        settings.local_modes |= LocalModes::ISIG;
        // Where it cannot be done, the dashboard's own key is left.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &settings);
    }
}

#[cfg(not(unix))]
fn keep_signals() {}
