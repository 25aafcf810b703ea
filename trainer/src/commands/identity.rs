//! `trainer identity`: the report's first question to each network: can it learn to pass clean speech through?

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use cli::output::write_whole;
use cli::progress::say;
use cli::stdout;
use plotters::prelude::*;
use shared::loss::{Loss, Objective};
use shared::nn::NetworkConfig;
use shared::noise::NoiseRecipe as Mixture;

use crate::data::Corpus;
use crate::recipe::{self, Recipe};
use crate::run::{LogEntry, read};
use crate::train::{self, Start};

/// Colours that people tell apart who see few (Okabe and Ito), for one network after the other.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];
/// Validations in each run, for the curve.
const VALIDATIONS: usize = 20;
/// An error 20 dB below the speech is hard to hear in it.
const PASSES_DB: f64 = 20.0;

/// Train each network to pass clean speech through, as the report did first.
///
/// Every network gets the same small set of clean recordings, on both sides, and the same number of steps. A table and a chart say how
/// near its output comes to speech of other speakers that is put in. Without --speech the voices are synthetic.
#[derive(Args)]
pub struct IdentityArguments {
    /// Folder of clean speech.
    #[arg(long, value_name = "DIR")]
    speech: Option<PathBuf>,
    /// Recordings that are trained on.
    #[arg(long, default_value_t = 20)]
    recordings: usize,
    /// Optimiser steps for each network.
    #[arg(long, default_value_t = 400)]
    steps: usize,
    /// What is minimised: the report tried l1 and mse.
    #[arg(long, default_value = "l1")]
    loss: Loss,
    /// cpu, wgpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Seed of weights and data order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of the three runs, the table and the chart.
    #[arg(short, long, default_value = "runs/identity")]
    out: PathBuf,
}

/// What became of a network.
struct IdentityResult {
    network: &'static str,
    parameters: u64,
    /// SI-SDR of clean speech through it in dB, by step.
    curve: Vec<(f64, f64)>,
}

impl IdentityArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        ensure!(self.recordings > 0, "--recordings: expected at least 1, got 0");
        ensure!(self.steps >= VALIDATIONS, "--steps: expected at least {VALIDATIONS}, got {}", self.steps);
        let outcomes = NetworkConfig::first_presets()
            .into_iter()
            .map(|(network, _)| self.outcome(network))
            .collect::<Result<Vec<_>>>()?;
        let table = table(&outcomes);
        write_whole(&self.out.join("identity.md"), table.as_bytes())?;
        let chart = self.out.join("identity.svg");
        write_whole(&chart, chart_of(&outcomes, self.steps)?.as_bytes())?;
        stdout::print(format_args!("{table}\n{}\n", chart.display()))
    }

    /// Trains one network; goes on where an earlier call was interrupted.
    fn outcome(&self, network: &'static str) -> Result<IdentityResult> {
        let recipe = self.recipe(network)?;
        let run = self.out.join(network);
        let begun = run.join("recipe.toml").exists();
        if begun {
            let before = Recipe::read(&run.join("recipe.toml"), &[])?;
            ensure!(before == recipe, "{} holds another experiment: give another --out", run.display());
        }
        let done =
            begun && read::entries(&run)?.iter().any(|entry| entry.is_validation() && entry.step() == self.steps);
        if !done {
            say(format_args!("\n{network}"));
            let mut corpus = Corpus::open(&recipe.data, self.seed)?;
            corpus.train.speech.truncate(self.recordings);
            train::run(&recipe, corpus, &run, Start { resume: begun, plain: true, ..Start::default() })?;
        }
        let validation = |entry: LogEntry| match entry {
            LogEntry::Validation { step, all, .. } => Some((step as f64, all.after.si_sdr_db)),
            LogEntry::Training { .. } | LogEntry::Resumed { .. } => None,
        };
        let curve = read::entries(&run)?.into_iter().filter_map(validation).collect();
        Ok(IdentityResult { network, parameters: recipe.network_config()?.parameters(), curve })
    }

    /// Clean speech in, the same out: a mixture of noises with nothing in it.
    fn recipe(&self, network: &str) -> Result<Recipe> {
        let mut recipe = recipe::load(network, &[])?;
        if let Some(speech) = &self.speech {
            recipe.data.speech.clone_from(speech);
            // There is no noise, but a recipe has both or neither.
            recipe.data.noise.clone_from(speech);
        }
        recipe.data.crop_seconds = 1.0;
        recipe.data.speed_probability = 0.0;
        recipe.data.room_probability = 0.0;
        // Whether training finds it is the question.
        recipe.network.weights.clear();
        recipe.optimiser = recipe::OptimiserSection::default();
        recipe.noise.chains =
            Mixture::from_json(r#"[{"weight": 1, "chain": []}]"#).context("the mixture of nothing")?;
        recipe.loss = Objective::single(self.loss);
        recipe.schedule = recipe::ScheduleSection {
            steps: self.steps,
            batch_size: 4,
            warmup_steps: self.steps / 20,
            valid_every: self.steps / VALIDATIONS,
            log_every: self.steps / VALIDATIONS,
            ..recipe.schedule
        };
        recipe.run.name = format!("{network}-identity");
        recipe.run.seed = self.seed;
        recipe.run.device.clone_from(&self.device);
        Ok(recipe)
    }
}

fn table(outcomes: &[IdentityResult]) -> String {
    let mut text = String::from(
        "| network | parameters | steps | SI-SDR of clean speech through it, dB | passes it |\n|---|---|---|---|---|\n",
    );
    for IdentityResult { network, parameters, curve } in outcomes {
        let (step, score) = curve.last().copied().unwrap_or_default();
        let passes = if score >= PASSES_DB { "yes" } else { "no" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{network}` | {parameters} | {step} | {score:.1} | {passes} |");
    }
    text
}

/// All curves in one chart, as SVG.
fn chart_of(outcomes: &[IdentityResult], steps: usize) -> Result<String> {
    let values = outcomes.iter().flat_map(|outcome| &outcome.curve).map(|(_, value)| *value);
    let (low, high) = values.fold((0.0f64, PASSES_DB), |(low, high), value| (low.min(value), high.max(value)));
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (800, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let text = ("sans-serif", 16);
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..steps as f64, low - 2.0..high + 4.0)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(text)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .x_desc("steps")
        .y_desc("SI-SDR of clean speech, dB")
        .draw()?;
    for (IdentityResult { network, curve, .. }, colour) in outcomes.iter().zip(COLOURS.into_iter().cycle()) {
        let line = LineSeries::new(curve.iter().copied(), colour.stroke_width(3));
        let key = move |(x, y)| PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(3));
        chart.draw_series(line)?.label(*network).legend(key);
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .label_font(text)
        .background_style(WHITE.mix(0.8))
        .border_style(TRANSPARENT)
        .draw()?;
    area.present()?;
    drop(chart);
    drop(area);
    Ok(svg)
}
