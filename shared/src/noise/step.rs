//! One step of a chain: a noise, and how often it happens.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::additive::{Brown, Clicks, Crackle, Hum, Pink, White};
use super::babble::Babble;
use super::band_limit::BandLimit;
use super::drawn::DrawnStep;
use super::level::{Clip, Gain};
use super::packets::DropPackets;
use super::parameters::{Context, InvalidField, Parameters};
use super::recording::RecordedNoise;
use super::resampling::Resample;
use super::room::Room;
use super::small_coefficients::{RaiseSmall, ZeroSmall};
use super::value::Number;
use crate::error::Result;

/// A step of a [`Chain`](super::Chain).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainStep {
    /// What is done.
    #[serde(flatten)]
    pub noise: Noise,
    /// How often it is done, 0 to 1; otherwise the step leaves the signal as it is.
    #[serde(default = "always", skip_serializing_if = "is_always")]
    pub probability: f64,
}

fn always() -> f64 {
    1.0
}

fn is_always(probability: &f64) -> bool {
    *probability == 1.0
}

impl From<Noise> for ChainStep {
    fn from(noise: Noise) -> Self {
        Self { noise, probability: 1.0 }
    }
}

/// A noise as a chain names it: `{"kind": "pink", "snr_db": [0, 10]}`. Fields that are left out have their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "said at the type of each")]
pub enum Noise {
    ZeroSmall(ZeroSmall),
    RaiseSmall(RaiseSmall),
    White(White),
    Pink(Pink),
    Brown(Brown),
    Hum(Hum),
    Clicks(Clicks),
    Crackle(Crackle),
    Babble(Babble),
    Recording(RecordedNoise),
    Gain(Gain),
    Clip(Clip),
    BandLimit(BandLimit),
    Resample(Resample),
    DropPackets(DropPackets),
    Room(Room),
}

/// What a noise does to a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseGroup {
    /// Changes its STFT coefficients.
    Stft,
    /// Adds something at a signal-to-noise ratio.
    Additive,
    /// Is what rooms, microphones and lines do to a signal.
    Channel,
}

impl fmt::Display for NoiseGroup {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Self::Stft => "stft",
            Self::Additive => "additive",
            Self::Channel => "channel",
        })
    }
}

impl Noise {
    /// One of each kind, with the defaults of its fields.
    pub fn kinds() -> Vec<Self> {
        vec![
            Self::ZeroSmall(Default::default()),
            Self::RaiseSmall(Default::default()),
            Self::White(Default::default()),
            Self::Pink(Default::default()),
            Self::Brown(Default::default()),
            Self::Hum(Default::default()),
            Self::Clicks(Default::default()),
            Self::Crackle(Default::default()),
            Self::Babble(Default::default()),
            Self::Recording(Default::default()),
            Self::Gain(Default::default()),
            Self::Clip(Default::default()),
            Self::BandLimit(Default::default()),
            Self::Resample(Default::default()),
            Self::DropPackets(Default::default()),
            Self::Room(Default::default()),
        ]
    }

    /// The noise of this kind, with the defaults of its fields.
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::kinds().into_iter().find(|noise| noise.kind() == kind)
    }

    /// Its kind, as chains name it.
    pub fn kind(&self) -> &'static str {
        self.described().0
    }

    /// What it does to a signal.
    pub fn group(&self) -> NoiseGroup {
        match self {
            Self::ZeroSmall(_) | Self::RaiseSmall(_) => NoiseGroup::Stft,
            Self::White(_) | Self::Pink(_) | Self::Brown(_) | Self::Hum(_) => NoiseGroup::Additive,
            Self::Clicks(_) | Self::Crackle(_) | Self::Babble(_) | Self::Recording(_) => NoiseGroup::Additive,
            Self::Gain(_) | Self::Clip(_) | Self::BandLimit(_) => NoiseGroup::Channel,
            Self::Resample(_) | Self::DropPackets(_) | Self::Room(_) => NoiseGroup::Channel,
        }
    }

    /// What it is, in a line.
    pub fn about(&self) -> &'static str {
        self.described().1
    }

    /// Its numbers: names, values and ranges.
    pub fn numbers(&self) -> Vec<Number> {
        self.described().2.numbers()
    }

    /// The names of the recordings it needs.
    pub fn recordings(&self) -> &[String] {
        match self {
            Self::Recording(recording) => core::slice::from_ref(&recording.file),
            Self::Babble(babble) => &babble.files,
            _ => &[],
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Noise`](crate::Error::Noise) with the first field that is outside its range; `step` is its number in the chain, from 1.
    pub(crate) fn validate(&self, step: usize) -> Result<()> {
        let (kind, _, parameters) = self.described();
        for Number { name, value, range } in parameters.numbers() {
            if let Some(value) = value.filter(|value| !value.is_within(&range)) {
                let (low, high) = range.into_inner();
                let expected = format!("{low} to {high}, or a range [low, high] of such numbers");
                return Err(InvalidField::new(name, expected, value).of_step(step, kind));
            }
        }
        parameters.check().map_err(|field| field.of_step(step, kind))
    }

    /// Fixes everything about it that is random; `step` as in [`Noise::validate`].
    pub(crate) fn draw(&self, step: usize, context: &mut Context) -> Result<DrawnStep> {
        let (kind, _, parameters) = self.described();
        parameters.draw(context).map_err(|field| field.of_step(step, kind))
    }

    /// Its kind, what it is in a line, and its parameters.
    fn described(&self) -> (&'static str, &'static str, &dyn Parameters) {
        match self {
            Self::ZeroSmall(it) => {
                ("zero-small", "STFT coefficients below a threshold become 0; a quantile of 0.8 if none is given", it)
            }
            Self::RaiseSmall(it) => (
                "raise-small",
                "STFT coefficients below a threshold, a quantile of 0.6 if none is given, are raised to it; phase: kept or random",
                it,
            ),
            Self::White(it) => ("white", "white noise", it),
            Self::Pink(it) => ("pink", "pink noise, 3 dB less per octave", it),
            Self::Brown(it) => ("brown", "brown noise, 6 dB less per octave", it),
            Self::Hum(it) => ("hum", "mains hum with harmonics", it),
            Self::Clicks(it) => ("clicks", "single clicks", it),
            Self::Crackle(it) => ("crackle", "many small clicks", it),
            Self::Babble(it) => ("babble", "several talkers at once; synthetic voices without files", it),
            Self::Recording(it) => ("recording", "a recording, repeated with cross-fades where it is too short", it),
            Self::Gain(it) => ("gain", "louder or quieter", it),
            Self::Clip(it) => (
                "clip",
                "clipping at a level, or below the signal's own peak, by 12 dB if neither is given; shape: hard or soft",
                it,
            ),
            Self::BandLimit(it) => ("band-limit", "takes away what is below low_hz and above high_hz", it),
            Self::Resample(it) => {
                ("resample", "to a lower rate and back, badly: aliases and images; interpolation: hold or linear", it)
            }
            Self::DropPackets(it) => {
                ("drop-packets", "packets of a call that got lost, in bursts; concealment: silence or repeat", it)
            }
            Self::Room(it) => ("room", "reverberation of a room; positions are anywhere if not given", it),
        }
    }
}
