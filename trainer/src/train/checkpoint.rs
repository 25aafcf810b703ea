//! Checkpoints: everything a run needs to go on as if nothing had happened.
//!
//! Each is a folder `checkpoints/STEP` with weights, optimiser moments (both in full precision) and the state of the loop. It is
//! written under another name and renamed, so a folder with a number for a name is whole.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::module::Module;
use burn::optim::Optimizer;
use burn::record::{FullPrecisionSettings, NamedMpkFileRecorder, Recorder};
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};
use shared::nn::Network;

/// The state of the training loop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done.
    pub step: usize,
    /// Steps whose loss or gradient was not finite.
    pub skipped: usize,
    /// Best validation score so far, in dB.
    pub best_si_sdr: Option<f64>,
}

type FileRecorder = NamedMpkFileRecorder<FullPrecisionSettings>;

/// Writes a checkpoint and removes older ones.
pub fn save<B: AutodiffBackend>(
    run: &Path,
    network: &Network<B>,
    optimizer: &impl Optimizer<Network<B>, B>,
    state: &State,
) -> Result<()> {
    let folder = run.join("checkpoints");
    let context = || format!("cannot write a checkpoint to {}", folder.display());
    let part = folder.join("part");
    if part.exists() {
        fs::remove_dir_all(&part).with_context(context)?;
    }
    fs::create_dir_all(&part).with_context(context)?;
    let recorder = FileRecorder::default();
    recorder.record(network.clone().into_record(), part.join("network")).with_context(context)?;
    recorder.record(optimizer.to_record(), part.join("optimizer")).with_context(context)?;
    fs::write(part.join("state.json"), serde_json::to_vec(state)?).with_context(context)?;
    for file in fs::read_dir(&part).with_context(context)? {
        fs::File::open(file.with_context(context)?.path()).and_then(|file| file.sync_all()).with_context(context)?;
    }
    let done = folder.join(format!("{:08}", state.step));
    if done.exists() {
        fs::remove_dir_all(&done).with_context(context)?;
    }
    fs::rename(&part, &done).with_context(context)?;
    for older in numbered(&folder)?.into_iter().filter(|path| *path < done) {
        fs::remove_dir_all(older).with_context(context)?;
    }
    Ok(())
}

/// Reads the last checkpoint.
pub fn load<B: AutodiffBackend, O: Optimizer<Network<B>, B>>(
    run: &Path,
    network: Network<B>,
    optimizer: O,
    device: &B::Device,
) -> Result<(Network<B>, O, State)> {
    let folder = run.join("checkpoints");
    let Some(last) = numbered(&folder)?.into_iter().max() else {
        bail!("no checkpoint in {}", folder.display());
    };
    let context = || format!("cannot read {}", last.display());
    let recorder = FileRecorder::default();
    let record = recorder.load(last.join("network"), device).with_context(context)?;
    let network = network.load_record(record);
    let record = recorder.load(last.join("optimizer"), device).with_context(context)?;
    let optimizer = optimizer.load_record(record);
    let state = fs::read(last.join("state.json")).with_context(context)?;
    Ok((network, optimizer, serde_json::from_slice(&state).with_context(context)?))
}

/// Whole checkpoints.
fn numbered(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot list {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.parse::<usize>().is_ok() {
            paths.push(path);
        }
    }
    Ok(paths)
}
