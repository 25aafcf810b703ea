//! What is changed in the page that trunk writes, so that it may live under [`POLICY`] on any host.

use std::ops::Range;

use anyhow::{Context, Result};
use xtask::policy::POLICY;

use crate::digest::digest;

/// The page, and what was taken out of it.
pub struct Page {
    /// The document.
    pub html: String,
    /// Scripts that stood in it: names of files that lie beside it, and their content.
    pub scripts: Vec<(String, String)>,
}

/// Writes the policy, and `base` where given, into the head, and moves scripts into files.
///
/// # Errors
/// When the document has no head, or a script has no end.
pub fn finish(html: &str, base: Option<&str>) -> Result<Page> {
    let mut scripts = Vec::new();
    let mut finished = String::new();
    let mut done = 0;
    for script in inline_scripts(html)? {
        let content = &html[script.content.clone()];
        let name = format!("start-{}.js", digest([content.as_bytes()]));
        finished += &html[done..script.tag_end];
        finished += &format!(" src=\"./{name}\">");
        done = script.content.end;
        scripts.push((name, content.to_owned()));
    }
    finished += &html[done..];

    let head = tags(&finished, "head").next().context("the page has no <head>")?.end;
    let mut first = format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\" />");
    if let Some(base) = base {
        first += &format!("<base href=\"{base}\" />");
    }
    finished.insert_str(head, &first);
    Ok(Page { html: finished, scripts })
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

/// A script that stands in the document.
struct Script {
    /// Where its opening tag ends, before the `>`.
    tag_end: usize,
    content: Range<usize>,
}

/// The scripts of a document that have no file of their own.
fn inline_scripts(html: &str) -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    let mut end = 0;
    for tag in tags(html, "script") {
        // A text in a script that looks like a tag.
        if tag.start < end {
            continue;
        }
        let length = find_ignoring_case(&html[tag.end..], "</script").context("a <script> of the page has no end")?;
        end = tag.end + length;
        let attributes = attributes(&html[tag.start + "<script".len()..tag.end - 1]);
        let value = |name| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        // Anything else is data, which no policy forbids.
        let runs = matches!(value("type").unwrap_or(""), "" | "module" | "text/javascript" | "application/javascript");
        if runs && value("src").is_none() {
            scripts.push(Script { tag_end: tag.end - 1, content: tag.end..end });
        }
    }
    Ok(scripts)
}

/// Where the opening tags of this name are, comments left out.
fn tags<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut position = 0;
    std::iter::from_fn(move || {
        loop {
            let start = position + html[position..].find('<')?;
            let rest = &html[start + 1..];
            if rest.starts_with("!--") {
                position = start + rest.find("-->")?;
                continue;
            }
            position = start + 1;
            let named = rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
            if named && rest[name.len()..].starts_with(|next: char| next.is_whitespace() || "/>".contains(next)) {
                position = start + tag_length(&html[start..])?;
                return Some(start..position);
            }
        }
    })
}

/// Bytes up to and with the `>` that is in no quotes.
fn tag_length(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (index, character) in tag.char_indices() {
        match quote {
            None if character == '>' => return Some(index + 1),
            None if "\"'".contains(character) => quote = Some(character),
            Some(open) if open == character => quote = None,
            _ => {}
        }
    }
    None
}

/// Names, in lower case, and values.
fn attributes(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start_matches(|character: char| character.is_whitespace() || character == '/');
        if text.is_empty() {
            return found;
        }
        let length = text.find(|character: char| character.is_whitespace() || "=/".contains(character));
        // A `=` in front of everything is part of a name.
        let (name, rest) = text.split_at(length.filter(|length| *length > 0).unwrap_or(text.len()));
        let mut value = "";
        text = rest;
        if let Some(rest) = rest.trim_start().strip_prefix('=') {
            let rest = rest.trim_start();
            let quote = rest.chars().next().filter(|first| "\"'".contains(*first));
            (value, text) = match quote {
                Some(quote) => rest[1..].split_once(quote).unwrap_or((&rest[1..], "")),
                None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
            };
        }
        found.push((name.to_ascii_lowercase(), value.to_owned()));
    }
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(what)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn scripts_become_files_and_all_else_stays() {
        let html = "<!doctype html><html><HEAD lang='a>b'>\n<!-- <script>not this</script> -->\
                    <script type=\"module\">import a from './a.js'; '<script>'</script>\
                    <link rel=\"modulepreload\" href=\"./a.js\" integrity=\"sha384-x\">\
                    <script src=\"b.js\"></script><script type='application/json'>{}</script></HEAD>\
                    <body><SCRIPT>1 > 0</SCRIPT><p>Überall</p></body></html>";
        let page = finish(html, None).unwrap();
        let [(module, import), (classic, sum)] = &page.scripts[..] else { panic!("two scripts: {}", page.html) };
        assert_eq!(import, "import a from './a.js'; '<script>'");
        assert_eq!(sum, "1 > 0");
        assert!(module.starts_with("start-") && module.ends_with(".js") && module.len() == 25, "{module}");
        assert_eq!(
            page.html,
            format!(
                "<!doctype html><html><HEAD lang='a>b'><meta http-equiv=\"Content-Security-Policy\" \
                 content=\"{POLICY}\" />\n<!-- <script>not this</script> -->\
                 <script type=\"module\" src=\"./{module}\"></script>\
                 <link rel=\"modulepreload\" href=\"./a.js\" integrity=\"sha384-x\">\
                 <script src=\"b.js\"></script><script type='application/json'>{{}}</script></HEAD>\
                 <body><SCRIPT src=\"./{classic}\"></SCRIPT><p>Überall</p></body></html>"
            )
        );
        assert!(!POLICY.contains("unsafe-inline") && !POLICY.contains("frame-ancestors"));
    }

    #[test]
    fn the_base_comes_before_every_address() {
        let page = finish("<head><link href=\"a\"></head>", Some("/denoise/")).unwrap();
        let place = |what| page.html.find(what).unwrap();
        assert!(place("<meta http-equiv") < place("<base href=\"/denoise/\" />"));
        assert!(place("<base") < place("<link"));
        assert!(finish("<header></header>", None).is_err());
        assert!(finish("<head><script>", None).is_err());
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
