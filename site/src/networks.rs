//! The list of networks that the page offers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use shared::Bundle;
pub use web::networks::NetworkListing;

/// The site's folder of bundles.
pub const FOLDER: &str = "models";

/// Writes the bundles of `models/models.toml` into a site.
///
/// # Errors
/// When one cannot be written.
pub fn add_ours(site: &Path) -> Result<()> {
    for model in &models::ALL {
        write(site, model.name, model.bundle)?;
    }
    Ok(())
}

/// Copies the bundles of a folder into a site; one with the name of another replaces it.
///
/// # Errors
/// When there are none, or one cannot be used: which, and why.
pub fn add(from: &Path, site: &Path) -> Result<()> {
    let bundles = bundles(from)?;
    if bundles.is_empty() {
        bail!("{} has no bundles, whose names end in .zip", from.display());
    }
    for path in bundles {
        let (bytes, _) = read(&path)?;
        write(site, &name(&path)?, &bytes)?;
    }
    Ok(())
}

fn write(site: &Path, name: &str, bundle: &[u8]) -> Result<()> {
    let folder = site.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(format!("{name}.zip"));
    fs::write(&path, bundle).with_context(|| format!("cannot write {}", path.display()))
}

/// The networks of a site, in the order of the page.
///
/// # Errors
/// When one cannot be read.
pub fn list(site: &Path) -> Result<Vec<NetworkListing>> {
    let mut networks = Vec::new();
    for path in bundles(&site.join(FOLDER))? {
        let (bytes, bundle) = read(&path)?;
        let name = name(&path)?;
        networks.push(NetworkListing {
            file: format!("{FOLDER}/{name}.zip"),
            bytes: bytes.len(),
            title: bundle.card.name,
            default: false,
            summary: bundle.card.summary,
            parameters: bundle.card.parameters,
            name,
        });
    }
    Ok(arrange(networks))
}

/// Sorts networks as in `models/models.toml` with others behind, titles them and chooses the default: the first one.
fn arrange(mut networks: Vec<NetworkListing>) -> Vec<NetworkListing> {
    let known = |name: &str| models::ALL.iter().position(|model| model.name == name);
    networks.sort_by_key(|network| (known(&network.name).unwrap_or(models::ALL.len()), network.name.clone()));
    let mut taken: Vec<String> = Vec::new();
    for (index, network) in networks.iter_mut().enumerate() {
        network.default = index == 0;
        if let Some(known) = known(&network.name) {
            network.title = models::ALL[known].title.to_owned();
        } else if network.title.is_empty() {
            network.title.clone_from(&network.name);
        } else if taken.contains(&network.title) {
            // Two runs of one recipe, say.
            network.title = format!("{} ({})", network.title, network.name);
        }
        taken.push(network.title.clone());
    }
    networks
}

/// The bundles of a folder, by name.
fn bundles(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<(Vec<u8>, Bundle)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bundle = Bundle::from_bytes(&bytes).with_context(|| format!("cannot use {}", path.display()))?;
    Ok((bytes, bundle))
}

fn name(path: &Path) -> Result<String> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    if name.is_empty() || !name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
    {
        bail!("rename {}: its name becomes part of an address, so letters, digits, -, _ and . only", path.display());
    }
    Ok(name.into_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn network(name: &str, title: &str) -> NetworkListing {
        NetworkListing {
            name: name.to_owned(),
            file: String::new(),
            bytes: 0,
            title: title.to_owned(),
            default: false,
            summary: String::new(),
            parameters: 0,
        }
    }

    #[test]
    fn known_networks_come_first_and_all_have_titles() {
        let names = [("zeta", "café"), ("autoencoder", "x"), ("alpha", "café"), ("beta", ""), ("dcunet", "dcunet")];
        let arranged = arrange(names.map(|(name, title)| network(name, title)).into());
        let arranged: Vec<_> = arranged.iter().map(|it| (it.name.as_str(), it.title.as_str(), it.default)).collect();
        assert_eq!(
            arranged,
            [
                ("dcunet", "Deep Complex U-Net", true),
                ("autoencoder", "Autoencoder (one layer)", false),
                ("alpha", "café", false),
                ("beta", "beta", false),
                ("zeta", "café (zeta)", false),
            ]
        );
        assert!(arrange(vec![network("own", "mine")])[0].default);
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named() {
        let [from, site] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let refused = || format!("{:#}", add(from.path(), site.path()).unwrap_err());
        assert!(refused().contains("has no bundles"));
        fs::write(from.path().join("broken.zip"), "PK").unwrap();
        assert!(refused().contains("broken.zip: "), "{}", refused());
        fs::remove_file(from.path().join("broken.zip")).unwrap();
        let network = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/wavenet.zip");
        fs::copy(network, from.path().join("my net.zip")).unwrap();
        assert!(refused().starts_with("rename "), "{}", refused());
    }
}
