//! `trainer mix` as people call it: what it writes, and what it refuses.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use shared::audio::rms;
use shared::noise::{self, active_level_db};
use shared::synth;
use tempfile::{TempDir, tempdir};

use crate::common::{self, succeed, trainer, write};

const RATE_HZ: u32 = 16_000;
const KINDS: [&str; 5] = ["recording", "zero-small", "raise-small", "white", "babble"];

fn read(path: &Path) -> Vec<f32> {
    common::read(path).to_mono()
}

/// A folder with three voices, one after a long pause, and three noises, one of them silent and one short.
fn corpus() -> TempDir {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let voice = |seed, len| synth::speech(len, RATE_HZ, &mut ChaCha8Rng::seed_from_u64(seed));
    let second = RATE_HZ as usize;
    write(&root.join("speech/a.wav"), RATE_HZ, voice(1, 3 * second));
    write(&root.join("speech/deep/b.wav"), RATE_HZ, voice(2, 2 * second));
    write(&root.join("speech/deep/late.wav"), RATE_HZ, [vec![0.0; 4 * second], voice(3, 2 * second)].concat());
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let quiet = |samples: Vec<f32>| samples.into_iter().map(|sample| 0.1 * sample).collect();
    write(&root.join("noise/street.wav"), RATE_HZ, quiet(noise::pink(3 * second, RATE_HZ, &mut rng)));
    write(&root.join("noise/key.wav"), 8_000, quiet(noise::white(1_000, &mut rng)));
    write(&root.join("noise/silence.wav"), RATE_HZ, vec![0.0; second]);
    folder
}

const MIX: &str = "mix --speech speech --noise noise --seconds 1";

/// All files below a folder, by their paths.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(contents(&entry.path()).into_iter().map(|(rest, bytes)| (format!("{name}/{rest}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}

#[test]
fn every_pair_is_as_it_was_asked_for() {
    let folder = corpus();
    let root = folder.path();
    succeed(root, &format!("{MIX} --count 7 --snr-db -5,0,20 --out new/set"));
    let out = root.join("new/set");
    let report: Value = serde_json::from_slice(&fs::read(out.join("mix.json")).unwrap()).unwrap();
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 7 * KINDS.len());
    assert_eq!(contents(&out).len(), 7 + files.len() + 1);

    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    for (position, entry) in files.iter().enumerate() {
        let (index, kind) = (position / KINDS.len(), KINDS[position % KINDS.len()]);
        let [clean, noisy] = ["clean", "file"].map(|key| read(&out.join(text(entry, key))));
        assert_eq!(text(entry, "file"), format!("noisy/{kind}/{index:05}.wav"));
        assert_eq!((clean.len(), noisy.len()), (16_000, 16_000));
        assert!(rms(&clean) > 0.005, "{entry}");
        assert_ne!(clean, noisy);
        // The crop is where it is said to be, to the step of 16 bits.
        let speech = read(&root.join("speech").join(text(entry, "speech")));
        let start = entry["start"].as_u64().unwrap() as usize;
        assert_eq!(clean, speech[start..start + 16_000]);

        let added: Vec<f32> = noisy.iter().zip(&clean).map(|(noisy, clean)| noisy - clean).collect();
        let snr_db = active_level_db(&clean, RATE_HZ) - 20.0 * f64::from(rms(&added)).log10();
        let chain = &entry["chain"][0];
        assert_eq!(chain["kind"], kind);
        match kind {
            "zero-small" | "raise-small" => {
                let range = if kind == "zero-small" { 0.6..=0.95 } else { 0.3..=0.85 };
                assert!(range.contains(&chain["quantile"].as_f64().unwrap()), "{entry}");
                assert!(entry["snr_db"].is_null(), "{entry}");
            }
            _ => {
                let expected = [-5.0, 0.0, 20.0][index % 3];
                assert_eq!(entry["snr_db"].as_f64(), Some(expected));
                assert!((snr_db - expected).abs() < 0.5, "{snr_db} dB: {entry}");
            }
        }
        let sources: Vec<&str> = entry["noise"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        match kind {
            "recording" => assert!(["street.wav", "key.wav"].contains(&sources[0]), "{entry}"),
            "babble" => assert!(sources.len() == 2 && !sources.contains(&&*text(entry, "speech")), "{entry}"),
            _ => assert!(sources.is_empty(), "{entry}"),
        }
    }
}

#[test]
fn short_recordings_are_repeated() {
    let folder = corpus();
    let root = folder.path();
    succeed(root, "mix --speech speech --out set --seconds 7 --kinds zero-small,white --count 4");
    let report: Value = serde_json::from_slice(&fs::read(root.join("set/mix.json")).unwrap()).unwrap();
    for entry in report["files"].as_array().unwrap() {
        let [clean, noisy] = ["clean", "file"].map(|key| read(&root.join("set").join(entry[key].as_str().unwrap())));
        let speech = read(&root.join("speech").join(entry["speech"].as_str().unwrap()));
        assert_eq!((clean.len(), noisy.len()), (112_000, 112_000));
        // 50 ms of it overlap.
        let period = speech.len() - 800;
        assert_eq!(clean[period..], clean[..clean.len() - period]);
        assert_eq!(clean[800..period], speech[800..period]);
    }
}

#[test]
fn a_file_depends_on_seed_number_and_kind_alone() {
    let folder = corpus();
    let root = folder.path();
    let mix = |out: &str, options: &str| {
        succeed(root, &format!("{MIX} --out {out} {options}"));
        contents(&root.join(out))
    };
    let first = mix("first", "--count 7");
    assert_eq!(mix("again", "--count 7"), first);
    let other = mix("other", "--count 7 --seed 2");
    assert_eq!(other.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
    assert!(first.iter().all(|(name, bytes)| &other[name] != bytes || name.starts_with("clean/")));
    assert!(first.iter().any(|(name, bytes)| &other[name] != bytes && name.starts_with("clean/")));
    // Nor on what else is made.
    fs::create_dir(root.join("few")).unwrap();
    let few = mix("few", "--count 3 --kinds white,recording");
    assert_eq!(few.len(), 3 * 3 + 1);
    assert!(few.iter().all(|(name, bytes)| name == "mix.json" || &first[name] == bytes));
}

#[test]
fn evaluation_tells_the_kinds_apart() {
    let folder = corpus();
    let root = folder.path();
    succeed(root, &format!("{MIX} --count 7 --out set"));
    let evaluate = "evaluate --clean set/clean --noisy set/noisy --model autoencoder";
    let report: Value = serde_json::from_str(&succeed(root, &format!("{evaluate} --json"))).unwrap();
    let summary = |key: &str| -> Vec<(String, u64)> {
        let groups = report[key].as_array().unwrap().iter();
        groups.map(|group| (group["name"].as_str().unwrap().to_owned(), group["items"].as_u64().unwrap())).collect()
    };
    let mut kinds = KINDS;
    kinds.sort_unstable();
    assert_eq!(summary("by_kind"), kinds.map(|kind| (kind.to_owned(), 7)));
    let files = report["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["kind"], &files[0]["name"]), (35, &"babble".into(), &"babble/00000".into()));
    assert_eq!(summary("by_snr").iter().map(|(_, items)| items).sum::<u64>(), 35);
    for (name, _) in summary("by_snr") {
        assert!(name.ends_with(" dB") && name.contains(" to "), "{name}");
    }
    let ratio = |index: usize| files[index]["before"]["snr_db"].as_f64().unwrap();
    // The first five in turn: -5 to 15 dB to active speech, which is louder than all of it.
    for index in 0..5 {
        let nominal = 5.0 * index as f64 - 5.0;
        assert!((nominal - 4.0..nominal + 0.1).contains(&ratio(index)), "{} dB", ratio(index));
    }
    assert_eq!(report["mean"]["items"], 35);

    let table = succeed(root, evaluate);
    assert!(!table.contains("babble/00000") && table.contains("babble") && table.contains("-10 to -5 dB"), "{table}");
    assert!(succeed(root, &format!("{evaluate} --files")).contains("babble/00000"));
}

#[test]
fn what_cannot_be_done_is_explained_and_leaves_nothing() {
    let folder = corpus();
    let root = folder.path();
    fs::create_dir(root.join("empty")).unwrap();
    write(&root.join("mute/a.wav"), RATE_HZ, vec![0.0; 32_000]);
    let before = contents(root);
    for (arguments, expected) in [
        ("--speech empty --noise noise", "no recordings in empty"),
        ("--speech nowhere --noise noise", "--speech: expected a folder, got nowhere"),
        ("--speech speech", "--noise: expected a folder, for the kind recording"),
        ("--speech speech --noise nowhere", "--noise: expected a folder, got nowhere"),
        ("--speech speech --noise mute", "--noise: expected sound, got only silence in mute"),
        ("--speech mute --noise noise", "--speech: expected speech, found no 4 s of it in mute"),
        ("--speech speech --noise noise --seconds 0.4", "a number of seconds from 0.5 to 600"),
        ("--speech speech --noise noise --seconds 601", "a number of seconds from 0.5 to 600"),
        ("--speech speech --noise noise --snr-db 0,101", "a number of dB from -100 to 100"),
        ("--speech speech --noise noise --snr-db=-5,loud", "a number of dB from -100 to 100"),
        ("--speech speech --noise noise --count 0", "0 is not in 1..=100000"),
        ("--speech speech --noise noise --kinds white,purple", "expected zero-small, raise-small, white"),
        ("--speech speech --noise noise --kinds room", "got \"room\""),
        ("--speech speech --noise noise --kinds white,white", "--kinds: expected every kind once, got white twice"),
        ("--speech speech --noise noise --out noise", "--out: expected a new or an empty folder"),
        ("--speech speech --noise noise --out noise/key.wav", "--out: expected a new or an empty folder"),
    ] {
        let out = if arguments.contains("--out") { "" } else { "--out new/set" };
        let output = trainer(root, &format!("mix {arguments} {out}"));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {message}");
        assert!(message.contains(expected), "{arguments}: {message}");
        assert_eq!(message.lines().filter(|line| line.contains("error")).count(), 1, "{message}");
    }
    assert!(!root.join("new").exists());
    assert_eq!(contents(root), before);
}

#[test]
fn with_skip_unusable_a_mix_is_as_if_unreadable_files_were_not_there() {
    let folder = corpus();
    let root = folder.path();
    let mix = format!("{MIX} --count 5");
    succeed(root, &format!("{mix} --out before"));
    fs::write(root.join("speech/deep/broken.wav"), "no sound").unwrap();
    fs::write(root.join("noise/broken.flac"), "no sound").unwrap();
    let output = trainer(root, &format!("{mix} --out stopped"));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("broken") && message.contains("--skip-unusable"), "{message}");
    assert!(!root.join("stopped").exists());

    let [_, message] = common::run(root, &format!("{mix} --skip-unusable --out after"));
    for name in ["speech/deep/broken.wav", "noise/broken.flac"] {
        assert_eq!(
            message.lines().filter(|line| line.contains("left out") && line.contains(name)).count(),
            1,
            "{message}"
        );
    }
    let [mut before, mut after] = ["before", "after"].map(|out| contents(&root.join(out)));
    let report = |bytes: Option<Vec<u8>>| serde_json::from_slice::<Value>(&bytes.unwrap()).unwrap();
    let [old, new] = [before.remove("mix.json"), after.remove("mix.json")].map(report);
    assert_eq!(before, after);
    assert_eq!(old["files"], new["files"]);
    assert_eq!([&old, &new].map(|report| report["left_out"].as_array().unwrap().len()), [0, 2]);

    fs::create_dir(root.join("all")).unwrap();
    fs::write(root.join("all/broken.wav"), "no sound").unwrap();
    let message = common::fail(root, "mix --speech all --kinds white --skip-unusable --out none");
    assert!(message.contains("--speech: not one recording in all can be read"), "{message}");
}

#[test]
fn silent_pairs_are_left_out_of_every_mean_and_named() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let voice = synth::speech(16_000, RATE_HZ, &mut ChaCha8Rng::seed_from_u64(1));
    let hiss: Vec<f32> =
        noise::white(16_000, &mut ChaCha8Rng::seed_from_u64(2)).into_iter().map(|x| 0.05 * x).collect();
    let noisy: Vec<f32> = voice.iter().zip(&hiss).map(|(voice, hiss)| voice + hiss).collect();
    let evaluate = "evaluate --clean clean --noisy noisy --model autoencoder --json";
    let report = || -> (Value, String) {
        let [report, message] = common::run(root, evaluate);
        (serde_json::from_str(&report).unwrap(), message)
    };
    write(&root.join("clean/good.wav"), RATE_HZ, voice.clone());
    write(&root.join("noisy/hiss/good.wav"), RATE_HZ, noisy.clone());
    let (alone, _) = report();

    let silence = vec![0.0; 16_000];
    for (name, clean, noisy) in [
        ("both", &silence, &silence),
        ("original", &silence, &hiss),
        ("input", &voice, &silence),
        ("offset", &vec![0.25; 16_000], &hiss),
    ] {
        write(&root.join(format!("clean/{name}.wav")), RATE_HZ, clean.clone());
        write(&root.join(format!("noisy/hiss/{name}.wav")), RATE_HZ, noisy.clone());
    }
    let (with_silence, message) = report();
    for key in ["files", "by_kind", "by_snr", "mean"] {
        assert_eq!(with_silence[key], alone[key], "{key}");
    }
    let left_out: Vec<&str> =
        with_silence["left_out"].as_array().unwrap().iter().map(|pair| pair["name"].as_str().unwrap()).collect();
    assert_eq!(left_out, ["hiss/both", "hiss/input", "hiss/offset", "hiss/original"]);
    for name in left_out {
        let named = |line: &&str| line.contains(&format!("noisy/{name}.wav is left out of the means: the "));
        assert_eq!(message.lines().filter(named).count(), 1, "{message}");
    }
    let table = succeed(root, evaluate.trim_end_matches(" --json"));
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert_eq!(row("hiss/both").split_whitespace().collect::<Vec<_>>(), [&["hiss/both", "1"][..], &["-"; 10]].concat());
    assert!(row("all ").split_whitespace().nth(1) == Some("1"), "{table}");

    fs::remove_file(root.join("noisy/hiss/good.wav")).unwrap();
    let message = common::fail(root, evaluate);
    assert!(message.contains("no file has a score"), "{message}");
}

#[test]
fn two_files_of_one_name_do_not_stop_an_evaluation() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let voice = |seed| synth::speech(8_000, RATE_HZ, &mut ChaCha8Rng::seed_from_u64(seed));
    for name in ["a.wav", "a.wave", "b.wav", "c.wav"] {
        write(&root.join("clean").join(name), RATE_HZ, voice(1));
        write(&root.join("noisy").join(name), RATE_HZ, voice(2));
    }
    // Of b either could be the original.
    for name in ["b.mp3", "b.flac"] {
        fs::copy(root.join("clean/a.wav"), root.join("clean").join(name)).unwrap();
    }
    fs::remove_file(root.join("clean/b.wav")).unwrap();
    let output = trainer(root, "evaluate --clean clean --noisy noisy --model autoencoder --json");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("clean/a.wav and clean/a.wave have the same name: clean/a.wave is taken"), "{message}");
    assert!(message.contains("clean/b.flac and clean/b.mp3 have the same name: which one"), "{message}");
    assert!(message.contains("1 of 4 files failed"), "{message}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = |key: &str| -> Vec<&str> {
        report[key].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect()
    };
    assert_eq!((names("files"), names("left_out")), (vec!["a.wav", "a.wave", "c"], vec!["b"]));
    assert_eq!(report["mean"]["items"], 3);
}
