//! Resuming a run: it begins as it would have begun, keeps the best network, and notices another recipe and other data.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::*;

/// Four steps with one short validation at the end.
const FOUR: &str = "--set schedule.steps=4 --set schedule.valid_every=4 --set noise.chains=[{weight=1,chain=[]}]";

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Runs until the first step is logged, which is before the first checkpoint, and kills it.
fn killed_at_once(root: &Path, arguments: &str) {
    let never = "--set schedule.steps=100000 --set schedule.valid_every=100000 --set schedule.log_every=1";
    let mut child =
        command(root, &format!("{arguments} {FOUR} {never} -o killed")).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while fs::read(root.join("killed/metrics.jsonl")).unwrap_or_default().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before its first step");
        assert!(start.elapsed() < Duration::from_secs(120), "no step for two minutes");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(checkpoints(&root.join("killed")).is_empty());
}

#[test]
fn killed_before_its_first_checkpoint_it_begins_as_the_recipe_says() {
    let folder = corpus();
    let root = folder.path();
    for first in ["\"\"", "identity", "autoencoder"] {
        let arguments = format!("{RUN} --set network.weights={first}");
        succeed(root, &format!("{arguments} {FOUR} -o whole"));
        killed_at_once(root, &arguments);
        let said = succeed(root, "train --resume -o killed --set schedule.steps=4");
        assert_eq!(said.contains("begins with the weights of"), first != "\"\"", "{said}");
        assert_same(&weights(&root.join("killed")), &weights(&root.join("whole")));
        fs::remove_dir_all(root.join("whole")).unwrap();
        fs::remove_dir_all(root.join("killed")).unwrap();
    }
    // The model is not the one that the run began with any more.
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    fs::copy(models.join("autoencoder.zip"), root.join("first.zip")).unwrap();
    let arguments = format!("{RUN} --set network.weights=first.zip");
    killed_at_once(root, &arguments);
    succeed(root, &format!("{RUN} {FOUR} -o other"));
    fs::copy(root.join("other/best.zip"), root.join("first.zip")).unwrap();
    let line = fail(root, "train --resume -o killed --set schedule.steps=4");
    assert!(line.contains("network.weights: another model than the run began with"), "{line}");
    succeed(root, "train --resume -o killed --set schedule.steps=4 --accept-changed-data");
}

#[test]
fn only_a_better_network_replaces_the_best() {
    let folder = corpus();
    let root = folder.path();
    let run = root.join("run");
    succeed(root, &format!("{RUN} {FOUR} -o run"));
    // As if it had been written in a validation whose checkpoint was never finished: far better than eight steps can be.
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/autoencoder.zip");
    fs::copy(&model, run.join("best.zip")).unwrap();
    let good = weights(&run);
    let poor = json(&run.join("scores.json"));
    let said = succeed(root, "train --resume -o run --set schedule.steps=8");
    assert!(said.contains("scoring run/best.zip again"), "{said}");
    assert_same(&weights(&run), &good);
    assert_ne!(json(&run.join("scores.json")), poor, "the scores are those of the network");
    let last = entries(&run).pop().unwrap();
    assert_eq!((&last["step"], &last["best"]), (&8.into(), &false.into()));
    // Now the checkpoint knows the best network.
    let said = succeed(root, "train --resume -o run --set schedule.steps=9");
    assert!(!said.contains("again"), "{said}");
    assert_same(&weights(&run), &good);

    fs::remove_file(run.join("best.zip")).unwrap();
    let said = succeed(root, "train --resume -o run --set schedule.steps=10");
    assert!(said.contains("run/best.zip is gone") && run.join("best.zip").exists(), "{said}");
    fs::write(run.join("best.zip"), "no bundle").unwrap();
    let line = fail(root, "train --resume -o run --set schedule.steps=11");
    assert!(line.contains("cannot use run/best.zip; remove it to resume without it"), "{line}");
}

#[test]
fn a_validation_that_happens_again_gives_the_same_best() {
    let folder = corpus();
    let root = folder.path();
    let run = root.join("run");
    succeed(root, &format!("{RUN} {FOUR} --set schedule.steps=8 --set schedule.patience=1 -o run"));
    let best = |run: &Path| entries(run).pop().unwrap()["best"].clone();
    assert_eq!(best(&run), true);
    let expected = weights(&run);
    // Killed after it wrote best.zip, before scores and checkpoint.
    fs::remove_file(run.join("checkpoints/00000008.zip")).unwrap();
    fs::remove_file(run.join("scores.json")).unwrap();
    let said = succeed(root, "train --resume -o run");
    assert!(said.contains("goes on after step 4"), "{said}");
    assert_same(&weights(&run), &expected);
    assert!(run.join("scores.json").exists());
    assert_eq!(best(&run), true);
    // And before any checkpoint: the validation after step 4 is worse than that of step 8, which is no reason to end early.
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    let said = succeed(root, "train --resume -o run");
    assert!(said.contains("goes on after step 0") && !said.contains("ended early"), "{said}");
    assert_same(&weights(&run), &expected);
}

#[test]
fn another_recipe_is_refused() {
    let folder = corpus();
    let root = folder.path();
    succeed(root, &format!("{RUN} {FOUR} -o run"));
    let line = fail(root, "train wavenet-small --resume -o run --set schedule.steps=8");
    assert!(line.contains("wavenet-small is not the recipe of run: ") && line.contains("network.preset"), "{line}");
    // The run's own by its name, whatever was set beside it, or as it was written.
    for own in ["autoencoder", "run/recipe.toml"] {
        let line = fail(root, &format!("train {own} --resume -o run"));
        assert!(line.contains("has finished"), "{own}: {line}");
    }
    succeed(root, "train autoencoder --resume -o run --set schedule.steps=5");
    let line = fail(root, "train autoencoder --resume -o run");
    assert!(line.contains("has finished: 5 of 5 steps"), "{line}");

    let recipe = "version = 1\n[network]\npreset = \"autoencoder\"\n[schedule]\nsteps = 2\nbatch_size = 2\n\
                  [[noise.chains]]\nweight = 1\nchain = []\n";
    fs::write(root.join("own.toml"), recipe).unwrap();
    succeed(root, "train own.toml --speech speech --noise noise -o own");
    let line = fail(root, "train ./own.toml --resume -o own");
    assert!(line.contains("has finished"), "{line}");
    fs::write(root.join("own.toml"), recipe.replace("steps = 2", "steps = 7")).unwrap();
    let line = fail(root, "train own.toml --resume -o own");
    assert!(line.contains("own.toml is not the recipe of own: schedule.steps is 7, not 2. "), "{line}");
    assert!(line.contains("--set"), "{line}");
}

#[test]
fn changed_data_is_said_and_refused_unless_accepted() {
    let folder = corpus();
    let root = folder.path();
    let run = root.join("run");
    succeed(root, &format!("{RUN} {FOUR} -o run"));
    let changes = || json(&run.join("data.json"))["accepted"].as_array().unwrap().len();

    // A copy with other times is the same data.
    let copied = Command::new("cp").args(["-R", "speech", "copy"]).current_dir(root).status().unwrap();
    assert!(copied.success());
    let file = fs::File::options().write(true).open(root.join("copy/valid/9/0.wav")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let said = succeed(root, "train --resume -o run --speech copy --set schedule.steps=5");
    assert!(!said.contains("again"), "{said}");

    write(&root.join("copy/valid/9/1.wav"), 16_000, speech(12, 4.0));
    write(&root.join("noise/train/0.wav"), 16_000, noise(10, 4.5));
    fs::remove_file(root.join("copy/train/0/1.wav")).unwrap();
    let before = fs::read(run.join("best.zip")).unwrap();
    let resume = "train --resume -o run --set schedule.steps=6";
    let line = fail(root, resume);
    for part in [
        "the data changed since run began",
        "training noise: 1 changed (0.wav)",
        "training speech: 1 removed (0/1.wav)",
        "validation speech: 1 added (9/1.wav)",
        "--accept-changed-data",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(
        (fs::read(run.join("best.zip")).unwrap(), changes(), checkpoints(&run).contains(&6)),
        (before, 0, false)
    );

    // The best network is scored on the new validation set, so that the next one is compared with it on the same recordings.
    let said = succeed(root, &format!("{resume} --accept-changed-data"));
    assert!(said.contains("scoring run/best.zip again") && said.contains("validation set as it was then"), "{said}");
    assert_eq!(changes(), 1);
    let resumed: Vec<Value> = entries(&run).into_iter().filter(|entry| entry["kind"] == "resumed").collect();
    assert_eq!((resumed.len(), &resumed[0]["step"]), (1, &5.into()));
    assert_eq!(resumed[0]["changes"].as_array().unwrap().len(), 3);
    assert!(resumed[0]["best"]["all"]["after"]["si_sdr_db"].is_f64());
    let said = succeed(root, "train --resume -o run --set schedule.steps=7");
    assert!(!said.contains("again"), "{said}");
    assert_eq!(changes(), 1);
    succeed(root, "report run");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("The data changed after step 5: training noise: 1 changed"));

    // Training data alone: the best score stays what it is.
    write(&root.join("noise/train/1.wav"), 16_000, noise(13, 1.0));
    let said = succeed(root, "train --resume -o run --set schedule.steps=8 --accept-changed-data");
    assert!(!said.contains("again"), "{said}");
    assert_eq!(changes(), 2);

    let message = crate::common::fail(root, &format!("{RUN} --accept-changed-data -o new"));
    assert!(message.contains("--resume"), "{message}");
}

#[test]
fn a_run_from_before_this_was_kept_is_resumed() {
    let folder = corpus();
    let root = folder.path();
    succeed(root, &format!("{RUN} {FOUR} -o run"));
    fs::remove_file(root.join("run/data.json")).unwrap();
    let said = succeed(root, "train --resume -o run --set schedule.steps=5");
    assert!(said.contains("run has no data.json"), "{said}");
    assert!(root.join("run/data.json").exists());
}

#[test]
fn what_is_left_of_a_run_is_not_overwritten() {
    let folder = corpus();
    let root = folder.path();
    succeed(root, &format!("{RUN} {FOUR} -o run"));
    fs::remove_file(root.join("run/recipe.toml")).unwrap();
    let line = fail(root, &format!("{RUN} {FOUR} -o run"));
    assert!(line.contains("run holds what is left of another run"), "{line}");
    fs::remove_file(root.join("run/best.zip")).unwrap();
    let line = fail(root, &format!("{RUN} {FOUR} -o run"));
    assert!(line.contains("run holds what is left of another run"), "{line}");
}
