//! Signals leave nothing behind.

use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::tempdir;

use super::*;

/// Starts on a recording of `seconds`, and sends `signal` as soon as a result was begun.
fn interrupted(root: &Path, mut command: Command, signal: &str) -> ExitStatus {
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let begun = || {
        root.join("new/folder").is_dir() && names(&root.join("new/folder")).iter().any(|name| name.ends_with(".part"))
    };
    let started = Instant::now();
    while !begun() && still_runs(&mut child) {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing was begun");
        thread::sleep(Duration::from_millis(2));
    }
    assert!(still_runs(&mut child), "it ended before the signal");
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap()
}

fn still_runs(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

#[test]
fn a_signal_removes_what_is_unfinished() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_speech(root.join("in.wav"), &spec(16_000, 1, Encoding::Pcm16), 60.0);
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let status = interrupted(root, command(root, "in.wav -o new/folder/out.wav --model wavenet"), signal);
        assert_eq!(status.code(), Some(code), "{signal}");
        assert_eq!(names(root), ["in.wav"], "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nohup_is_respected() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_speech(root.join("in.wav"), &spec(16_000, 1, Encoding::Pcm16), 20.0);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" in.wav -o new/folder/out.wav", env!("CARGO_BIN_EXE_denoise")]);
    let status = interrupted(
        root,
        {
            shell.current_dir(root);
            shell
        },
        "-HUP",
    );
    assert_eq!(status.code(), Some(0));
    assert_eq!(names(&root.join("new/folder")), ["out.wav"]);
}
