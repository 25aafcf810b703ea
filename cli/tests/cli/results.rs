//! Where results go, and what they may replace.

use tempfile::tempdir;

use super::*;

#[test]
fn nothing_is_replaced_unasked() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    for name in ["in/a.wav", "in/b.wav"] {
        write_mono(root.join(name));
    }
    write(root.join("out/b.wav"), "mine");
    let message = fail(root, "in -o out");
    assert!(message.contains("out/b.wav exists") && message.contains("--overwrite"), "{message}");
    assert_eq!(names(&root.join("out")), ["b.wav"], "nothing was begun");
    assert_eq!(fs::read(root.join("out/b.wav")).unwrap(), b"mine");
    succeed(root, "in -o out --overwrite");
    assert_eq!(read(root.join("out/b.wav")).len(), 16_000);
}

#[test]
fn inputs_are_never_replaced() {
    let folder = tempdir().unwrap();
    write_mono(folder.path().join("a.wav"));
    let before = fs::read(folder.path().join("a.wav")).unwrap();
    for out in ["a.wav", "."] {
        let message = fail(folder.path(), &format!("a.wav -o {out} --overwrite"));
        assert!(message.contains("would replace the input a.wav"), "{message}");
    }
    assert_eq!(fs::read(folder.path().join("a.wav")).unwrap(), before);
}

#[test]
fn names_of_results_are_understood_or_refused() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("a.wav"));
    for name in ["x.WAVE", "y.Wav"] {
        succeed(root, &format!("a.wav -o {name}"));
        assert!(root.join(name).is_file(), "{name}");
    }
    for name in ["out.flac", "out.MP3", "out.opus"] {
        let message = fail(root, &format!("a.wav -o {name}"));
        assert!(message.contains("results are WAV files") && message.contains(name), "{message}");
        assert!(!root.join(name).exists());
    }
    succeed(root, "a.wav -o some.folder");
    assert_eq!(names(&root.join("some.folder")), ["a.wav"]);
}

#[test]
fn a_result_that_cannot_be_written_says_where_and_leaves_nothing() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("a.wav"));
    write(root.join("file"), "");
    fs::create_dir(root.join("folder.wav")).unwrap();
    let message = fail(root, "a.wav -o file/sub/out.wav");
    assert!(message.contains("cannot write file/sub/out.wav: "), "{message}");
    assert_eq!(names(root), ["a.wav", "file", "folder.wav"]);
    // A recording that turns out to be no good takes the folder along that was made for its result.
    write(root.join("nothing.wav"), wav(&spec(16_000, 1, Encoding::Pcm16), &[Vec::new()]));
    let message = fail(root, "nothing.wav -o new/folder/out.wav");
    assert!(message.contains("nothing.wav: there are no samples"), "{message}");
    assert!(!root.join("new").exists());
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_permissions_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempdir().unwrap();
    let root = folder.path();
    let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777;
    write_mono(root.join("a.wav"));
    write(root.join("disk/real.wav"), "old");
    fs::set_permissions(root.join("disk/real.wav"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("disk/real.wav", root.join("link.wav")).unwrap();
    let message = fail(root, "a.wav -o link.wav");
    assert!(message.contains("link.wav exists already"), "{message}");
    succeed(root, "a.wav -o link.wav --overwrite");
    assert_eq!(fs::read_link(root.join("link.wav")).unwrap(), Path::new("disk/real.wav"));
    assert_eq!(read(root.join("disk/real.wav")).len(), 16_000);
    assert_eq!(mode("disk/real.wav"), 0o600);

    // A link to where nothing is yet.
    symlink("disk/new.wav", root.join("other.wav")).unwrap();
    succeed(root, "a.wav -o other.wav");
    assert_eq!(names(&root.join("disk")), ["new.wav", "real.wav"]);
    assert_ne!(mode("disk/new.wav"), 0o600, "new files are as readable as others");

    // Links that lead to an input, or nowhere.
    symlink("a.wav", root.join("input.wav")).unwrap();
    assert!(fail(root, "a.wav -o input.wav --overwrite").contains("would replace the input a.wav"));
    symlink("loop.wav", root.join("loop.wav")).unwrap();
    assert!(fail(root, "a.wav -o loop.wav").contains("cannot write loop.wav"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_not_replaced_by_a_file() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("a.wav"));
    std::os::unix::fs::symlink("/dev/null", root.join("null.wav")).unwrap();
    let message = fail(root, "a.wav -o null.wav --overwrite");
    assert!(message.contains("cannot write null.wav: "), "{message}");
}
