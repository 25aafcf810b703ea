//! No two files of different folders import each other: a folder can then be understood, and moved, without what uses it.
//!
//! An import is a `use`, or a path in code, that starts with `crate`, `super`, `self` or a module of the file's own. It counts
//! for the file that defines the item: a `pub use` on the way is followed, and is no import itself. Tests inside files are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};
use walkdir::WalkDir;

use crate::root;

/// A path, and the name that a `use` gives to what it leads to; `*` for all names.
struct Import {
    path: Vec<String>,
    name: String,
}

/// What a file imports, and what it passes on to those who import it.
#[derive(Default)]
struct Imports {
    own: Vec<Import>,
    passed_on: Vec<Import>,
}

impl Imports {
    fn of(source: &str) -> syn::Result<Self> {
        let mut imports = Self::default();
        imports.visit_file(&syn::parse_file(source)?);
        Ok(imports)
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(ItemMod { attrs, .. }) | Item::Use(ItemUse { attrs, .. }) => attrs.as_slice(),
            _ => &[],
        };
        if !attributes.iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let imports = if matches!(item.vis, Visibility::Inherited) { &mut self.own } else { &mut self.passed_on };
        flatten(&item.tree, &mut Vec::new(), imports);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let path: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.own.push(Import { path, name: String::new() });
        }
        visit::visit_path(self, path);
    }
}

/// Whether an attribute is `#[cfg(test)]`.
fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
}

/// Adds each name of a `use` with its whole path.
fn flatten(tree: &UseTree, before: &mut Vec<String>, imports: &mut Vec<Import>) {
    let mut add = |last: &dyn ToString, name: String| {
        let path = before.iter().cloned().chain([last.to_string()]).filter(|part| part != "*").collect();
        imports.push(Import { path, name });
    };
    match tree {
        UseTree::Name(name) => add(&name.ident, name.ident.to_string()),
        UseTree::Rename(renamed) => add(&renamed.ident, renamed.rename.to_string()),
        UseTree::Glob(_) => add(&"*", "*".to_owned()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, imports)),
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, imports);
            before.pop();
        }
    }
}

/// The sources of the workspace, by path.
struct SourceFiles(BTreeMap<PathBuf, Imports>);

impl SourceFiles {
    fn read(root: &Path) -> Self {
        let mut files = BTreeMap::new();
        for folder in
            fs::read_dir(root).expect("the workspace").map(|entry| entry.expect("an entry").path().join("src"))
        {
            for entry in WalkDir::new(folder).into_iter().filter_map(Result::ok) {
                if entry.path().extension().is_some_and(|extension| extension == "rs") {
                    let source = fs::read_to_string(entry.path()).expect("a source file");
                    let imports =
                        Imports::of(&source).unwrap_or_else(|error| panic!("{}: {error}", entry.path().display()));
                    files.insert(entry.into_path(), imports);
                }
            }
        }
        Self(files)
    }

    /// The file in which an item is defined that this path leads to from a file; none for what is not in the crate.
    fn target(&self, from: &Path, path: &[String]) -> Option<PathBuf> {
        let folder = modules(from);
        let (mut file, mut folder, rest) = match path[0].as_str() {
            "crate" => {
                let root = folder.ancestors().find(|folder| self.crate_root(folder).is_some())?;
                (self.crate_root(root)?, root.to_owned(), &path[1..])
            }
            "super" => {
                let parent = folder.parent()?;
                (self.module(parent)?, parent.to_owned(), &path[1..])
            }
            "self" => (from.to_owned(), folder, &path[1..]),
            child => (self.module(&folder.join(child))?, folder.join(child), &path[1..]),
        };
        for (index, name) in rest.iter().enumerate() {
            if name == "super" {
                folder.pop();
                file = self.module(&folder)?;
            } else if let Some(child) = self.module(&folder.join(name)) {
                (file, folder) = (child, folder.join(name));
            } else {
                let passed_on = &self.0[&file].passed_on;
                let named = passed_on.iter().find(|import| import.name == *name);
                let further = named.map(|import| [&import.path[..], &rest[index + 1..]].concat());
                return Some(further.and_then(|path| self.target(&file, &path)).unwrap_or(file));
            }
        }
        Some(file)
    }

    /// The file of the module whose own modules are in this folder.
    fn module(&self, folder: &Path) -> Option<PathBuf> {
        let files = [folder.join("mod.rs"), folder.with_extension("rs")];
        files.into_iter().find(|file| self.0.contains_key(file)).or_else(|| self.crate_root(folder))
    }

    fn crate_root(&self, folder: &Path) -> Option<PathBuf> {
        ["lib.rs", "main.rs"].map(|name| folder.join(name)).into_iter().find(|file| self.0.contains_key(file))
    }

    /// Pairs of files in different folders that import each other.
    fn circles(&self) -> Vec<[&Path; 2]> {
        let mut edges = BTreeSet::new();
        for (from, imports) in &self.0 {
            let targets = imports.own.iter().filter_map(|import| self.target(from, &import.path));
            edges.extend(targets.filter(|to| to.parent() != from.parent()).map(|to| (from.as_path(), to)));
        }
        let back = |from: &Path, to: &Path| edges.contains(&(to, from.to_owned()));
        let pairs = edges.iter().filter(|(from, to)| *from < to.as_path() && back(from, to));
        pairs.map(|(from, to)| [*from, self.0.get_key_value(to).expect("a source file").0.as_path()]).collect()
    }
}

/// The folder in which the modules of a file are.
fn modules(file: &Path) -> PathBuf {
    let is_folder = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| file.ends_with(name));
    if is_folder { file.parent().unwrap_or(file).to_owned() } else { file.with_extension("") }
}

#[test]
fn no_two_files_of_different_folders_import_each_other() {
    let root = root();
    let sources = SourceFiles::read(&root);
    let short = |file: &Path| file.strip_prefix(&root).unwrap_or(file).display().to_string();
    let circles: Vec<_> = sources.circles().iter().map(|[a, b]| format!("{} and {}", short(a), short(b))).collect();
    assert!(circles.is_empty(), "files that import each other:\n{}", circles.join("\n"));
}

#[test]
fn circles_are_found_through_re_exports_and_in_code() {
    let of = |files: &[(&str, &str)]| {
        let parsed = files.iter().map(|(path, source)| ((*path).into(), Imports::of(source).expect("Rust")));
        let sources = SourceFiles(parsed.collect());
        sources.circles().iter().map(|pair| pair.map(|path| path.display().to_string())).collect::<Vec<_>>()
    };
    let lib = ("src/lib.rs", "pub mod a; pub mod b;");
    let a = ("src/a/mod.rs", "mod inner; pub use inner::{Deep, Other};");
    let inner = ("src/a/inner.rs", "use crate::b::Low; pub struct Deep; pub struct Other;");
    let pair = [["src/a/inner.rs".to_owned(), "src/b.rs".to_owned()]];

    assert_eq!(of(&[lib, a, inner, ("src/b.rs", "use super::a::{Deep as D}; pub struct Low;")]), pair);
    assert_eq!(of(&[lib, a, inner, ("src/b.rs", "fn low() { let x: Vec<crate::a::Other> = vec![]; }")]), pair);
    assert!(of(&[lib, a, inner, ("src/b.rs", "#[cfg(test)] mod tests { use crate::a::Deep; }")]).is_empty());
    assert!(of(&[lib, a, inner, ("src/b.rs", "pub use crate::a::Deep; pub struct Low;")]).is_empty());
    // In one folder they may.
    assert!(of(&[lib, ("src/a.rs", "use crate::b;"), ("src/b.rs", "use crate::a;")]).is_empty());
}
