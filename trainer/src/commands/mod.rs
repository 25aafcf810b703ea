//! The command line: one file or folder for each command, with its arguments and what it does.

mod average;
mod bench;
mod corrupt;
mod evaluate;
mod exchange;
mod identity;
mod list_models;
mod list_recipes;
mod mix;
mod report;
mod train;

use anyhow::Result;
use clap::{Parser, Subcommand};
use cli::denoise::DenoiseArguments;

use self::average::AverageArguments;
use self::bench::BenchArguments;
use self::corrupt::CorruptArguments;
use self::evaluate::EvaluateArguments;
use self::exchange::{ExportArguments, ImportArguments};
use self::identity::IdentityArguments;
use self::list_models::ModelsArguments;
use self::list_recipes::RecipesArguments;
use self::mix::MixArguments;
use self::report::ReportArguments;
use self::train::TrainArguments;

/// Trains, evaluates and runs networks that remove noise from speech.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
pub struct TrainerArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Denoise(Box<DenoiseArguments>),
    Train(Box<TrainArguments>),
    Report(ReportArguments),
    Identity(IdentityArguments),
    Evaluate(EvaluateArguments),
    Corrupt(Box<CorruptArguments>),
    Mix(MixArguments),
    Models(ModelsArguments),
    Recipes(RecipesArguments),
    Export(ExportArguments),
    Import(ImportArguments),
    Average(AverageArguments),
    Bench(BenchArguments),
}

impl TrainerArguments {
    /// Does what was asked.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Denoise(arguments) => arguments.run(),
            Command::Train(arguments) => arguments.run(),
            Command::Report(arguments) => arguments.run(),
            Command::Identity(arguments) => arguments.run(),
            Command::Evaluate(arguments) => arguments.run(),
            Command::Corrupt(arguments) => arguments.run(),
            Command::Mix(arguments) => arguments.run(),
            Command::Models(arguments) => arguments.run(),
            Command::Recipes(arguments) => arguments.run(),
            Command::Export(arguments) => arguments.run(),
            Command::Import(arguments) => arguments.run(),
            Command::Average(arguments) => arguments.run(),
            Command::Bench(arguments) => arguments.run(),
        }
    }
}
