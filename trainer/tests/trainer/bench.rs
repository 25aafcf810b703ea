//! `trainer bench`: that it trains, always in the same way, and tells others where it started.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use shared::nn::NetworkConfig;
use tempfile::tempdir;

/// A bench of moments.
const SMALL: [&str; 8] = ["--network", "autoencoder", "--batch-size", "2", "--crop-seconds", "0.25", "--steps", "3"];

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer")).arg("bench").args(arguments).output().expect("the program starts")
}

#[test]
fn every_bench_does_the_same_steps() {
    let folder = tempdir().unwrap();
    let dump = folder.path().join("start");
    let run = |arguments: &[&str]| {
        let output = bench(&[&SMALL[..], &["--json"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let with_dump = run(&["--dump", dump.to_str().unwrap()]);
    let losses: Vec<f64> = with_dump["losses"].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap()).collect();
    assert_eq!(losses.len(), 2 + 3, "two to warm up, and three");
    assert!(losses.is_sorted_by(|a, b| a > b), "{losses:?}");
    assert_eq!(with_dump["seconds"].as_array().unwrap().len(), 3);
    assert_eq!(run(&[])["losses"], with_dump["losses"]);

    let size = |name: &str| fs::metadata(dump.join(name)).unwrap().len();
    assert_eq!([size("noisy.f32"), size("clean.f32")], [4 * 2 * 4_000; 2]);
    assert!(size("weights.safetensors") > 4 * 131_105);
}

#[test]
fn what_cannot_be_timed_is_refused() {
    for (arguments, expected) in [
        (["--steps", "0"], "--steps: expected at least 1, got 0"),
        (["--batch-size", "0"], "--batch-size: expected at least 1, got 0"),
        (["--crop-seconds", "0"], "--crop-seconds: expected 0.01 to 600, got 0"),
        (["--loss", "l3"], "expected one of l1, "),
    ] {
        let output = bench(&arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && message.contains(expected), "{arguments:?}: {message}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn memory_is_as_estimated() {
    // Two lengths, so that the program itself does not count.
    let peak = |network: &str, crop_seconds: &str| {
        let arguments =
            ["--network", network, "--crop-seconds", crop_seconds, "--batch-size", "2", "--steps", "1", "--json"];
        let output = bench(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["peak_bytes"].as_f64().unwrap()
    };
    for (network, short, long) in [("wavenet-small", 0.1, 0.6), ("dcunet-small", 0.5, 3.0)] {
        let config = NetworkConfig::preset(network).unwrap();
        let estimate = |seconds: f64| config.training_bytes((2.0 * seconds * 16_000.0) as u64) as f64;
        let expected = estimate(long) - estimate(short);
        let measured = peak(network, &long.to_string()) - peak(network, &short.to_string());
        let ratio = measured / expected;
        assert!((0.6..1.6).contains(&ratio), "{network}: {measured} bytes where {expected} were expected");
    }
}
