//! The trained networks of this project. `models.toml` lists them, and `build.rs` makes that list into [`ALL`].

/// A trained network.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// What people type, as in `--model dcunet`.
    pub name: &'static str,
    /// Its name on the page.
    pub title: &'static str,
    /// One line for lists.
    pub about: &'static str,
    /// The bytes of its bundle.
    pub bundle: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// The model that is used unless another is named.
pub const DEFAULT: Model = ALL[0];

/// The model of that name.
pub fn find(name: &str) -> Option<Model> {
    ALL.into_iter().find(|model| model.name == name)
}

/// All names, as in `dcunet, wavenet`.
pub fn names() -> String {
    ALL.map(|model| model.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundle_in_the_folder_is_listed() {
        let files = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("this folder");
        let names = files.map(|file| file.expect("an entry").file_name().to_string_lossy().into_owned());
        let bundles: Vec<String> = names.filter_map(|name| name.strip_suffix(".zip").map(str::to_owned)).collect();
        assert_eq!(bundles.len(), ALL.len(), "{bundles:?}");
        assert!(bundles.iter().all(|name| find(name).is_some()), "{bundles:?}");
    }
}
