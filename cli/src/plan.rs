//! Where the result of each recording goes.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::batch::Batch;
use crate::inputs::{self, FoundInputs, RecordingInput, STANDARD, has_extension, has_recording_extension, identity};
use crate::output::{follow, refuse_existing, refuse_terminal};
use crate::progress::Progress;

/// Extensions of WAV files.
const WAV: &[&str] = &["wav", "wave"];

/// One recording to read and one to write.
#[derive(Debug)]
pub struct FileTask {
    /// The recording.
    pub input: RecordingInput,
    /// The WAV file that is made of it; none for standard output.
    pub output: Option<PathBuf>,
}

/// What is to be done.
#[derive(Debug)]
pub struct FilePlan {
    /// What becomes of which file.
    pub tasks: Vec<FileTask>,
    /// What cannot be done, and why.
    pub problems: Vec<String>,
    /// What is done otherwise than people may expect.
    pub notes: Vec<String>,
}

/// What `--out` stands for.
enum Out<'a> {
    /// Beside the inputs, with a suffix in their names.
    Beside,
    /// A folder.
    Folder(&'a Path),
    /// One file.
    File(&'a Path),
    /// Standard output.
    Standard,
}

/// Finds the recordings and a place for each one's result.
///
/// A folder is walked and its tree kept below `out`. For one input file `out` may be a name that ends in .wav, or `-`. Without
/// `out`, results go beside the inputs, with `suffix` in their names: `NAME.suffix.wav`, `FOLDER.suffix`; that of standard input
/// goes to standard output. Where two results would have one name, one gets another.
///
/// # Errors
/// When `out` does not fit the inputs, or a result would replace an input, or anything else without `overwrite`.
pub fn plan(arguments: &[PathBuf], out: Option<&Path>, suffix: &str, overwrite: bool) -> Result<FilePlan> {
    let mut out = Out::of(out)?;
    let folder = if let Out::Folder(folder) = out { Some(folder) } else { None };
    let FoundInputs { inputs, problems } = inputs::find(arguments, folder)?;
    if let [input] = &*inputs
        && input.is_nameless()
        && matches!(out, Out::Beside)
    {
        out = Out::Standard;
    }
    let is_several = inputs.len() > 1 || arguments.iter().any(|argument| argument.is_dir());
    let mut notes = Vec::new();
    let outputs = match out {
        Out::File(path) if is_several => {
            bail!("--out: expected a folder, because there is more than one input, got {}", path.display())
        }
        Out::Standard if is_several => bail!("--out: - takes one recording; give a folder for several"),
        Out::File(path) => inputs.iter().map(|_| Some(path.to_owned())).collect(),
        Out::Standard => {
            refuse_terminal()?;
            inputs.iter().map(|_| None).collect()
        }
        Out::Beside | Out::Folder(_) => {
            let names = inputs.iter().map(|input| Name::of(input, &out, suffix)).collect::<Result<Vec<_>>>()?;
            distinct(&inputs, names, &mut notes).into_iter().map(Some).collect::<Vec<_>>()
        }
    };
    let tasks: Vec<FileTask> =
        inputs.into_iter().zip(outputs).map(|(input, output)| FileTask { input, output }).collect();
    spare_inputs(&tasks)?;
    if !overwrite {
        refuse_existing(tasks.iter().filter_map(|task| task.output.as_deref()))?;
    }
    Ok(FilePlan { tasks, problems, notes })
}

impl FilePlan {
    /// Says what is said beforehand. Gives the tasks, and the batch that they are part of.
    pub fn begin(self, progress: Progress) -> (Vec<FileTask>, Batch) {
        let Self { tasks, problems, notes } = self;
        let batch = Batch::new(progress, tasks.len() + problems.len());
        notes.iter().for_each(|note| batch.progress().note(note));
        problems.iter().for_each(|problem| batch.fail(problem));
        (tasks, batch)
    }
}

impl<'a> Out<'a> {
    fn of(out: Option<&'a Path>) -> Result<Self> {
        let Some(path) = out else { return Ok(Self::Beside) };
        let name = path.display();
        if path.as_os_str() == STANDARD {
            Ok(Self::Standard)
        } else if path.is_dir() {
            Ok(Self::Folder(path))
        } else if has_extension(path, WAV) {
            Ok(Self::File(path))
        } else if has_recording_extension(path) {
            bail!("--out: results are WAV files; expected a name that ends in .wav, or a folder, got {name}")
        } else if path.exists() {
            bail!("--out: expected a folder or a name that ends in .wav, got {name}, which is a file")
        } else {
            Ok(Self::Folder(path))
        }
    }
}

/// The name of a result, in parts.
struct Name {
    folder: PathBuf,
    /// The input's name without and with its extension.
    stem: OsString,
    full: OsString,
    /// What comes after it.
    ending: String,
}

impl Name {
    fn of(input: &RecordingInput, out: &Out, suffix: &str) -> Result<Self> {
        let path = &input.path;
        let (Some(stem), Some(full), false) = (path.file_stem(), path.file_name(), input.is_nameless()) else {
            bail!("{} has no name to derive another from; give --out NAME.wav, or --out -", path.display());
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        let below = |root: &Path, out: &Path| out.join(parent.strip_prefix(root).unwrap_or(Path::new("")));
        let (folder, ending) = match (out, &input.folder) {
            (Out::Folder(out), Some(root)) => (below(root, out), ".wav".into()),
            (Out::Folder(out), None) => (out.to_path_buf(), ".wav".into()),
            (_, Some(root)) => (below(root, &beside(root, suffix)?), ".wav".into()),
            (_, None) => (parent.to_owned(), format!(".{suffix}.wav")),
        };
        Ok(Self { folder, stem: stem.to_owned(), full: full.to_owned(), ending })
    }

    /// The result's path, from the input's name with or without its extension.
    fn path(&self, keeps_extension: bool, number: usize) -> PathBuf {
        let mut name = if keeps_extension { self.full.clone() } else { self.stem.clone() };
        if number > 1 {
            name.push(format!("-{number}"));
        }
        name.push(&self.ending);
        self.folder.join(name)
    }
}

/// The folder `FOLDER.suffix`.
fn beside(folder: &Path, suffix: &str) -> Result<PathBuf> {
    // Names such as `.` and `..` are none.
    let path = if folder.file_name().is_some() { folder.to_owned() } else { identity(folder) };
    let name = path.file_name().with_context(|| format!("{} has no name to add to; give --out", folder.display()))?;
    let mut name = name.to_owned();
    name.push(format!(".{suffix}"));
    Ok(path.with_file_name(name))
}

/// Gives every result a path of its own, also where upper and lower case are the same: of `a.wav` and `a.mp3` the second keeps its
/// extension, and what is still the same is numbered.
fn distinct(inputs: &[RecordingInput], names: Vec<Name>, notes: &mut Vec<String>) -> Vec<PathBuf> {
    let key = |path: &Path| identity(path).to_string_lossy().to_lowercase();
    let wanted: Vec<PathBuf> = names.iter().map(|name| name.path(false, 1)).collect();
    let keys: Vec<String> = wanted.iter().map(|path| key(path)).collect();
    let mut users: HashMap<&str, usize> = HashMap::new();
    keys.iter().for_each(|key| *users.entry(key).or_default() += 1);
    let keeps_extension: Vec<bool> =
        keys.iter().zip(inputs).map(|(key, input)| users[&**key] > 1 && !has_extension(&input.path, WAV)).collect();

    let mut taken = HashSet::new();
    let mut paths = wanted.clone();
    // Whoever has the name that people expect keeps it.
    for others in [false, true] {
        for index in (0..names.len()).filter(|&index| keeps_extension[index] == others) {
            let candidates = (1..).map(|number| names[index].path(others, number));
            let free = candidates.into_iter().find(|path| taken.insert(key(path)));
            paths[index] = free.expect("one of endless many");
        }
    }
    for ((input, wanted), path) in inputs.iter().zip(&wanted).zip(&paths) {
        if wanted != path {
            let (input, wanted, path) = (input.path.display(), wanted.display(), path.display());
            notes.push(format!("{input}: the result is {path}, because {wanted} is that of another recording"));
        }
    }
    paths
}

/// Refuses results that would replace inputs.
fn spare_inputs(tasks: &[FileTask]) -> Result<()> {
    let inputs: HashMap<PathBuf, &Path> =
        tasks.iter().map(|task| (identity(&task.input.path), &*task.input.path)).collect();
    for FileTask { input, output } in tasks {
        let Some(output) = output else { continue };
        let target = follow(output).with_context(|| format!("cannot write {}", output.display()))?;
        if let Some(victim) = inputs.get(&identity(&target)) {
            let (input, victim) = (input.path.display(), victim.display());
            bail!("the result of {input} would replace the input {victim}; give another --out");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn outputs(inputs: &[&Path], out: Option<&Path>) -> Result<Vec<PathBuf>> {
        let inputs: Vec<PathBuf> = inputs.iter().map(|input| input.to_path_buf()).collect();
        Ok(plan(&inputs, out, "denoised", false)?.tasks.into_iter().filter_map(|task| task.output).collect())
    }

    #[test]
    fn results_go_where_they_are_expected() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        fs::create_dir_all(root.join("in/deep"))?;
        let (a, b, inside) = (root.join("a.x.flac"), root.join("in/b.wav"), root.join("in/deep/c.MP3"));
        for path in [&a, &b, &inside] {
            fs::write(path, "")?;
        }
        let (tree, out) = (root.join("in"), root.join("out"));
        assert_eq!(outputs(&[&a], None)?, [root.join("a.x.denoised.wav")]);
        for name in ["new.wav", "new.WAVE", "new.Wav"] {
            assert_eq!(outputs(&[&a], Some(&root.join(name)))?, [root.join(name)]);
        }
        assert_eq!(outputs(&[&a], Some(&out))?, [out.join("a.x.wav")]);
        let denoised = root.join("in.denoised");
        assert_eq!(outputs(&[&tree], None)?, [denoised.join("b.wav"), denoised.join("deep/c.wav")]);
        assert_eq!(
            outputs(&[&tree, &a], Some(&out))?,
            [out.join("b.wav"), out.join("deep/c.wav"), out.join("a.x.wav")]
        );
        // A file that is meant twice is done once; results in the folder itself are no recordings to denoise.
        assert_eq!(outputs(&[&a, &root.join("in/../a.x.flac")], Some(&out))?.len(), 1);
        fs::create_dir(tree.join("out"))?;
        fs::write(tree.join("out/old.wav"), "")?;
        assert_eq!(outputs(&[&tree], Some(&tree.join("out")))?.len(), 2);
        Ok(())
    }

    #[test]
    fn no_two_results_have_one_name_in_any_case() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        fs::create_dir_all(root.join("in/Sub"))?;
        for name in ["a.wav", "A.flac", "a.mp3", "B.WAV", "b.wave", "b-2.wav", "c.mp3", "c.ogg", "Sub/a.mp3"] {
            fs::write(root.join("in").join(name), "")?;
        }
        let plan = plan(&[root.join("in")], Some(&root.join("out")), "denoised", false)?;
        let mut results = HashMap::new();
        for FileTask { input, output } in &plan.tasks {
            let output = output.as_ref().and_then(|output| output.strip_prefix(root.join("out")).ok());
            let input = input.path.strip_prefix(root.join("in")).unwrap_or(&input.path);
            results.insert(input.display().to_string(), output.unwrap_or(Path::new("")).display().to_string());
        }
        let expected = [
            ("a.wav", "a.wav"),
            ("A.flac", "A.flac.wav"),
            ("a.mp3", "a.mp3.wav"),
            ("B.WAV", "B.wav"),
            ("b-2.wav", "b-2.wav"),
            ("b.wave", "b-3.wav"),
            ("c.mp3", "c.mp3.wav"),
            ("c.ogg", "c.ogg.wav"),
            ("Sub/a.mp3", "Sub/a.wav"),
        ];
        assert_eq!(results, expected.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
        assert_eq!(plan.notes.len(), 5, "{:?}", plan.notes);
        Ok(())
    }

    #[test]
    fn what_makes_no_sense_is_refused() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        let (wav, flac, text) = (root.join("a.wav"), root.join("b.flac"), root.join("text"));
        fs::create_dir(root.join("sub"))?;
        for path in [&wav, &flac, &text] {
            fs::write(path, "")?;
        }
        let refused = |inputs: &[&Path], out: &Path| outputs(inputs, Some(out)).expect_err("refused").to_string();
        // The same folder by another name.
        assert!(refused(&[&wav], &root.join("sub/..")).contains("would replace the input"));
        assert!(refused(&[&wav], &wav).contains("would replace the input"));
        assert!(refused(&[root], root).contains("would replace the input"));
        assert!(refused(&[&wav, &flac], &root.join("out.wav")).contains("expected a folder"));
        assert!(refused(&[&root.join("sub")], &root.join("out.wav")).contains("expected a folder"));
        assert!(refused(&[&wav, &flac], Path::new("-")).contains("one recording"));
        assert!(refused(&[&wav], &text).contains("ends in .wav"));
        for name in ["out.flac", "out.MP3", "out.opus"] {
            assert!(refused(&[&wav], &root.join(name)).contains("results are WAV files"), "{name}");
        }
        fs::write(root.join("c.wav"), "")?;
        let message = refused(&[&wav], &root.join("c.wav"));
        assert!(message.contains("c.wav exists already") && message.contains("--overwrite"), "{message}");
        assert!(plan(&[wav], Some(&root.join("c.wav")), "denoised", true).is_ok());
        Ok(())
    }
}
