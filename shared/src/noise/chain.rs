//! Noises one after the other, as JSON.
//!
//! ```json
//! [
//!   {"kind": "room", "rt60_s": [0.2, 0.6], "probability": 0.3},
//!   {"kind": "recording", "file": "cafe.wav", "snr_db": [0, 10]},
//!   {"kind": "raise-small", "quantile": 0.7}
//! ]
//! ```
//!
//! Every step has a `kind` (see [`Noise`]), the fields of its kind, and if it does not always happen a `probability`. A number
//! may be a range `[low, high]`, from which one is drawn for every signal. Fields that are left out have their defaults; kinds
//! and fields that there are not, and numbers out of range, are refused.
//!
//! All that is random depends on a seed alone. The channels of a recording share every number that is drawn, rooms, lost packets
//! and hum; other noise is independent in each, and so is the part of a recording that is heard.
//!
//! Steps are done to the noisy signal only. What is to be learnt from it is [`DrawnChain::target`].

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::drawn::DrawnChain;
use super::parameters::{Context, InvalidField, Recordings};
use super::step::{ChainStep, Noise};
use crate::audio::Audio;
use crate::error::{Error, Result};

/// Most steps of a chain.
const MAX_STEPS: usize = 32;

/// Noises one after the other; see the [module](self). Its steps have been checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<serde_json::Value>", into = "Vec<ChainStep>")]
pub struct Chain(Vec<ChainStep>);

impl TryFrom<Vec<serde_json::Value>> for Chain {
    type Error = Error;

    fn try_from(steps: Vec<serde_json::Value>) -> Result<Self> {
        Self::new(steps.into_iter().enumerate().map(|(index, step)| read_step(index + 1, step)).collect::<Result<_>>()?)
    }
}

impl From<Chain> for Vec<ChainStep> {
    fn from(chain: Chain) -> Self {
        chain.0
    }
}

impl Chain {
    /// A chain of these steps; with none it leaves signals as they are.
    ///
    /// # Errors
    /// When there are more than 32, or a field of one is outside its range.
    pub fn new(steps: Vec<ChainStep>) -> Result<Self> {
        if steps.len() > MAX_STEPS {
            return Err(Error::Chain(format!("expected at most {MAX_STEPS} steps, got {}", steps.len())));
        }
        for (index, ChainStep { noise, probability }) in steps.iter().enumerate() {
            noise.validate(index + 1)?;
            if !(0.0..=1.0).contains(probability) {
                let field = InvalidField::new("probability", "0 to 1", probability);
                return Err(field.of_step(index + 1, noise.kind()));
            }
        }
        Ok(Self(steps))
    }

    /// Reads a chain.
    ///
    /// # Errors
    /// When it is not JSON, not a list, or a step is not as it should be; the message names the step and the field, and what was
    /// expected.
    pub fn from_json(json: &str) -> Result<Self> {
        let steps: Vec<serde_json::Value> = serde_json::from_str(json).map_err(|error| {
            Error::Chain(format!("expected a JSON list of steps such as [{{\"kind\": \"white\"}}]: {error}"))
        })?;
        steps.try_into()
    }

    /// The chain as JSON; [`Chain::from_json`] reads it.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a chain is always JSON")
    }

    /// The steps.
    pub fn steps(&self) -> &[ChainStep] {
        &self.0
    }

    /// The names of all recordings that it needs.
    pub fn recordings(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|step| step.noise.recordings()).map(String::as_str)
    }

    /// Fixes everything that is random, for channel number `channel` of signals of `len` samples at `sample_rate_hz`, 4 000 to
    /// 384 000 Hz.
    ///
    /// # Errors
    /// When a recording is not at hand or silent, or when there are no samples or the rate is outside its range.
    pub fn draw(
        &self,
        len: usize,
        sample_rate_hz: u32,
        channel: usize,
        seed: u64,
        recordings: &dyn Recordings,
    ) -> Result<DrawnChain> {
        // One sample stands for as many as there are.
        Audio::mono(sample_rate_hz, vec![0.0; len.min(1)])?;
        let mut drawn = Vec::new();
        for (index, ChainStep { noise, probability }) in self.0.iter().enumerate() {
            let mut context = Context::new((len, sample_rate_hz), (seed, index, channel), recordings);
            if context.common.random_bool(*probability) {
                drawn.push(noise.draw(index + 1, &mut context)?);
            }
        }
        Ok(DrawnChain::new(drawn))
    }

    /// The noisy recording.
    ///
    /// Silent channels stay silent where noise would be added, because they have no level to set a ratio to.
    ///
    /// # Errors
    /// As [`Chain::draw`], and when the result is beyond what 32-bit floats hold.
    pub fn apply(&self, audio: &Audio, seed: u64, recordings: &dyn Recordings) -> Result<Audio> {
        let rate_hz = audio.sample_rate_hz();
        let channel = |(index, samples): (usize, &Vec<f32>)| {
            Ok(self.draw(samples.len(), rate_hz, index, seed, recordings)?.apply(samples))
        };
        Audio::new(rate_hz, audio.channels().iter().enumerate().map(channel).collect::<Result<_>>()?)
    }
}

/// Reads a step, and says where it goes wrong.
fn read_step(number: usize, step: serde_json::Value) -> Result<ChainStep> {
    let fail = |message: String| Err(Error::Chain(format!("step {number}: {message}")));
    let serde_json::Value::Object(fields) = &step else {
        return fail(format!("expected an object such as {{\"kind\": \"white\"}}, got {step}"));
    };
    // Serde would take a number for it.
    let Some(kind) = fields.get("kind").and_then(serde_json::Value::as_str) else {
        let kinds: Vec<&str> = Noise::kinds().iter().map(Noise::kind).collect();
        return fail(format!("expected a field `kind` that is one of {}, got {step}", kinds.join(", ")));
    };
    let error = match serde_json::from_value::<ChainStep>(step.clone()) {
        Ok(step) => return Ok(step),
        Err(error) => error,
    };
    // Serde names unknown kinds and fields, but not the field of a wrong value: it is the one that fails by itself.
    let fails_alone = |name: &str, value: &serde_json::Value| {
        let alone = serde_json::json!({"kind": kind, name: value});
        serde_json::from_value::<ChainStep>(alone).is_err()
    };
    match fields.iter().find(|(name, value)| *name != "kind" && fails_alone(name, value)) {
        Some((name, value)) if serde_json::from_value::<ChainStep>(serde_json::json!({"kind": kind})).is_ok() => {
            fail(format!("{kind}, {name}: {error}, got {value}"))
        }
        _ => fail(error.to_string()),
    }
}
