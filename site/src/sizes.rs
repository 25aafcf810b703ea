//! How much the page makes people fetch.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use crate::finish::{NETWORKS, SERVICE_WORKER};
use crate::networks::{FOLDER, NetworkListing};

/// How hard brotli tries: its most, as hosts that compress ahead of time do.
const QUALITY: u32 = 11;
/// Log2 of brotli's window.
const WINDOW: u32 = 22;

/// Something that is fetched at once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    /// All that is needed before the page can be used.
    Page,
    /// What makes pictures and files, in a worker of its own.
    Painter,
    /// What denoises, in the worker.
    Engine,
    /// The network chosen at first.
    Network,
    /// All networks.
    Networks,
}

impl Part {
    /// What it is called, and how large it may be, in bytes.
    fn budget(self) -> (&'static str, usize) {
        match self {
            Self::Page => ("the page, until it can be used", 250_000),
            Self::Painter => ("the painter", 500_000),
            Self::Engine => ("the engine", 2_000_000),
            Self::Network => ("the default network", 3_000_000),
            Self::Networks => ("all networks", 12_000_000),
        }
    }
}

/// Prints what each part of a site weighs, compressed.
///
/// # Errors
/// When one weighs more than it may, or is not there.
pub fn check(site: &Path) -> Result<()> {
    let mut over = Vec::new();
    for (part, bytes) in measure(site)? {
        let (name, limit) = part.budget();
        println!("{name}: {} kB of at most {} kB", bytes.div_ceil(1000), limit / 1000);
        if bytes > limit {
            over.push(name);
        }
    }
    if !over.is_empty() {
        bail!("too large: {}", over.join(", "));
    }
    Ok(())
}

/// Compressed bytes of each part.
fn measure(site: &Path) -> Result<Vec<(Part, usize)>> {
    let list = fs::read(site.join(NETWORKS)).with_context(|| format!("cannot read {NETWORKS}"))?;
    let networks: Vec<NetworkListing> =
        serde_json::from_slice(&list).with_context(|| format!("cannot read {NETWORKS}"))?;
    let default = networks.iter().find(|network| network.default).map(|network| network.file.as_str());

    let mut sums = [Part::Page, Part::Painter, Part::Engine, Part::Network, Part::Networks].map(|part| (part, 0));
    for entry in WalkDir::new(site).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read {}", site.display()))?;
        let name = entry.path().strip_prefix(site).unwrap_or(entry.path()).to_string_lossy().replace('\\', "/");
        let parts = parts(&name, default);
        if entry.file_type().is_dir() || parts.is_empty() {
            continue;
        }
        let bytes = compressed(&fs::read(entry.path()).with_context(|| format!("cannot read {name}"))?)?;
        for (_, sum) in sums.iter_mut().filter(|(part, _)| parts.contains(part)) {
            *sum += bytes;
        }
    }
    if let Some((part, _)) = sums.iter().find(|(_, sum)| *sum == 0) {
        bail!("the site lacks {}", part.budget().0);
    }
    Ok(sums.into())
}

/// The parts that a file belongs to; none for what is fetched later, if at all.
fn parts(name: &str, default: Option<&str>) -> Vec<Part> {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if name.starts_with(&format!("{FOLDER}/")) {
        let chosen = (Some(name) == default).then_some(Part::Network);
        return chosen.into_iter().chain(ends(&[".zip"]).then_some(Part::Networks)).collect();
    }
    match name {
        _ if name.starts_with("worker") => vec![Part::Engine],
        _ if name.starts_with("painter") => vec![Part::Painter],
        // Installed once the page is there; fetched when somebody listens live.
        SERVICE_WORKER | "live.js" => Vec::new(),
        _ if name == NETWORKS || ends(&[".html", ".css", ".js", ".wasm"]) => vec![Part::Page],
        _ => Vec::new(),
    }
}

fn compressed(content: &[u8]) -> Result<usize> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, QUALITY, WINDOW);
    encoder.write_all(content).context("cannot compress")?;
    Ok(encoder.into_inner().len())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Bytes that cannot be compressed.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let step = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(step).collect()
    }

    #[test]
    fn each_file_counts_where_it_is_fetched() {
        let default = Some("models/dcunet.zip");
        let page = ["index.html", "style-1.css", "start.js", "page-1.js", "page-1_bg.wasm", "models.json"];
        for name in page.into_iter().chain(["snippets/a/inline0.js"]) {
            assert_eq!(parts(name, default), [Part::Page], "{name}");
        }
        for name in ["worker.js", "worker_bg.wasm", "worker_loader.js", "worker-1_bg.wasm"] {
            assert_eq!(parts(name, default), [Part::Engine], "{name}");
        }
        assert_eq!(parts("painter_bg.wasm", default), [Part::Painter]);
        assert_eq!(parts("models/dcunet.zip", default), [Part::Network, Part::Networks]);
        assert_eq!(parts("models/wavenet.zip", default), [Part::Networks]);
        for name in ["sw.js", "live.js", "icon.svg", "manifest.webmanifest"] {
            assert_eq!(parts(name, default), [], "{name}");
        }
    }

    #[test]
    fn a_part_that_is_too_large_or_missing_fails() {
        let site = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8]| fs::write(site.path().join(name), content).unwrap();
        let list = [NetworkListing {
            name: "own".to_owned(),
            file: "models/own.zip".to_owned(),
            bytes: 0,
            title: String::new(),
            default: true,
            summary: String::new(),
            parameters: 0,
        }];
        write(NETWORKS, &serde_json::to_vec(&list).unwrap());
        fs::create_dir(site.path().join(FOLDER)).unwrap();
        write("models/own.zip", &noise(1000));
        assert!(check(site.path()).unwrap_err().to_string().contains("lacks the painter"));

        // The same byte over and over weighs next to nothing.
        write("painter_bg.wasm", &[7; 1_000_000]);
        write("worker_bg.wasm", &[7; 3_000_000]);
        write("page_bg.wasm", &noise(200_000));
        check(site.path()).unwrap();
        write("page.js", &noise(60_000));
        assert!(check(site.path()).unwrap_err().to_string().starts_with("too large: the page"));
    }
}
