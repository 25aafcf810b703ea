//! The best network so far: choosing it, and keeping it with its scores and examples in the run's folder.
//!
//! `best.zip` is written before the checkpoint that knows its score. A run that was killed in between, or that goes on from an earlier
//! checkpoint or with another validation set, scores `best.zip` again, so that only a better network replaces it.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, bail, ensure};
use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use cli::output::write_whole;
use cli::progress::say;
use shared::bundle::{self, Bundle, Card, Score};
use shared::nn::{NetworkConfig, Precision};

use super::checkpoint::{LoopState, Trained};
use super::validate::{ValidationExample, ValidationResult, ValidationSet};
use super::watch::Watch;
use super::{Adam, TrainJob};
use crate::SAMPLE_RATE_HZ;
use crate::run::{self, LogEntry, Rescored};
use crate::scores::{MeanScores, Scored};

impl TrainJob<'_> {
    /// Scores the network, and keeps it if it is the best so far. One whose output is not finite for some item never is: the mean over
    /// the others says nothing.
    ///
    /// # Errors
    /// When the output is finite for no item, when the device fails, or something cannot be written.
    pub(super) fn validate<B: AutodiffBackend>(
        &self,
        trained: &Trained<B, Adam<B>>,
        state: &mut LoopState,
        device: &B::Device,
        metrics: &mut run::write::Metrics,
        watch: &mut Watch,
    ) -> Result<()> {
        let network = match &trained.average {
            Some(average) => average.network(&trained.trainee.network),
            None => trained.trainee.network.valid(),
        };
        let (step, steps, items) = (state.step, self.recipe.schedule.steps, self.valid.len());
        let progress = |done| watch.validated(done, items, step, steps);
        let validation = self.valid.score(network.clone(), &state.network, self.phrasing, device, progress)?;
        let Some(all) = ValidationSet::overall(&validation.scored) else {
            bail!("the network's output is not finite: training has diverged. Try a lower optimiser.learning_rate");
        };
        let score = all.after.si_sdr_db;
        // The validation that gave the best network happens once more where the run goes on from an earlier checkpoint.
        let better = |(before, at)| score > before || (score == before && step == at);
        let best = validation.not_finite == 0 && state.best.is_none_or(better);
        if best {
            state.best = Some((score, step));
            state.validation_set = Some(self.valid.checksum());
            state.since_best = 0;
            let card = self.card(&state.network, step, &validation.scored);
            let bundle = Bundle::pack(&network, state.network.clone(), SAMPLE_RATE_HZ, Precision::F32, card)?;
            self.keep(&bundle, &validation)?;
        } else if state.best.is_none_or(|(_, at)| step > at) {
            state.since_best += 1;
        }
        let by_kind = MeanScores::by_kind(&validation.scored);
        let entry = LogEntry::Validation { step, all, by_kind, not_finite: validation.not_finite, best };
        metrics.write(&entry)?;
        watch.entry(&entry);
        Ok(())
    }

    /// Makes the state's best score that of `best.zip` on this validation set. What the checkpoint says is trusted if it is about the
    /// same step and the same set; else the network is scored again, and the result is returned.
    ///
    /// # Errors
    /// When `best.zip` cannot be used, or is of another network, or the device fails.
    pub(super) fn recognise_best<B: AutodiffBackend>(
        &self,
        state: &mut LoopState,
        device: &B::Device,
    ) -> Result<Option<Rescored>> {
        let path = self.run.join("best.zip");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if state.best.take().is_some() {
                    say(format_args!("{} is gone: the next validation writes it anew", path.display()));
                    state.since_best = 0;
                }
                return Ok(None);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let context = || format!("cannot use {}; remove it to resume without it", path.display());
        let mut bundle = Bundle::from_bytes(&bytes).with_context(context)?;
        ensure!(bundle.config.network == state.network, "{} is another network than the run's", path.display());
        let (step, set) = (bundle.card.training.steps, self.valid.checksum());
        if state.validation_set == Some(set) && state.best.is_some_and(|(_, at)| at == step) {
            return Ok(None);
        }
        say(format_args!("scoring {} again, which is of step {step}", path.display()));
        let network = bundle.network::<B::InnerBackend>(device).with_context(context)?;
        let validation = self.valid.score(network, &state.network, self.phrasing, device, |_| ())?;
        let all = ValidationSet::overall(&validation.scored).filter(|_| validation.not_finite == 0);
        let Some(all) = all else {
            say("its output is not finite: the next validation replaces it");
            state.best = None;
            return Ok(None);
        };
        let before = state.best.filter(|(_, at)| *at == step).map_or(String::new(), |(before, _)| {
            format!("; it was {before:.2} dB on the validation set as it was then")
        });
        say(format_args!("the best so far: SI-SDR {:.2} dB{before}", all.after.si_sdr_db));
        state.best = Some((all.after.si_sdr_db, step));
        state.validation_set = Some(set);
        if step > state.step {
            state.since_best = 0;
        }
        bundle.card.scores = self.card_scores(&validation.scored);
        self.keep(&bundle, &validation)?;
        Ok(Some(Rescored { step, all }))
    }

    /// Writes the best network, its scores and its examples.
    fn keep(&self, bundle: &Bundle, ValidationResult { scored, examples, .. }: &ValidationResult) -> Result<()> {
        write_whole(&self.run.join("best.zip"), &bundle.to_bytes()?)?;
        write_whole(&self.run.join("scores.json"), &serde_json::to_vec_pretty(scored)?)?;
        for (number, ValidationExample { signals, .. }) in examples.iter().enumerate() {
            run::write::example(self.run, number, signals)?;
        }
        Ok(())
    }

    fn card(&self, config: &NetworkConfig, step: usize, scored: &[Scored]) -> Card {
        let Self { recipe, plan, .. } = self;
        Card {
            name: plan.name.clone(),
            summary: recipe.run.summary.clone(),
            parameters: config.parameters() as usize,
            macs_per_second: config.macs_per_second(SAMPLE_RATE_HZ),
            training: bundle::Training {
                command: plan.command.clone(),
                commit: plan.commit.clone(),
                began_with: plan.begins_with.clone(),
                seed: plan.seed,
                steps: step,
                hours_seen: plan.hours.unwrap_or_default() * step as f64 / plan.steps as f64,
                loss: plan.loss.clone(),
                noise: recipe.noise.chains.summary(),
                device: format!("{} ({})", plan.device, plan.hardware),
                date: time::OffsetDateTime::now_utc().date().to_string(),
            },
            data: self.sources.clone(),
            scores: self.card_scores(scored),
            limits: recipe.run.limits.clone(),
        }
    }

    /// Mean scores for each kind of noise, for a card.
    fn card_scores(&self, scored: &[Scored]) -> Vec<Score> {
        let score = |group: MeanScores| {
            let set = format!("{} of {}", group.name, self.valid.describe());
            let figure = |metric: &str, before: f64, after: f64| Score {
                set: set.clone(),
                metric: metric.into(),
                before,
                after,
            };
            let mut figures = vec![figure("SI-SDR, dB", group.before.si_sdr_db, group.after.si_sdr_db)];
            if let (Some(before), Some(after)) = (group.before.stoi, group.after.stoi) {
                figures.push(figure("STOI", before, after));
            }
            figures
        };
        MeanScores::by_kind(scored).into_iter().flat_map(score).collect()
    }
}
