//! Checkpoints: everything a run needs to go on as if nothing had happened.
//!
//! Each is one zip archive, `checkpoints/STEP.zip`, with weights, optimiser moments and the averaged weights (all in full precision)
//! and the state of the loop. It gets its name when all of it is on the disk, and the archive's checksums find later damage. The last
//! two are kept.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use burn::module::Module;
use burn::optim::Optimizer;
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Record, Recorder};
use burn::tensor::backend::AutodiffBackend;
use cli::output::write_whole;
use serde::{Deserialize, Serialize};
use shared::nn::{Network, NetworkConfig};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::average::Average;
use super::step::Trainee;

/// Checkpoints that are kept: one more than is needed, should the disk damage it.
const KEPT: usize = 2;

const STATE: &str = "state.json";
const NETWORK: &str = "network.mpk";
const OPTIMIZER: &str = "optimizer.mpk";
const AVERAGE: &str = "average.mpk";

/// The state of the training loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopState {
    /// The network's shape.
    pub network: NetworkConfig,
    /// Steps done.
    pub step: usize,
    /// Steps whose loss or gradient was not finite.
    pub skipped: usize,
    /// Best validation score so far, in dB, and its step.
    pub best: Option<(f64, usize)>,
    /// Checksum of the validation set that gave this score; earlier programs did not keep it.
    #[serde(default)]
    pub validation_set: Option<u32>,
    /// Validations since then.
    pub since_best: usize,
}

impl LoopState {
    /// The state before the first step.
    pub fn new(network: NetworkConfig) -> Self {
        Self { network, step: 0, skipped: 0, best: None, validation_set: None, since_best: 0 }
    }
}

/// All that is trained.
pub struct Trained<B: AutodiffBackend, O> {
    /// The network.
    pub trainee: Trainee<B>,
    /// The optimiser with its moments.
    pub optimizer: O,
    /// The averaged weights, if there are to be any.
    pub average: Option<Average>,
}

type BytesRecorder = NamedMpkBytesRecorder<FullPrecisionSettings>;

impl<B: AutodiffBackend, O: Optimizer<Trainee<B>, B>> Trained<B, O> {
    /// Writes a checkpoint and removes older ones.
    ///
    /// # Errors
    /// When it cannot be written; then it leaves nothing behind, and older ones are still there.
    pub fn save(&self, run: &Path, state: &LoopState) -> Result<()> {
        let path = folder(run).join(format!("{:08}.zip", state.step));
        let context = || format!("cannot write {}", path.display());
        let network = &self.trainee.network;
        let mut entries = vec![
            (STATE, serde_json::to_vec(state)?),
            (NETWORK, bytes::<B, _>(network.clone().into_record()).with_context(context)?),
            (OPTIMIZER, bytes::<B, _>(self.optimizer.to_record()).with_context(context)?),
        ];
        if let Some(average) = &self.average {
            entries.push((
                AVERAGE,
                bytes::<B::InnerBackend, _>(average.network(network).into_record()).with_context(context)?,
            ));
        }
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        for (name, content) in entries {
            archive.start_file(name, options).with_context(context)?;
            archive.write_all(&content).with_context(context)?;
        }
        write_whole(&path, archive.finish().with_context(context)?.get_ref())?;
        let older = numbered(run)?.into_iter().filter(|other| *other < path);
        for older in older.rev().skip(KEPT - 1) {
            fs::remove_file(&older).with_context(|| format!("cannot remove {}", older.display()))?;
        }
        Ok(())
    }

    /// Goes on from the last checkpoint that can be read; from the beginning where the run did not get as far as its first. Says which
    /// ones cannot be read.
    ///
    /// # Errors
    /// When none of them can be read, or the last is of another network.
    pub fn load(
        mut self,
        run: &Path,
        expected: &NetworkConfig,
        device: &B::Device,
    ) -> Result<(Self, LoopState, Vec<String>)> {
        let mut broken = Vec::new();
        for path in numbered(run)?.into_iter().rev() {
            let (state, network, optimizer, average) = match read(&path) {
                Ok(content) => content,
                Err(error) => {
                    broken.push(format!("{error:#}"));
                    continue;
                }
            };
            // Burn does not compare the shapes of what it loads.
            ensure!(
                state.network == *expected,
                "{}: expected a checkpoint of {}, got one of {}",
                path.display(),
                describe(expected),
                describe(&state.network)
            );
            let context = || format!("cannot read {}", path.display());
            let record = BytesRecorder::default().load(network, device).with_context(context)?;
            self.trainee.network = self.trainee.network.load_record(record);
            let record = BytesRecorder::default().load(optimizer, device).with_context(context)?;
            self.optimizer = self.optimizer.load_record(record);
            if let Some(kept) = &mut self.average {
                // The parameters have other ids now.
                *kept = Average::new(&self.trainee.network, kept.decay());
                if let Some(average) = average {
                    let record = BytesRecorder::default().load(average, device).with_context(context)?;
                    let averaged: Network<B::InnerBackend> = expected.init(device);
                    kept.restore::<B>(&averaged.load_record(record));
                }
            }
            return Ok((self, state, broken));
        }
        match broken.first() {
            Some(reason) => bail!("no checkpoint can be read: {reason}"),
            None => Ok((self, LoopState::new(expected.clone()), broken)),
        }
    }
}

/// Whether a run has got as far as its first checkpoint.
///
/// # Errors
/// When the folder cannot be listed.
pub fn any(run: &Path) -> Result<bool> {
    Ok(!numbered(run)?.is_empty())
}

fn folder(run: &Path) -> PathBuf {
    run.join("checkpoints")
}

fn describe(config: &NetworkConfig) -> String {
    let preset = NetworkConfig::presets().into_iter().find(|(_, preset)| preset == config);
    let name = preset.map_or_else(|| "a network of a shape of its own", |(name, _)| name);
    format!("{name} ({} parameters)", config.parameters())
}

fn bytes<B: burn::tensor::backend::Backend, R: Record<B>>(record: R) -> Result<Vec<u8>> {
    Ok(Recorder::<B>::record(&BytesRecorder::default(), record, ())?)
}

type CheckpointContent = (LoopState, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

fn read(path: &Path) -> Result<CheckpointContent> {
    let context = || format!("cannot read {}", path.display());
    let mut archive = ZipArchive::new(Cursor::new(fs::read(path).with_context(context)?)).with_context(context)?;
    let mut entry = |name: &str| -> Result<Vec<u8>> {
        let mut content = Vec::new();
        archive.by_name(name).with_context(context)?.read_to_end(&mut content).with_context(context)?;
        Ok(content)
    };
    let state = serde_json::from_slice(&entry(STATE)?).with_context(context)?;
    let (network, optimizer) = (entry(NETWORK)?, entry(OPTIMIZER)?);
    let average = entry(AVERAGE).ok();
    Ok((state, network, optimizer, average))
}

/// Whole checkpoints, by step.
fn numbered(run: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder(run);
    let context = || format!("cannot list {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).into_iter().flatten() {
        let path = entry.with_context(context)?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if name.parse::<usize>().is_ok() && path.extension().is_some_and(|extension| extension == "zip") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
