//! The page that trunk writes, with the blanks of `index.html` filled in.
//!
//! Trunk starts the page by a script that stands in it, which [`POLICY`] forbids. `Trunk.toml` has it name `start.js` instead.

use anyhow::{Result, bail};

use crate::policy::POLICY;

/// What stands in the page for the policy, and for the path that the site is served under.
const BLANKS: [&str; 2] = ["{{policy}}", "<!-- base -->"];

/// Writes the policy, and `base` where given, into the page.
///
/// # Errors
/// When the page does not have each blank once.
pub fn finish(page: &str, base: Option<&str>) -> Result<String> {
    let base = base.map(|base| format!("<base href=\"{base}\" />")).unwrap_or_default();
    let mut finished = page.to_owned();
    for (blank, value) in BLANKS.into_iter().zip([POLICY, &base]) {
        if finished.matches(blank).count() != 1 {
            bail!("the page must have {blank} once");
        }
        finished = finished.replace(blank, value);
    }
    Ok(finished)
}

/// A path that the site is served under, if it can be one.
///
/// # Errors
/// What is wrong with it.
pub fn base_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') || !text.ends_with('/') {
        return Err("it must begin and end with a slash, as in /denoise/".to_owned());
    }
    if text.contains("//") {
        return Err("it must be a path on the site's own host, without //".to_owned());
    }
    let usable = |character: char| character.is_ascii_alphanumeric() || "/-._~%".contains(character);
    match text.chars().find(|character| !usable(*character)) {
        Some(character) => Err(format!("{character:?} must be written as in a URL, with % and its number")),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../index.html");

    #[test]
    fn the_policy_and_the_base_come_before_every_address() {
        let page = finish(PAGE, Some("/denoise/")).unwrap();
        let place = |what: &str| page.find(what).unwrap();
        assert!(place("default-src 'none'") < place("<base href=\"/denoise/\" />"));
        assert!(place("<base") < place("<link"));
        assert!(!POLICY.contains("unsafe-inline") && !POLICY.contains("frame-ancestors"));

        let page = finish(PAGE, None).unwrap();
        assert!(page.contains(POLICY) && !page.contains("<base") && !page.contains("{{"));
        assert!(finish("<head></head>", None).is_err());
    }

    #[test]
    fn no_script_stands_in_the_page() {
        assert!(!PAGE.contains("<script"));
        let trunk = include_str!("../../Trunk.toml");
        assert!(trunk.contains("src=\"./start.js\""), "{trunk}");
        let start = include_str!("../../web/public/start.js");
        for name in ["js", "wasm"] {
            assert!(trunk.contains(&format!("data-{name}=\"{{base}}{{{name}}}\"")) && start.contains(name), "{name}");
        }
    }

    #[test]
    fn bases_are_paths_of_this_host() {
        for good in ["/", "/denoise/", "/a/b-c_d~e.f/%20/"] {
            assert_eq!(base_path(good).as_deref(), Ok(good));
        }
        for bad in ["", "denoise/", "/denoise", "./", "//elsewhere/", "/a//", "/a\"b/", "/a b/", "/?a/", "https://a/"] {
            assert!(base_path(bad).is_err(), "{bad}");
        }
    }
}
