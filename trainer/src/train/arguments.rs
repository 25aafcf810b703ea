//! What `trainer train` can be told.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::data::Corpus;
use crate::recipe::{self, Recipe};

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
    /// Go on with the run in OUT from its last checkpoint. Length, patience, device, places of data and what is reported may be set anew.
    #[arg(long)]
    resume: bool,
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

fn default_folder(recipe: &Recipe) -> PathBuf {
    Path::new("runs").join(recipe.name())
}

impl TrainArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        let (overrides, run) = (self.overrides(), self.out.clone());
        let name = self.recipe.as_deref().unwrap_or("dcunet-small");
        let (recipe, run) = if self.resume {
            let run = match run {
                Some(run) => run,
                None => default_folder(&recipe::load(name, &[])?),
            };
            (Self::resumed(&run, &overrides)?, run)
        } else {
            let recipe = recipe::load(name, &overrides)?;
            let run = run.unwrap_or_else(|| default_folder(&recipe));
            if !self.plan && run.join("recipe.toml").exists() {
                bail!("{} holds a run already: go on with it by --resume, or give another --out", run.display());
            }
            (recipe, run)
        };
        let corpus = Corpus::open(&recipe.data, recipe.run.seed)?;
        super::run(&recipe, corpus, &run, super::Start { resume: self.resume, plan_only: self.plan, plain: self.plain })
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
