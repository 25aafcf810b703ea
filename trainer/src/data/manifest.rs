//! What lies in a folder of recordings: every one decoded once, to know its length and that it can be used.
//!
//! The findings are kept in the user's cache folder, and files that have the size and the time of last time are not read again.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::Result;
use cli::output::write_whole;
use cli::progress::Progress;
use cli::recording::OpenRecording;
use cli::{damage, inputs};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Root mean square up to which a recording counts as silent; -100 dBFS.
pub const SILENCE_RMS: f32 = 1e-5;

/// The recordings in a folder and what is in them, in the order of their paths.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// The files.
    pub files: Vec<ManifestEntry>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Its path below the folder.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Nanoseconds since 1970, where the system tells.
    modified: Option<u64>,
    /// What is in it.
    pub content: FileContent,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileContent {
    /// Sound, so much of it.
    Sound {
        /// Length.
        seconds: f64,
    },
    /// Nothing that can be heard.
    Silence,
    /// Nothing that can be read, and why.
    Unusable(String),
}

impl Manifest {
    /// Looks through `folder`, on all cores and with a progress bar.
    ///
    /// # Errors
    /// When the folder cannot be listed or has no recordings.
    pub fn scan(folder: &Path) -> Result<Self> {
        let paths = inputs::list(folder)?;
        let cache = cache_path(folder);
        let known = cache.as_deref().map(read_cache).unwrap_or_default();
        let progress = Progress::new(format!("looking through {}", folder.display()), paths.len() as u64);
        let files = paths.par_iter().map(|path| {
            let entry = ManifestEntry::of(folder, path, &known);
            progress.inc(1);
            entry
        });
        let manifest = Self { files: files.collect() };
        drop(progress);
        if let Some(path) = cache.filter(|_| manifest.files.iter().any(|file| known.get(&file.path) != Some(file))) {
            // Without a cache the next start takes longer, and that is all.
            let _ = serde_json::to_vec(&manifest).map(|json| write_whole(&path, &json));
        }
        Ok(manifest)
    }
}

impl ManifestEntry {
    fn of(folder: &Path, path: &Path, known: &HashMap<PathBuf, Self>) -> Self {
        let name = path.strip_prefix(folder).unwrap_or(path).to_owned();
        let (bytes, modified) = fs::metadata(path).map_or((0, None), |data| {
            let since = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            (data.len(), since.and_then(|since| since.as_nanos().try_into().ok()))
        });
        match known.get(&name) {
            Some(entry) if modified.is_some() && (entry.bytes, entry.modified) == (bytes, modified) => entry.clone(),
            _ => Self { path: name, bytes, modified, content: FileContent::of(path) },
        }
    }
}

impl FileContent {
    /// Decodes a file from beginning to end, block by block.
    fn of(path: &Path) -> Self {
        let measure = || -> Result<Self> {
            let mut recording = OpenRecording::open(path)?;
            let (mut energy, mut samples) = (0.0, 0u64);
            while let Some(block) = recording.read()? {
                samples += block[0].len() as u64;
                let count = block.len() as f64;
                energy += block.iter().flatten().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / count;
            }
            let rate_hz = recording.format().sample_rate_hz;
            if let Some(line) = damage::lines(recording.name(), rate_hz, recording.damage()).into_iter().next() {
                return Ok(Self::Unusable(line));
            }
            if !energy.is_finite() {
                return Ok(Self::Unusable(format!("{}: expected finite samples, got others", path.display())));
            }
            if energy <= f64::from(SILENCE_RMS).powi(2) * samples as f64 {
                return Ok(Self::Silence);
            }
            Ok(Self::Sound { seconds: samples as f64 / f64::from(rate_hz) })
        };
        measure().unwrap_or_else(|error| Self::Unusable(format!("{error:#}")))
    }
}

/// Where the manifest of a folder is kept, if the system has a place for such things. The number changes when the program begins to read
/// files that it could not read before.
fn cache_path(folder: &Path) -> Option<PathBuf> {
    let mut hasher = DefaultHasher::new();
    folder.canonicalize().ok()?.hash(&mut hasher);
    let name = format!("{:016x}.json", hasher.finish());
    Some(dirs::cache_dir()?.join("mil-audio-denoising").join("manifests-2").join(name))
}

fn read_cache(path: &Path) -> HashMap<PathBuf, ManifestEntry> {
    // One that cannot be read, of an older program perhaps, is as good as none.
    let manifest: Option<Manifest> = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    manifest.unwrap_or_default().files.into_iter().map(|file| (file.path.clone(), file)).collect()
}
