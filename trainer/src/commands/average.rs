//! `trainer average`: weights between those of several models.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use burn::backend::Flex;
use clap::Args;
use cli::model;
use cli::output::{refuse_existing, write_new};
use shared::bundle::{Card, DataSource, Training};
use shared::{Bundle, Weights};

/// Average the weights of models of one shape.
///
/// Models that were trained from the same weights on are often no better than what lies between them: Wortsman et al. 2022,
/// "Model soups". The result has no scores until it is evaluated.
#[derive(Args)]
pub struct AverageArguments {
    /// Two models or more: names of built-in ones, or paths of bundles.
    #[arg(required = true, num_args = 2.., value_name = "MODEL")]
    models: Vec<String>,
    /// The bundle.
    #[arg(short, long, value_name = "BUNDLE.zip")]
    out: PathBuf,
    /// Share of the second of two models, 0 to 1 [default: as much of each].
    #[arg(long, value_name = "SHARE")]
    weight: Option<f64>,
    /// Replace the bundle if it exists.
    #[arg(long)]
    overwrite: bool,
}

impl AverageArguments {
    /// Checks what was asked and does it.
    pub fn run(self) -> Result<()> {
        if !self.overwrite {
            refuse_existing([&*self.out])?;
        }
        let shares = self.shares()?;
        let bundles = self.models.iter().map(|name| model::load("MODEL", name)).collect::<Result<Vec<_>>>()?;
        let first = &bundles[0];
        for (name, other) in self.models.iter().zip(&bundles) {
            let alike = other.config.network == first.config.network;
            ensure!(alike, "{name}: expected a network of the same shape as that of {}, got another", self.models[0]);
            let (expected, got) = (first.config.sample_rate_hz, other.config.sample_rate_hz);
            ensure!(got == expected, "{name}: expected a network for {expected} Hz, got one for {got} Hz");
        }
        let device = Default::default();
        let weights = |bundle: &Bundle| Ok(Weights::of(&bundle.network::<Flex>(&device)?)?);
        let weights = bundles.iter().map(weights).collect::<Result<Vec<_>>>()?;
        let average = Weights::average(&weights.iter().zip(shares.iter().copied()).collect::<Vec<_>>())?;
        let network = average.network::<Flex>(&first.config.network, &device)?;
        let config = first.config.clone();
        let card = self.card(bundles.iter().map(|bundle| &bundle.card).collect(), &shares);
        let bundle = Bundle::pack(&network, config.network, config.sample_rate_hz, config.precision, card)?;
        write_new(&self.out, &bundle.to_bytes()?, self.overwrite)
    }

    /// How much of each model, 1 in all.
    fn shares(&self) -> Result<Vec<f64>> {
        let count = self.models.len();
        let Some(weight) = self.weight else { return Ok(vec![1.0 / count as f64; count]) };
        ensure!(count == 2, "--weight: expected two models, got {count}");
        ensure!((0.0..=1.0).contains(&weight), "--weight: expected 0 to 1, got {weight}");
        Ok(vec![1.0 - weight, weight])
    }

    /// The first model's card, with the data of all.
    fn card(&self, cards: Vec<&Card>, shares: &[f64]) -> Card {
        let first = cards[0];
        let mut data: Vec<DataSource> = Vec::new();
        for source in cards.iter().flat_map(|card| &card.data) {
            if !data.contains(source) {
                data.push(source.clone());
            }
        }
        let parts: Vec<String> =
            self.models.iter().zip(shares).map(|(name, share)| format!("{share:.3} of {name}")).collect();
        let longest =
            cards.iter().max_by_key(|card| card.training.steps).map_or(&first.training, |card| &card.training);
        let training = Training {
            command: std::env::args().collect::<Vec<_>>().join(" "),
            began_with: parts.join(" + "),
            ..longest.clone()
        };
        Card { training, data, scores: Vec::new(), ..first.clone() }
    }
}
