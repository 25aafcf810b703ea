//! Standard input and standard output.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;
use std::thread;

use tempfile::tempdir;

use super::*;

/// Runs the program with bytes on its standard input.
fn fed(folder: &Path, arguments: &str, bytes: Vec<u8>) -> Output {
    let mut command = command(folder, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // It may end before it has read everything.
    let feeding = thread::spawn(move || drop(input.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    output
}

#[test]
fn pipes_give_what_files_give() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("a.wav"));
    succeed(root, "a.wav -o file.wav");
    let (input, expected) = (fs::read(root.join("a.wav")).unwrap(), fs::read(root.join("file.wav")).unwrap());
    for (arguments, input) in [("-", input.clone()), ("- -o -", input.clone()), ("a.wav -o -", Vec::new())] {
        let output = fed(root, arguments, input);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {output:?}");
        assert!(output.stdout == expected, "{arguments}: nothing but the WAV file");
    }
    let output = fed(root, "- -o piped.wav", input.clone());
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(fs::read(root.join("piped.wav")).unwrap(), expected);
    assert_eq!(names(root), ["a.wav", "file.wav", "piped.wav"]);

    let message = String::from_utf8(fed(root, "- -o folder", input.clone()).stderr).unwrap();
    assert!(message.contains("standard input has no name"), "{message}");
    let message = String::from_utf8(fed(root, "- a.wav -o -", input).stderr).unwrap();
    assert!(message.contains("- takes one recording"), "{message}");
    let message = String::from_utf8(fed(root, "-", b"no sound".to_vec()).stderr).unwrap();
    assert!(message.contains("cannot read standard input: not a recording"), "{message}");
    let message = String::from_utf8(fed(root, "-", Vec::new()).stderr).unwrap();
    assert!(message.contains("standard input: the file is empty"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_fails_is_named() {
    let folder = tempdir().unwrap();
    write_mono(folder.path().join("a.wav"));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command(folder.path(), "a.wav -o -").stdout(full).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("cannot write standard output: ") && message.contains("free some space"), "{message}");
    // A reader that has enough is no reason to panic.
    let mut child = command(folder.path(), "a.wav -o -").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_list_that_nobody_reads_ends_quietly() {
    let folder = tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command(folder.path(), "--list-models").stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_list_that_cannot_be_written_is_an_error() {
    let folder = tempdir().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command(folder.path(), "--list-models").stdout(full).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("cannot write to standard output: No space left"), "{message}");
}
