//! Noise that is added to a signal, at a ratio between the two.

use serde::{Deserialize, Serialize};

use super::active_level::energy;
use super::drawn::{Added, DrawnStep};
use super::parameters::{Context, InvalidField, Parameters};
use super::value::{Number, Value};
use super::{clicks, colour, hum};
use crate::error::{Error, Result};

/// `clean + gain · noise`, with the gain that makes `10 log10(|clean|² / |gain · noise|²)` equal `snr_db`, energies taken over
/// the whole length. Chains measure speech [while it is active](super::active_level) instead, which gives louder noise where
/// there are pauses.
///
/// # Errors
/// When the lengths differ, when either is silent so that no gain gives that ratio, or when `snr_db` is not within ±100 dB.
///
/// ```
/// let noisy = shared::noise::mix(&[1.0, -1.0], &[2.0, 2.0], 20.0)?;
/// assert_eq!(noisy, [1.1, -0.9]);
/// # Ok::<(), shared::Error>(())
/// ```
pub fn mix(clean: &[f32], noise: &[f32], snr_db: f32) -> Result<Vec<f32>> {
    if clean.len() != noise.len() {
        return Err(Error::audio("noise length", format!("{} samples", clean.len()), noise.len()));
    }
    if !(-100.0..=100.0).contains(&snr_db) {
        return Err(Error::config("snr_db", "-100 to 100 dB", snr_db));
    }
    let (signal_energy, noise_energy) = (energy(clean), energy(noise));
    for (what, energy) in [("signal", signal_energy), ("noise", noise_energy)] {
        if energy <= 0.0 {
            return Err(Error::audio(what, "sound, to set a signal-to-noise ratio against", "silence"));
        }
    }
    let gain = (signal_energy / noise_energy / 10f64.powf(f64::from(snr_db) / 10.0)).sqrt();
    Ok(clean.iter().zip(noise).map(|(&clean, &noise)| (f64::from(clean) + gain * f64::from(noise)) as f32).collect())
}

/// The ratio that additive noises have if none is given, in dB.
pub(crate) const DEFAULT_SNR_DB: Value = Value::Number(5.0);

/// The signal-to-noise ratio of every additive noise.
pub(crate) fn snr(snr_db: Value) -> Number {
    Number::new("snr_db", snr_db, -100.0..=100.0)
}

/// Noise that is to be added at a ratio.
pub(crate) fn added(context: &mut Context, snr_db: Value, noise: Vec<f32>) -> DrawnStep {
    let snr_db = context.number(snr_db);
    DrawnStep::Added(Added::new(noise, snr_db, context.sample_rate_hz))
}

/// White Gaussian noise; every channel has its own. See [`colour::white`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct White {
    /// Active speech over noise, −100 to 100 dB.
    pub snr_db: Value,
}

/// Pink noise; every channel has its own. See [`colour::pink`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pink {
    /// Active speech over noise, −100 to 100 dB.
    pub snr_db: Value,
}

/// Brown noise; every channel has its own. See [`colour::brown`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brown {
    /// Active speech over noise, −100 to 100 dB.
    pub snr_db: Value,
}

/// Mains hum, the same in all channels. See [`hum::hum`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hum {
    /// Active speech over noise, −100 to 100 dB.
    pub snr_db: Value,
    /// Frequency of the mains, 10 to 500 Hz: 50 (the default) or 60 in most of the world, 400 on aircraft.
    pub mains_hz: Value,
    /// Sinusoids, the fundamental among them, 1 to 100.
    pub harmonics: Value,
    /// How much weaker the harmonics of an octave are, 0 to 24 dB.
    pub decay_db_per_octave: Value,
}

/// Clicks; every channel has its own. See [`clicks::clicks`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clicks {
    /// Active speech over noise, −100 to 100 dB. Clicks are short: they are far louder than their power suggests.
    pub snr_db: Value,
    /// Clicks a second, 0.01 to 100.
    pub per_second: Value,
}

/// Crackle; every channel has its own. See [`clicks::crackle`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Crackle {
    /// Active speech over noise, −100 to 100 dB.
    pub snr_db: Value,
    /// Impulses a second, 1 to 5000.
    pub per_second: Value,
}

impl Default for White {
    fn default() -> Self {
        Self { snr_db: DEFAULT_SNR_DB }
    }
}

impl Default for Pink {
    fn default() -> Self {
        Self { snr_db: DEFAULT_SNR_DB }
    }
}

impl Default for Brown {
    fn default() -> Self {
        Self { snr_db: DEFAULT_SNR_DB }
    }
}

impl Default for Hum {
    fn default() -> Self {
        Self { snr_db: DEFAULT_SNR_DB, mains_hz: 50.0.into(), harmonics: 20.0.into(), decay_db_per_octave: 6.0.into() }
    }
}

impl Default for Clicks {
    fn default() -> Self {
        Self { snr_db: DEFAULT_SNR_DB, per_second: 4.0.into() }
    }
}

impl Default for Crackle {
    fn default() -> Self {
        Self { snr_db: DEFAULT_SNR_DB, per_second: 300.0.into() }
    }
}

impl Parameters for White {
    fn numbers(&self) -> Vec<Number> {
        vec![snr(self.snr_db)]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let noise = colour::white(context.len, &mut context.own);
        Ok(added(context, self.snr_db, noise))
    }
}

impl Parameters for Pink {
    fn numbers(&self) -> Vec<Number> {
        vec![snr(self.snr_db)]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let noise = colour::pink(context.len, context.sample_rate_hz, &mut context.own);
        Ok(added(context, self.snr_db, noise))
    }
}

impl Parameters for Brown {
    fn numbers(&self) -> Vec<Number> {
        vec![snr(self.snr_db)]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let noise = colour::brown(context.len, context.sample_rate_hz, &mut context.own);
        Ok(added(context, self.snr_db, noise))
    }
}

impl Parameters for Hum {
    fn numbers(&self) -> Vec<Number> {
        vec![
            snr(self.snr_db),
            Number::new("mains_hz", self.mains_hz, 10.0..=500.0),
            Number::new("harmonics", self.harmonics, 1.0..=100.0),
            Number::new("decay_db_per_octave", self.decay_db_per_octave, 0.0..=24.0),
        ]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let (mains_hz, harmonics) = (context.number(self.mains_hz), context.count(self.harmonics));
        let decay = context.number(self.decay_db_per_octave);
        let noise = hum::hum(context.len, context.sample_rate_hz, mains_hz, harmonics, decay, &mut context.common);
        Ok(added(context, self.snr_db, noise))
    }
}

impl Parameters for Clicks {
    fn numbers(&self) -> Vec<Number> {
        vec![snr(self.snr_db), Number::new("per_second", self.per_second, 0.01..=100.0)]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let per_second = context.number(self.per_second);
        let noise = clicks::clicks(context.len, context.sample_rate_hz, per_second, &mut context.own);
        Ok(added(context, self.snr_db, noise))
    }
}

impl Parameters for Crackle {
    fn numbers(&self) -> Vec<Number> {
        vec![snr(self.snr_db), Number::new("per_second", self.per_second, 1.0..=5_000.0)]
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let per_second = context.number(self.per_second);
        let noise = clicks::crackle(context.len, context.sample_rate_hz, per_second, &mut context.own);
        Ok(added(context, self.snr_db, noise))
    }
}
