//! `trainer evaluate`: scores of a model on recordings of which the clean original is known.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::backend::AutodiffBackend;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use shared::{Bundle, Denoiser, metric};

use crate::audio_file;
use crate::batch::{self, Share};
use crate::device::Job;
use crate::model::Choice;

/// Score a model on noisy recordings and their clean originals.
///
/// Files are paired by their paths below the two folders, without extensions; clean ones without a noisy one are left out.
/// Compared is the mean of all channels, at the file's own rate. SI-SDR and SNR are in dB; wSDR is 1 at best and -1 at worst.
#[derive(Args)]
pub struct EvaluateArguments {
    /// Folder of clean recordings.
    #[arg(long)]
    clean: PathBuf,
    /// Folder of the same recordings with noise.
    #[arg(long)]
    noisy: PathBuf,
    #[command(flatten)]
    choice: Choice,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One noisy recording.
struct Pair {
    name: String,
    noisy: PathBuf,
    clean: Option<PathBuf>,
}

/// How near a signal is to the clean one.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Scores {
    si_sdr_db: f64,
    snr_db: f64,
    wsdr: f64,
}

/// The scores of one file, or of all.
#[derive(Debug, Serialize)]
struct Row {
    file: String,
    before: Scores,
    after: Scores,
}

impl EvaluateArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let pairs = pair(&self.clean, &self.noisy)?;
        let bundle = self.choice.load()?;
        let (rows, outcome) = self.choice.device.run(EvaluateJob { bundle, pairs })?;
        let mean = Row::mean(&rows);
        if self.json {
            let report = json!({"model": self.choice.model, "files": rows, "mean": mean});
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print_table(&rows, mean.as_ref());
        }
        outcome
    }
}

/// Noisy recordings with the clean ones of the same names.
fn pair(clean: &Path, noisy: &Path) -> Result<Vec<Pair>> {
    let list = |option: &str, folder: &Path| -> Result<Vec<(PathBuf, PathBuf)>> {
        ensure!(folder.is_dir(), "{option}: expected a folder, got {}", folder.display());
        let named = |path: PathBuf| (path.strip_prefix(folder).unwrap_or(&path).with_extension(""), path);
        Ok(audio_file::list(folder)?.into_iter().map(named).collect())
    };
    let mut originals = HashMap::new();
    for (name, path) in list("--clean", clean)? {
        if let Some(other) = originals.insert(name, path.clone()) {
            bail!("{} and {} have the same name: which one is the original?", other.display(), path.display());
        }
    }
    let find = |(name, noisy): (PathBuf, PathBuf)| Pair {
        name: name.display().to_string(),
        noisy,
        clean: originals.get(&name).cloned(),
    };
    Ok(list("--noisy", noisy)?.into_iter().map(find).collect())
}

struct EvaluateJob {
    bundle: Bundle,
    pairs: Vec<Pair>,
}

impl Job for EvaluateJob {
    type Output = (Vec<Row>, Result<()>);

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output> {
        let denoiser = Denoiser::<B::InnerBackend>::new(&self.bundle, device)?;
        Ok(batch::each(&self.pairs, "evaluating", |pair, share| score(&denoiser, pair, share)))
    }
}

fn score<B: burn::tensor::backend::Backend>(denoiser: &Denoiser<B>, pair: &Pair, share: &Share) -> Result<Row> {
    let path = pair.noisy.display();
    let clean = pair.clean.as_deref().with_context(|| format!("{path} has no clean original"))?;
    let (clean, _) = audio_file::read(clean)?;
    let (noisy, _) = audio_file::read(&pair.noisy)?;
    let shape = |audio: &shared::Audio| format!("{} samples at {} Hz", audio.len(), audio.sample_rate_hz());
    let (expected, got) = (shape(&clean), shape(&noisy));
    ensure!(expected == got, "{path}: expected {expected} like its clean original, got {got}");
    let denoised = pollster::block_on(denoiser.denoise(&noisy, |done| share.set(done)))
        .with_context(|| format!("cannot denoise {path}"))?;
    let [clean, noisy, denoised] = [clean, noisy, denoised].map(|audio| audio.to_mono());
    let scores = |estimate: &[f32]| Scores {
        si_sdr_db: metric::si_sdr(&clean, estimate),
        snr_db: metric::snr(&clean, estimate),
        wsdr: metric::wsdr(&noisy, &clean, estimate),
    };
    Ok(Row { file: pair.name.clone(), before: scores(&noisy), after: scores(&denoised) })
}

impl Row {
    /// The mean over files, each as important as any other.
    fn mean(rows: &[Self]) -> Option<Self> {
        let mean_of = |part: fn(&Self) -> &Scores| {
            let mean =
                |figure: fn(&Scores) -> f64| rows.iter().map(|row| figure(part(row))).sum::<f64>() / rows.len() as f64;
            Scores { si_sdr_db: mean(|s| s.si_sdr_db), snr_db: mean(|s| s.snr_db), wsdr: mean(|s| s.wsdr) }
        };
        let mean =
            || Self { file: "mean".into(), before: mean_of(|row| &row.before), after: mean_of(|row| &row.after) };
        (!rows.is_empty()).then(mean)
    }
}

fn print_table(rows: &[Row], mean: Option<&Row>) {
    let width = rows.iter().map(|row| row.file.chars().count()).max().unwrap_or(0).max("file".len());
    println!("{:width$}  {:^15}  {:^15}  {:^15}", "", "SI-SDR, dB", "SNR, dB", "wSDR");
    print!("{:width$}", "file");
    (0..3).for_each(|_| print!("  {:>7} {:>7}", "before", "after"));
    println!();
    for Row { file, before, after } in rows.iter().chain(mean) {
        print!("{file:width$}");
        print!("  {:7.2} {:7.2}", before.si_sdr_db, after.si_sdr_db);
        print!("  {:7.2} {:7.2}", before.snr_db, after.snr_db);
        println!("  {:7.3} {:7.3}", before.wsdr, after.wsdr);
    }
}
