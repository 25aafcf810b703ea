//! Many files at once: where each one's result goes, and going on when one of them is no good.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;

use crate::audio_file;
use crate::progress;

/// One file to read and the one to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The recording.
    pub input: PathBuf,
    /// The WAV file that is made of it.
    pub output: PathBuf,
}

/// What becomes of which file.
///
/// A folder is walked and its tree kept below `out`. For one input file `out` may be a name that ends in .wav. With no `out`
/// results go beside the inputs, with `suffix` in their names: `NAME.suffix.wav`, `FOLDER.suffix`.
///
/// # Errors
/// When a result would be written over an input, or over another result.
pub fn plan(inputs: &[PathBuf], out: Option<&Path>, suffix: &str) -> Result<Vec<Task>> {
    let one_file = inputs.len() == 1 && !inputs[0].is_dir();
    let file_name = out.filter(|out| !out.is_dir() && (out.is_file() || has_wav_extension(out)));
    if let Some(out) = file_name {
        if !one_file {
            bail!("--out: expected a folder, because there is more than one input, got {}", out.display());
        }
        if !has_wav_extension(out) {
            bail!("--out: expected a folder or a name that ends in .wav, got {}", out.display());
        }
    }
    let mut tasks = Vec::new();
    for input in inputs {
        if input.is_dir() {
            let folder = match out {
                Some(out) => out.to_owned(),
                None => beside(input, input.file_name(), &format!(".{suffix}"))?,
            };
            for path in audio_file::list(input)? {
                let output = folder.join(path.strip_prefix(input).unwrap_or(&path)).with_extension("wav");
                tasks.push(Task { input: path, output });
            }
        } else {
            let output = match (file_name, out) {
                (Some(name), _) => name.to_owned(),
                (None, Some(folder)) => folder.join(input.file_name().unwrap_or_default()).with_extension("wav"),
                (None, None) => beside(input, input.file_stem(), &format!(".{suffix}.wav"))?,
            };
            tasks.push(Task { input: input.clone(), output });
        }
    }
    check(&tasks)?;
    Ok(tasks)
}

fn has_wav_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wav"))
}

fn beside(input: &Path, name: Option<&OsStr>, suffix: &str) -> Result<PathBuf> {
    let mut name = name.with_context(|| format!("{} has no name to add to: give --out", input.display()))?.to_owned();
    name.push(suffix);
    Ok(input.with_file_name(name))
}

fn check(tasks: &[Task]) -> Result<()> {
    let inputs: HashMap<PathBuf, &Path> = tasks.iter().map(|task| (identity(&task.input), &*task.input)).collect();
    let mut outputs = HashMap::new();
    for Task { input, output } in tasks {
        let place = identity(output);
        if let Some(victim) = inputs.get(&place) {
            bail!("the result of {} would replace the input {}: give another --out", input.display(), victim.display());
        }
        if let Some(other) = outputs.insert(place, input) {
            let (other, input, output) = (other.display(), input.display(), output.display());
            bail!("the results of {other} and {input} would both be {output}");
        }
    }
    Ok(())
}

/// The path by which a file is the same however it was named, whether it exists or not.
fn identity(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize().unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => identity(parent).join(name),
        _ => path,
    })
}

/// Does `work` on every item. One that fails costs a line on the standard error stream, and the others are done all the same.
///
/// Gives the results, and an error in the end if anything failed.
pub fn each<T, R>(items: &[T], what: &str, mut work: impl FnMut(&T, &Share) -> Result<R>) -> (Vec<R>, Result<()>) {
    let bar = progress::bar(items.len() * Share::WHOLE, what);
    let mut results = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let share = Share { bar: &bar, start: index * Share::WHOLE };
        match work(item, &share) {
            Ok(result) => results.push(result),
            Err(error) => share.warn(&format!("{error:#}")),
        }
        share.set(1.0);
    }
    bar.finish_and_clear();
    let failed = items.len() - results.len();
    let outcome = match failed {
        0 => Ok(()),
        _ => Err(anyhow::anyhow!("{failed} of {} files failed", items.len())),
    };
    (results, outcome)
}

/// One item's share of a progress bar.
pub struct Share<'a> {
    bar: &'a ProgressBar,
    start: usize,
}

impl Share<'_> {
    /// Units of the bar an item.
    const WHOLE: usize = 1000;

    /// How much of the item is done, 0 to 1.
    pub fn set(&self, done: f64) {
        self.bar.set_position((self.start as f64 + done * Self::WHOLE as f64) as u64);
    }

    /// Says something on the standard error stream.
    pub fn warn(&self, message: &str) {
        progress::warn(self.bar, message);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn outputs(inputs: &[&Path], out: Option<&Path>) -> Result<Vec<PathBuf>> {
        let inputs: Vec<PathBuf> = inputs.iter().map(|input| input.to_path_buf()).collect();
        Ok(plan(&inputs, out, "denoised")?.into_iter().map(|task| task.output).collect())
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
        assert_eq!(outputs(&[&a], Some(&root.join("new.wav")))?, [root.join("new.wav")]);
        assert_eq!(outputs(&[&a], Some(&out))?, [out.join("a.x.wav")]);
        let denoised = root.join("in.denoised");
        assert_eq!(outputs(&[&tree], None)?, [denoised.join("b.wav"), denoised.join("deep/c.wav")]);
        assert_eq!(
            outputs(&[&tree, &a], Some(&out))?,
            [out.join("b.wav"), out.join("deep/c.wav"), out.join("a.x.wav")]
        );
        Ok(())
    }

    #[test]
    fn nothing_is_written_twice_or_over_an_input() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        let (wav, flac) = (root.join("a.wav"), root.join("a.flac"));
        fs::create_dir(root.join("sub"))?;
        for path in [&wav, &flac] {
            fs::write(path, "")?;
        }
        let refused = |inputs: &[&Path], out: &Path| outputs(inputs, Some(out)).expect_err("refused").to_string();
        // The same folder by another name.
        assert!(refused(&[&wav], &root.join("sub/..")).contains("would replace the input"));
        assert!(refused(&[&wav], &wav).contains("would replace the input"));
        assert!(refused(&[root], root).contains("would replace the input"));
        assert!(refused(&[&wav, &flac], &root.join("out")).contains("would both be"));
        assert!(refused(&[&wav, &flac], &root.join("out.wav")).contains("expected a folder"));
        assert!(refused(&[&wav], &flac).contains("ends in .wav"));
        Ok(())
    }
}
