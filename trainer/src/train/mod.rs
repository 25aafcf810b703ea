//! Fitting a network.

mod average;
mod beginning;
mod best;
pub mod checkpoint;
pub mod gradients;
mod inputs;
pub mod pieces;
mod plan;
pub mod step;
mod validate;
mod watch;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{AdamW, AdamWConfig, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use burn_train::Interrupter;
use cli::exit::Interrupted;
use cli::output::write_whole;
use cli::progress::say;
use cli::{signal, stdout};
use shared::bundle::{self, Bundle};
use shared::nn::{NetworkConfig, Phrasing};

pub use plan::RunPlan;

use self::average::Average;
use self::checkpoint::{LoopState, Trained};
use self::inputs::RunInputs;
use self::pieces::Cut;
use self::step::{How, Stepper, Trainee};
use self::validate::ValidationSet;
use self::watch::Watch;
use crate::SAMPLE_RATE_HZ;
use crate::data::{Corpus, Loader, Maker, playback};
use crate::device::{Devices, TrainingJob};
use crate::recipe::Recipe;
use crate::run::{self, LogEntry};

/// How a run starts.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Whether it goes on from its last checkpoint.
    pub resume: bool,
    /// Whether it may go on with other data than it began with.
    pub accept_changed_data: bool,
    /// Whether the plan is all that is wanted.
    pub plan_only: bool,
    /// Whether there is to be no dashboard.
    pub plain: bool,
    /// Fields of the recipe that were set on the command line, now or when the run began.
    pub overrides: Vec<String>,
}

/// Trains by a recipe on what it names, in the folder `run`.
///
/// # Errors
/// When data, recipe and device do not go together, when the data of a run that is resumed changed and the change is not accepted, when
/// something cannot be read or written, or when the run is interrupted.
pub fn run(recipe: &Recipe, corpus: Corpus, run: &Path, start: Start) -> Result<()> {
    let devices: Devices = recipe.run.device.parse().map_err(|error| anyhow::anyhow!("run.device: {error}"))?;
    corpus.left_out.iter().for_each(|reason| say(format_args!("left out: {reason}")));
    if !corpus.train.speech.is_empty() {
        playback::check(&recipe.noise.chains, &corpus.train)?;
    }
    let crop = recipe.data.crop_seconds;
    let longest = corpus.train.longest();
    ensure!(
        recipe.data.items == crate::recipe::ItemKind::Recordings || longest >= crop,
        "data.crop_seconds: expected recordings of at least {crop} s, got none longer than {longest:.2} s"
    );
    let sources = plan::sources(&recipe.data.sources)?;
    let valid = ValidationSet::new(&corpus.valid, recipe.noise.is_none())?;
    valid.left_out().iter().for_each(|reason| say(format_args!("left out: {reason}")));
    let mut plan = RunPlan::new(recipe, &corpus, valid.len(), &devices)?;
    plan.overrides.clone_from(&start.overrides);
    if start.resume {
        plan.keep_beginning(run);
    }
    // A run that was stopped before its first checkpoint begins as it did then.
    let begins = !start.resume || !checkpoint::any(run)?;
    let weights = if begins { beginning::first_weights(recipe)? } else { None };
    if let Some(Bundle { card, .. }) = &weights {
        plan.begins_with = beginning::description(card);
    }
    let inputs = RunInputs::of(&corpus, weights.as_ref())?;
    let before = if start.resume { RunInputs::read(run)? } else { None };
    let changes = before.as_ref().map_or(vec![], |before| before.changes(&inputs));
    if !changes.is_empty() && !start.accept_changed_data {
        bail!(
            "the data changed since {} began: {}. Restore it, begin another run with another --out, or resume with the data as it is \
             now by `trainer train --resume --accept-changed-data`",
            run.display(),
            changes.join("; ")
        );
    }
    if start.resume && before.is_none() {
        say(format_args!(
            "{} has no data.json: whether the data changed since the run began is not known",
            run.display()
        ));
    }
    let maker = Arc::new(Maker::new(corpus.train, recipe));
    plan.epoch_items = maker.epoch_length();
    say(&plan);
    if start.plan_only {
        return Ok(());
    }
    let data = RunData { inputs, before, changes };
    let job = TrainJob { recipe, run, start, plan, sources, maker, valid, weights, data, phrasing: devices.phrasing() };
    devices.train(job, recipe.run.gradient_checkpointing)
}

struct TrainJob<'a> {
    recipe: &'a Recipe,
    run: &'a Path,
    start: Start,
    plan: RunPlan,
    sources: Vec<bundle::DataSource>,
    maker: Arc<Maker>,
    valid: ValidationSet,
    /// The first weights, where they are not random.
    weights: Option<Bundle>,
    data: RunData,
    /// How the network is phrased when it is scored.
    phrasing: Phrasing,
}

/// What a run is made from now, what it was made from before it was resumed, and what changed.
struct RunData {
    inputs: RunInputs,
    before: Option<RunInputs>,
    changes: Vec<String>,
}

/// The optimiser of all runs.
pub type Adam<B> = OptimizerAdaptor<AdamW, Trainee<B>, B>;

impl TrainingJob for TrainJob<'_> {
    type Output = ();

    fn run<B: AutodiffBackend>(mut self, devices: Vec<B::Device>) -> Result<()> {
        let Recipe { optimiser, schedule, run: about, .. } = self.recipe;
        let config = self.recipe.network_config()?;
        let device = devices[0].clone();
        B::seed(&device, about.seed);
        let network = match &self.weights {
            Some(weights) => weights.network::<B>(&device).context("network.weights")?,
            None => config.init::<B>(&device),
        };
        let network = if self.recipe.network.frozen_statistics { network.with_frozen_statistics() } else { network };
        let mut trained = Trained::<B, Adam<B>> {
            average: (optimiser.ema_decay > 0.0).then(|| Average::new(&network, optimiser.ema_decay)),
            trainee: Trainee { network },
            optimizer: AdamWConfig::new().with_weight_decay(optimiser.weight_decay).init(),
        };
        let mut state = LoopState::new(config.clone());
        if self.start.resume {
            let broken;
            (trained, state, broken) = trained.load(self.run, &config, &device)?;
            broken.iter().for_each(|reason| say(format_args!("passed over a broken checkpoint: {reason}")));
            if let Some(reason) = finished(&state, self.recipe) {
                bail!("{} has finished: {reason}; go on by --set schedule.steps=N with more", self.run.display());
            }
            say(format_args!("goes on after step {}", state.step));
        }
        run::write::create(self.run)?;
        let mut metrics = run::write::Metrics::open(self.run, state.step)?;
        if self.start.resume {
            let best = self.recognise_best::<B>(&mut state, &device)?;
            let changes = std::mem::take(&mut self.data.changes);
            self.data.inputs.follow(self.data.before.take().unwrap_or_default(), state.step, &changes);
            if best.is_some() || !changes.is_empty() {
                let entry = LogEntry::Resumed { step: state.step, changes, best };
                metrics.write(&entry)?;
            }
        }
        self.data.inputs.save(self.run)?;
        self.plan.save(self.run)?;
        // The last one, because a folder with a recipe holds a run that can be resumed.
        write_whole(&self.run.join("recipe.toml"), self.recipe.to_toml()?.as_bytes())?;

        let mut loader = Loader::start(&self.maker, schedule.batch_size, state.step, self.recipe.data.workers);
        let stepper = Stepper::<B, Adam<B>>::new(how(self.recipe, &config), devices);
        let interrupter = Interrupter::new();
        let stop = interrupter.clone();
        signal::act_once(move || stop.stop(Some("interrupted")));
        let mut watch = Watch::start(&interrupter, self.start.plain);
        let mut recent = Recent::default();

        while finished(&state, self.recipe).is_none() {
            let waited = Instant::now();
            let batch = loader.next()?;
            let waiting = waited.elapsed();
            let (loss, gradients) = stepper.step(&trained.trainee, batch);
            let learning_rate = optimiser.learning_rate * schedule.learning_rate(state.step);
            let clipped = gradients::clip_global_norm(&trained.trainee, gradients, optimiser.max_gradient_norm);
            match clipped.filter(|_| loss.is_finite()) {
                Some((gradients, norm)) => {
                    trained.trainee = trained.optimizer.step(learning_rate, trained.trainee, gradients);
                    recent.add(loss, norm);
                    if let Some(average) = &mut trained.average {
                        average.update(&trained.trainee.network, state.step);
                    }
                }
                None => state.skipped += 1,
            }
            state.step += 1;
            recent.time(waited.elapsed(), waiting);
            watch.steps(state.step, schedule.steps, state.step * schedule.batch_size / self.maker.epoch_length());

            let last = state.step == schedule.steps;
            if state.step.is_multiple_of(schedule.log_every) || last {
                let entry = recent.take(&state, learning_rate);
                metrics.write(&entry)?;
                watch.entry(&entry);
            }
            let validates = state.step.is_multiple_of(schedule.valid_every) || last;
            if validates {
                self.validate(&trained, &mut state, &device, &mut metrics, &mut watch)?;
            }
            let stopped = interrupter.should_stop();
            let due = schedule.checkpoint_every > 0 && state.step.is_multiple_of(schedule.checkpoint_every);
            if validates || due || stopped {
                trained.save(self.run, &state)?;
            }
            if stopped && finished(&state, self.recipe).is_none() {
                drop(watch);
                return Err(Interrupted(format!(
                    "interrupted after step {}; go on by `trainer train --resume --out {}`",
                    state.step,
                    self.run.display()
                ))
                .into());
            }
        }
        drop(watch);
        if let Some(reason) = finished(&state, self.recipe).filter(|_| state.step < schedule.steps) {
            say(format_args!("ended early: {reason}"));
        }
        let best =
            state.best.map(|(score, step)| format!(", {score:.2} dB SI-SDR on the validation set after step {step}"));
        stdout::print(format_args!("{}{}\n", self.run.join("best.zip").display(), best.unwrap_or_default()))
    }
}

fn how(recipe: &Recipe, config: &NetworkConfig) -> How {
    let piece = recipe.data.piece_seconds;
    How {
        objective: recipe.loss.clone(),
        cut: Cut {
            piece_length: (piece > 0.0).then(|| (piece * f64::from(SAMPLE_RATE_HZ)) as usize),
            context: config.context(),
            alignment: config.alignment(),
        },
        precision: recipe.run.precision,
    }
}

/// Why there is nothing more to do, if there is not.
fn finished(state: &LoopState, recipe: &Recipe) -> Option<String> {
    let (steps, patience) = (recipe.schedule.steps, recipe.schedule.patience);
    if state.step >= steps {
        return Some(format!("{} of {steps} steps are done", state.step));
    }
    (patience > 0 && state.since_best >= patience)
        .then(|| format!("{patience} validations in a row brought no better score (schedule.patience)"))
}

/// What happened since the last report.
#[derive(Default)]
struct Recent {
    loss: f64,
    gradient_norm: f64,
    /// Steps that were not skipped.
    done: usize,
    steps: usize,
    time: Duration,
    waiting: Duration,
}

impl Recent {
    fn add(&mut self, loss: f64, gradient_norm: f32) {
        self.loss += loss;
        self.gradient_norm += f64::from(gradient_norm);
        self.done += 1;
    }

    fn time(&mut self, step: Duration, waiting: Duration) {
        self.steps += 1;
        self.time += step;
        self.waiting += waiting;
    }

    /// The report, and starts again.
    fn take(&mut self, state: &LoopState, learning_rate: f64) -> LogEntry {
        let Self { loss, gradient_norm, done, steps, time, waiting } = std::mem::take(self);
        let seconds = time.as_secs_f64().max(f64::MIN_POSITIVE);
        let mean = |sum: f64| (done > 0).then(|| sum / done as f64);
        LogEntry::Training {
            step: state.step,
            loss: mean(loss),
            learning_rate,
            gradient_norm: mean(gradient_norm),
            skipped: state.skipped,
            steps_per_second: steps as f64 / seconds,
            waiting: waiting.as_secs_f64() / seconds,
        }
    }
}
