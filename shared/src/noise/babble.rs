//! Babble: several talkers at once.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::active_level::active_power;
use super::additive::{DEFAULT_SNR_DB, added, snr};
use super::drawn::DrawnStep;
use super::parameters::{Context, InvalidField, Parameters};
use super::recording::anywhere;
use super::value::{Number, Value};
use crate::error::Result;
use crate::resample::resample;
use crate::synth;

/// Most talkers.
const MAX_TALKERS: f64 = 64.0;
/// Rate at which voices are made, in Hz.
const VOICE_RATE_HZ: u32 = 16_000;
/// Longest that a voice speaks before it says the same again, in seconds.
const VOICE_SECONDS: usize = 20;
/// Talkers differ in level by up to this, either way, in dB.
const LEVEL_SPREAD_DB: f64 = 3.0;
/// Cross-fade where a talker's recording is repeated, in seconds.
const FADE_SECONDS: f64 = 0.05;

/// `len` samples of a synthetic voice at `sample_rate_hz`: [`synth::speech`], made at 16 kHz.
fn voice(len: usize, sample_rate_hz: u32, rng: &mut impl Rng) -> Vec<f32> {
    let longest = VOICE_SECONDS * VOICE_RATE_HZ as usize;
    // A few seconds at least, so that there is more than a pause in it.
    let needed = (len as f64 / f64::from(sample_rate_hz) + 3.0) * f64::from(VOICE_RATE_HZ);
    let samples = synth::speech((needed as usize).min(longest), VOICE_RATE_HZ, rng);
    resample(&samples, VOICE_RATE_HZ, sample_rate_hz).expect("rates above 0")
}

/// Several talkers at once, `Σ_k g_k · talker_k`: all at one [active level](active_power), but for ±3 dB drawn for each.
///
/// Every talker speaks from anywhere in a recording on, and in every channel from somewhere else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Babble {
    /// Names of recordings of single talkers, at most 64, taken in turn. Without any, voices are
    /// [synthesised](crate::synth::speech), for 20 s at most, and then repeat themselves.
    pub files: Vec<String>,
    /// How many talk, 2 to 64.
    pub talkers: Value,
    /// Active speech over noise, −100 to 100 dB.
    pub snr_db: Value,
}

impl Default for Babble {
    fn default() -> Self {
        Self { files: Vec::new(), talkers: 6.0.into(), snr_db: DEFAULT_SNR_DB }
    }
}

impl Parameters for Babble {
    fn numbers(&self) -> Vec<Number> {
        vec![snr(self.snr_db), Number::new("talkers", self.talkers, 2.0..=MAX_TALKERS)]
    }

    fn check(&self) -> Result<(), InvalidField> {
        if self.files.len() > MAX_TALKERS as usize {
            return Err(InvalidField::new("files", "at most 64 names", self.files.len()));
        }
        match self.files.iter().any(String::is_empty) {
            true => Err(InvalidField::new("files", "names of recordings", "\"\"")),
            false => Ok(()),
        }
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let talkers = context.count(self.talkers);
        let (len, rate_hz) = (context.len, context.sample_rate_hz);
        let fade = (FADE_SECONDS * f64::from(rate_hz)) as usize;
        let mut babble = vec![0.0f32; len];
        for talker in 0..talkers {
            let speech = if self.files.is_empty() {
                voice(len, rate_hz, &mut context.common).into()
            } else {
                context.recording("files", &self.files[talker % self.files.len()])?
            };
            let level_db = context.common.random_range(-LEVEL_SPREAD_DB..=LEVEL_SPREAD_DB);
            let power = active_power(&speech, rate_hz);
            let gain = if power > 0.0 { 10f64.powf(level_db / 20.0) / power.sqrt() } else { 0.0 };
            let part = anywhere(&speech, len, fade, &mut context.own);
            babble.iter_mut().zip(part).for_each(|(sum, sample)| *sum += (gain * f64::from(sample)) as f32);
        }
        Ok(added(context, self.snr_db, babble))
    }
}
