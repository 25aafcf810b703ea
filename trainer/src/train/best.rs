//! The best network so far: choosing it, and keeping it with its scores and examples in the run's folder.

use anyhow::Result;
use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use shared::bundle::{self, Bundle, Card, Precision, Score};
use shared::nn::NetworkConfig;

use super::checkpoint::{State, Trained};
use super::validate::{Example, Validation, ValidationSet};
use super::watch::Watch;
use super::{Adam, TrainJob};
use crate::SAMPLE_RATE_HZ;
use crate::audio_file::write_whole;
use crate::run::{self, Entry};
use crate::scores::{Group, Scored};

impl TrainJob<'_> {
    /// Scores the network, and keeps it if it is the best so far. One whose output is not finite for some item never is: the mean over
    /// the others says nothing.
    pub(super) fn validate<B: AutodiffBackend>(
        &self,
        trained: &Trained<B, Adam<B>>,
        state: &mut State,
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
        let validation = self.valid.score(network.clone(), &state.network, device, progress)?;
        let all = ValidationSet::overall(&validation.scored);
        let score = all.after.si_sdr_db;
        let best = validation.not_finite == 0 && state.best.is_none_or(|(before, _)| score > before);
        if best {
            state.best = Some((score, step));
            state.since_best = 0;
            let card = self.card(&state.network, step, &validation.scored);
            let bundle = Bundle::pack(&network, state.network.clone(), SAMPLE_RATE_HZ, Precision::F32, card)?;
            self.keep(&bundle, &validation)?;
        } else {
            state.since_best += 1;
        }
        let by_kind = Group::by_kind(&validation.scored);
        let entry = Entry::Validation { step, all, by_kind, not_finite: validation.not_finite, best };
        metrics.write(&entry)?;
        watch.entry(&entry);
        Ok(())
    }

    /// Writes the best network, its scores and its examples.
    fn keep(&self, bundle: &Bundle, Validation { scored, examples, .. }: &Validation) -> Result<()> {
        write_whole(&self.run.join("best.zip"), &bundle.to_bytes()?)?;
        write_whole(&self.run.join("scores.json"), &serde_json::to_vec_pretty(scored)?)?;
        for (number, Example { signals, .. }) in examples.iter().enumerate() {
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
        let score = |group: Group| {
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
        Group::by_kind(scored).into_iter().flat_map(score).collect()
    }
}
