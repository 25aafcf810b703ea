//! The program as people call it: files in, files and messages out.

#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

mod folders;
mod messages;
mod recordings;
mod results;
#[cfg(unix)]
mod signals;
mod streams;

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Output};

use media::{Encoding, Metadata, Spec};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use shared::{Audio, synth};

/// The program in `folder`. Arguments are separated by spaces. The model is the fastest one, unless there is another `--model`.
fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_denoise"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    if !arguments.contains("--model") && !arguments.contains("--list-models") {
        command.args(["--model", "autoencoder"]);
    }
    command
}

fn denoise(folder: &Path, arguments: &str) -> Output {
    command(folder, arguments).output().unwrap()
}

/// Runs the program, which must end with this exit code; its standard error stream.
fn ends_with(code: i32, folder: &Path, arguments: &str) -> String {
    let output = denoise(folder, arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments}: {message}");
    message
}

fn succeed(folder: &Path, arguments: &str) -> String {
    ends_with(0, folder, arguments)
}

fn fail(folder: &Path, arguments: &str) -> String {
    ends_with(2, folder, arguments)
}

/// Lines of a message in which there is `text`.
fn lines_with<'a>(message: &'a str, text: &str) -> Vec<&'a str> {
    message.lines().filter(|line| line.contains(text)).collect()
}

/// What is in a folder, hidden files too, in the order of names.
fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

fn spec(sample_rate_hz: u32, channels: usize, encoding: Encoding) -> Spec {
    Spec { sample_rate_hz, channels, channel_mask: None, encoding, metadata: Metadata::default() }
}

/// A WAV file of these samples.
fn wav(spec: &Spec, channels: &[Vec<f32>]) -> Vec<u8> {
    let mut writer = media::Writer::new(Cursor::new(Vec::new()), spec, Some(channels[0].len() as u64)).unwrap();
    writer.write(channels).unwrap();
    writer.finish().unwrap().into_inner()
}

/// Speech-like sound, another voice in each channel.
fn speech(sample_rate_hz: u32, channels: usize, seconds: f64) -> Vec<Vec<f32>> {
    let len = (seconds * f64::from(sample_rate_hz)) as usize;
    (1..=channels as u64).map(|seed| synth::speech(len, sample_rate_hz, &mut ChaCha8Rng::seed_from_u64(seed))).collect()
}

/// Writes a file, and the folders above it.
fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn write_speech(path: impl AsRef<Path>, spec: &Spec, seconds: f64) {
    write(path, wav(spec, &speech(spec.sample_rate_hz, spec.channels, seconds)));
}

/// Writes a second of one voice.
fn write_mono(path: impl AsRef<Path>) {
    write_speech(path, &spec(16_000, 1, Encoding::Pcm16), 1.0);
}

fn read(path: impl AsRef<Path>) -> Audio {
    cli::recording::read(path.as_ref()).unwrap().audio
}

fn format(path: impl AsRef<Path>) -> media::Format {
    cli::recording::read(path.as_ref()).unwrap().format
}
