//! Reading what lies in a run's folder, also while the run goes on.

use std::fs;
use std::io::ErrorKind;
use std::mem::discriminant;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{LogEntry, Scored};

/// An item of the validation set as it went through the best network.
pub struct ExampleFiles {
    /// What the network should have given.
    pub clean: PathBuf,
    /// What it was given.
    pub noisy: PathBuf,
    /// What it gave.
    pub denoised: PathBuf,
}

/// The lines of `metrics.jsonl`, by steps.
///
/// An unfinished last line is left out: the run was killed while it wrote, or is writing. Where a run went on from an
/// earlier checkpoint, what it did a second time is there once, as it was the second time.
///
/// # Errors
/// When there is no such file, or another line is broken.
pub fn entries(run: &Path) -> Result<Vec<LogEntry>> {
    let path = run.join("metrics.jsonl");
    let Some(bytes) = read_if_there(&path)? else {
        bail!("expected the folder of a training run, with metrics.jsonl in it; there is none in {}", run.display());
    };
    let mut entries: Vec<LogEntry> = Vec::new();
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let entry: LogEntry = match serde_json::from_slice(line) {
            Ok(entry) => entry,
            Err(_) if !line.ends_with(b"\n") => break,
            Err(error) => bail!("{}, line {}: {}", path.display(), index + 1, without_place(&error)),
        };
        // They are by steps all along. At the same step there may be lines of other kinds.
        let later = entries.split_off(entries.partition_point(|other| other.step() < entry.step()));
        let beside = |other: &LogEntry| other.step() == entry.step() && discriminant(other) != discriminant(&entry);
        entries.extend(later.into_iter().filter(beside));
        entries.push(entry);
    }
    Ok(entries)
}

/// What a line of JSON has wrong; where, the caller knows better, as every line is parsed alone.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// The plan, `plan.json`; none if it is not there.
///
/// # Errors
/// When it is no JSON object.
pub fn plan(run: &Path) -> Result<Option<Map<String, Value>>> {
    json_if_there(&run.join("plan.json"), "a JSON object")
}

/// The scores of the best network, `scores.json`; none if there was no validation yet.
///
/// # Errors
/// When it is no list of scores.
pub fn scores(run: &Path) -> Result<Option<Vec<Scored>>> {
    json_if_there(&run.join("scores.json"), "a list of scored items")
}

/// The text of `recipe.toml`; none if it is not there.
///
/// # Errors
/// When it is no text.
pub fn recipe(run: &Path) -> Result<Option<String>> {
    let path = run.join("recipe.toml");
    let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).with_context(|| format!("{}: expected text in UTF-8", path.display()))
}

/// The examples from 0 on, up to the first of which a file is missing.
pub fn examples(run: &Path) -> Vec<ExampleFiles> {
    let example = |number: usize| {
        let path = |kind: &str| run.join(format!("examples/{number}-{kind}.wav"));
        ExampleFiles { clean: path("clean"), noisy: path("noisy"), denoised: path("denoised") }
    };
    let whole = |ExampleFiles { clean, noisy, denoised }: &ExampleFiles| {
        [clean, noisy, denoised].iter().all(|path| path.is_file())
    };
    (0..).map(example).take_while(whole).collect()
}

fn json_if_there<T: DeserializeOwned>(path: &Path, expected: &str) -> Result<Option<T>> {
    let Some(bytes) = read_if_there(path)? else { return Ok(None) };
    let value = serde_json::from_slice(&bytes).with_context(|| format!("{}: expected {expected}", path.display()))?;
    Ok(Some(value))
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
