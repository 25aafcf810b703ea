//! `[noise]`: what is added to clean speech, or done to it.
//!
//! A mixture is a list of weighted chains (see [`shared::noise::chain`]). The default is that of `recipes/dcunet-small.toml`:
//!
//! | weight | noise |
//! |---|---|
//! | 10 | STFT coefficients below a quantile of 0.6 to 0.95 zeroed |
//! | 10 | STFT coefficients below a quantile of 0.3 to 0.85 raised to it |
//! | 56 | recorded noise at −5 to 20 dB |
//! | 9 | white, pink or brown noise at −5 to 20 dB |
//! | 6 | babble of 3 to 24 of the run's own talkers at −5 to 20 dB |
//! | 3 | hum, clicks or crackle |
//! | 6 | recorded noise at 40 dB, so that clean speech learns to stay as it is |
//! | 3 | recorded noise at −100 dB, which is noise alone, so that there is silence to learn |
//!
//! Three in ten of the third and fourth have a second noise, recorded, at 0 to 25 dB. All ratios are to active speech.

use serde::{Deserialize, Serialize};
use shared::noise;

/// `[noise]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoiseSection {
    /// Chains and their weights.
    pub chains: noise::NoiseRecipe,
}

impl Default for NoiseSection {
    fn default() -> Self {
        Self { chains: default_noise() }
    }
}

impl NoiseSection {
    /// Whether clean speech stays clean.
    pub fn is_none(&self) -> bool {
        self.chains.chains().iter().all(|chain| chain.chain.steps().is_empty())
    }
}

/// The mixture of noises of a recipe that names none.
pub fn default_noise() -> noise::NoiseRecipe {
    let text = include_str!("../../../recipes/dcunet-small.toml");
    let mut table: toml::Table = text.parse().expect("a test reads it");
    let chains = table.remove("noise").and_then(|mut noise| noise.as_table_mut()?.remove("chains"));
    chains.and_then(|chains| chains.try_into().ok()).expect("a test reads it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_as_documented() {
        let weights: Vec<f64> = default_noise().chains().iter().map(|chain| chain.weight).collect();
        assert_eq!(weights, [10.0, 10.0, 56.0, 3.0, 3.0, 3.0, 6.0, 3.0, 6.0, 3.0]);
    }
}
