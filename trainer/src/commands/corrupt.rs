//! `trainer corrupt`: recordings with noise, to try denoisers on.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::Args;
use cli::batch::{Batch, ItemProgress};
use cli::output::write_wav;
use cli::plan::{self, FileTask};
use cli::progress::Progress;
use cli::recording::{self, DecodedRecording};
use media::{Encoding, Spec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use shared::noise::{Chain, Noise, NoiseGroup, Recordings};
use shared::resample;

/// Make recordings noisy.
///
/// The channels of a recording share rooms, lost packets, hum and every number that is drawn; other noise is independent in each.
/// Noise is made at the recording's own rate. Files are named and failures treated as by `denoise`.
#[derive(Args)]
#[command(after_long_help = kinds_of_noise())]
pub struct CorruptArguments {
    /// A recording, a folder of them, a pattern such as '*.mp3', or - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Folder of the results. For one input: also a name that ends in .wav, or - for standard output.
    #[arg(short, long)]
    out: PathBuf,
    /// Replace results that exist already.
    #[arg(long)]
    overwrite: bool,
    /// A kind of noise (zero-small, raise-small, white, pink, ...; --help lists all), or file:PATH for a recording of one.
    #[arg(long, required_unless_present = "chain", conflicts_with = "chain")]
    noise: Option<Named>,
    /// Share of the STFT coefficients that count as small, 0 to 1 [default: 0.8 for zero-small, 0.6 for raise-small].
    #[arg(long, value_parser = share, conflicts_with = "chain")]
    amount: Option<f32>,
    /// Signal-to-noise ratio of added noise in dB, of speech while it is active to noise over its length [default: 5].
    #[arg(long, value_parser = decibels, allow_negative_numbers = true, conflicts_with = "chain")]
    snr_db: Option<f32>,
    /// A chain of noises as JSON, `[{"kind": "room"}, {"kind": "pink", "snr_db": [0, 10]}]`. Recordings are looked for beside it.
    #[arg(long, value_name = "FILE.json")]
    chain: Option<PathBuf>,
    /// Seed of everything random [default: 1].
    #[arg(long)]
    seed: Option<u64>,
}

/// Noise as people name it.
#[derive(Clone, Debug, PartialEq)]
enum Named {
    Kind(Box<Noise>),
    File(PathBuf),
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::File(path.into()));
        }
        // A recording has a path, which its kind does not tell.
        let noise = Noise::of_kind(text).filter(|noise| noise.recordings().is_empty());
        noise.map(|noise| Self::Kind(Box::new(noise))).ok_or_else(|| {
            let kinds: Vec<&str> = Noise::kinds().iter().map(Noise::kind).filter(|&kind| kind != "recording").collect();
            format!("expected {} or file:PATH, got {text:?}", kinds.join(", "))
        })
    }
}

/// All kinds of noise and their fields.
fn kinds_of_noise() -> String {
    let mut text = String::from("Kinds of noise, with what each field may be, and what it is if left out:\n");
    for noise in Noise::kinds() {
        let _ = writeln!(text, "\n  {} ({}): {}", noise.kind(), noise.group(), noise.about());
        let numbers = noise.numbers();
        for number in &numbers {
            let default = number.value.map_or(String::new(), |value| format!(" [{value}]"));
            let _ =
                writeln!(text, "    {:<20} {} to {}{default}", number.name, number.range.start(), number.range.end());
        }
        let fields = json!(noise);
        for (name, default) in fields.as_object().into_iter().flatten() {
            if name != "kind" && numbers.iter().all(|number| number.name != name) {
                let _ = writeln!(text, "    {name:<20} [{default}]");
            }
        }
    }
    text += "\nIn a chain every number may be a range [low, high] to draw from, and every step may have a \"probability\". \
             Of the thresholds of zero-small and raise-small one may be given; positions in rooms are [x, y, z].";
    text
}

fn share(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| format!("expected a number from 0 to 1, got {text:?}"))
}

/// Reads a ratio in dB.
pub(crate) fn decibels(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| (-100.0..=100.0).contains(value));
    value.ok_or_else(|| format!("expected a number of dB from -100 to 100, got {text:?}"))
}

impl CorruptArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let (chain, recordings) = match (&self.chain, &self.noise) {
            (Some(path), _) => read_chain(path)?,
            (None, Some(noise)) => self.named(noise)?,
            (None, None) => bail!("expected --noise or --chain"),
        };
        let plan = plan::plan(&[self.input], Some(&self.out), "noisy", self.overwrite)?;
        let (tasks, batch) = plan.begin(Progress::new("adding noise", 0));
        let tasks: Vec<(usize, FileTask)> = tasks.into_iter().enumerate().collect();
        batch.progress().inc_length(Batch::UNITS * tasks.len() as u64);
        let seed = self.seed.unwrap_or(1);
        let work = |(index, task): &(usize, FileTask), share: &ItemProgress| {
            let DecodedRecording { name, audio, format, damage } = task.input.open()?.read_all()?;
            // Every file has a seed of its own, so that no two get the same noise.
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(*index as u64);
            let noisy = chain
                .apply(&audio, rng.next_u64(), &recordings)
                .with_context(|| format!("cannot make {name} noisy"))?;
            let additive = chain.steps().iter().any(|step| step.noise.group() == NoiseGroup::Additive);
            if additive && audio.channels().iter().any(|channel| channel.iter().all(|&sample| sample == 0.0)) {
                share.warn(&format!("{name}: silent channels stay silent, having no level to set a ratio to"));
            }
            let clipped = noisy.channels().iter().flatten().filter(|sample| sample.abs() > 1.0).count();
            if clipped > 0 && format.encoding != Encoding::Float32 {
                share.warn(&format!("{name}: {clipped} samples of the result are beyond full scale and were clipped"));
            }
            write_wav(task.output.as_deref(), &noisy, &Spec::like(&format), self.overwrite)?;
            share.damaged(&name, format.sample_rate_hz, &damage);
            Ok(())
        };
        batch.in_turn(&tasks, |_| Batch::UNITS, work);
        batch.outcome()
    }

    /// The chain of one noise.
    fn named(&self, named: &Named) -> Result<(Chain, Files)> {
        let (group, kind) = match named {
            Named::Kind(noise) => (noise.group(), noise.kind()),
            Named::File(_) => (NoiseGroup::Additive, "recording"),
        };
        if self.amount.is_some() && group != NoiseGroup::Stft {
            bail!("--amount is for zero-small and raise-small only; added noise takes --snr-db");
        }
        if self.snr_db.is_some() && group != NoiseGroup::Additive || self.seed.is_some() && group == NoiseGroup::Stft {
            bail!("--snr-db and --seed are for added noise only; zero-small and raise-small take --amount");
        }
        let mut step = json!({"kind": kind});
        if let Some(share) = self.amount {
            step["quantile"] = share.into();
        }
        if let Some(snr_db) = self.snr_db {
            step["snr_db"] = snr_db.into();
        }
        let mut files = Files::default();
        if let Named::File(path) = named {
            let name = path.display().to_string();
            files.add(&name, path)?;
            step["file"] = name.into();
        }
        Ok((Chain::from_json(&json!([step]).to_string())?, files))
    }
}

/// A chain from a file, and the recordings that it names.
fn read_chain(path: &Path) -> Result<(Chain, Files)> {
    let context = || format!("cannot use the file {} as a chain", path.display());
    let chain = Chain::from_json(&std::fs::read_to_string(path).with_context(context)?).with_context(context)?;
    let mut files = Files::default();
    for name in chain.recordings() {
        files.add(name, &path.with_file_name(name)).with_context(context)?;
    }
    Ok((chain, files))
}

/// Recordings by the names that a chain has for them, as one channel, with their rates in Hz.
#[derive(Default)]
struct Files(HashMap<String, (Vec<f32>, u32)>);

impl Files {
    fn add(&mut self, name: &str, path: &Path) -> Result<()> {
        let audio = recording::read(path)?.intact()?;
        self.0.insert(name.to_owned(), (audio.to_mono(), audio.sample_rate_hz()));
        Ok(())
    }
}

impl Recordings for Files {
    fn recording(&self, name: &str, _choice: u64, sample_rate_hz: u32) -> Option<Cow<'_, [f32]>> {
        let (samples, rate_hz) = self.0.get(name)?;
        match *rate_hz == sample_rate_hz {
            true => Some(samples.into()),
            false => resample::resample(samples, *rate_hz, sample_rate_hz).ok().map(Cow::Owned),
        }
    }
}
