//! Fitting a network.

mod arguments;
mod checkpoint;
pub mod gradients;
mod plan;
mod validate;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::module::AutodiffModule;
use burn::optim::{AdamWConfig, GradientsParams, Optimizer};
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use serde_json::json;
use shared::bundle::{Bundle, Card, Precision, Score, Training};
use shared::nn::{Network, NetworkConfig};

pub use arguments::TrainArguments;
pub use plan::{About, Plan};

use crate::audio_file::write_whole;
use crate::data::{Corpus, Item, loader, recipe};
use crate::device::Job;
use crate::{SAMPLE_RATE_HZ, progress};

/// Gradients are scaled down to this norm over all weights together.
const MAX_GRADIENT_NORM: f32 = 3.0;

/// Trains as planned, in the run folder.
pub fn run(plan: Plan, run: &Path, about: About, resume: bool) -> Result<()> {
    plan.validate()?;
    let corpus = match (&plan.speech, &plan.noise) {
        (Some(speech), Some(noise)) => Corpus::read(speech, noise)?,
        (None, None) => Corpus::synthetic(plan.seed),
        _ => bail!("give both --speech and --noise, or neither for a synthetic corpus"),
    };
    recipe::check(&plan.noise_recipe, &corpus.train)?;
    let [speech_hours, noise_hours] = corpus.train.hours();
    eprintln!(
        "{} on {}: {:.2} h of speech, {:.2} h of noise, {} steps of {} × {} s",
        plan.network, plan.device, speech_hours, noise_hours, plan.steps, plan.batch_size, plan.crop_seconds
    );
    let device = plan.device.parse::<crate::device::Device>().map_err(anyhow::Error::msg)?;
    device.run(TrainJob { plan, run, about, resume, corpus })
}

struct TrainJob<'a> {
    plan: Plan,
    run: &'a Path,
    about: About,
    resume: bool,
    corpus: Corpus,
}

impl Job for TrainJob<'_> {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let Self { plan, run, about, resume, corpus } = self;
        let config = plan.network_config()?;
        B::seed(&device, plan.seed);
        let mut network = config.init::<B>(&device);
        let mut optimizer = AdamWConfig::new().with_weight_decay(plan.weight_decay).init::<B, Network<B>>();
        let mut state = checkpoint::State::default();
        if resume {
            (network, optimizer, state) = checkpoint::load(run, network, optimizer, &device)?;
            eprintln!("resumed after step {}", state.step);
        }
        plan.save(run)?;

        let valid = validate::ValidationSet::new(&corpus.valid);
        let Corpus { train, .. } = corpus;
        let crop_length = (plan.crop_seconds * f64::from(SAMPLE_RATE_HZ)) as usize;
        let recipe = plan.noise_recipe.clone();
        let batches = loader::batches(Arc::new(train), recipe, crop_length, plan.batch_size, plan.seed, state.step);
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(run.join("log.jsonl"))
            .with_context(|| format!("cannot write to {}", run.display()))?;
        let bar = progress::bar(plan.steps, "training");
        bar.set_position(state.step as u64);
        let mut recent = Recent::default();

        while state.step < plan.steps {
            let batch = batches.recv().context("the thread that makes batches has died")??;
            let [noisy, clean] = stack::<B>(&batch, &device);
            let loss = plan.loss.forward(noisy.clone(), clean, network.forward(noisy));
            let value = loss.clone().into_scalar().elem::<f64>();
            let learning_rate = plan.learning_rate_at(state.step);
            state.step += 1;
            if value.is_finite() {
                let gradients = GradientsParams::from_grads(loss.backward(), &network);
                match gradients::clip_global_norm(&network, gradients, MAX_GRADIENT_NORM) {
                    Some(gradients) => network = optimizer.step(learning_rate, network, gradients),
                    None => state.skipped += 1,
                }
                recent.add(value);
            } else {
                state.skipped += 1;
            }
            bar.inc(1);

            let last = state.step == plan.steps;
            if state.step.is_multiple_of(plan.log_every) || last {
                let (loss, steps_per_second) = recent.take();
                let (step, skipped) = (state.step, state.skipped);
                let entry = json!({"step": step, "loss": loss, "learning_rate": learning_rate, "skipped": skipped,
                    "steps_per_second": steps_per_second});
                writeln!(log, "{entry}").context("cannot write the log")?;
                progress::warn(&bar, &format!("step {step}: loss {loss:.4}, {steps_per_second:.2} steps/s"));
            }
            if state.step.is_multiple_of(plan.valid_every) || last {
                let scores = valid.score(network.valid(), &config, &device)?;
                let entry = json!({"step": state.step, "si_sdr_before": scores.before, "si_sdr_after": scores.after});
                writeln!(log, "{entry}").context("cannot write the log")?;
                let text = format!("step {}: SI-SDR {:.2} → {:.2} dB", state.step, scores.before, scores.after);
                progress::warn(&bar, &text);
                if state.best_si_sdr.is_none_or(|best| scores.after > best) {
                    state.best_si_sdr = Some(scores.after);
                    let card = card(&plan, &about, &config, state.step, &scores);
                    let network = network.valid();
                    let bundle = Bundle::pack(&network, config.clone(), SAMPLE_RATE_HZ, Precision::F32, card)?;
                    write_whole(&run.join("best.zip"), &bundle.to_bytes()?)?;
                }
                checkpoint::save(run, &network, &optimizer, &state)?;
                recent = Recent::default();
            }
        }
        bar.finish_and_clear();
        let best = state.best_si_sdr.map(|best| format!(", {best:.2} dB SI-SDR on the validation set"));
        println!("{}{}", run.join("best.zip").display(), best.unwrap_or_default());
        Ok(())
    }
}

/// Losses and time since the last report.
struct Recent {
    sum: f64,
    count: usize,
    since: Instant,
}

impl Default for Recent {
    fn default() -> Self {
        Self { sum: 0.0, count: 0, since: Instant::now() }
    }
}

impl Recent {
    fn add(&mut self, loss: f64) {
        self.sum += loss;
        self.count += 1;
    }

    /// Mean loss and steps per second, and starts again.
    fn take(&mut self) -> (f64, f64) {
        let Self { sum, count, since } = std::mem::take(self);
        (sum / count.max(1) as f64, count as f64 / since.elapsed().as_secs_f64())
    }
}

/// Noisy and clean waveforms of a batch, `[batch, 1, samples]` each.
fn stack<B: Backend>(batch: &[Item], device: &B::Device) -> [Tensor<B, 3>; 2] {
    let tensor = |part: fn(&Item) -> &[f32]| {
        let values: Vec<f32> = batch.iter().flat_map(part).copied().collect();
        let samples = values.len() / batch.len();
        Tensor::from_data(TensorData::new(values, [batch.len(), 1, samples]), device)
    };
    [tensor(|item| &item.noisy), tensor(|item| &item.clean)]
}

fn card(plan: &Plan, about: &About, config: &NetworkConfig, step: usize, scores: &validate::Scores) -> Card {
    let hours_seen = step as f64 * plan.batch_size as f64 * plan.crop_seconds / 3600.0;
    Card {
        name: plan.name.clone(),
        summary: about.summary.clone(),
        parameters: config.parameters() as usize,
        training: Training {
            command: plan.command.clone(),
            seed: plan.seed,
            steps: step,
            hours_seen,
            loss: format!("{:?}", plan.loss).to_lowercase(),
            noise: plan.noise_recipe.summary(),
            device: about.device.clone().unwrap_or_else(|| plan.device.clone()),
            date: about.date.clone(),
        },
        data: about.data.clone(),
        scores: vec![Score {
            set: scores.set.clone(),
            metric: "SI-SDR, dB".into(),
            before: scores.before,
            after: scores.after,
        }],
        limits: about.limits.clone(),
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_trained_network_is_the_same_after_export() {
        let device = Default::default();
        let config = NetworkConfig::preset("dcunet-small").expect("a preset");
        let mut network = config.init::<Autodiff<Flex>>(&device);
        let mut optimizer = AdamWConfig::new().init();
        let item = |seed: u64| Item {
            clean: shared::synth::speech(4_000, SAMPLE_RATE_HZ, &mut ChaCha8Rng::seed_from_u64(seed)),
            noisy: shared::synth::speech(4_000, SAMPLE_RATE_HZ, &mut ChaCha8Rng::seed_from_u64(!seed)),
        };
        for seed in 0..3 {
            let [noisy, clean] = stack(&[item(seed)], &device);
            let loss = shared::loss::Loss::Wsdr.forward(noisy.clone(), clean, network.forward(noisy));
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(1e-3, network, gradients);
        }

        let trained = network.valid();
        let bundle = Bundle::pack(&trained, config, SAMPLE_RATE_HZ, Precision::F32, Card::default()).expect("it fits");
        let bundle = Bundle::from_bytes(&bundle.to_bytes().expect("it fits")).expect("our own bundle");
        let reloaded = bundle.network::<Flex>(&device).expect("its own weights");
        let [noisy, _] = stack::<Flex>(&[item(9)], &device);
        let values = |network: &Network<Flex>| network.forward(noisy.clone()).into_data().to_vec::<f32>().expect("f32");
        assert_eq!(values(&trained), values(&reloaded));
    }
}
