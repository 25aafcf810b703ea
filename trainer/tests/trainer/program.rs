//! The program as people call it: files in, files and messages out.

use std::fs;
use std::path::Path;

use cli::output::write_audio;
use media::Encoding;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use shared::audio::rms;
use shared::noise::{self, Noise};
use shared::{Audio, metric, synth};
use tempfile::tempdir;

use crate::common::{fail, read, succeed, trainer};

/// Writes speech-like sound: `channels` voices.
fn write_speech(path: &Path, sample_rate_hz: u32, channels: u64, seconds: f64, encoding: Encoding) {
    let len = (seconds * f64::from(sample_rate_hz)) as usize;
    let voice = |seed| synth::speech(len, sample_rate_hz, &mut ChaCha8Rng::seed_from_u64(seed));
    let audio = Audio::new(sample_rate_hz, (1..=channels).map(voice).collect()).unwrap();
    write_audio(path, &audio, encoding).unwrap();
}

fn write_mono(path: &Path) {
    write_speech(path, 16_000, 1, 1.0, Encoding::Pcm16);
}

#[test]
fn denoising_is_that_of_the_program_denoise() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(&root.join("in/a.wav"));
    fs::write(root.join("in/cut.wav"), &fs::read(root.join("in/a.wav")).unwrap()[..9_000]).unwrap();
    let output = trainer(root, "denoise in -o out --model autoencoder --attenuation-limit-db 0");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("in/cut.wav: damaged at") && message.contains("in/a.wav -> out/a.wav"), "{message}");
    assert_eq!(read(&root.join("out/a.wav")), read(&root.join("in/a.wav")));
    let message = fail(root, "denoise in -o out --model autoencoder");
    assert!(message.contains("--overwrite"), "{message}");
}

#[test]
fn nothing_is_replaced_unasked() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(&root.join("a.wav"));
    for (arguments, name) in [
        ("corrupt a.wav --noise white -o", "b.wav"),
        ("export autoencoder -o", "b.safetensors"),
        ("import b.safetensors -o", "b.zip"),
    ] {
        let path = root.join(name);
        succeed(root, &format!("{arguments} {name}"));
        let before = fs::read(&path).unwrap();
        let message = fail(root, &format!("{arguments} {name}"));
        assert!(message.contains(&format!("{name} exists already; use --overwrite")), "{message}");
        assert!(fs::read(&path).unwrap() == before, "{name}");
        fs::write(&path, "old").unwrap();
        succeed(root, &format!("{arguments} {name} --overwrite"));
        assert_eq!(fs::read(&path).unwrap().len(), before.len(), "{name}");
    }
}

#[test]
fn damaged_recordings_get_noise_and_are_not_scored() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(&root.join("clean/a.wav"));
    fs::create_dir(root.join("noisy")).unwrap();
    fs::write(root.join("noisy/a.wav"), &fs::read(root.join("clean/a.wav")).unwrap()[..9_000]).unwrap();
    let output = trainer(root, "corrupt noisy -o noisier --noise white");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("noisy/a.wav: damaged at") && root.join("noisier/a.wav").exists(), "{message}");
    let message = fail(root, "evaluate --clean clean --noisy noisy --model autoencoder");
    assert!(message.contains("noisy/a.wav: damaged at") && message.contains("1 of 1 files failed"), "{message}");
}

#[test]
fn wrong_choices_are_explained() {
    let folder = tempdir().unwrap();
    write_mono(&folder.path().join("a.wav"));
    let recording = r#"[{"kind": "recording", "file": "nowhere.wav"}]"#;
    fs::write(folder.path().join("broken.json"), r#"[{"kind": "white", "snr_db": 1000}]"#).unwrap();
    fs::write(folder.path().join("missing.json"), recording).unwrap();
    for (arguments, expected) in [
        ("corrupt a.wav -o b.wav --noise purple", "expected zero-small, raise-small, white, pink, brown"),
        ("corrupt a.wav -o b.wav --noise recording", "or file:PATH, got \"recording\""),
        ("corrupt a.wav -o b.wav", "--noise"),
        ("corrupt a.wav -o b.wav --noise white --chain c.json", "cannot be used with"),
        ("corrupt a.wav -o b.wav --chain no.json", "cannot use the file no.json as a chain"),
        ("corrupt a.wav -o b.wav --chain broken.json", "step 1 (white), snr_db: expected -100 to 100"),
        ("corrupt a.wav -o b.wav --chain missing.json", "cannot read nowhere.wav"),
        ("corrupt a.wav -o b.wav --noise room --snr-db 3", "--snr-db and --seed are for added noise only"),
        (
            r#"train -o run --set noise.chains=[{weight=1,chain=[{kind="white",snr_db=1000}]}]"#,
            "chain 1: step 1 (white), snr_db: expected -100 to 100",
        ),
        (
            r#"train -o run --set noise.chains=[{weight=1,chain=[{kind="recording",file="nowhere.wav"}]}]"#,
            "expected * (any of the noise) or speech/*",
        ),
        ("corrupt a.wav -o b.wav --noise white --snr-db loud", "from -100 to 100"),
        ("corrupt a.wav -o b.wav --noise zero-small --amount 2", "from 0 to 1"),
        ("corrupt a.wav -o b.wav --noise white --amount 0.5", "--amount is for zero-small and raise-small only"),
        ("corrupt a.wav -o b.wav --noise zero-small --snr-db 5", "--snr-db and --seed are for added noise only"),
        ("corrupt a.wav -o b.wav --noise raise-small --seed 5", "--snr-db and --seed are for added noise only"),
        ("corrupt a.wav -o b.wav --noise file:no.wav", "cannot read no.wav"),
        ("evaluate --clean a.wav --noisy .", "--clean: expected a folder"),
    ] {
        let message = fail(folder.path(), arguments);
        assert!(message.contains(expected), "{arguments}: {message}");
    }
    assert!(!folder.path().join("b.wav").exists());
}

#[test]
fn corrupting_nothing_changes_nothing() {
    let folder = tempdir().unwrap();
    write_speech(&folder.path().join("a.wav"), 22_050, 2, 0.7, Encoding::Pcm16);
    succeed(folder.path(), "corrupt a.wav -o b.wav --noise zero-small --amount 0");
    let [a, b] = ["a.wav", "b.wav"].map(|name| read(&folder.path().join(name)));
    assert_eq!((a.sample_rate_hz(), a.len()), (b.sample_rate_hz(), b.len()));
    for (a, b) in a.channels().iter().flatten().zip(b.channels().iter().flatten()) {
        assert!((a - b).abs() <= 1.5 / 32_768.0, "{a} became {b}");
    }
}

#[test]
fn corruptions_change_what_they_should() {
    let folder = tempdir().unwrap();
    write_speech(&folder.path().join("a.wav"), 16_000, 1, 1.0, Encoding::Float32);
    for noise in ["zero-small", "raise-small"] {
        succeed(folder.path(), &format!("corrupt a.wav -o b.wav --noise {noise} --overwrite"));
        let [a, b] = ["a.wav", "b.wav"].map(|name| read(&folder.path().join(name)).to_mono());
        let snr = metric::snr(&a, &b);
        assert!((-20.0..60.0).contains(&snr), "{noise}: {snr} dB");
    }
}

/// Active speech over noise, in dB.
fn active_snr_db(clean: &Path, noisy: &Path) -> f64 {
    let [clean, noisy] = [clean, noisy].map(read);
    let added: Vec<f32> = clean.to_mono().iter().zip(noisy.to_mono()).map(|(clean, noisy)| noisy - clean).collect();
    let noise_db = 20.0 * f64::from(rms(&added)).log10();
    noise::active_level_db(&clean.to_mono(), clean.sample_rate_hz()) - noise_db
}

#[test]
fn added_noise_has_the_ratio_that_was_asked_for() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_speech(&root.join("clean/a.wav"), 16_000, 1, 1.0, Encoding::Float32);
    // At another rate, and shorter than the speech.
    write_speech(&root.join("noise.wav"), 11_025, 2, 0.3, Encoding::Pcm16);
    for noise in ["white", "pink", "brown", "hum", "clicks", "crackle", "babble", "file:noise.wav"] {
        for snr_db in [10.0, -3.0] {
            succeed(root, &format!("corrupt clean -o noisy --noise {noise} --snr-db {snr_db} --overwrite"));
            let got = active_snr_db(&root.join("clean/a.wav"), &root.join("noisy/a.wav"));
            assert!((got - snr_db).abs() < 0.1, "{noise}: {got} dB, expected {snr_db}");
        }
    }
    let json = succeed(root, "evaluate --clean clean --noisy noisy --model autoencoder --json");
    let report: Value = serde_json::from_str(&json).unwrap();
    let [clean, noisy] = ["clean/a.wav", "noisy/a.wav"].map(|name| read(&root.join(name)).to_mono());
    let snr = report["files"][0]["before"]["snr_db"].as_f64().unwrap();
    assert!((snr - metric::snr(&clean, &noisy)).abs() < 1e-6, "{snr} dB");
}

#[test]
fn chains_are_applied_and_find_their_recordings() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_speech(&root.join("a.wav"), 16_000, 1, 1.0, Encoding::Float32);
    write_speech(&root.join("chains/noise.wav"), 11_025, 2, 0.3, Encoding::Pcm16);
    let chain = r#"[{"kind": "room", "probability": 0}, {"kind": "recording", "file": "noise.wav", "snr_db": [7, 8]}]"#;
    fs::write(root.join("chains/c.json"), chain).unwrap();
    let corrupt = |seed: u64| {
        succeed(root, &format!("corrupt a.wav -o b.wav --chain chains/c.json --seed {seed} --overwrite"));
        (active_snr_db(&root.join("a.wav"), &root.join("b.wav")), fs::read(root.join("b.wav")).unwrap())
    };
    let (snr_db, first) = corrupt(1);
    assert!((7.0..8.0).contains(&snr_db), "{snr_db} dB");
    assert_eq!(corrupt(1).1, first);
    assert_ne!(corrupt(2).1, first);
}

#[test]
fn every_kind_of_noise_is_listed_and_works_by_its_name() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_speech(&root.join("a.wav"), 16_000, 2, 1.0, Encoding::Float32);
    let help = succeed(root, "corrupt --help");
    for noise in Noise::kinds() {
        let kind = noise.kind();
        assert!(help.contains(&format!("  {kind} (")), "{kind}: {help}");
        assert!(noise.numbers().iter().all(|number| help.contains(number.name)), "{kind}: {help}");
        if kind != "recording" {
            succeed(root, &format!("corrupt a.wav -o b.wav --noise {kind} --overwrite"));
            assert_ne!(read(&root.join("a.wav")), read(&root.join("b.wav")), "{kind}");
        }
    }
    for field in ["phase", "shape", "files", "interpolation", "concealment"] {
        assert!(help.contains(field), "{field}: {help}");
    }
}

#[test]
fn a_seed_gives_the_same_bytes_again() {
    let folder = tempdir().unwrap();
    write_mono(&folder.path().join("a.wav"));
    let corrupt = |seed: u64| {
        succeed(folder.path(), &format!("corrupt a.wav -o b.wav --noise brown --seed {seed} --overwrite"));
        fs::read(folder.path().join("b.wav")).unwrap()
    };
    let first = corrupt(7);
    assert_ne!(corrupt(8), first);
    assert_eq!(corrupt(7), first);
}

#[test]
fn evaluation_names_what_it_cannot_compare_and_does_the_rest() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    for name in ["good", "shorter", "other_rate", "sub/good"] {
        write_mono(&root.join(format!("clean/{name}.wav")));
        write_mono(&root.join(format!("noisy/{name}.wav")));
    }
    write_speech(&root.join("noisy/shorter.wav"), 16_000, 1, 0.999, Encoding::Pcm16);
    write_speech(&root.join("noisy/other_rate.wav"), 8_000, 1, 2.0, Encoding::Pcm16);
    write_mono(&root.join("noisy/alone.wav"));
    let arguments = "evaluate --clean clean --noisy noisy --model autoencoder";
    let message = fail(root, arguments);
    for name in ["shorter", "other_rate", "alone"] {
        let naming = format!("noisy/{name}.wav");
        assert_eq!(message.lines().filter(|line| line.contains(&naming)).count(), 1, "{name}: {message}");
    }
    assert!(message.contains("3 of 5 files failed"), "{message}");

    let table = String::from_utf8(trainer(root, arguments).stdout).unwrap();
    let first_words: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    let expected = [
        "file",
        "good",
        "sub/good",
        "left",
        "alone",
        "other_rate",
        "shorter",
        "kind",
        "any",
        "sub",
        "SNR",
        "100",
        "mean",
        "all",
    ];
    assert_eq!(first_words, expected, "{table}");
    let lengths: Vec<usize> = table.lines().skip(1).map(|line| line.chars().count()).collect();
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{table}");
}

#[test]
fn models_are_listed() {
    let folder = tempdir().unwrap();
    let report: Value = serde_json::from_str(&succeed(folder.path(), "models --json")).unwrap();
    let names = |list: &str| -> Vec<String> {
        report[list].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("models"), ["dcunet", "wavenet", "autoencoder"]);
    assert!(names("presets").contains(&"large-dcunet-20".to_owned()));
    assert_eq!(report["models"][2]["parameters"], 131_105);
    assert_eq!(report["presets"][0]["receptive_field_samples"], 4095);
    let baseline = &report["presets"][0];
    assert_eq!(baseline["macs_per_second"], 65_536_000.0);
    assert_eq!((&baseline["latency_samples"], &baseline["latency_ms"]), (&2080.into(), &130.0.into()));
    assert_eq!(baseline["weight_bytes"][0], 4 * 131_105);
    let table = succeed(folder.path(), "models");
    assert!(table.contains("autoencoder") && table.contains("131105"), "{table}");
}

#[test]
fn commands_end_quietly_when_nobody_reads_what_they_print() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    for name in ["clean/a.wav", "noisy/a.wav"] {
        write_mono(&root.join(name));
    }
    for arguments in [
        "models",
        "models --json",
        "recipes",
        "recipes --json",
        "recipes dcunet-small",
        "evaluate --clean clean --noisy noisy --model autoencoder",
        "evaluate --clean clean --noisy noisy --model autoencoder --json",
        "bench --network autoencoder --batch-size 1 --crop-seconds 0.2 --steps 1",
        "bench --network autoencoder --batch-size 1 --crop-seconds 0.2 --steps 1 --json",
        "identity --steps 20 --recordings 1 --out identity",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = crate::common::command(root, arguments).stdout(writer).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments}: {message}");
        assert!(!message.contains("error") && !message.contains("panicked"), "{arguments}: {message}");
    }
}

#[test]
fn messages_that_nobody_reads_stop_nothing() {
    let folder = tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let arguments =
        "train synthetic --set schedule.steps=1 --set schedule.batch_size=1 --set network.preset=autoencoder --out run";
    let output = crate::common::command(folder.path(), arguments).stderr(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(folder.path().join("run/best.zip").exists());
}
