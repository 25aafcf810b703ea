//! Which recordings are meant: files, everything in folders, patterns such as `*.mp3`, standard input.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use glob::MatchOptions;
use walkdir::{DirEntry, WalkDir};

use crate::output::temporary_file;
use crate::recording::OpenRecording;

/// Extensions that make a file in a folder a recording. Its content decides what it is; some of these no reader here knows, so
/// that such files are named and not passed over.
const EXTENSIONS: &[&str] = &[
    "3g2", "3ga", "3gp", "aac", "ac3", "adts", "aif", "aifc", "aiff", "alac", "amr", "ape", "au", "avi", "awb", "bw64",
    "bwf", "caf", "dff", "dsf", "dts", "eac3", "f4a", "f4v", "flac", "flv", "m2ts", "m4a", "m4b", "m4r", "m4v", "mka",
    "mkv", "mov", "mp1", "mp2", "mp3", "mp4", "mpc", "mpeg", "mpg", "mpga", "oga", "ogg", "ogv", "opus", "qt", "ra",
    "rf64", "rm", "snd", "spx", "tta", "vob", "voc", "w64", "wav", "wave", "webm", "weba", "wma", "wmv", "wv",
];

/// Folders that systems keep for themselves. Those with a dot in front are left out anyway.
const SYSTEM_FOLDERS: [&str; 3] = ["__MACOSX", "$RECYCLE.BIN", "System Volume Information"];

/// What stands for standard input and standard output.
pub const STANDARD: &str = "-";

/// A recording to work on.
#[derive(Debug)]
pub struct RecordingInput {
    /// Where it is; for standard input, what messages call it.
    pub path: PathBuf,
    /// The folder that was named, if it was found in one.
    pub folder: Option<PathBuf>,
    /// Its bytes, where they came through a pipe.
    spooled: Option<File>,
}

/// Recordings, and a line for everything that is none.
#[derive(Debug, Default)]
pub struct FoundInputs {
    /// The recordings, each once.
    pub inputs: Vec<RecordingInput>,
    /// What cannot be used, and why.
    pub problems: Vec<String>,
}

impl RecordingInput {
    /// A file.
    pub fn file(path: PathBuf) -> Self {
        Self { path, folder: None, spooled: None }
    }

    /// Whether it came through a pipe, so that it has no name to derive another from.
    pub fn is_nameless(&self) -> bool {
        self.spooled.is_some()
    }

    /// Size of the file; 0 where that is not known.
    pub fn bytes(&self) -> u64 {
        let data = self.spooled.as_ref().map_or_else(|| fs::metadata(&self.path), File::metadata);
        data.map_or(0, |data| data.len())
    }

    /// Opens it at its start.
    ///
    /// # Errors
    /// As [`OpenRecording::open`].
    pub fn open(&self) -> Result<OpenRecording> {
        let Some(spooled) = &self.spooled else { return OpenRecording::open(&self.path) };
        let name = self.path.display().to_string();
        // Readers seek to the start themselves; one reads at a time.
        let file = spooled.try_clone().with_context(|| format!("cannot read {name}"))?;
        OpenRecording::of(name, file)
    }
}

/// Finds the recordings that `arguments` mean. Folders are walked, except for the folder `without`, where results go.
///
/// # Errors
/// When standard input is meant and cannot be read.
pub fn find(arguments: &[PathBuf], without: Option<&Path>) -> Result<FoundInputs> {
    let mut found = FoundInputs::default();
    for argument in arguments {
        if argument.as_os_str() == STANDARD {
            let spooled = Some(spool(&mut io::stdin().lock(), "standard input")?);
            found.inputs.push(RecordingInput { path: "standard input".into(), folder: None, spooled });
            continue;
        }
        let paths = match argument.symlink_metadata() {
            Ok(_) => vec![argument.clone()],
            Err(_) => expand(argument, &mut found.problems),
        };
        for path in paths {
            if path.is_dir() {
                let before = found.inputs.len() + found.problems.len();
                walk(&path, without, &mut found);
                if found.inputs.len() + found.problems.len() == before {
                    found.problems.push(format!("there are no recordings in {}", path.display()));
                }
            } else if is_pipe(&path) {
                let name = path.display().to_string();
                let mut pipe = File::open(&path).with_context(|| format!("cannot read {name}"))?;
                found.inputs.push(RecordingInput { spooled: Some(spool(&mut pipe, &name)?), folder: None, path });
            } else {
                found.inputs.push(RecordingInput::file(path));
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.inputs.retain(|input| input.is_nameless() || seen.insert(identity(&input.path)));
    Ok(found)
}

/// All recordings below `folder`, in the order of their paths.
///
/// # Errors
/// When there is none, or something in the folder cannot be listed.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = FoundInputs::default();
    walk(folder, None, &mut found);
    if let Some(problem) = found.problems.into_iter().next() {
        bail!(problem);
    }
    if found.inputs.is_empty() {
        bail!("there are no recordings in {}", folder.display());
    }
    Ok(found.inputs.into_iter().map(|input| input.path).collect())
}

/// The path by which a file is the same however it was named, whether it exists or not.
pub fn identity(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize().unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => identity(parent).join(name),
        _ => path,
    })
}

/// Whether the extension is that of a recording.
pub fn has_recording_extension(path: &Path) -> bool {
    has_extension(path, EXTENSIONS)
}

/// Whether the extension is one of those, in any case.
pub fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// What a pattern stands for, which shells expand only if it is not in quotes, and the one of Windows never.
fn expand(argument: &Path, problems: &mut Vec<String>) -> Vec<PathBuf> {
    let name = argument.display();
    let Some(pattern) = argument.to_str().filter(|text| text.contains(['*', '?', '['])) else {
        // Opening it will say what is wrong.
        return vec![argument.to_owned()];
    };
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
    let paths = match glob::glob_with(pattern, options) {
        Ok(paths) => paths,
        Err(error) => {
            problems.push(format!("{name} is neither a file nor a pattern: {error}"));
            return Vec::new();
        }
    };
    let mut matches = Vec::new();
    for path in paths {
        match path {
            Ok(path) => matches.push(path),
            Err(error) => problems.push(format!("cannot list {}: {}", error.path().display(), error.error())),
        }
    }
    if matches.is_empty() {
        problems.push(format!("no file matches {name}"));
    }
    matches
}

fn walk(folder: &Path, without: Option<&Path>, found: &mut FoundInputs) {
    let without = without.map(identity);
    let is_meant = |entry: &DirEntry| {
        let is_results =
            || without.is_some() && entry.file_type().is_dir() && without == entry.path().canonicalize().ok();
        entry.depth() == 0 || !is_hidden(entry.path()) && !is_results()
    };
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_meant) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && has_recording_extension(entry.path()) => {
                found.inputs.push(RecordingInput {
                    path: entry.into_path(),
                    folder: Some(folder.to_owned()),
                    spooled: None,
                });
            }
            Ok(_) => (),
            Err(error) => found.problems.extend(problem(&error, folder)),
        }
    }
}

/// Whether a file or folder in a folder is nobody's recording: hidden ones, such as the `._NAME` that macOS leaves on other
/// systems' disks and its `.Trashes`, and what else systems keep for themselves.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || SYSTEM_FOLDERS.iter().any(|folder| name.eq_ignore_ascii_case(folder))
}

/// A line about an entry of a folder that cannot be used; none if nobody would miss it.
fn problem(error: &walkdir::Error, folder: &Path) -> Option<String> {
    let path = error.path().unwrap_or(folder);
    if path != folder && is_hidden(path) {
        return None;
    }
    let name = path.display();
    if let Some(ancestor) = error.loop_ancestor() {
        return Some(format!("{name} is a link back to {}; it is left out", ancestor.display()));
    }
    if let Ok(target) = fs::read_link(path)
        && !path.exists()
    {
        // Without an extension it may have been a folder.
        let is_missed = path.extension().is_none() || has_recording_extension(path);
        return is_missed.then(|| format!("{name} is a broken link to {}", target.display()));
    }
    let cause = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    Some(format!("cannot list {name}: {cause}"))
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|data| data.file_type().is_fifo() || data.file_type().is_char_device())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// Puts what comes through a pipe into a file, because readers move about in recordings.
fn spool(pipe: &mut impl Read, name: &str) -> Result<File> {
    let mut file = temporary_file()?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = match pipe.read(&mut buffer) {
            Ok(0) => return Ok(file),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(anyhow!(error).context(format!("cannot read {name}"))),
        };
        file.write_all(&buffer[..count]).with_context(|| {
            let folder = std::env::temp_dir();
            format!("cannot keep {name} in {}; set TMPDIR to a folder with more room", folder.display())
        })?;
    }
}
