//! `trainer recipes`: the recipes built in, and what each needs.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::SAMPLE_RATE_HZ;
use crate::recipe::{self, Items, NAMED};

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
struct Needs {
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
            print!("{}", recipe::text(name)?);
            return Ok(());
        }
        let needs = NAMED.iter().map(|(name, _)| needs(name)).collect::<Result<Vec<_>>>()?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&needs)?);
        } else {
            print_table(&needs);
        }
        Ok(())
    }
}

fn needs(name: &'static str) -> Result<Needs> {
    let recipe = recipe::load(name, &[])?;
    let config = recipe.network_config()?;
    let (schedule, data) = (&recipe.schedule, &recipe.data);
    assert_eq!(data.items, Items::Crops, "a recipe of ours, whose items have a length");
    let seconds = data.crop_seconds * schedule.batch_size as f64;
    Ok(Needs {
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

fn print_table(needs: &[Needs]) {
    println!(
        "{:15} {:>10} {:>7} {:>6} {:>7} {:>9}  what it is",
        "recipe", "parameters", "steps", "hours", "GB", "tera-MAC"
    );
    for Needs { name, summary, parameters, memory_bytes, steps, hours, macs, .. } in needs {
        let (gigabytes, tera) = (*memory_bytes as f64 / 1e9, macs / 1e12);
        println!("{name:15} {parameters:>10} {steps:>7} {hours:>6.0} {gigabytes:>7.1} {tera:>9.0}  {summary}");
    }
    println!(
        "\nHours of audio seen, memory of a step (estimated), and multiplications in all. Two CPU cores do about 0.02 tera-MAC a \
         second, a large GPU some hundred times as many. All need folders of speech and noise but `synthetic`. `trainer recipes NAME` \
         prints one; `dcunet-small` explains every field."
    );
}
