//! Writing results: whole, or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Error, Result, anyhow, bail};
use media::{Encoding, Spec};
use shared::Audio;
use tempfile::NamedTempFile;

/// What messages call standard output.
pub const STANDARD: &str = "standard output";

/// What must go if the program ends now.
static UNFINISHED: Mutex<UnfinishedResults> = Mutex::new(UnfinishedResults { paths: Vec::new(), folders: Vec::new() });

/// Results that are not whole yet.
#[derive(Debug)]
pub struct UnfinishedResults {
    /// Files and folders under temporary names.
    paths: Vec<PathBuf>,
    /// Folders that were made for results, the outermost first. They go if they are empty.
    folders: Vec<PathBuf>,
}

/// Nothing panics while it holds the lock, and a file too much is better than a program that hangs.
fn unfinished() -> MutexGuard<'static, UnfinishedResults> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all unfinished results. None can be begun or finished as long as what this gives back is held.
pub fn discard_unfinished() -> MutexGuard<'static, UnfinishedResults> {
    let mut unfinished = unfinished();
    for path in unfinished.paths.drain(..) {
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
    unfinished.remove_empty_folders();
    unfinished
}

/// Lets a signal that ends the program remove a file or folder, until it has another name.
pub fn discard_on_signal(path: &Path) {
    unfinished().paths.push(path.to_owned());
}

impl UnfinishedResults {
    fn forget(&mut self, path: &Path) {
        self.paths.retain(|other| other != path);
    }

    fn remove_empty_folders(&mut self) {
        // The innermost first.
        self.folders.reverse();
        self.folders.retain(|folder| fs::remove_dir(folder).is_err() && folder.exists());
        self.folders.reverse();
    }
}

/// A file that gets its name once it is whole, so that no reader sees half of it. Dropped before, it leaves nothing behind.
pub struct NewFile {
    /// What messages call it.
    path: PathBuf,
    /// Where it will be: elsewhere if `path` is a link.
    target: PathBuf,
    replace: bool,
    file: Option<NamedTempFile>,
}

impl NewFile {
    /// A file under a temporary name in the folder of `path`, which is made if there is none. A link is followed: the file that
    /// it leads to is written. What is replaced keeps its permissions.
    ///
    /// # Errors
    /// When the folder cannot be written to, or `path` exists and is not to be replaced.
    pub fn create(path: &Path, replace: bool) -> Result<Self> {
        if !replace {
            refuse_existing([path])?;
        }
        let create = || {
            let target = follow(path)?;
            let replaced = fs::metadata(&target).ok();
            if replaced.as_ref().is_some_and(|replaced| !replaced.is_file()) {
                return Err(io::Error::other("there is something else of that name; choose another name"));
            }
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut unfinished = unfinished();
            let made = folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
            let made: Vec<PathBuf> = made.map(Path::to_owned).collect();
            fs::create_dir_all(folder)?;
            unfinished.folders.extend(made.into_iter().rev());
            let mut builder = tempfile::Builder::new();
            #[cfg(unix)]
            {
                // Readable for whoever the user lets read new files, not for the user alone.
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(fs::Permissions::from_mode(0o666));
            }
            let file = builder.suffix(".part").tempfile_in(folder)?;
            if let Some(replaced) = replaced {
                file.as_file().set_permissions(replaced.permissions())?;
            }
            unfinished.paths.push(file.path().to_owned());
            Ok(Self { path: path.to_owned(), target, replace, file: Some(file) })
        };
        create().map_err(|error| failure(path, error))
    }

    /// The file, to be filled.
    pub fn file(&self) -> &File {
        self.file.as_ref().expect("it is there until it is committed").as_file()
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// When it cannot be written to the end, or there is something of that name now that is not to be replaced.
    pub fn commit(mut self) -> Result<()> {
        let path = self.path.clone();
        let mut commit = || {
            self.file().sync_all()?;
            let mut unfinished = unfinished();
            let file = self.file.take().expect("it is committed once");
            unfinished.forget(file.path());
            let named = match self.replace {
                true => file.persist(&self.target),
                false => file.persist_noclobber(&self.target),
            };
            named.map(drop).map_err(|error| error.error)
        };
        commit().map_err(|error: io::Error| failure(&path, error))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let mut unfinished = unfinished();
            unfinished.forget(file.path());
            drop(file);
            unfinished.remove_empty_folders();
        }
    }
}

/// Where a result goes.
pub enum Destination {
    /// A file of its own.
    File(NewFile),
    /// Standard output, once it is whole: until then in a file without a name.
    Standard(File),
}

impl Destination {
    /// Begins the result `path`, or one for standard output where there is no path.
    ///
    /// # Errors
    /// As [`NewFile::create`]; when there is no room for temporary files.
    pub fn create(path: Option<&Path>, replace: bool) -> Result<Self> {
        match path {
            Some(path) => Ok(Self::File(NewFile::create(path, replace)?)),
            None => Ok(Self::Standard(temporary_file()?)),
        }
    }

    /// The file, to be filled.
    pub fn file(&self) -> &File {
        match self {
            Self::File(file) => file.file(),
            Self::Standard(file) => file,
        }
    }

    /// Hands the result out.
    ///
    /// # Errors
    /// As [`NewFile::commit`]; when standard output does not take it.
    pub fn commit(self) -> Result<()> {
        match self {
            Self::File(file) => file.commit(),
            Self::Standard(mut file) => {
                file.rewind().context("cannot read a temporary file")?;
                let mut out = io::stdout().lock();
                io::copy(&mut file, &mut out)
                    .and_then(|_| out.flush())
                    .map_err(|error| failure(Path::new(STANDARD), error))
            }
        }
    }
}

/// A file without a name, which is gone when it is closed.
///
/// # Errors
/// When there is no place for it.
pub fn temporary_file() -> Result<File> {
    tempfile::tempfile().with_context(|| {
        format!("cannot write a temporary file in {}; set TMPDIR to another folder", std::env::temp_dir().display())
    })
}

/// What is said when a result cannot be written: where, why, and what to do.
pub fn failure(path: &Path, error: impl Into<Error>) -> Error {
    let error = error.into();
    let advice = match error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => "; free some space there, or choose another --out",
        Some(ErrorKind::FileTooLarge) => "; the disk takes no files of this size, choose another --out",
        Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => "; choose another --out",
        _ => "",
    };
    anyhow!("cannot write {}: {error:#}{advice}", path.display())
}

/// Refuses paths where there is something already.
///
/// # Errors
/// When there is; the message says how to replace it.
pub fn refuse_existing<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let existing: Vec<&Path> = paths.into_iter().filter(|path| path.exists()).collect();
    let Some(first) = existing.first() else { return Ok(()) };
    let more = match existing.len() {
        1 => " exists".to_owned(),
        count => format!(" and {} more results exist", count - 1),
    };
    bail!("{}{more} already; use --overwrite to replace, or choose another --out", first.display())
}

/// Refuses to print sound on a terminal.
///
/// # Errors
/// When standard output is one.
pub fn refuse_terminal() -> Result<()> {
    if io::stdout().is_terminal() {
        bail!("standard output is a terminal; give -o NAME.wav, or send it to a file or another program");
    }
    Ok(())
}

/// Where a path leads: over links, whether there is anything at their end or not.
pub fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..32 {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("its link leads back to itself"))
}

/// Writes a file that may replace another: whole, or not at all.
///
/// # Errors
/// As [`NewFile`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    write_new(path, bytes, true)
}

/// Writes a file, which replaces another only if asked to: whole, or not at all.
///
/// # Errors
/// As [`NewFile`].
pub fn write_new(path: &Path, bytes: &[u8], replace: bool) -> Result<()> {
    let file = NewFile::create(path, replace)?;
    file.file().write_all(bytes).map_err(|error| failure(path, error))?;
    file.commit()
}

/// Writes a WAV file, or to standard output where there is no path: whole, or not at all.
///
/// # Errors
/// As [`Destination`].
pub fn write_wav(path: Option<&Path>, audio: &Audio, spec: &Spec, replace: bool) -> Result<()> {
    let destination = Destination::create(path, replace)?;
    let write = || -> Result<()> {
        let mut writer = media::Writer::new(BufWriter::new(destination.file()), spec, Some(audio.len() as u64))?;
        writer.write(audio.channels())?;
        Ok(writer.finish()?.flush()?)
    };
    write().map_err(|error| failure(path.unwrap_or(Path::new(STANDARD)), error))?;
    destination.commit()
}

/// Writes a WAV file that has no model to follow, and may replace another: whole, or not at all.
///
/// # Errors
/// As [`NewFile`].
pub fn write_audio(path: &Path, audio: &Audio, encoding: Encoding) -> Result<()> {
    let spec = Spec {
        sample_rate_hz: audio.sample_rate_hz(),
        channels: audio.channels().len(),
        channel_mask: None,
        encoding,
        metadata: media::Metadata::default(),
    };
    write_wav(Some(path), audio, &spec, true)
}
