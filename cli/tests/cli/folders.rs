//! Many recordings: which ones are meant, and that one which is no good does not stop the others.

use tempfile::tempdir;

use super::*;

#[test]
fn a_broken_file_is_named_and_the_tree_is_kept() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("in/a.wav"));
    write_mono(root.join("in/deep/er/c.wav"));
    write(root.join("in/broken.wav"), "no sound");
    let message = fail(root, "in -o out");
    assert_eq!(lines_with(&message, "broken.wav").len(), 1, "{message}");
    assert!(message.ends_with("error: 1 of 3 files failed\n"), "{message}");
    assert_eq!(read(root.join("out/a.wav")).len(), 16_000);
    assert_eq!(read(root.join("out/deep/er/c.wav")).len(), 16_000);
    assert_eq!(names(&root.join("out")), ["a.wav", "deep"]);
}

#[test]
fn recordings_that_no_reader_knows_are_named_and_other_files_are_not() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("in/a.wav"));
    for name in ["song.wma", "tune.ape", "cover.jpg", "notes.txt", "README"] {
        write(root.join("in").join(name), "something");
    }
    let message = fail(root, "in -o out");
    assert!(message.contains("2 of 3 files failed"), "{message}");
    for (name, lines) in [("song.wma", 1), ("tune.ape", 1), ("cover", 0), ("notes", 0), ("README", 0)] {
        assert_eq!(lines_with(&message, name).len(), lines, "{name}: {message}");
    }
    // A file that is named is meant, whatever its name.
    fs::rename(root.join("in/a.wav"), root.join("in/a.recording")).unwrap();
    succeed(root, "in/a.recording -o out/b.wav");
}

#[test]
fn what_systems_leave_in_folders_is_passed_over() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("in/a.wav"));
    for name in
        ["._a.wav", ".hidden.mp3", ".Trashes/b.wav", ".Trash-1000/b.wav", "__MACOSX/c.wav", ".Spotlight-V100/d.wav"]
    {
        write(root.join("in").join(name), "no sound");
    }
    let message = succeed(root, "in -o out");
    assert_eq!(message, "in/a.wav -> out/a.wav\n");
    assert_eq!(names(&root.join("out")), ["a.wav"]);
    // One that is named is meant.
    write_mono(root.join("in/.secret.wav"));
    succeed(root, "in/.secret.wav -o out");
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_or_back_are_named() {
    use std::os::unix::fs::symlink;

    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("elsewhere/linked.wav"));
    write_mono(root.join("in/a.wav"));
    symlink("/nonexistent", root.join("in/broken.wav")).unwrap();
    symlink("/nonexistent", root.join("in/text.txt")).unwrap();
    symlink("/nonexistent", root.join("in/.#lock")).unwrap();
    symlink("self.wav", root.join("in/self.wav")).unwrap();
    fs::create_dir(root.join("in/sub")).unwrap();
    symlink("..", root.join("in/sub/loop")).unwrap();
    symlink("../elsewhere", root.join("in/there")).unwrap();
    let message = fail(root, "in -o out");
    assert!(message.contains("3 of 5 files failed"), "{message}");
    for (name, cause) in [("in/broken.wav", "broken link"), ("in/self.wav", "link"), ("in/sub/loop", "link back to in")]
    {
        let lines = lines_with(&message, name);
        assert!(lines.len() == 1 && lines[0].contains(cause), "{name}: {message}");
    }
    assert!(!message.contains("text.txt") && !message.contains("lock"), "{message}");
    assert_eq!(names(&root.join("out")), ["a.wav", "there"]);
    assert_eq!(names(&root.join("out/there")), ["linked.wav"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_listed_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("in/a.wav"));
    let secret = root.join("in/secret");
    fs::create_dir(&secret).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    // The administrator may list it all the same.
    if fs::read_dir(&secret).is_err() {
        let message = fail(root, "in -o out");
        assert!(message.contains("cannot list in/secret") && message.contains("1 of 2 files failed"), "{message}");
        assert_eq!(names(&root.join("out")), ["a.wav"]);
    }
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn patterns_are_expanded_where_no_shell_did() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    for name in ["in/a.wav", "in/b.wav", "in/c.WAV", "in/sub/d.wav"] {
        write_mono(root.join(name));
    }
    succeed(root, "in/*.wav -o one");
    assert_eq!(names(&root.join("one")), ["a.wav", "b.wav"]);
    succeed(root, "in/**/*.[wW][aA][vV] -o all");
    assert_eq!(names(&root.join("all")), ["a.wav", "b.wav", "c.wav", "d.wav"]);
    let message = fail(root, "in/*.mp3 in/a.wav -o two");
    assert!(message.contains("no file matches in/*.mp3") && message.contains("1 of 2 files failed"), "{message}");
    // A file of such a name is itself.
    write_mono(root.join("[x].wav"));
    succeed(root, "[x].wav -o x.wav");
}

#[test]
fn results_of_one_name_get_two() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("in/a.wav"));
    fs::copy(root.join("in/a.wav"), root.join("in/a.mp3")).unwrap();
    write_mono(root.join("other/A.wav"));
    let message = succeed(root, "in other -o out");
    assert_eq!(names(&root.join("out")), ["A-2.wav", "a.mp3.wav", "a.wav"]);
    for result in ["out/a.mp3.wav, because", "out/A-2.wav, because"] {
        assert_eq!(lines_with(&message, result).len(), 1, "{message}");
    }
}

#[test]
fn what_is_not_there_is_named_and_the_rest_is_done() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("a.wav"));
    fs::create_dir(root.join("empty")).unwrap();
    let message = fail(root, "nowhere.wav empty a.wav -o out");
    assert!(message.contains("cannot read nowhere.wav: "), "{message}");
    assert!(message.contains("there are no recordings in empty"), "{message}");
    assert!(message.contains("2 of 3 files failed"), "{message}");
    assert_eq!(names(&root.join("out")), ["a.wav"]);
}

#[test]
fn damage_is_said_and_has_an_exit_code_of_its_own() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_mono(root.join("in/whole.wav"));
    let bytes = fs::read(root.join("in/whole.wav")).unwrap();
    write(root.join("in/cut.wav"), &bytes[..bytes.len() / 2]);
    let message = ends_with(3, root, "in -o out");
    let damage = lines_with(&message, "in/cut.wav: damaged at 0:00:00.5: ");
    assert_eq!(damage.len(), 1, "{message}");
    assert!(message.ends_with("done, but 1 of 2 files are damaged\n"), "{message}");
    assert!(read(root.join("out/cut.wav")).len() > 7_000);
    // What failed is worse than what is damaged.
    write(root.join("in/broken.wav"), "no sound");
    fail(root, "in -o out --overwrite");
}
