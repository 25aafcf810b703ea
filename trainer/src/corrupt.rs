//! `trainer corrupt`: recordings with noise, to try denoisers on.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::Args;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::dsp::spectrum::SpectrumPlan;
use shared::noise::{self, Corruption, Threshold};
use shared::wav::Encoding;
use shared::{Audio, resample};

use crate::audio_file;
use crate::batch::{self, Share, Task};

/// Make recordings noisy.
///
/// Every channel gets its own noise, at the recording's own rate. Files are named and failures treated as by `denoise`.
#[derive(Args)]
pub struct CorruptArguments {
    /// A recording, or a folder of them.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Folder of the results; for one input file it may be a name that ends in .wav.
    #[arg(short, long)]
    out: PathBuf,
    /// zero-small, raise-small (small STFT coefficients become 0, or larger), white, brown or file:PATH (which are added).
    #[arg(long)]
    noise: Noise,
    /// Share of the STFT coefficients that count as small, 0 to 1 [default: 0.8 for zero-small, 0.6 for raise-small].
    #[arg(long, value_parser = share)]
    amount: Option<f32>,
    /// Signal-to-noise ratio of added noise in dB [default: 5].
    #[arg(long, value_parser = decibels, allow_negative_numbers = true)]
    snr_db: Option<f32>,
    /// Seed of added noise [default: 1].
    #[arg(long)]
    seed: Option<u64>,
}

/// Noise as people name it.
#[derive(Clone, Debug, PartialEq)]
enum Noise {
    ZeroSmall,
    RaiseSmall,
    White,
    Brown,
    File(PathBuf),
}

impl FromStr for Noise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "zero-small" => Ok(Self::ZeroSmall),
            "raise-small" => Ok(Self::RaiseSmall),
            "white" => Ok(Self::White),
            "brown" => Ok(Self::Brown),
            _ => match text.strip_prefix("file:") {
                Some(path) if !path.is_empty() => Ok(Self::File(path.into())),
                _ => Err(format!("expected zero-small, raise-small, white, brown or file:PATH, got {text:?}")),
            },
        }
    }
}

fn share(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| format!("expected a number from 0 to 1, got {text:?}"))
}

fn decibels(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| (-100.0..=100.0).contains(value));
    value.ok_or_else(|| format!("expected a number of dB from -100 to 100, got {text:?}"))
}

impl CorruptArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let method = self.method()?;
        let tasks = batch::plan(&[self.input], Some(&self.out), "noisy")?;
        let tasks: Vec<(usize, Task)> = tasks.into_iter().enumerate().collect();
        let work = |(index, task): &(usize, Task), share: &Share| {
            let (audio, encoding) = audio_file::read(&task.input)?;
            let noisy = method
                .apply(&audio, *index as u64)
                .with_context(|| format!("cannot make {} noisy", task.input.display()))?;
            let clipped = noisy.channels().iter().flatten().filter(|sample| sample.abs() > 1.0).count();
            if clipped > 0 && encoding != Encoding::Float32 {
                share.warn(&format!(
                    "{}: {clipped} samples are beyond full scale and were clipped",
                    task.output.display()
                ));
            }
            audio_file::write(&task.output, &noisy, encoding)
        };
        batch::each(&tasks, "adding noise", work).1
    }

    fn method(&self) -> Result<Method> {
        let corruption = match self.noise {
            Noise::ZeroSmall => Corruption::ZeroSmall(Threshold::Quantile(self.amount.unwrap_or(0.8))),
            Noise::RaiseSmall => Corruption::RaiseSmall(Threshold::Quantile(self.amount.unwrap_or(0.6))),
            Noise::White | Noise::Brown | Noise::File(_) => return self.additive(),
        };
        if self.snr_db.is_some() || self.seed.is_some() {
            bail!("--snr-db and --seed are for added noise only; zero-small and raise-small take --amount");
        }
        Ok(Method::Stft(corruption))
    }

    fn additive(&self) -> Result<Method> {
        if self.amount.is_some() {
            bail!("--amount is for zero-small and raise-small only; added noise takes --snr-db");
        }
        let sound = match &self.noise {
            Noise::File(path) => {
                let (audio, _) = audio_file::read(path)?;
                Sound::Recording { samples: audio.to_mono(), sample_rate_hz: audio.sample_rate_hz() }
            }
            Noise::Brown => Sound::Brown,
            _ => Sound::White,
        };
        Ok(Method::Added { sound, snr_db: self.snr_db.unwrap_or(5.0), seed: self.seed.unwrap_or(1) })
    }
}

/// What is done to a recording.
enum Method {
    Stft(Corruption),
    Added { sound: Sound, snr_db: f32, seed: u64 },
}

/// Noise that can be added.
enum Sound {
    White,
    Brown,
    Recording { samples: Vec<f32>, sample_rate_hz: u32 },
}

impl Method {
    /// The noisy recording; `index` is its number in the batch, so that no two get the same noise.
    fn apply(&self, audio: &Audio, index: u64) -> shared::Result<Audio> {
        let rate_hz = audio.sample_rate_hz();
        let channels: shared::Result<_> = match self {
            Self::Stft(corruption) => {
                let plan = SpectrumPlan::new(noise::stft::STFT);
                audio.channels().iter().map(|channel| corruption.apply(&plan, channel)).collect()
            }
            Self::Added { sound, snr_db, seed } => {
                let mut rng = ChaCha8Rng::seed_from_u64(*seed);
                rng.set_stream(index);
                let sound = sound.at_rate(rate_hz)?;
                let mix = |clean: &Vec<f32>| noise::mix(clean, &sound.draw(clean.len(), &mut rng), *snr_db);
                audio.channels().iter().map(mix).collect()
            }
        };
        Audio::new(rate_hz, channels?)
    }
}

impl Sound {
    fn at_rate(&self, rate_hz: u32) -> shared::Result<Self> {
        Ok(match self {
            Self::White => Self::White,
            Self::Brown => Self::Brown,
            Self::Recording { samples, sample_rate_hz } => Self::Recording {
                samples: resample::resample(samples, *sample_rate_hz, rate_hz)?,
                sample_rate_hz: rate_hz,
            },
        })
    }

    /// `len` samples; a recording starts anywhere and is repeated where it is too short.
    fn draw(&self, len: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        match self {
            Self::White => noise::white(len, rng),
            Self::Brown => noise::brown(len, rng),
            Self::Recording { samples, .. } => noise::loop_to(samples, rng.random_range(0..samples.len()), len),
        }
    }
}
