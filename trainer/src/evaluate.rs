//! `trainer evaluate`: scores of a model on recordings of which the clean original is known.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::backend::AutodiffBackend;
use clap::Args;
use serde_json::json;
use shared::{Bundle, Denoiser};

use crate::audio_file;
use crate::batch::{self, Share};
use crate::device::Job;
use crate::model::Choice;
use crate::scores::{Group, Scored, Scores};

/// With more files than this a row for each is printed on request only.
const MOST_ROWS: usize = 20;
/// The kind of noise of files that are in no folder of one.
const ANY_KIND: &str = "any";

/// Score a model on noisy recordings and their clean originals.
///
/// Files are paired by their paths below the two folders, without extensions; clean ones without a noisy one are left out. The
/// first folder below --noisy is the kind of noise: the original of noisy/babble/a.wav is clean/babble/a.wav or else
/// clean/a.wav, so that one recording may be there with every kind, as `mix` writes them.
///
/// Means are by kind of noise, by the input's SNR, and over all. Compared is the mean of all channels, at the file's own rate.
/// SI-SDR and SNR are in dB; wSDR is 1 at best and -1 at worst; STOI and ESTOI, for intelligibility, are 1 at best.
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
    /// Print a row for every file, even if there are more than 20.
    #[arg(long)]
    files: bool,
    /// Print JSON; it has every file.
    #[arg(long)]
    json: bool,
}

/// One noisy recording.
struct Pair {
    name: String,
    kind: String,
    noisy: PathBuf,
    clean: Option<PathBuf>,
}

impl EvaluateArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let pairs = pair(&self.clean, &self.noisy)?;
        let bundle = self.choice.load()?;
        let (files, outcome) = self.choice.device.run(EvaluateJob { bundle, pairs })?;
        let (by_kind, by_snr) = (Group::by_kind(&files), Group::by_snr(&files));
        let mean = Group::of("all", &files.iter().collect::<Vec<_>>());
        if self.json {
            let model = self.choice.model;
            let report = json!({"model": model, "files": files, "by_kind": by_kind, "by_snr": by_snr, "mean": mean});
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            let files = if self.files || files.len() <= MOST_ROWS { files } else { Vec::new() };
            let files: Vec<Group> = files.iter().filter_map(|file| Group::of(&file.name, &[file])).collect();
            let mean: Vec<Group> = mean.into_iter().collect();
            print_table(&[("file", &files), ("kind of noise", &by_kind), ("SNR", &by_snr), ("mean", &mean)]);
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
    let find = |(name, noisy): (PathBuf, PathBuf)| {
        let (kind, rest) = kind_and_rest(&name);
        let clean = originals.get(&name).or_else(|| originals.get(rest)).cloned();
        Pair { kind, name: name.display().to_string(), noisy, clean }
    };
    Ok(list("--noisy", noisy)?.into_iter().map(find).collect())
}

/// The first folder of a path, which is the kind of noise, and the path below it.
fn kind_and_rest(name: &Path) -> (String, &Path) {
    let mut parts = name.components();
    match (parts.next(), parts.as_path()) {
        (Some(Component::Normal(kind)), rest) if rest != Path::new("") => (kind.to_string_lossy().into_owned(), rest),
        _ => (ANY_KIND.into(), name),
    }
}

struct EvaluateJob {
    bundle: Bundle,
    pairs: Vec<Pair>,
}

impl Job for EvaluateJob {
    type Output = (Vec<Scored>, Result<()>);

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output> {
        let denoiser = Denoiser::<B::InnerBackend>::new(&self.bundle, device)?;
        Ok(batch::each(&self.pairs, "evaluating", |pair, share| score(&denoiser, pair, share)))
    }
}

fn score<B: burn::tensor::backend::Backend>(denoiser: &Denoiser<B>, pair: &Pair, share: &Share) -> Result<Scored> {
    let path = pair.noisy.display();
    let clean = pair.clean.as_deref().with_context(|| format!("{path} has no clean original"))?;
    let (clean, _) = audio_file::read(clean)?;
    let (noisy, _) = audio_file::read(&pair.noisy)?;
    let shape = |audio: &shared::Audio| format!("{} samples at {} Hz", audio.len(), audio.sample_rate_hz());
    let (expected, got) = (shape(&clean), shape(&noisy));
    ensure!(expected == got, "{path}: expected {expected} like its clean original, got {got}");
    let denoised = pollster::block_on(denoiser.denoise(&noisy, |done| share.set(done)))
        .with_context(|| format!("cannot denoise {path}"))?;
    let sample_rate_hz = clean.sample_rate_hz();
    let [clean, noisy, denoised] = [clean, noisy, denoised].map(|audio| audio.to_mono());
    let scores = |estimate: &[f32]| Scores::of(&noisy, &clean, estimate, sample_rate_hz);
    Ok(Scored { name: pair.name.clone(), kind: pair.kind.clone(), before: scores(&noisy), after: scores(&denoised) })
}

/// Prints groups under a heading for each set of them.
fn print_table(sets: &[(&str, &[Group])]) {
    let shown = || sets.iter().filter(|(_, groups)| !groups.is_empty());
    let names = shown().flat_map(|(heading, groups)| groups.iter().map(|group| &*group.name).chain([*heading]));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    print!("{:width$}  {:5}", "", "");
    ["SI-SDR, dB", "SNR, dB", "wSDR", "STOI", "ESTOI"].iter().for_each(|score| print!("  {score:^15}"));
    println!();
    for (heading, groups) in shown() {
        print!("{heading:width$}  {:>5}", "files");
        (0..5).for_each(|_| print!("  {:>7} {:>7}", "before", "after"));
        println!();
        for Group { name, items, before, after } in *groups {
            print!("{name:width$}  {items:5}");
            for figure in [|s: &Scores| s.si_sdr_db, |s: &Scores| s.snr_db] {
                print!("  {:7.2} {:7.2}", figure(before), figure(after));
            }
            for figure in [|s: &Scores| Some(s.wsdr), |s: &Scores| s.stoi, |s: &Scores| s.estoi] {
                let [before, after] =
                    [before, after].map(|s| figure(s).map_or("-".into(), |score| format!("{score:.3}")));
                print!("  {before:>7} {after:>7}");
            }
            println!();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_is_the_kind() {
        for (name, kind, rest) in
            [("a", "any", "a"), ("babble/a", "babble", "a"), ("babble/deep/er/a", "babble", "deep/er/a")]
        {
            assert_eq!(kind_and_rest(Path::new(name)), (kind.to_owned(), Path::new(rest)));
        }
    }
}
