//! Real training, very small: synthetic sound, the smallest network, a few steps.

#![allow(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use shared::wav::{self, Encoding};
use shared::{Audio, Bundle, synth};
use tempfile::tempdir;

/// A run that takes seconds; both runs that are compared must have the same number of steps.
const RUN: &str = "train --network autoencoder --steps 40 --crop-seconds 0.5 --batch-size 4 --warmup-steps 5 \
                   --log-every 5 --valid-every 10 --learning-rate 0.003";

fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    command
}

fn trainer(folder: &Path, arguments: &str) -> Output {
    command(folder, arguments).output().expect("the program starts")
}

/// Runs the program, which must succeed.
fn succeed(folder: &Path, arguments: &str) {
    let output = trainer(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The logged losses by step; of a step that was done twice, the later.
fn losses(run: &Path) -> BTreeMap<u64, f64> {
    let log = fs::read_to_string(run.join("log.jsonl")).unwrap();
    let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.filter_map(|entry| Some((entry["step"].as_u64()?, entry["loss"].as_f64()?))).collect()
}

/// The step of the last whole checkpoint.
fn checkpoint(run: &Path) -> Option<u64> {
    let names = fs::read_dir(run.join("checkpoints")).ok()?;
    names.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).max()
}

/// Kills a run as soon as it has a checkpoint; the checkpoint's step.
fn interrupt(mut child: Child, run: &Path) -> u64 {
    let start = Instant::now();
    while checkpoint(run).is_none() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before its first checkpoint");
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint for two minutes");
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    checkpoint(run).unwrap()
}

#[test]
fn a_run_learns_can_be_interrupted_and_gives_a_model() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    succeed(root, &format!("{RUN} --out whole"));
    let whole = losses(&root.join("whole"));
    assert_eq!(whole.keys().copied().collect::<Vec<_>>(), [5, 10, 15, 20, 25, 30, 35, 40]);
    let mean = |steps: [u64; 2]| steps.iter().map(|step| whole[step]).sum::<f64>() / 2.0;
    assert!(mean([35, 40]) < mean([5, 10]) - 0.1, "the loss did not fall: {whole:?}");

    let child = command(root, &format!("{RUN} --out halves")).stderr(Stdio::null()).spawn().unwrap();
    let step = interrupt(child, &root.join("halves"));
    assert!(step < 40, "interrupted too late, after step {step}");
    succeed(root, "train --resume --out halves");
    let halves = losses(&root.join("halves"));
    assert_eq!(halves.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    for (step, loss) in &whole {
        assert!((halves[step] - loss).abs() < 1e-4, "step {step}: {} when resumed, {loss} else", halves[step]);
    }

    let refused = trainer(root, &format!("{RUN} --out whole"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("holds a run already"));

    let bundle = Bundle::from_bytes(&fs::read(root.join("whole/best.zip")).unwrap()).unwrap();
    assert_eq!(bundle.card.parameters, 131_105);
    let speech = synth::speech(8_000, 16_000, &mut ChaCha8Rng::seed_from_u64(3));
    let speech = wav::encode(&Audio::mono(16_000, speech).unwrap(), Encoding::Pcm16).unwrap();
    fs::write(root.join("in.wav"), speech).unwrap();
    succeed(root, "denoise in.wav -o out.wav --model whole/best.zip");
    let (output, _) = wav::decode(fs::read(root.join("out.wav")).unwrap().as_slice()).unwrap();
    assert_eq!(output.len(), 8_000);
}

#[test]
fn resuming_nothing_is_refused() {
    let folder = tempdir().unwrap();
    let refused = trainer(folder.path(), "train --resume --out nowhere");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("plan.json"));
}
