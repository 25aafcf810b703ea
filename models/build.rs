//! Makes the list of models in `src/lib.rs` from `models.toml`, so that a new model is an entry there and a bundle beside it.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    model: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    title: String,
    about: String,
}

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let list = Path::new(&folder).join("models.toml");
    println!("cargo::rerun-if-changed={}", list.display());
    let text = fs::read_to_string(&list).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    let List { model } = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    assert!(!model.is_empty(), "{}: expected at least one model", list.display());

    let mut code = format!(
        "/// All of them, in the order in which people see them.\npub const ALL: [Model; {}] = [\n",
        model.len()
    );
    for Entry { name, title, about } in &model {
        let bundle = Path::new(&folder).join(format!("{name}.zip"));
        println!("cargo::rerun-if-changed={}", bundle.display());
        assert!(bundle.is_file(), "{}: expected the bundle {}", list.display(), bundle.display());
        let bytes = format!("include_bytes!({:?})", bundle.display().to_string());
        writeln!(code, "    Model {{ name: {name:?}, title: {title:?}, about: {about:?}, bundle: {bytes} }},")
            .expect("writing to a String cannot fail");
    }
    code += "];\n";
    let out = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("models.rs");
    fs::write(&out, code).unwrap_or_else(|error| panic!("{}: {error}", out.display()));
}
