//! `trainer train`: a run by a recipe, from its beginning or resumed.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::data::Corpus;
use crate::recipe::{self, Recipe};
use crate::train::{self, RunPlan, Start, checkpoint};

/// Train a network.
///
/// What a run does is in its recipe: one of `trainer recipes`, or a file. With neither speech nor pairs it trains on synthetic sound,
/// so that a fresh machine can try it. The best network so far is always in OUT/best.zip, ready for `denoise`; `trainer report OUT`
/// makes a page of the run.
#[derive(Args)]
pub struct TrainArguments {
    /// A recipe by its name (see `trainer recipes`), or the path of one. [default: dcunet-small]
    #[arg(value_name = "RECIPE")]
    recipe: Option<String>,
    /// Folder of clean speech: short for --set data.speech=DIR.
    #[arg(long, value_name = "DIR")]
    speech: Option<PathBuf>,
    /// Folder of noise: short for --set data.noise=DIR.
    #[arg(long, value_name = "DIR")]
    noise: Option<PathBuf>,
    /// cpu, cpu:N (N shares of a batch side by side), wgpu, cuda, cuda:N or cuda:0,cuda:1: short for --set run.device=DEVICE.
    #[arg(long)]
    device: Option<String>,
    /// Another value for a field of the recipe, such as schedule.steps=500; can be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder of the run [default: runs/NAME].
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Resume the run in OUT from its last checkpoint, or from its beginning if it has none. Length, patience, device, places of data
    /// and what is reported may be set anew. A RECIPE beside it must be the run's own.
    #[arg(long)]
    resume: bool,
    /// Resume although recordings were added, removed or changed since the run began; see docs/training.md for what follows.
    #[arg(long, requires = "resume")]
    accept_changed_data: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    plan: bool,
    /// Lines in place of the dashboard, on a terminal too.
    #[arg(long)]
    plain: bool,
}

/// What a run that goes on may be told anew: nothing on which its result depends but how far it goes.
const FREE: [&str; 14] = [
    "schedule.steps",
    "schedule.patience",
    "schedule.log_every",
    "schedule.checkpoint_every",
    "data.speech",
    "data.noise",
    "data.clean",
    "data.noisy",
    "data.sources",
    "data.cache_gib",
    "data.workers",
    "run.device",
    "run.summary",
    "run.limits",
];

/// Differences between recipes that are named in an error.
const NAMED_DIFFERENCES: usize = 3;

fn default_folder(recipe: &Recipe) -> PathBuf {
    Path::new("runs").join(recipe.name())
}

/// Refuses to begin a run where there is one, or what is left of one: its best network would be replaced by a worse one.
fn refuse_occupied(run: &Path) -> Result<()> {
    if run.join("recipe.toml").exists() {
        bail!("{} already contains a run; use --resume to continue it, or give another --out", run.display());
    }
    if run.join("best.zip").exists() || checkpoint::any(run)? {
        bail!("{} holds what is left of another run: remove it, or give another --out", run.display());
    }
    Ok(())
}

/// Refuses a recipe beside `--resume` that is not the one of the run. `overrides` are the fields that were set when the run began or
/// later.
fn refuse_another(name: &str, run: &Path, overrides: &[String]) -> Result<()> {
    let own = Recipe::read(&run.join("recipe.toml"), &[])?;
    let named = recipe::load(name, &[])?;
    // What was set for one recipe need not fit another.
    let differences = recipe::load(name, overrides).unwrap_or(named).differences(&own)?;
    if differences.is_empty() {
        return Ok(());
    }
    let more = match differences.len().saturating_sub(NAMED_DIFFERENCES) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    bail!(
        "{name} is not the recipe of {}: {}{more}. Leave the recipe out to resume the run, change single fields with --set, or begin \
         another run with another --out",
        run.display(),
        differences[..differences.len().min(NAMED_DIFFERENCES)].join("; ")
    )
}

/// Earlier overrides with later ones, of which each takes the place of an earlier one of its field.
fn merged(mut earlier: Vec<String>, later: Vec<String>) -> Vec<String> {
    let key = |text: &str| text.split('=').next().unwrap_or_default().trim().to_owned();
    for one in later {
        earlier.retain(|other| key(other) != key(&one));
        earlier.push(one);
    }
    earlier
}

impl TrainArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let mut overrides = self.overrides();
        let name = self.recipe.as_deref().unwrap_or("dcunet-small");
        let run = match &self.out {
            Some(run) => run.clone(),
            None => default_folder(&recipe::load(name, &overrides)?),
        };
        let recipe = if self.resume {
            let recipe = Self::resumed(&run, &overrides)?;
            let earlier = RunPlan::read(&run).map(|plan| plan.overrides).unwrap_or_default();
            if let Some(named) = &self.recipe {
                refuse_another(named, &run, &earlier)?;
            }
            overrides = merged(earlier, overrides);
            recipe
        } else {
            if !self.plan {
                refuse_occupied(&run)?;
            }
            recipe::load(name, &overrides)?
        };
        let corpus = Corpus::open(&recipe.data, recipe.run.seed)?;
        let start = Start {
            resume: self.resume,
            accept_changed_data: self.accept_changed_data,
            plan_only: self.plan,
            plain: self.plain,
            overrides,
        };
        train::run(&recipe, corpus, &run, start)
    }

    fn overrides(&self) -> Vec<String> {
        let path = |key: &str, path: &Option<PathBuf>| {
            // Quoted, because a path may look like a number, or have an equals sign in it.
            path.as_ref().map(|path| format!("{key}={}", toml::Value::from(path.display().to_string())))
        };
        let mut overrides = self.set.clone();
        overrides.extend(path("data.speech", &self.speech));
        overrides.extend(path("data.noise", &self.noise));
        overrides
            .extend(self.device.as_ref().map(|device| format!("run.device={}", toml::Value::from(device.as_str()))));
        overrides
    }

    /// The recipe of the run in a folder, with what may be told anew.
    fn resumed(run: &Path, overrides: &[String]) -> Result<Recipe> {
        let path = run.join("recipe.toml");
        if !path.exists() {
            bail!("no run in {}: expected a folder with recipe.toml in it", run.display());
        }
        let before = Recipe::read(&path, &[])?;
        for one in overrides {
            let key = one.split('=').next().unwrap_or_default().trim();
            if !FREE.contains(&key) && Recipe::read(&path, std::slice::from_ref(one))? != before {
                bail!("--set {one}: a run that goes on may be told anew only {}", FREE.join(", "));
            }
        }
        Recipe::read(&path, overrides)
    }
}
