//! Real training, very small: the smallest network, a few steps.

mod resume;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use burn::backend::Flex;
use rand::RngExt;
use serde_json::Value;
use shared::{Bundle, Weights};
use tempfile::{TempDir, tempdir};

use crate::common::{self, command, read, rng, speech, write};

/// A run that takes seconds.
const RUN: &str = "train autoencoder --speech speech --noise noise --set data.crop_seconds=0.25 --set schedule.batch_size=4 \
                   --set schedule.warmup_steps=5 --set schedule.log_every=5 --set optimiser.learning_rate=0.003 \
                   --set optimiser.ema_decay=0.9 --set network.weights=\"\"";

/// Without noise a validation takes ten items, not eighty.
const NO_NOISE: &str = "--set noise.chains=[{weight=1,chain=[]}]";

fn noise(seed: u64, seconds: f64) -> Vec<f32> {
    let white = shared::noise::white((seconds * 16_000.0) as usize, &mut rng(seed));
    white.into_iter().map(|sample| 0.05 * sample).collect()
}

/// A folder with a little speech of three speakers, and noise.
fn corpus() -> TempDir {
    let folder = tempdir().unwrap();
    for speaker in 0..3 {
        for file in 0..2 {
            let path = folder.path().join(format!("speech/train/{speaker}/{file}.wav"));
            write(&path, 16_000, speech(2 * speaker + file, 3.0));
        }
    }
    write(&folder.path().join("speech/valid/9/0.wav"), 16_000, speech(9, 8.0));
    write(&folder.path().join("noise/train/0.wav"), 16_000, noise(10, 5.0));
    write(&folder.path().join("noise/valid/0.wav"), 16_000, noise(11, 5.0));
    folder
}

/// Runs the program, which must succeed; its standard error stream.
fn succeed(folder: &Path, arguments: &str) -> String {
    let [_, message] = common::run(folder, arguments);
    message
}

/// Runs the program, which must fail with exit code 2 and one line; that line.
fn fail(folder: &Path, arguments: &str) -> String {
    let message = common::fail(folder, arguments);
    let errors: Vec<&str> = message.lines().skip_while(|line| !line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "one line: {message}");
    errors[0].to_owned()
}

fn entries(run: &Path) -> Vec<Value> {
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The logged losses by step.
fn losses(run: &Path) -> BTreeMap<u64, f64> {
    let entries = entries(run);
    let count = entries.iter().filter(|entry| entry["kind"] == "training").count();
    let losses: BTreeMap<u64, f64> =
        entries.iter().filter_map(|entry| Some((entry["step"].as_u64()?, entry["loss"].as_f64()?))).collect();
    assert_eq!(losses.len(), count, "every step once");
    losses
}

/// Whole checkpoints by step.
fn checkpoints(run: &Path) -> Vec<u64> {
    let names = fs::read_dir(run.join("checkpoints")).into_iter().flatten();
    let step = |path: PathBuf| path.file_name()?.to_str()?.strip_suffix(".zip")?.parse().ok();
    names.filter_map(|entry| step(entry.ok()?.path())).collect()
}

/// The weights of the best network.
fn weights(run: &Path) -> Weights {
    let bundle = Bundle::from_bytes(&fs::read(run.join("best.zip")).unwrap()).unwrap();
    Weights::of(&bundle.network::<Flex>(&Default::default()).unwrap()).unwrap()
}

fn assert_same(a: &Weights, b: &Weights) {
    for (name, weight) in a.iter() {
        let other = &b.get(name).unwrap().values;
        let difference = weight.values.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(difference < 1e-5, "{name}: {difference}");
    }
}

/// Waits until a run has a checkpoint.
fn wait_for_checkpoint(child: &mut Child, run: &Path) {
    let start = Instant::now();
    while checkpoints(run).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before its first checkpoint");
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint for two minutes");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_run_learns_and_gives_a_model_with_its_card() {
    let folder = corpus();
    let root = folder.path();
    fs::write(
        root.join("sources.toml"),
        "[[sources]]\nname = \"Voices\"\nlicence = \"CC0\"\nattribution = \"a program\"\n",
    )
    .unwrap();
    let arguments =
        format!("{RUN} --set schedule.steps=60 --set schedule.valid_every=30 --set data.sources=sources.toml -o run");
    let plan = succeed(root, &format!("{arguments} --plan"));
    for expected in
        ["131105 parameters", "6 recordings of 3 speakers", "60 of 4 items", "seed        1", "commit", "memory"]
    {
        assert!(plan.contains(expected), "{expected} in {plan}");
    }
    assert!(!root.join("run").exists(), "a plan does nothing");

    let said = succeed(root, &arguments);
    assert!(said.contains("step 60: loss") && said.contains("SI-SDR"), "{said}");
    let losses = losses(&root.join("run"));
    assert_eq!(losses.keys().copied().collect::<Vec<_>>(), (5..=60).step_by(5).collect::<Vec<_>>());
    let mean = |steps: [u64; 3]| steps.iter().map(|step| losses[step]).sum::<f64>() / 3.0;
    assert!(mean([50, 55, 60]) < mean([5, 10, 15]) - 0.05, "the loss did not fall: {losses:?}");

    let bundle = Bundle::from_bytes(&fs::read(root.join("run/best.zip")).unwrap()).unwrap();
    let card = &bundle.card;
    assert_eq!((card.parameters, card.training.seed, card.data[0].licence.as_str()), (131_105, 1, "CC0"));
    assert!(card.macs_per_second > 0.0 && !card.training.commit.is_empty() && card.scores.len() > 4);
    assert_eq!(card.training.date.len(), "2026-01-01".len());
    let plan: Value = serde_json::from_slice(&fs::read(root.join("run/plan.json")).unwrap()).unwrap();
    assert_eq!((&plan["epoch_items"], &plan["training"]["speakers"]), (&(6 * 12).into(), &3.into()));
    for file in ["recipe.toml", "scores.json", "examples/0-noisy.wav", "examples/0-denoised.wav"] {
        assert!(root.join("run").join(file).exists(), "{file}");
    }

    let line = fail(root, &arguments);
    assert!(line.contains("already contains a run; use --resume to continue it"), "{line}");
    write(&root.join("in.wav"), 16_000, speech(3, 0.5));
    succeed(root, "denoise in.wav -o out.wav --model run/best.zip");
    assert_eq!(read(&root.join("out.wav")).len(), 8_000);
}

#[test]
fn killed_twenty_times_it_gets_where_it_would_have_got() {
    const STEPS: u64 = 240;
    let folder = corpus();
    let root = folder.path();
    let length =
        format!("--set schedule.steps={STEPS} --set schedule.valid_every={STEPS} --set schedule.checkpoint_every=2");
    let start = Instant::now();
    succeed(root, &format!("{RUN} {length} -o whole"));
    // So that, however fast the machine, it is about half done when it has been killed twenty times.
    let longest = start.elapsed() / 20;
    let mut rng = common::rng(7);
    let run = root.join("killed");
    let mut child = command(root, &format!("{RUN} {length} -o killed")).stderr(Stdio::null()).spawn().unwrap();
    wait_for_checkpoint(&mut child, &run);
    for kill in 0..20 {
        thread::sleep(longest.mul_f64(rng.random()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(checkpoints(&run).into_iter().max().unwrap() < STEPS, "done before it was killed {kill} times");
        child = command(root, "train --resume -o killed").stderr(Stdio::null()).spawn().unwrap();
    }
    assert!(child.wait().unwrap().success());
    let (killed, whole) = (losses(&run), losses(&root.join("whole")));
    assert_eq!(killed.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    assert_same(&weights(&run), &weights(&root.join("whole")));
    assert!(checkpoints(&run).len() <= 2, "older checkpoints are removed");

    let line = fail(root, "train --resume -o killed");
    assert!(line.contains("has finished: 240 of 240 steps"), "{line}");
    succeed(root, "train --resume -o killed --set schedule.steps=244");
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_checkpoint() {
    let folder = corpus();
    let root = folder.path();
    let arguments = format!("{RUN} --set schedule.steps=100000 --set schedule.checkpoint_every=5 -o run");
    let mut child = command(root, &arguments).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_checkpoint(&mut child, &root.join("run"));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    let step = checkpoints(&root.join("run")).into_iter().max().unwrap();
    assert!(
        said.contains(&format!("interrupted after step {step}; go on by `trainer train --resume --out run`")),
        "{said}"
    );
}

/// Runs the program where no file can grow beyond `kilobytes`: writing fails as on a full disk, in the middle of a file.
#[cfg(unix)]
fn on_a_full_disk(folder: &Path, arguments: &str, kilobytes: u32) -> Output {
    // In blocks of 512 bytes in the shells there are; the signal ignored, so that writing fails with an error.
    let script =
        format!("trap '' XFSZ; ulimit -f {}; exec {} {arguments}", 2 * kilobytes, env!("CARGO_BIN_EXE_trainer"));
    Command::new("sh").arg("-c").arg(script).current_dir(folder).output().unwrap()
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_last_checkpoint_whole() {
    let folder = corpus();
    let root = folder.path();
    succeed(root, &format!("{RUN} --set schedule.steps=10 --set schedule.valid_every=10 -o run"));
    let before = weights(&root.join("run"));
    // More than any other file of the run, less than a checkpoint.
    let output =
        on_a_full_disk(root, "train --resume -o run --set schedule.steps=20 --set schedule.checkpoint_every=5", 900);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let line = said.lines().last().unwrap();
    assert!(line.starts_with("error: cannot write run/checkpoints/00000015.zip"), "{said}");
    assert_eq!(checkpoints(&root.join("run")), [10]);
    let files = |folder: &str| fs::read_dir(root.join(folder)).unwrap().count();
    assert_eq!(files("run/checkpoints"), 1, "nothing half-written is left");
    assert_same(&weights(&root.join("run")), &before);
    let said = succeed(root, "train --resume -o run");
    assert!(said.contains("goes on after step 10"), "{said}");
}

#[test]
fn a_broken_checkpoint_is_passed_over() {
    let folder = corpus();
    let root = folder.path();
    succeed(
        root,
        &format!(
            "{RUN} {NO_NOISE} --set schedule.steps=10 --set schedule.valid_every=10 --set schedule.checkpoint_every=5 -o run"
        ),
    );
    let last = root.join("run/checkpoints/00000010.zip");
    let mut bytes = fs::read(&last).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&last, bytes).unwrap();
    let said = succeed(root, "train --resume -o run --set schedule.steps=12");
    assert!(said.contains("passed over a broken checkpoint") && said.contains("goes on after step 5"), "{said}");
}

#[test]
fn a_run_without_a_checkpoint_begins_anew() {
    let folder = corpus();
    let root = folder.path();
    succeed(root, &format!("{RUN} {NO_NOISE} --set schedule.steps=4 --set schedule.valid_every=4 -o run"));
    let expected = weights(&root.join("run"));
    fs::remove_dir_all(root.join("run/checkpoints")).unwrap();
    let said = succeed(root, "train --resume -o run");
    assert!(said.contains("goes on after step 0"), "{said}");
    assert_same(&weights(&root.join("run")), &expected);
    // All that there are being broken is another matter.
    fs::write(root.join("run/checkpoints/00000004.zip"), "nothing of the kind").unwrap();
    let line = fail(root, "train --resume -o run --set schedule.steps=8");
    assert!(line.contains("no checkpoint can be read"), "{line}");
}

#[test]
fn every_way_to_train_works() {
    let folder = corpus();
    let root = folder.path();
    for (split, index) in [("train", 0), ("train", 1), ("valid", 2)] {
        let clean = speech(20 + index, 1.0 + index as f64);
        let noisy = clean.iter().zip(noise(30 + index, 9.0)).map(|(a, b)| a + b).collect();
        write(&root.join(format!("pairs/clean/{split}/{index}.wav")), 16_000, clean);
        write(&root.join(format!("pairs/noisy/{split}/{index}.wav")), 16_000, noisy);
    }
    let short = "--set schedule.steps=4 --set schedule.log_every=2 --set schedule.valid_every=4";
    let pairs = "--set data.clean=pairs/clean --set data.noisy=pairs/noisy";
    for (name, options) in [
        ("whole", "--set data.items=recordings"),
        ("pieces", "--set data.items=recordings --set data.piece_seconds=0.5"),
        ("mixed", pairs),
        ("bf16", "--set run.precision=bf16 --set run.gradient_checkpointing=true"),
        ("losses", "--set loss.l1=1 --set loss.compressed-spectrum=0.5 --set loss.multi-resolution-stft=0.1"),
    ] {
        succeed(root, &format!("{RUN} {short} {options} -o {name}"));
        assert_eq!(losses(&root.join(name)).len(), 2, "{name}");
    }
    // Pairs alone, through a recipe of one's own.
    let recipe =
        "version = 1\n[data]\nclean = \"pairs/clean\"\nnoisy = \"pairs/noisy\"\n[network]\npreset = \"autoencoder\"\n";
    fs::write(root.join("own.toml"), recipe).unwrap();
    let said = succeed(root, &format!("train own.toml {short} --set data.crop_seconds=0.5 -o own"));
    assert!(said.contains("2 recordings (2 pairs)"), "{said}");
    assert_eq!(entries(&root.join("own")).last().unwrap()["by_kind"][0]["name"], "paired");
}

#[test]
fn pairs_that_cannot_be_used_are_left_out_on_request() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    for (split, index) in [("train", 0), ("train", 1), ("train", 2), ("train", 3), ("valid", 4)] {
        for side in ["clean", "noisy"] {
            write(&root.join(format!("{side}/{split}/{index}.wav")), 16_000, speech(index, 1.0));
        }
    }
    fs::write(root.join("noisy/train/1.wav"), "no sound").unwrap();
    write(&root.join("noisy/train/2.wav"), 16_000, vec![0.0; 16_000]);
    write(&root.join("noisy/train/3.wav"), 16_000, speech(3, 0.5));
    let plan = "train autoencoder --set data.clean=clean --set data.noisy=noisy --set data.crop_seconds=0.5 --plan";
    let line = fail(root, plan);
    assert!(line.contains("noisy/train/1.wav") && line.contains("(and 1 more)"), "{line}");
    let said = succeed(root, &format!("{plan} --set data.skip_unusable=true"));
    assert!(said.contains("training    1 recordings (1 pairs)"), "{said}");
    for reason in ["clean/train/1.wav has no noisy recording", "noisy/train/2.wav is silent", "3.wav: expected 1.000 s"]
    {
        assert!(said.contains(reason), "{reason}: {said}");
    }
    fs::remove_file(root.join("noisy/train/0.wav")).unwrap();
    let line = fail(root, &format!("{plan} --set data.skip_unusable=true"));
    assert!(line.contains("not one pair of clean can be used: "), "{line}");
    // Which of the two is meant?
    write(&root.join("noisy/valid/4.wave"), 16_000, speech(4, 1.0));
    let line = fail(root, &format!("{plan} --set data.skip_unusable=true"));
    assert!(line.contains("have the same name: remove one of them"), "{line}");
}

#[test]
fn a_run_begins_with_the_weights_of_a_model() {
    let folder = corpus();
    let root = folder.path();
    // Steps too small to change anything.
    let run = format!(
        "{RUN} {NO_NOISE} --set schedule.steps=2 --set schedule.valid_every=2 --set optimiser.learning_rate=1e-30 \
         --set optimiser.weight_decay=0"
    );
    let said = succeed(root, &format!("{run} --set run.seed=1 -o first"));
    assert!(!said.contains("begins with"), "{said}");
    succeed(root, &format!("{run} --set run.seed=2 -o other"));
    let said = succeed(root, &format!("{run} --set run.seed=2 --set network.weights=first/best.zip -o second"));
    assert!(said.contains("begins with the weights of autoencoder, 2 steps of wsdr"), "{said}");
    let [first, other, second] = ["first", "other", "second"].map(|run| weights(&root.join(run)));
    assert_same(&first, &second);
    let decoder = |weights: &Weights| weights.get("decoder_weight").unwrap().values.clone();
    assert_ne!(decoder(&first), decoder(&other));
    let card = Bundle::from_bytes(&fs::read(root.join("second/best.zip")).unwrap()).unwrap().card;
    assert!(card.training.began_with.contains("autoencoder, 2 steps"), "{card:?}");
    // What it began with is known after a pause, too, even where the model is gone.
    fs::remove_file(root.join("first/best.zip")).unwrap();
    let said = succeed(root, "train --resume -o second --set schedule.steps=4");
    assert!(said.contains("begins with the weights of autoencoder"), "{said}");

    let line = fail(root, &format!("{run} --set network.weights=wavenet -o new"));
    assert!(line.contains("network.weights: expected a network of the shape"), "{line}");
    let line = fail(root, &format!("{run} --set network.weights=identity --set network.preset=wavenet-small -o new"));
    assert!(line.contains("cannot begin with \"identity\"") && line.contains("got wavenet"), "{line}");
    let line = fail(root, &format!("{run} --set network.weights=nowhere.zip -o new"));
    assert!(line.contains("network.weights: expected one of dcunet") && line.contains("nowhere.zip"), "{line}");
    assert!(!root.join("new").exists());
}

#[test]
fn an_autoencoder_begins_as_the_identity_unless_told_otherwise() {
    let folder = corpus();
    let root = folder.path();
    let run = format!("{} --set schedule.steps=1", RUN.replace("--set network.weights=\"\"", ""));
    let said = succeed(root, &format!("{run} --set optimiser.learning_rate=1e-30 -o run"));
    assert!(said.contains("begins with the weights of identity"), "{said}");
    let clean = entries(&root.join("run")).last().unwrap()["by_kind"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(clean["name"], "clean");
    assert!(clean["after"]["si_sdr_db"].as_f64().unwrap() > 30.0, "{clean}");
}

#[test]
fn a_wavenet_that_estimates_speech_begins_one_that_blends() {
    let folder = corpus();
    let root = folder.path();
    let run = |estimate: &str, rest: &str| {
        let shape = format!("{{stacks=1,blocks_per_stack=2,estimate=\"{estimate}\"}}");
        format!("{RUN} --set network.preset=wavenet-small --set network.shape={shape} --set schedule.steps=2 {rest}")
    };
    succeed(root, &run("speech", "-o speech"));
    let said = succeed(root, &run("blend", "--set network.weights=speech/best.zip -o blend"));
    assert!(said.contains("the weights of wavenet-small, 2 steps"), "{said}");
    let rows = |run: &str| weights(&root.join(run)).get("output.weight").unwrap().shape[0];
    assert_eq!((rows("speech"), rows("blend")), (16, 17));
    // Not the other way round.
    let line = fail(root, &run("speech", "--set network.weights=blend/best.zip -o new"));
    assert!(line.contains("network.weights: expected a network of the shape"), "{line}");
}

#[test]
fn a_unet_begins_one_with_more_channels() {
    let folder = corpus();
    let root = folder.path();
    let run = |channels: [usize; 2], rest: &str| {
        let layer = |channels| format!("{{channels={channels},kernel_size=[3,3],stride=[2,2]}}");
        let shape = format!("{{layers=[{},{}]}}", layer(channels[0]), layer(channels[1]));
        format!("{RUN} --set network.preset=dcunet-small --set network.shape={shape} --set schedule.steps=2 {rest}")
    };
    succeed(root, &run([2, 3], "-o narrow"));
    let wide = |name: &str| {
        let still = "--set optimiser.learning_rate=1e-30 --set optimiser.ema_decay=0 --set run.seed=3";
        succeed(root, &run([2, 5], &format!("--set network.weights=narrow/best.zip {still} -o {name}")));
        weights(&root.join(name))
    };
    let (narrow, wide, again) = (weights(&root.join("narrow")), wide("wide"), wide("again"));
    let kernel = |weights: &Weights| weights.get("encoder.1.convolution.kernel.real").unwrap().values.clone();
    let (narrow, wide, again) = (kernel(&narrow), kernel(&wide), kernel(&again));
    assert_eq!(narrow, wide[..narrow.len()]);
    assert_eq!((wide.len(), &wide), (5 * narrow.len() / 3, &again));
    // Not the other way round.
    let line = fail(root, &run([2, 3], "--set network.weights=wide/best.zip -o new"));
    assert!(line.contains("network.weights: expected a network of the shape"), "{line}");
}

#[test]
fn frozen_statistics_stay_while_weights_learn() {
    let folder = corpus();
    let root = folder.path();
    let layers = "[{channels=2,kernel_size=[3,3],stride=[2,2]},{channels=3,kernel_size=[3,3],stride=[2,2]}]";
    let run = format!(
        "{RUN} {NO_NOISE} --set network.preset=dcunet-small --set network.shape={{layers={layers}}} --set optimiser.ema_decay=0 \
         --set schedule.steps=2"
    );
    succeed(root, &format!("{run} -o first"));
    let first = weights(&root.join("first"));
    let values = |weights: &Weights, name: &str| weights.get(name).unwrap().values.clone();
    for frozen in [true, false] {
        let name = format!("frozen-{frozen}");
        let with = "--set network.weights=first/best.zip --set run.seed=2";
        succeed(root, &format!("{run} {with} --set network.frozen_statistics={frozen} -o {name}"));
        let second = weights(&root.join(&name));
        for statistics in ["encoder.0.norm.running_mean", "decoder.0.norm.running_covariance"] {
            assert_eq!(values(&first, statistics) == values(&second, statistics), frozen, "{statistics}");
        }
        assert_ne!(values(&first, "encoder.0.norm.gamma"), values(&second, "encoder.0.norm.gamma"));
    }
    let line = fail(root, &format!("{run} --set network.frozen_statistics=true -o new"));
    assert!(line.contains("network.frozen_statistics: expected network.weights"), "{line}");
}

#[test]
fn it_ends_when_nothing_gets_better() {
    let folder = corpus();
    let root = folder.path();
    // A learning rate of next to nothing: no validation can be better than the first but by chance.
    let said = succeed(
        root,
        &format!(
            "{RUN} {NO_NOISE} --set schedule.steps=1000 --set schedule.valid_every=1 --set schedule.patience=2 \
             --set optimiser.learning_rate=1e-30 --set optimiser.ema_decay=0 -o run"
        ),
    );
    assert!(said.contains("ended early: 2 validations in a row"), "{said}");
    let line = fail(root, "train --resume -o run");
    assert!(line.contains("schedule.patience"), "{line}");
}

#[test]
fn bad_input_costs_one_line() {
    let folder = corpus();
    let root = folder.path();
    fs::create_dir_all(root.join("empty")).unwrap();
    let line = fail(root, "train autoencoder --speech empty --noise noise -o new");
    assert!(line.contains("no recordings in empty"), "{line}");

    fs::write(root.join("speech/train/1/broken.wav"), b"RIFF____WAVEfmt nothing of the kind").unwrap();
    let line = fail(root, &format!("{RUN} -o new"));
    assert!(line.contains("broken.wav") && line.contains("data.skip_unusable=true"), "{line}");
    let said = succeed(root, &format!("{RUN} --set data.skip_unusable=true --plan"));
    assert!(said.contains("left out: ") && said.contains("6 recordings"), "{said}");
    fs::remove_file(root.join("speech/train/1/broken.wav")).unwrap();

    let rate = root.join("speech/train/1/rate.wav");
    write(&rate, 16_000, speech(1, 1.0));
    let mut header = fs::read(&rate).unwrap();
    header[24..32].fill(0); // samples and bytes a second
    fs::write(&rate, header).unwrap();
    let line = fail(root, &format!("{RUN} -o new"));
    assert!(line.contains("rate.wav") && line.contains("a sampling rate of 0 Hz"), "{line}");
    fs::remove_file(root.join("speech/train/1/rate.wav")).unwrap();

    let line = fail(root, &format!("{RUN} --set data.crop_seconds=60 -o new"));
    assert!(
        line.contains("data.crop_seconds: expected recordings of at least 60 s, got none longer than 3.00 s"),
        "{line}"
    );

    write(&root.join("silence/train/0.wav"), 16_000, vec![0.0; 16_000]);
    write(&root.join("silence/valid/0.wav"), 16_000, vec![0.0; 16_000]);
    let line = fail(root, "train autoencoder --speech speech --noise silence -o new");
    assert!(line.contains("silence/train/0.wav is silent"), "{line}");

    fs::write(root.join("later.toml"), "version = 9\n").unwrap();
    let line = fail(root, "train later.toml -o new");
    assert!(line.contains("later.toml") && line.contains("expected 1, got 9"), "{line}");
    for name in ["../outside", "a/b", "..", "/tmp/run"] {
        let line = fail(root, &format!("{RUN} --set run.name={name}"));
        assert!(line.contains("run.name: expected one plain folder name"), "{line}");
    }
    assert!(!root.join("runs").exists());
    let line = fail(root, "train dcunet-smal -o new");
    assert!(line.contains("did you mean dcunet-small?"), "{line}");
    let line = fail(root, "train autoencoder --set schedule.stesp=3 -o new");
    assert!(line.contains("did you mean schedule.steps?"), "{line}");
    let line = fail(root, "train autoencoder --speech speech -o new");
    assert!(line.contains("expected both speech and noise"), "{line}");
    let line = fail(root, "train --resume -o nowhere");
    assert!(line.contains("no run in nowhere"), "{line}");
    let line = fail(root, "train autoencoder --device gpu -o new");
    assert!(line.contains("run.device: expected cpu, wgpu, cuda or cuda:N, got \"gpu\""), "{line}");
    if cfg!(not(feature = "cuda")) {
        let line = fail(root, "train synthetic --device cuda:0,cuda:1 -o new");
        assert!(line.contains("--features cuda"), "{line}");
    }
    assert!(!root.join("new").exists(), "nothing was written");

    // A checkpoint of another network, put where the run's own should be.
    let short = "--set schedule.steps=2 --set schedule.valid_every=2";
    succeed(root, &format!("{RUN} {short} -o one"));
    succeed(root, &format!("{RUN} {short} --set network.shape.channels=16 -o other"));
    fs::copy(root.join("other/checkpoints/00000002.zip"), root.join("one/checkpoints/00000002.zip")).unwrap();
    let before = fs::read(root.join("one/best.zip")).unwrap();
    let line = fail(root, "train --resume -o one --set schedule.steps=4");
    assert!(line.contains("expected a checkpoint of autoencoder (131105 parameters), got one of"), "{line}");
    let line = fail(root, "train --resume -o one --set optimiser.learning_rate=1");
    assert!(line.contains("may be told anew only"), "{line}");
    assert_eq!(fs::read(root.join("one/best.zip")).unwrap(), before, "nothing was overwritten");
}
