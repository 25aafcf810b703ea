//! From what trunk makes to a site that any static host can serve.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use crate::digest::digest;
use crate::{html, networks};

/// The page.
const PAGE: &str = "index.html";
/// The list of networks.
pub const NETWORKS: &str = "models.json";
/// The list of noises, which the page offers without having them.
const NOISES: &str = "noises.json";
/// The service worker; beside our other files it is the template of itself.
pub const SERVICE_WORKER: &str = "sw.js";

/// What stands in the template for the version, and for the list of files.
const BLANKS: [&str; 2] = ["\"{{version}}\"", "[\"{{files}}\"]"];
/// What the line with the list of files begins with.
const FILES: &str = "const FILES = ";

/// What may differ between sites.
#[derive(Default)]
pub struct FinishOptions {
    /// A folder with further bundles.
    pub models: Option<PathBuf>,
    /// The path that the site is served under; any, if none is given.
    pub base: Option<String>,
}

/// Makes the site in the empty folder `site` of trunk's output and the files of `public`.
///
/// # Errors
/// When a file cannot be read or written, or a bundle cannot be used.
pub fn finish(built: &Path, public: &Path, options: &FinishOptions, site: &Path) -> Result<()> {
    copy(built, site)?;
    copy(public, site)?;
    networks::add_ours(site)?;
    if let Some(models) = &options.models {
        networks::add(models, site)?;
    }
    let list = serde_json::to_string_pretty(&networks::list(site)?).context("cannot write the list of networks")?;
    write(site, NETWORKS, &list)?;
    let list = serde_json::to_string(&shared::noise::catalogue()).context("cannot write the list of noises")?;
    write(site, NOISES, &list)?;

    let page = html::finish(&read_text(&site.join(PAGE))?, options.base.as_deref())?;
    write(site, PAGE, &page)?;

    let filled = service_worker(&read_text(&site.join(SERVICE_WORKER))?, &files(site)?)?;
    write(site, SERVICE_WORKER, &filled)
}

/// Whether a folder holds nothing but an earlier site.
///
/// # Errors
/// Why it may not be replaced.
pub fn recognise(folder: &Path) -> Result<()> {
    let listed = || -> Option<Vec<String>> {
        let script = fs::read_to_string(folder.join(SERVICE_WORKER)).ok()?;
        let list = script.lines().find_map(|line| line.strip_prefix(FILES))?;
        serde_json::from_str(list.trim_end_matches(';')).ok()
    };
    let listed = listed().filter(|_| folder.join(NETWORKS).is_file());
    let listed = listed.with_context(|| format!("{} is neither empty nor an earlier site", folder.display()))?;
    for name in files(folder)?.keys() {
        if name != PAGE && name != SERVICE_WORKER && !listed.contains(name) {
            bail!("{} holds {name}, which is not part of the earlier site there", folder.display());
        }
    }
    Ok(())
}

/// The template with version and files filled in.
fn service_worker(template: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<String> {
    let parts = files.iter().flat_map(|(name, content)| [name.as_bytes(), content]);
    // Some hosts answer index.html with a redirection to its folder, and redirections cannot be kept for pages.
    let page = |name: &String| if name == PAGE { "./".to_owned() } else { name.clone() };
    let list: Vec<String> = files.keys().filter(|name| *name != SERVICE_WORKER).map(page).collect();
    let list = serde_json::to_string(&list).context("cannot list the site's files")?;
    let mut filled = template.to_owned();
    for (blank, value) in BLANKS.into_iter().zip([format!("\"{}\"", digest(parts)), list]) {
        if filled.matches(blank).count() != 1 {
            bail!("the template of {SERVICE_WORKER} must have {blank} once");
        }
        filled = filled.replace(blank, &value);
    }
    Ok(filled)
}

/// All files below a folder by their relative path, in the form of URLs.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in WalkDir::new(folder) {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        let name = parts.join("/");
        let plain = |character: char| character.is_ascii_alphanumeric() || "/-_.".contains(character);
        if !name.chars().all(plain) {
            bail!("{name} has a name that not every host can serve: letters, digits, -, _ and . only");
        }
        let content = fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
        files.insert(name, content);
    }
    Ok(files)
}

/// Copies all files below a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for (name, content) in files(from)? {
        let path = to.join(&name);
        let folder = path.parent().unwrap_or(to);
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(site: &Path, name: &str, content: &str) -> Result<()> {
    fs::write(site.join(name), content).with_context(|| format!("cannot write {}", site.join(name).display()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// The root of the workspace.
    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    const HTML: &str = "<html><head><meta content=\"{{policy}}\" /><!-- base --></head></html>";

    /// What trunk would leave.
    fn built() -> TempDir {
        let built = tempfile::tempdir().unwrap();
        for (name, content) in [("index.html", HTML), ("page-1.js", "1"), ("page-1_bg.wasm", "2"), ("worker.js", "3")] {
            fs::write(built.path().join(name), content).unwrap();
        }
        built
    }

    fn finished(built: &TempDir, options: &FinishOptions) -> TempDir {
        let site = tempfile::tempdir().unwrap();
        finish(built.path(), &root().join("web/public"), options, site.path()).unwrap();
        site
    }

    fn version(site: &TempDir) -> String {
        let script = fs::read_to_string(site.path().join(SERVICE_WORKER)).unwrap();
        script.lines().find(|line| line.starts_with("const VERSION = ")).unwrap().to_owned()
    }

    #[test]
    fn a_site_has_all_that_the_page_asks_for() {
        let site = finished(&built(), &FinishOptions::default());
        let page = fs::read_to_string(site.path().join(PAGE)).unwrap();
        assert!(page.contains("default-src 'none'") && !page.contains("<base"));

        let networks: Vec<networks::NetworkListing> =
            serde_json::from_str(&fs::read_to_string(site.path().join(NETWORKS)).unwrap()).unwrap();
        assert_eq!(networks.len(), models::ALL.len());
        assert_eq!((networks[0].title.as_str(), networks[0].default), (models::DEFAULT.title, true));
        let autoencoder = networks.iter().find(|network| network.name == "autoencoder").unwrap();
        assert_eq!((autoencoder.file.as_str(), autoencoder.default), ("models/autoencoder.zip", false));
        let size = fs::metadata(site.path().join(&autoencoder.file)).unwrap().len();
        assert_eq!((autoencoder.bytes as u64, autoencoder.parameters), (size, 131_105));

        let script = fs::read_to_string(site.path().join(SERVICE_WORKER)).unwrap();
        let list = script.lines().find_map(|line| line.strip_prefix(FILES)).unwrap().trim_end_matches(';');
        let mut listed: Vec<String> = serde_json::from_str(list).unwrap();
        listed.extend([PAGE, SERVICE_WORKER].map(str::to_owned));
        listed.sort();
        let mut all: Vec<String> = files(site.path()).unwrap().into_keys().chain(["./".to_owned()]).collect();
        all.sort();
        assert_eq!(listed, all);
        assert!(all.contains(&"manifest.webmanifest".to_owned()));
        recognise(site.path()).unwrap();
    }

    #[test]
    fn the_version_is_that_of_the_contents() {
        let built = built();
        let first = version(&finished(&built, &FinishOptions::default()));
        assert_eq!(first.len(), "const VERSION = \"0123456789abcdef\";".len(), "{first}");
        assert_eq!(version(&finished(&built, &FinishOptions::default())), first);
        let based = FinishOptions { base: Some("/denoise/".to_owned()), ..FinishOptions::default() };
        assert_ne!(version(&finished(&built, &based)), first);
        fs::write(built.path().join("worker.js"), "4").unwrap();
        assert_ne!(version(&finished(&built, &FinishOptions::default())), first);
    }

    #[test]
    fn bundles_of_the_user_are_added_and_replace_ours() {
        let models = tempfile::tempdir().unwrap();
        for name in ["own.zip", "wavenet.zip"] {
            fs::copy(root().join("models/dcunet.zip"), models.path().join(name)).unwrap();
        }
        let options = FinishOptions { models: Some(models.path().to_owned()), ..FinishOptions::default() };
        let site = finished(&built(), &options);
        let networks = networks::list(site.path()).unwrap();
        let found: Vec<_> = networks.iter().map(|it| (it.name.as_str(), it.parameters)).collect();
        let [.., (last, _)] = found[..] else { panic!("{found:?}") };
        assert!(found.contains(&("wavenet", 357_920)) && found.contains(&("autoencoder", 131_105)), "{found:?}");
        assert_eq!((found.len(), last), (models::ALL.len() + 1, "own"));
        assert_eq!(networks[found.len() - 1].title, "dcunet");
    }

    #[test]
    fn only_a_site_of_ours_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        assert!(recognise(folder.path()).is_err());
        let site = finished(&built(), &FinishOptions::default());
        fs::write(site.path().join("CNAME"), "denoise.example").unwrap();
        assert!(format!("{:#}", recognise(site.path()).unwrap_err()).contains("CNAME"));
        fs::remove_file(site.path().join("CNAME")).unwrap();
        fs::remove_file(site.path().join(NETWORKS)).unwrap();
        assert!(recognise(site.path()).is_err());
    }
}
