//! Recipes: everything that the result of a run depends on, in one TOML file, grouped by purpose.
//!
//! `recipes/dcunet-small.toml` has every field with an explanation. What a recipe leaves out is as it is there, but for the
//! network's name and what the recipe is called.

mod data_section;
mod fields;
mod named;
mod noise_section;
mod sections;

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use shared::loss::{Loss, Objective};
use shared::nn::NetworkConfig;

pub use data_section::{DataSection, ItemKind};
pub use named::{NAMED, load, text};
pub use noise_section::{NoiseSection, default_noise};
pub use sections::{ComputePrecision, NetworkSection, OptimiserSection, RunSection, ScheduleSection};

/// The version of recipes that this program reads.
pub const VERSION: u32 = 1;

/// What a run does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Version of the recipe's layout, [`VERSION`].
    pub version: u32,
    /// What is trained on.
    #[serde(default)]
    pub data: DataSection,
    /// What makes it noisy.
    #[serde(default)]
    pub noise: NoiseSection,
    /// What is trained.
    #[serde(default)]
    pub network: NetworkSection,
    /// What is minimised: weights of losses.
    #[serde(default = "default_loss")]
    pub loss: Objective,
    /// How it is minimised.
    #[serde(default)]
    pub optimiser: OptimiserSection,
    /// For how long, and how often what happens.
    #[serde(default)]
    pub schedule: ScheduleSection,
    /// Name, seed, device.
    #[serde(default)]
    pub run: RunSection,
}

fn default_loss() -> Objective {
    Objective::single(Loss::Wsdr)
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            version: VERSION,
            data: DataSection::default(),
            noise: NoiseSection::default(),
            network: NetworkSection::default(),
            loss: default_loss(),
            optimiser: OptimiserSection::default(),
            schedule: ScheduleSection::default(),
            run: RunSection::default(),
        }
    }
}

impl Recipe {
    /// Reads a recipe, with `overrides` such as `schedule.steps=500` in place of what it says.
    ///
    /// # Errors
    /// When it is not TOML, is for another version, has a field that there is not (the message names the nearest that there is),
    /// or a value that cannot be.
    pub fn from_toml(text: &str, overrides: &[String]) -> Result<Self> {
        let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| anyhow::anyhow!("{error}"))?;
        // The version first, so that a later layout is called that and not a broken file.
        match table.get("version") {
            Some(toml::Value::Integer(version)) if *version == i64::from(VERSION) => {}
            Some(version) => {
                bail!("version: expected {VERSION}, got {version}: it is for another version of this program")
            }
            None => bail!("version: expected {VERSION}, got none"),
        }
        for one in overrides {
            fields::set(&mut table, one).with_context(|| format!("--set {one}"))?;
        }
        fields::check(&table)?;
        let one_line = |error: toml::de::Error| anyhow::anyhow!("{}", error.to_string().trim().replace('\n', " "));
        let recipe: Self = table.try_into().map_err(one_line)?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// The recipe as TOML, every field in it.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).context("cannot write the recipe as TOML")
    }

    /// Reads the recipe of an earlier run.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self> {
        let context = || format!("cannot use the recipe {}", path.display());
        Self::from_toml(&std::fs::read_to_string(path).with_context(context)?, overrides).with_context(context)
    }

    /// The fields in which it differs from another recipe, with the values of both.
    ///
    /// # Errors
    /// When one of them cannot be written as TOML.
    pub fn differences(&self, other: &Self) -> Result<Vec<String>> {
        Ok(fields::differences(&toml::Table::try_from(self)?, &toml::Table::try_from(other)?))
    }

    /// The shape of the network.
    pub fn network_config(&self) -> Result<NetworkConfig> {
        self.network.config()
    }

    /// The name of the model.
    pub fn name(&self) -> &str {
        if self.run.name.is_empty() { &self.network.preset } else { &self.run.name }
    }

    /// Checks every figure.
    fn validate(&self) -> Result<()> {
        self.network.validate()?;
        self.data.validate()?;
        self.optimiser.validate()?;
        self.schedule.validate()?;
        self.run.validate()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(text: &str, overrides: &[&str]) -> String {
        let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
        format!("{:#}", Recipe::from_toml(text, &overrides).expect_err("refused"))
    }

    #[test]
    fn what_is_left_out_has_its_default_and_overrides_win() -> Result<()> {
        let recipe = Recipe::from_toml("version = 1", &[])?;
        assert_eq!(recipe, Recipe::default());
        let text = "version = 1\n[schedule]\nsteps = 7\n[loss]\nl1 = 2";
        let overrides = ["schedule.steps=9", "network.preset = wavenet-small", "loss.mse=0.5"].map(str::to_owned);
        let recipe = Recipe::from_toml(text, &overrides)?;
        assert_eq!(recipe.schedule.steps, 9);
        assert_eq!(recipe.network.preset, "wavenet-small");
        assert_eq!(recipe.loss.to_string(), "2 l1 + 0.5 mse");
        assert_eq!(Recipe::from_toml(&recipe.to_toml()?, &[])?, recipe, "what is written is read");
        Ok(())
    }

    #[test]
    fn misspelt_fields_are_refused_with_the_nearest_name() {
        let message = fail("version = 1\n[schedule]\nstep = 7", &[]);
        assert!(message.contains("schedule.step") && message.contains("schedule.steps"), "{message}");
        let message = fail("version = 1\n[shedule]\nsteps = 7", &[]);
        assert!(message.contains("shedule") && message.contains("did you mean schedule?"), "{message}");
        let message = fail("version = 1", &["optimizer.learning_rate=1e-3"]);
        assert!(message.contains("did you mean optimiser?"), "{message}");
        let message = fail("version = 1\n[loss]\nwdsr = 1", &[]);
        assert!(message.contains("did you mean loss.wsdr?"), "{message}");
        let message = fail("version = 1", &["network.shape.compresion=0.3"]);
        assert!(message.contains("compression"), "{message}");
    }

    #[test]
    fn wrong_values_say_what_was_expected_and_what_came() {
        assert!(fail("version = 2", &[]).contains("version: expected 1, got 2"));
        assert!(fail("[data]", &[]).contains("version: expected 1, got none"));
        assert!(fail("version = 1\n[schedule]\nsteps = \"x\"", &[]).contains("steps"));
        assert!(fail("version = 1", &["schedule.steps=0"]).contains("schedule.steps: expected at least 1, got 0"));
        assert!(fail("version = 1", &["schedule.steps"]).contains("expected key=value"));
        assert!(fail("version = 1", &["network.preset=dcunet"]).contains("dcunet-small"));
        assert!(fail("version = 1", &["data.crop_seconds=0"]).contains("data.crop_seconds"));
        for name in ["../elsewhere", "/tmp/run", "a/b", "..", "a\\tb"] {
            let message = fail("version = 1", &[&format!("run.name = \"{name}\"")]);
            assert!(message.contains("run.name: expected one plain folder name"), "{message}");
        }
        assert!(fail("version = 1", &["data.items=cuts"]).contains("crops"));
        assert!(fail("version = 1", &["schedule.steps.more=1"]).contains("schedule.steps"));
        assert!(fail("version = ", &[]).contains("line 1"));
    }
}
