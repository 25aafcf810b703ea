//! Recipes by name: those in the folder `recipes`, built into the program.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Recipe, fields};

macro_rules! named {
    ($($name:literal),* $(,)?) => {
        /// Names and texts of the recipes built in, in the order in which people should meet them.
        pub const NAMED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../recipes/", $name, ".toml")))),*];
    };
}

named!(
    "dcunet-small",
    "dcunet-small-more",
    "dcunet-medium",
    "dcunet-10",
    "dcunet-20",
    "large-dcunet-20",
    "wavenet-small",
    "wavenet-small-blend",
    "wavenet-small-more",
    "wavenet",
    "rnnformer",
    "rnnformer-tiny",
    "autoencoder",
    "synthetic",
);

/// The text of a recipe that is built in.
///
/// # Errors
/// When there is none of that name; the message has the nearest that there is.
pub fn text(name: &str) -> Result<&'static str> {
    let found = NAMED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    found.with_context(|| {
        let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
        match fields::nearest(name, names.iter().copied()) {
            Some(nearest) => format!("there is no recipe, and no file, {name:?}; did you mean {nearest}?"),
            None => format!("there is no recipe, and no file, {name:?}; expected one of {}", names.join(", ")),
        }
    })
}

/// A recipe by its name, or from a file, with overrides. A name that is built in wins over a file of that name.
///
/// # Errors
/// When there is no such recipe and no such file, or as [`Recipe::from_toml`].
pub fn load(name: &str, overrides: &[String]) -> Result<Recipe> {
    match text(name) {
        Ok(text) => Recipe::from_toml(text, overrides).with_context(|| format!("recipe {name}")),
        Err(error) if !Path::new(name).exists() => Err(error),
        Err(_) => Recipe::read(Path::new(name), overrides),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_can_be_read() -> Result<()> {
        for (name, _) in NAMED {
            let recipe = load(name, &[])?;
            assert!(!recipe.run.summary.is_empty(), "{name} says what it is");
        }
        // What a recipe minimises besides can be left out.
        let recipe = load("dcunet-small", &["loss.compressed-spectrum=0".into(), "loss.error-level=0".into()])?;
        assert_eq!(recipe.loss.to_string(), "wsdr");
        Ok(())
    }

    #[test]
    fn the_first_recipe_explains_every_field_and_has_the_defaults() -> Result<()> {
        let text = NAMED[0].1;
        let mut recipe = load(NAMED[0].0, &[])?;
        recipe.run.summary.clear();
        recipe.run.limits.clear();
        let expected = Recipe { loss: recipe.loss.clone(), ..Recipe::default() };
        assert_eq!(recipe, expected, "it leaves nothing to guess");
        let lines: Vec<&str> = text.lines().collect();
        for (section, fields) in toml::Table::try_from(Recipe::default())? {
            let Some(fields) = fields.as_table() else { continue };
            let start = lines.iter().position(|line| *line == format!("[{section}]"));
            let start = start.unwrap_or_else(|| panic!("no section {section}"));
            let end = lines[start + 1..].iter().position(|line| line.starts_with('[') && !line.starts_with("[["));
            let part = &lines[start..end.map_or(lines.len(), |end| start + 1 + end)];
            for field in fields.keys().filter(|_| section != "loss") {
                let at = part.iter().position(|line| line.starts_with(&format!("{field} = ")));
                let at = at.unwrap_or_else(|| panic!("{section}.{field} is not in {}", NAMED[0].0));
                assert!(
                    part[at].contains(" # ") || part[at - 1].starts_with('#'),
                    "{section}.{field} is not explained"
                );
            }
        }
        Ok(())
    }
}
