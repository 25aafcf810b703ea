//! `trainer bench`: how fast a network trains here.
//!
//! Whole training steps, as `trainer train` does them, again and again on one batch of speech-like sound in white noise, so that
//! nothing but the device counts. `scripts/bench_training.py` lets PyTorch do the same steps from the same weights.

use std::collections::BTreeMap;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::module::AutodiffModule;
use burn::optim::{AdamWConfig, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use clap::Args;
use cli::device::Device;
use cli::memory::peak_bytes;
use cli::output::write_whole;
use cli::stdout;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use shared::Weights;
use shared::audio::rms;
use shared::bundle::{BundleConfig, VERSION};
use shared::loss::{Loss, Objective};
use shared::nn::NetworkConfig;
use shared::nn::Precision;

use crate::SAMPLE_RATE_HZ;
use crate::data::Item;
use crate::device::{Devices, TrainingJob};
use crate::recipe::ComputePrecision;
use crate::train::Adam;
use crate::train::gradients::clip_global_norm;
use crate::train::pieces::Cut;
use crate::train::step::{How, Stepper, Trainee};

/// Seed of the weights, and of the first item; others follow.
const SEED: u64 = 1;
/// Steps before the clock starts: allocators fill, and GPUs compile and tune their kernels.
const WARM_UP: usize = 2;
/// Of speech to noise in the batch.
const SNR_DB: f32 = 5.0;
/// Constant, unlike that of `trainer train`.
const LEARNING_RATE: f64 = 1e-3;
const WEIGHT_DECAY: f32 = 1e-4;
/// Gradients are scaled down to this norm over all weights together.
const MAX_GRADIENT_NORM: f32 = 3.0;

/// Measure how fast a network trains on this machine, and in how much memory.
///
/// Does training steps on one batch of synthetic sound. Two steps more than asked for come first and are not timed.
#[derive(Args)]
pub struct BenchArguments {
    /// Preset of the network (see `trainer models`).
    #[arg(long, default_value = "dcunet-small")]
    network: String,
    /// What is minimised: l1, mse, energy-conserving-l1, wsdr, multi-resolution-stft, compressed-spectrum,
    /// error-level, harm or loudness.
    #[arg(long, default_value = "wsdr")]
    loss: Loss,
    /// Items a step.
    #[arg(long, default_value_t = 4)]
    batch_size: usize,
    /// Length of an item in seconds.
    #[arg(long, default_value_t = 1.0)]
    crop_seconds: f64,
    /// Steps that are timed.
    #[arg(long, default_value_t = 8)]
    steps: usize,
    /// cpu, wgpu, cuda or cuda:N.
    #[arg(long, default_value_t = Device::Cpu)]
    device: Device,
    /// Threads on the CPU [default: all cores].
    #[arg(long)]
    threads: Option<usize>,
    /// Folder to write weights.safetensors, noisy.f32 and clean.f32 to before the first step, for other programs.
    #[arg(long)]
    dump: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl BenchArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let config = NetworkConfig::preset(&self.network).context("--network")?;
        let crop = self.crop_seconds;
        ensure!((0.01..=600.0).contains(&crop), "--crop-seconds: expected 0.01 to 600, got {crop}");
        ensure!(self.batch_size > 0, "--batch-size: expected at least 1, got 0");
        ensure!(self.steps > 0, "--steps: expected at least 1, got 0");
        if let Some(threads) = self.threads {
            ensure!(threads > 0, "--threads: expected at least 1, got 0");
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().context("--threads")?;
        }
        let times = Devices::from(self.device).train(BenchJob { config, arguments: &self }, false)?;
        let [best, median] = times.steps_per_second();
        let peak_bytes = peak_bytes();
        if self.json {
            let Times { losses, seconds } = times;
            let summary = json!({"losses": losses, "seconds": seconds, "peak_bytes": peak_bytes,
                "steps_per_second": {"best": best, "median": median}});
            return stdout::print(format_args!("{summary}\n"));
        }
        let memory = peak_bytes.map(|bytes| format!(", {:.0} MB resident at most", bytes as f64 / 1e6));
        let (batch, device) = (self.batch_size, self.device);
        stdout::print(format_args!(
            "{}, {batch} × {crop} s on {device}: {best:.3} steps/s at best, {median:.3} in the median{}\n",
            self.network,
            memory.unwrap_or_default()
        ))
    }
}

/// What was measured.
struct Times {
    /// Of every step, before it changed the weights.
    losses: Vec<f64>,
    /// Of every step after the [`WARM_UP`].
    seconds: Vec<f64>,
}

impl Times {
    /// The best and the median.
    fn steps_per_second(&self) -> [f64; 2] {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        [0, seconds.len() / 2].map(|index| 1.0 / seconds[index])
    }
}

struct BenchJob<'a> {
    config: NetworkConfig,
    arguments: &'a BenchArguments,
}

impl TrainingJob for BenchJob<'_> {
    type Output = Times;

    fn run<B: AutodiffBackend>(self, devices: Vec<B::Device>) -> Result<Times> {
        let Self { config, arguments } = self;
        let device = devices[0].clone();
        B::seed(&device, SEED);
        let network = config.init::<B>(&device);
        // Burn draws weights where they are first read: here, whether they are written or not.
        let weights = Weights::of(&network.valid())?;
        let samples = (arguments.crop_seconds * f64::from(SAMPLE_RATE_HZ)) as usize;
        let batch = batch(arguments.batch_size, samples)?;
        if let Some(folder) = &arguments.dump {
            dump(folder, config.clone(), &weights, &batch)?;
        }
        let [noisy, clean] = &batch;
        let items = noisy.chunks(samples).zip(clean.chunks(samples));
        let items: Vec<Item> =
            items.map(|(noisy, clean)| Item { clean: clean.to_vec(), noisy: noisy.to_vec() }).collect();

        let cut = Cut { piece_length: None, context: config.context(), alignment: config.alignment() };
        let how = How { objective: Objective::single(arguments.loss), cut, precision: ComputePrecision::F32 };
        let stepper = Stepper::<B, Adam<B>>::new(how, devices);
        let mut optimizer: Adam<B> = AdamWConfig::new().with_weight_decay(WEIGHT_DECAY).init();
        let mut trainee = Trainee { network };
        let mut times = Times { losses: Vec::new(), seconds: Vec::new() };
        for index in 0..WARM_UP + arguments.steps {
            let batch = items.clone();
            let start = Instant::now();
            let (loss, gradients) = stepper.step(&trainee, batch);
            let (gradients, _) = clip_global_norm(&trainee, gradients, MAX_GRADIENT_NORM)
                .with_context(|| format!("the gradient is not finite, at a loss of {loss}"))?;
            trainee = optimizer.step(LEARNING_RATE, trainee, gradients);
            // Work on a device may be under way still.
            B::sync(&device).context("cannot wait for the device")?;
            let seconds = start.elapsed().as_secs_f64();
            if !arguments.json {
                stdout::print(format_args!("step {}: loss {loss:.6}, {seconds:.3} s\n", index + 1))?;
            }
            times.losses.push(loss);
            if index >= WARM_UP {
                times.seconds.push(seconds);
            }
        }
        Ok(times)
    }
}

/// `[noisy, clean]`, one item of `samples` after the other in each.
fn batch(items: usize, samples: usize) -> Result<[Vec<f32>; 2]> {
    let (mut noisy, mut clean) = (Vec::new(), Vec::new());
    for item in 0..items as u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED + item);
        // A short crop may be all pause.
        let speech = iter::repeat_with(|| shared::synth::speech(samples, SAMPLE_RATE_HZ, &mut rng));
        let speech = speech.into_iter().find(|speech| rms(speech) > 0.0).context("speech has sound")?;
        let noise = shared::noise::white(samples, &mut ChaCha8Rng::seed_from_u64(!SEED - item));
        noisy.extend(shared::noise::mix(&speech, &noise, SNR_DB)?);
        clean.extend(speech);
    }
    Ok([noisy, clean])
}

/// Writes where training starts from: weights as `trainer export` does, samples as raw little-endian floats.
fn dump(folder: &Path, network: NetworkConfig, weights: &Weights, [noisy, clean]: &[Vec<f32>; 2]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let config = BundleConfig { version: VERSION, sample_rate_hz: SAMPLE_RATE_HZ, precision: Precision::F32, network };
    let notes = BTreeMap::from([("config".into(), serde_json::to_string(&config)?)]);
    write_whole(&folder.join("weights.safetensors"), &weights.to_safetensors(&notes)?)?;
    for (name, samples) in [("noisy.f32", noisy), ("clean.f32", clean)] {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        write_whole(&folder.join(name), &bytes)?;
    }
    Ok(())
}
