//! Which noise to train on.
//!
//! A recipe is a JSON list of weighted chains (see [`shared::noise::chain`]). `recipes/noise.json` is the default:
//!
//! | share | noise |
//! |---|---|
//! | 10 % | STFT coefficients below a quantile of 0.6 to 0.95 zeroed |
//! | 10 % | STFT coefficients below a quantile of 0.3 to 0.85 raised to it |
//! | 64 % | recorded noise at −5 to 20 dB |
//! | 12 % | white or brown noise at −5 to 20 dB |
//! | 4 % | recorded noise at 40 dB, so that clean speech learns to stay as it is |
//!
//! Three in ten of the third and fourth have a second noise, recorded, at 0 to 25 dB. All ratios are to active speech.
//!
//! Of recordings, `*` is any of the noise that the run trains on, and `speech/*` any of its speech, for babble.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use shared::noise::{Recipe, Recordings};

use super::corpus::Split;
use crate::SAMPLE_RATE_HZ;

/// The default recipe.
pub fn default() -> Recipe {
    Recipe::from_json(include_str!("../../recipes/noise.json")).expect("a test reads it")
}

/// Reads a recipe.
pub fn read(path: &Path) -> Result<Recipe> {
    let context = || format!("cannot use the noise recipe {}", path.display());
    Recipe::from_json(&fs::read_to_string(path).with_context(context)?).with_context(context)
}

/// Checks that all recordings it names are there to train on.
pub fn check(recipe: &Recipe, split: &Split) -> Result<()> {
    for name in recipe.chains().iter().flat_map(|chain| chain.chain.recordings()) {
        let known = split.recording(name, 0, SAMPLE_RATE_HZ).is_some();
        ensure!(known, "the noise recipe: expected * (any of the noise) or speech/* (any of the speech), got {name:?}");
    }
    Ok(())
}

impl Recordings for Split {
    fn recording(&self, name: &str, choice: u64, sample_rate_hz: u32) -> Option<Cow<'_, [f32]>> {
        let recordings = match name {
            "*" => &self.noise,
            "speech/*" => &self.speech,
            _ => return None,
        };
        let index = choice.checked_rem(recordings.len() as u64)? as usize;
        (sample_rate_hz == SAMPLE_RATE_HZ).then(|| recordings[index].as_slice().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_recipe_is_as_documented() {
        let recipe = default();
        let weights: Vec<f64> = recipe.chains().iter().map(|chain| chain.weight).collect();
        assert_eq!(weights, [10.0, 10.0, 6.0, 6.0, 64.0, 4.0]);
        let split = Split { speech: vec![vec![0.1]], noise: vec![vec![0.1]] };
        check(&recipe, &split).expect("its recordings are those of a corpus");
        let named = Recipe::from_json(r#"[{"weight": 1, "chain": [{"kind": "recording", "file": "a.wav"}]}]"#);
        let message = check(&named.expect("valid"), &split).expect_err("no such recording").to_string();
        assert!(message.contains("speech/*") && message.contains("a.wav"), "{message}");
    }
}
