//! `trainer recipes`: the recipes built in, and what each needs.

use std::fmt::Write;

use anyhow::Result;
use clap::Args;
use cli::stdout;
use serde::Serialize;

use crate::SAMPLE_RATE_HZ;
use crate::recipe::{self, ItemKind, NAMED};

/// List the recipes built in, with what each needs; or print one.
#[derive(Args)]
pub struct RecipesArguments {
    /// Print this one, to make one's own of it.
    name: Option<String>,
    /// Print JSON.
    #[arg(long, conflicts_with = "name")]
    json: bool,
}

/// A recipe and what it needs.
#[derive(Serialize)]
struct RecipeNeeds {
    name: &'static str,
    summary: String,
    network: String,
    parameters: u64,
    /// Memory of a step, estimated.
    memory_bytes: u64,
    steps: usize,
    batch_size: usize,
    /// Hours of audio in all steps.
    hours: f64,
    /// Multiply-accumulate operations in all steps, a backward pass counting for two forward ones.
    macs: f64,
}

impl RecipesArguments {
    /// Does what was asked.
    pub fn run(self) -> Result<()> {
        if let Some(name) = &self.name {
            return stdout::print(recipe::text(name)?);
        }
        let needs = NAMED.iter().map(|(name, _)| needs(name)).collect::<Result<Vec<_>>>()?;
        match self.json {
            true => stdout::print(format_args!("{}\n", serde_json::to_string_pretty(&needs)?)),
            false => stdout::print(table(&needs)),
        }
    }
}

fn needs(name: &'static str) -> Result<RecipeNeeds> {
    let recipe = recipe::load(name, &[])?;
    let config = recipe.network_config()?;
    let (schedule, data) = (&recipe.schedule, &recipe.data);
    assert_eq!(data.items, ItemKind::Crops, "a recipe of ours, whose items have a length");
    let seconds = data.crop_seconds * schedule.batch_size as f64;
    Ok(RecipeNeeds {
        name,
        summary: recipe.run.summary.clone(),
        network: recipe.network.preset.clone(),
        parameters: config.parameters(),
        memory_bytes: config.training_bytes((seconds * f64::from(SAMPLE_RATE_HZ)) as u64),
        steps: schedule.steps,
        batch_size: schedule.batch_size,
        hours: seconds * schedule.steps as f64 / 3600.0,
        macs: 3.0 * config.macs_per_second(SAMPLE_RATE_HZ) * seconds * schedule.steps as f64,
    })
}

/// The recipes, a line each.
fn table(recipes: &[RecipeNeeds]) -> String {
    let mut table = format!(
        "{:15} {:>10} {:>7} {:>6} {:>7} {:>9}  what it is\n",
        "recipe", "parameters", "steps", "hours", "GB", "tera-MAC"
    );
    for RecipeNeeds { name, summary, parameters, memory_bytes, steps, hours, macs, .. } in recipes {
        let (gigabytes, tera) = (*memory_bytes as f64 / 1e9, macs / 1e12);
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "{name:15} {parameters:>10} {steps:>7} {hours:>6.0} {gigabytes:>7.1} {tera:>9.0}  {summary}"
        );
    }
    table += "\nHours of audio seen, memory of a step (estimated), and multiplications in all. Two CPU cores do about 0.02 tera-MAC a \
              second, a large GPU some hundred times as many. All need folders of speech and noise but `synthetic`. `trainer recipes NAME` \
              prints one; `dcunet-small` explains every field.\n";
    table
}
