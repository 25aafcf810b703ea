//! What noise to train on: chains, and how often each is used.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::chain::Chain;
use crate::error::{Error, Result};

/// Most chains of a recipe.
const MAX_CHAINS: usize = 256;

/// A chain and how often it is used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weighted {
    /// Its share among the weights of all, from 0 to 10⁶.
    pub weight: f64,
    /// The chain.
    pub chain: Chain,
}

/// A [`Weighted`] chain that has not been checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    weight: f64,
    chain: Vec<serde_json::Value>,
}

/// A mixture of chains: `[{"weight": 1, "chain": [...]}, ...]`. It has been checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Raw>", into = "Vec<Weighted>")]
pub struct NoiseRecipe(Vec<Weighted>);

impl TryFrom<Vec<Raw>> for NoiseRecipe {
    type Error = Error;

    fn try_from(chains: Vec<Raw>) -> Result<Self> {
        let read = |(index, Raw { weight, chain }): (usize, Raw)| match chain.try_into() {
            Ok(chain) => Ok(Weighted { weight, chain }),
            Err(error) => Err(Error::Chain(format!("chain {}: {error}", index + 1))),
        };
        Self::new(chains.into_iter().enumerate().map(read).collect::<Result<_>>()?)
    }
}

impl From<NoiseRecipe> for Vec<Weighted> {
    fn from(recipe: NoiseRecipe) -> Self {
        recipe.0
    }
}

impl NoiseRecipe {
    /// A mixture of these chains.
    ///
    /// # Errors
    /// When there is none, or more than 256, or a weight is outside its range, or all are 0.
    pub fn new(chains: Vec<Weighted>) -> Result<Self> {
        if !(1..=MAX_CHAINS).contains(&chains.len()) {
            return Err(Error::Chain(format!("expected 1 to {MAX_CHAINS} chains, got {}", chains.len())));
        }
        for (index, Weighted { weight, .. }) in chains.iter().enumerate() {
            if !(0.0..=1e6).contains(weight) {
                return Err(Error::Chain(format!("chain {}, weight: expected 0 to 1000000, got {weight}", index + 1)));
            }
        }
        if chains.iter().all(|chain| chain.weight == 0.0) {
            return Err(Error::Chain("expected a weight above 0, got none".into()));
        }
        Ok(Self(chains))
    }

    /// Reads a recipe.
    ///
    /// # Errors
    /// When it is not as it should be; the message names the chain, the step and the field, and what was expected.
    pub fn from_json(json: &str) -> Result<Self> {
        let expected = "expected a JSON list such as [{\"weight\": 1, \"chain\": [...]}]";
        let chains: Vec<Raw> =
            serde_json::from_str(json).map_err(|error| Error::Chain(format!("{expected}: {error}")))?;
        chains.try_into()
    }

    /// The chains and their weights.
    pub fn chains(&self) -> &[Weighted] {
        &self.0
    }

    /// One of the chains, each as often as its weight says.
    pub fn pick(&self, rng: &mut impl Rng) -> &Chain {
        let total: f64 = self.0.iter().map(|chain| chain.weight).sum();
        let mut left = total * rng.random::<f64>();
        let hit = |chain: &&Weighted| {
            left -= chain.weight;
            left < 0.0
        };
        // Rounding may leave a trace of the total over: the last chain that is used at all.
        let last = || self.0.iter().rfind(|chain| chain.weight > 0.0);
        &self.0.iter().find(hit).or_else(last).expect("a weight is above 0").chain
    }

    /// In words: shares and kinds.
    pub fn summary(&self) -> String {
        let total: f64 = self.0.iter().map(|chain| chain.weight).sum();
        let describe = |Weighted { weight, chain }: &Weighted| {
            let kinds: Vec<&str> = chain.steps().iter().map(|step| step.noise.kind()).collect();
            let kinds = if kinds.is_empty() { "nothing".into() } else { kinds.join(" + ") };
            format!("{:.1} % {kinds}", 100.0 * weight / total)
        };
        self.0.iter().map(describe).collect::<Vec<_>>().join(", ")
    }
}
