//! What people are told.

use tempfile::tempdir;

use super::*;

#[test]
fn models_are_listed_a_line_each() {
    let folder = tempdir().unwrap();
    let output = denoise(folder.path(), "--list-models");
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    for name in ["dcunet", "wavenet", "autoencoder"] {
        let lines: Vec<&str> = table.lines().filter(|line| line.starts_with(name)).collect();
        assert_eq!(lines.len(), 1, "{table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 120), "{table}");
}

#[test]
fn logs_get_a_line_for_each_file_and_quiet_ones_none() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("in/a.wav"));
    write_mono(root.join("in/b.wav"));
    let message = succeed(root, "in -o out --jobs 1");
    assert_eq!(message, "in/a.wav -> out/a.wav\nin/b.wav -> out/b.wav\n");
    assert_eq!(succeed(root, "in -o quiet -q"), "");
    write(root.join("in/broken.wav"), "no sound");
    let message = fail(root, "in -o out --overwrite --quiet");
    assert_eq!(message.lines().count(), 2, "{message}");
}

#[test]
fn what_is_lost_is_said() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("a.wav"));
    let tag = *b"ID3\x04\0\0\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0";
    write(root.join("tagged.wav"), [&tag[..], &fs::read(root.join("a.wav")).unwrap()].concat());
    let message = succeed(root, "tagged.wav");
    assert!(message.starts_with("tagged.wav: the result will lack ID3 tags\n"), "{message}");
    assert_eq!(succeed(root, "tagged.wav --overwrite --quiet"), "");
}

#[test]
fn what_cannot_be_denoised_is_said_before_anything_is_computed() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let mut broken = speech(16_000, 2, 20.0);
    broken[1][300_000] = f32::NAN;
    write(root.join("nan.wav"), wav(&spec(16_000, 2, Encoding::Float32), &broken));
    write(root.join("wide.wav"), wav(&spec(16_000, 65, Encoding::Pcm16), &vec![vec![0.1; 10]; 65]));
    write(root.join("slow.wav"), wav(&spec(1_000, 1, Encoding::Pcm16), &[vec![0.1; 10]]));
    write_mono(root.join("good.wav"));
    let message = fail(root, "good.wav nan.wav wide.wav slow.wav -o out --jobs 1");
    for (line, expected) in message.lines().zip([
        "cannot use nan.wav: expected finite samples, got others at 18.750 s",
        "cannot use wide.wav: expected at most 64 channels, got 65",
        "cannot use slow.wav: sampling rate: expected 4000 to 384000 Hz, got 1000 Hz",
        "good.wav -> out/good.wav",
        "error: 3 of 4 files failed",
    ]) {
        assert!(line.starts_with(expected), "{message}");
    }
    assert_eq!(names(&root.join("out")), ["good.wav"]);
}

#[test]
fn errors_name_the_side_that_failed() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("a.wav"));
    write(root.join("bad.zip"), "no bundle");
    // GSM 6.10 in WAV.
    let mut gsm = fs::read(root.join("a.wav")).unwrap();
    gsm[20] = 0x31;
    write(root.join("gsm.wav"), gsm);
    for (arguments, expected) in [
        ("nowhere.wav", "cannot read nowhere.wav: "),
        ("gsm.wav", "GSM 6.10 is not supported; convert"),
        ("a.wav --model unknown", "dcunet, wavenet, autoencoder, or the path of a bundle"),
        ("a.wav --model bad.zip", "cannot use bad.zip: not a usable bundle"),
        ("a.wav --device tpu", "expected cpu, wgpu, cuda or cuda:N, got \"tpu\""),
        ("--overwrite", "<IN>"),
    ] {
        let message = fail(root, arguments);
        assert!(message.contains(expected), "{arguments}: {message}");
    }
    assert_eq!(names(root), ["a.wav", "bad.zip", "gsm.wav"]);
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_backend_that_is_not_built_in_is_explained() {
    let folder = tempdir().unwrap();
    write_mono(folder.path().join("a.wav"));
    let message = fail(folder.path(), "a.wav --device cuda");
    assert!(message.contains("--features cuda") && message.contains("--device cpu"), "{message}");
}

#[test]
fn scripts_for_the_trainer_can_call_it() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("a.wav"));
    succeed(root, "denoise a.wav -o out.wav");
    // Unless there is such a file.
    fs::copy(root.join("a.wav"), root.join("denoise")).unwrap();
    succeed(root, "denoise a.wav -o out");
    assert_eq!(names(&root.join("out")), ["a.wav", "denoise.wav"]);
}
