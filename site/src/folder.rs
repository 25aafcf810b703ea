//! The folder that a site is written to: whole or not at all, and never over anything else.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::finish;

/// Whether a site may be written to a folder: to a new or empty one, or over an earlier site.
///
/// # Errors
/// Why not.
pub fn check(folder: &Path) -> Result<()> {
    let unreadable = || format!("cannot read {}", folder.display());
    if fs::symlink_metadata(folder).is_ok_and(|found| !found.is_dir()) {
        bail!("{} is not a folder", folder.display());
    }
    if !folder.try_exists().with_context(unreadable)? || fs::read_dir(folder).with_context(unreadable)?.next().is_none()
    {
        return Ok(());
    }
    finish::recognise(folder).context("--out takes a new or empty folder, or an earlier site to replace")
}

/// Puts in the place of a folder what `make` leaves in an empty one beside it, unless that fails.
///
/// # Errors
/// When `make` fails, or the folder beside cannot be written or renamed. What was there is there still.
pub fn replace(folder: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = folder.parent().with_context(|| format!("{} cannot be replaced", folder.display()))?;
    let unwritable = || format!("cannot write to {}", parent.display());
    fs::create_dir_all(parent).with_context(unwritable)?;
    let beside = tempfile::Builder::new().prefix(".site-").tempdir_in(parent).with_context(unwritable)?;
    let [new, old] = ["new", "old"].map(|name| beside.path().join(name));
    // Not the temporary folder itself: nobody else may read that.
    fs::create_dir(&new).with_context(unwritable)?;
    make(&new)?;
    let earlier = folder.exists();
    if earlier {
        fs::rename(folder, &old).with_context(|| format!("cannot replace {}", folder.display()))?;
    }
    if let Err(error) = fs::rename(&new, folder) {
        if earlier {
            fs::rename(&old, folder).with_context(|| format!("cannot put {} back", folder.display()))?;
        }
        return Err(error).with_context(|| format!("cannot write {}", folder.display()));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_replaced_whole_or_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("deep/site");
        let fill = |text: &'static str| move |site: &Path| Ok(fs::write(site.join(text), text)?);
        replace(&folder, fill("first")).unwrap();
        replace(&folder, fill("second")).unwrap();
        assert!(!folder.join("first").exists() && folder.join("second").is_file());
        let failed = replace(&folder, |site| {
            fs::write(site.join("third"), "")?;
            bail!("no")
        });
        assert!(failed.is_err() && folder.join("second").is_file());
        let left: Vec<_> = fs::read_dir(home.path().join("deep")).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["site"]);
    }

    #[test]
    fn nothing_of_the_users_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        check(home.path()).unwrap();
        check(&home.path().join("new")).unwrap();
        fs::write(home.path().join("thesis.tex"), "").unwrap();
        assert!(check(home.path()).is_err());
        assert!(check(&home.path().join("thesis.tex")).is_err());
    }
}
