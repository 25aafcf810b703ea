//! Writing into a run's folder.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cli::output::{write_audio, write_whole};
use media::Encoding;
use shared::Audio;

use super::LogEntry;
use crate::SAMPLE_RATE_HZ;

/// `metrics.jsonl`, open for more lines.
pub struct Metrics {
    path: PathBuf,
    file: File,
}

impl Metrics {
    /// Opens it, and drops what was written after step `step`: a run that goes on does those steps again.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(run: &Path, step: usize) -> Result<Self> {
        let path = run.join("metrics.jsonl");
        let context = || format!("cannot write {}", path.display());
        if path.exists() {
            let lines = BufReader::new(File::open(&path).with_context(context)?).lines();
            let lines = lines.collect::<std::io::Result<Vec<String>>>().with_context(context)?;
            let before =
                |line: &&String| serde_json::from_str::<LogEntry>(line).is_ok_and(|entry| entry.step() <= step);
            let kept: Vec<&String> = lines.iter().filter(before).collect();
            if kept.len() < lines.len() {
                write_whole(&path, kept.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>().as_bytes())?;
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(&path).with_context(context)?;
        Ok(Self { path, file })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, entry: &LogEntry) -> Result<()> {
        let line = serde_json::to_string(entry)? + "\n";
        self.file.write_all(line.as_bytes()).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Writes what can be heard of item `number`: clean, noisy, denoised.
///
/// # Errors
/// When a file cannot be written.
pub fn example(run: &Path, number: usize, signals: &[Vec<f32>; 3]) -> Result<()> {
    for (side, samples) in ["clean", "noisy", "denoised"].into_iter().zip(signals) {
        let audio = Audio::mono(SAMPLE_RATE_HZ, samples.clone())?;
        write_audio(&run.join(format!("examples/{number}-{side}.wav")), &audio, Encoding::Pcm16)?;
    }
    Ok(())
}

/// Makes the folder of a run that begins.
///
/// # Errors
/// When it cannot be made.
pub fn create(run: &Path) -> Result<()> {
    fs::create_dir_all(run.join("checkpoints")).with_context(|| format!("cannot make the folder {}", run.display()))
}
