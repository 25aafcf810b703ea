//! `trainer evaluate`: scores of a model on recordings of which the clean original is known.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::tensor::backend::Backend;
use clap::Args;
use cli::batch::{self, ItemProgress};
use cli::device::DeviceJob;
use cli::model::ModelChoice;
use cli::progress::say;
use cli::{inputs, recording, stdout};
use serde::Serialize;
use serde_json::json;
use shared::nn::Phrasing;
use shared::{Bundle, Denoiser};

use crate::scores::{MeanScores, NoScores, Scored, SpeechScores};

/// With more files than this a row for each is printed on request only.
const MOST_ROWS: usize = 20;
/// The kind of noise of files that are in no folder of one.
const ANY_KIND: &str = "any";

/// Score a model on noisy recordings and their clean originals.
///
/// Files are paired by their paths below the two folders, without extensions; clean ones without a noisy one are left out. The
/// first folder below --noisy is the kind of noise: the original of noisy/babble/a.wav is clean/babble/a.wav or else
/// clean/a.wav, so that one recording may be there with every kind, as `mix` writes them. Of two originals that differ only in
/// their extensions, the one with the extension of the noisy file is taken.
///
/// Pairs that cannot be scored are left out of every mean and named: silence, of which there is no SI-SDR, and what cannot be
/// read or compared. The latter make the exit code 2.
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
    choice: ModelChoice,
    /// Print a row for every file, even if there are more than 20.
    #[arg(long)]
    files: bool,
    /// Print JSON; it has every file, and those that were left out.
    #[arg(long)]
    json: bool,
}

/// One noisy recording.
struct Pair {
    name: String,
    kind: String,
    noisy: PathBuf,
    original: Original,
}

/// The clean recording of a pair.
enum Original {
    Found(PathBuf),
    Missing,
    /// Several that differ only in their extensions, none of which is that of the noisy recording.
    Ambiguous(Vec<PathBuf>),
}

/// A pair without scores.
#[derive(Debug, Serialize)]
struct LeftOut {
    name: String,
    reason: String,
    /// Whether something is wrong with it; silence is not.
    #[serde(skip)]
    failed: bool,
}

impl EvaluateArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let pairs = pair(&self.clean, &self.noisy)?;
        let count = pairs.len();
        let bundle = self.choice.load()?;
        let phrasing = self.choice.device.phrasing();
        let (files, left_out) = self.choice.device.run(EvaluateJob { bundle, phrasing, pairs })?;
        let (by_kind, by_snr) = (MeanScores::by_kind(&files), MeanScores::by_snr(&files));
        let mean = MeanScores::of("all", &files.iter().collect::<Vec<_>>());
        let nothing = mean.is_none();
        let text = if self.json {
            let model = self.choice.model;
            let report = json!({
                "model": model, "files": files, "by_kind": by_kind, "by_snr": by_snr, "mean": mean, "left_out": left_out
            });
            serde_json::to_string_pretty(&report)? + "\n"
        } else {
            let files = if self.files || files.len() <= MOST_ROWS { files } else { Vec::new() };
            let files = files.iter().filter_map(|file| MeanScores::of(&file.name, &[file])).map(ScoreRow::of).collect();
            let rows = |groups: Vec<MeanScores>| groups.into_iter().map(ScoreRow::of).collect();
            table(&[
                ("file", files),
                ("left out of the means", left_out.iter().map(|pair| ScoreRow::empty(&pair.name)).collect()),
                ("kind of noise", rows(by_kind)),
                ("SNR", rows(by_snr)),
                ("mean", rows(mean.into_iter().collect())),
            ])
        };
        let printed = stdout::print(text);
        let failed = left_out.iter().filter(|pair| pair.failed).count();
        ensure!(failed == 0, "{failed} of {count} files failed");
        ensure!(!nothing, "no file has a score: every pair is silent");
        printed
    }
}

/// Noisy recordings with the clean ones of the same names.
fn pair(clean: &Path, noisy: &Path) -> Result<Vec<Pair>> {
    let list = |option: &str, folder: &Path| -> Result<Vec<(PathBuf, PathBuf)>> {
        ensure!(folder.is_dir(), "{option}: expected a folder, got {}", folder.display());
        let named = |path: PathBuf| (path.strip_prefix(folder).unwrap_or(&path).with_extension(""), path);
        Ok(inputs::list(folder)?.into_iter().map(named).collect())
    };
    let mut originals = HashMap::<PathBuf, Vec<PathBuf>>::new();
    for (name, path) in list("--clean", clean)? {
        originals.entry(name).or_default().push(path);
    }
    let noisy = list("--noisy", noisy)?;
    let mut uses = HashMap::<&Path, usize>::new();
    noisy.iter().for_each(|(name, _)| *uses.entry(name).or_default() += 1);
    let find = |(name, noisy): &(PathBuf, PathBuf)| {
        let (kind, rest) = kind_and_rest(name);
        let candidates = originals.get(name).or_else(|| originals.get(rest)).map_or(&[][..], Vec::as_slice);
        let original = Original::of(candidates, noisy);
        if let (Original::Found(taken), [_, _, ..]) = (&original, candidates) {
            let (noisy, taken) = (noisy.display(), taken.display());
            say(format_args!("{} have the same name: {taken} is taken as the original of {noisy}", joined(candidates)));
        }
        // Without their extensions two noisy recordings would have one name in the results.
        let extension = noisy.extension().filter(|_| uses[name.as_path()] > 1).map(|text| text.to_string_lossy());
        let extension = extension.map_or(String::new(), |extension| format!(".{extension}"));
        Pair { kind, name: format!("{}{extension}", name.display()), noisy: noisy.clone(), original }
    };
    Ok(noisy.iter().map(find).collect())
}

/// Paths in a sentence.
fn joined(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ")
}

impl Original {
    /// The one of `candidates`, which have one name, that belongs to the file `noisy`.
    fn of(candidates: &[PathBuf], noisy: &Path) -> Self {
        match candidates {
            [] => Self::Missing,
            [only] => Self::Found(only.clone()),
            several => match several.iter().find(|path| path.extension() == noisy.extension()) {
                Some(like) => Self::Found(like.clone()),
                None => Self::Ambiguous(several.to_vec()),
            },
        }
    }

    fn path(&self, noisy: &Path) -> Result<&Path> {
        let noisy = noisy.display();
        match self {
            Self::Found(path) => Ok(path),
            Self::Missing => bail!("{noisy} has no clean original"),
            Self::Ambiguous(paths) => {
                bail!("{} have the same name: which one is the original of {noisy}?", joined(paths))
            }
        }
    }
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
    phrasing: Phrasing,
    pairs: Vec<Pair>,
}

impl DeviceJob for EvaluateJob {
    type Output = (Vec<Scored>, Vec<LeftOut>);

    fn run<B: Backend>(self, device: B::Device) -> Result<Self::Output> {
        let denoiser = Denoiser::<B>::new(&self.bundle, self.phrasing, device)?;
        let (results, _) = batch::each(&self.pairs, "evaluating", |pair, share| {
            Ok(score(&denoiser, pair, share).map_err(|error| {
                share.warn(&format!("{error:#}"));
                let failed = error.downcast_ref::<NoScores>().is_none_or(|reason| *reason == NoScores::NotFinite);
                LeftOut { name: pair.name.clone(), reason: format!("{error:#}"), failed }
            }))
        });
        let (mut scored, mut left_out) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(pair) => scored.push(pair),
                Err(pair) => left_out.push(pair),
            }
        }
        Ok((scored, left_out))
    }
}

fn score<B: Backend>(denoiser: &Denoiser<B>, pair: &Pair, share: &ItemProgress) -> Result<Scored> {
    let path = pair.noisy.display();
    let clean = recording::read(pair.original.path(&pair.noisy)?)?.intact()?;
    let noisy = recording::read(&pair.noisy)?.intact()?;
    let shape = |audio: &shared::Audio| format!("{} samples at {} Hz", audio.len(), audio.sample_rate_hz());
    let (expected, got) = (shape(&clean), shape(&noisy));
    ensure!(expected == got, "{path}: expected {expected} like its clean original, got {got}");
    let [clean, input] = [&clean, &noisy].map(shared::Audio::to_mono);
    let scores = |estimate: &[f32]| {
        SpeechScores::of(&input, &clean, estimate, noisy.sample_rate_hz())
            .map_err(|reason| anyhow!(reason).context(format!("{path} is left out of the means")))
    };
    let before = scores(&input)?;
    let denoised =
        denoiser.denoise_blocking(&noisy, |done| share.set(done)).with_context(|| format!("cannot denoise {path}"))?;
    Ok(Scored { name: pair.name.clone(), kind: pair.kind.clone(), before, after: scores(&denoised.to_mono())? })
}

/// A row of the table.
struct ScoreRow {
    name: String,
    items: usize,
    /// Before and after; none of what is left out.
    scores: Option<[SpeechScores; 2]>,
}

impl ScoreRow {
    fn of(group: MeanScores) -> Self {
        Self { name: group.name, items: group.items, scores: Some([group.before, group.after]) }
    }

    fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), items: 1, scores: None }
    }
}

/// Rows under a heading for each set of them.
fn table(sets: &[(&str, Vec<ScoreRow>)]) -> String {
    /// Heading, score, digits after the point.
    type ScoreColumn = (&'static str, fn(&SpeechScores) -> Option<f64>, usize);
    const COLUMNS: [ScoreColumn; 5] = [
        ("SI-SDR, dB", |s| Some(s.si_sdr_db), 2),
        ("SNR, dB", |s| Some(s.snr_db), 2),
        ("wSDR", |s| Some(s.wsdr), 3),
        ("STOI", |s| s.stoi, 3),
        ("ESTOI", |s| s.estoi, 3),
    ];
    let shown = || sets.iter().filter(|(_, rows)| !rows.is_empty());
    let names = shown().flat_map(|(heading, rows)| rows.iter().map(|row| &*row.name).chain([*heading]));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let mut table = format!("{:width$}  {:5}", "", "");
    let mut add = |text: fmt::Arguments| table.write_fmt(text).unwrap_or_default(); // a String takes all
    COLUMNS.iter().for_each(|(name, ..)| add(format_args!("  {name:^15}")));
    add(format_args!("\n"));
    for (heading, rows) in shown() {
        add(format_args!("{heading:width$}  {:>5}", "files"));
        COLUMNS.iter().for_each(|_| add(format_args!("  {:>7} {:>7}", "before", "after")));
        add(format_args!("\n"));
        for ScoreRow { name, items, scores } in rows {
            add(format_args!("{name:width$}  {items:5}"));
            for (_, score, decimals) in COLUMNS {
                let text = |side: usize| {
                    let value = scores.as_ref().and_then(|sides| score(&sides[side]));
                    value.map_or("-".into(), |value| format!("{value:.decimals$}"))
                };
                add(format_args!("  {:>7} {:>7}", text(0), text(1)));
            }
            add(format_args!("\n"));
        }
    }
    table
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
    #[test]
    fn of_originals_with_one_name_the_one_with_the_same_extension_is_taken() {
        let of = |candidates: &[&str], noisy: &str| {
            let candidates: Vec<PathBuf> = candidates.iter().map(PathBuf::from).collect();
            let original = Original::of(&candidates, Path::new(noisy));
            original.path(Path::new(noisy)).map(Path::to_owned).map_err(|error| error.to_string())
        };
        assert_eq!(of(&["c/a.flac"], "n/a.wav"), Ok("c/a.flac".into()));
        assert_eq!(of(&["c/a.mp3", "c/a.wav"], "n/a.wav"), Ok("c/a.wav".into()));
        assert_eq!(of(&[], "n/a.wav"), Err("n/a.wav has no clean original".into()));
        let ambiguous = of(&["c/a.flac", "c/a.mp3"], "n/a.wav").expect_err("which one?");
        assert!(ambiguous.contains("c/a.flac and c/a.mp3 have the same name"), "{ambiguous}");
    }
}
