//! The program as people call it, for all test files.

use std::path::Path;
use std::process::{Command, Output};

use cli::{output, recording};
use media::Encoding;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use shared::{Audio, synth};

/// The program in `folder`, which is also where it caches what it finds out.
pub fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(arguments.split_whitespace()).current_dir(folder).env("XDG_CACHE_HOME", folder.join(".cache"));
    command
}

/// Runs the program in `folder`.
pub fn trainer(folder: &Path, arguments: &str) -> Output {
    command(folder, arguments).output().expect("the program starts")
}

/// Runs the program, which must succeed; its standard output and standard error streams.
pub fn run(folder: &Path, arguments: &str) -> [String; 2] {
    let output = trainer(folder, arguments);
    let [said, message] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{arguments}: {message}");
    [said, message]
}

/// Runs the program, which must succeed; its standard output.
pub fn succeed(folder: &Path, arguments: &str) -> String {
    let [said, _] = run(folder, arguments);
    said
}

/// Runs the program, which must fail with exit code 2; its standard error stream.
pub fn fail(folder: &Path, arguments: &str) -> String {
    let output = trainer(folder, arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments}: {message}");
    message
}

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Speech-like sound at 16 kHz.
pub fn speech(seed: u64, seconds: f64) -> Vec<f32> {
    synth::speech((seconds * 16_000.0) as usize, 16_000, &mut rng(seed))
}

/// Writes one channel, 16 bits, and the folders above.
pub fn write(path: &Path, sample_rate_hz: u32, samples: Vec<f32>) {
    output::write_audio(path, &Audio::mono(sample_rate_hz, samples).unwrap(), Encoding::Pcm16).unwrap();
}

/// A recording.
pub fn read(path: &Path) -> Audio {
    recording::read(path).unwrap().audio
}
