//! One step of a chain: a noise, and how often it happens.

use core::fmt;

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::additive::{Brown, Clicks, Crackle, Hum, Pink, White};
use super::babble::Babble;
use super::band_limit::BandLimit;
use super::channel::{Clip, Gain};
use super::drawn::Drawn;
use super::packets::DropPackets;
use super::recording::{Recording, Recordings};
use super::resampling::Resample;
use super::room::Room;
use super::stft::{RaiseSmall, ZeroSmall};
use super::value::{Number, Value};
use crate::error::{Error, Result};

/// A step of a [`Chain`](super::Chain).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
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

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_always(probability: &f64) -> bool {
    *probability == 1.0
}

impl From<Noise> for Step {
    fn from(noise: Noise) -> Self {
        Self { noise, probability: 1.0 }
    }
}

/// A noise as a chain names it: `{"kind": "pink", "snr_db": [0, 10]}`. Fields that are left out have their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "said at the type of each")]
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
    Recording(Recording),
    Gain(Gain),
    Clip(Clip),
    BandLimit(BandLimit),
    Resample(Resample),
    DropPackets(DropPackets),
    Room(Room),
}

/// What a noise does to a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Changes its STFT coefficients.
    Stft,
    /// Adds something at a signal-to-noise ratio.
    Additive,
    /// Is what rooms, microphones and lines do to a signal.
    Channel,
}

impl fmt::Display for Group {
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
        self.told().0
    }

    /// What it does to a signal.
    pub fn group(&self) -> Group {
        match self {
            Self::ZeroSmall(_) | Self::RaiseSmall(_) => Group::Stft,
            Self::White(_) | Self::Pink(_) | Self::Brown(_) | Self::Hum(_) => Group::Additive,
            Self::Clicks(_) | Self::Crackle(_) | Self::Babble(_) | Self::Recording(_) => Group::Additive,
            Self::Gain(_) | Self::Clip(_) | Self::BandLimit(_) => Group::Channel,
            Self::Resample(_) | Self::DropPackets(_) | Self::Room(_) => Group::Channel,
        }
    }

    /// What it is, in a line.
    pub fn about(&self) -> &'static str {
        self.told().1
    }

    /// Its numbers: names, values and ranges.
    pub fn numbers(&self) -> Vec<Number> {
        self.told().2.numbers()
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
    /// [`Error::Noise`] with the first field that is outside its range; `step` is its number in the chain, from 1.
    pub(crate) fn validate(&self, step: usize) -> Result<()> {
        let (kind, _, told) = self.told();
        for Number { name, value, range } in told.numbers() {
            if let Some(value) = value.filter(|value| !value.is_within(&range)) {
                let (low, high) = range.into_inner();
                let expected = format!("{low} to {high}, or a range [low, high] of such numbers");
                return Err(Error::Noise { step, kind, field: name.into(), expected, got: value.to_string() });
            }
        }
        told.check().map_err(|Wrong { field, expected, got }| Error::Noise {
            step,
            kind,
            field: field.into(),
            expected,
            got,
        })
    }

    /// Fixes everything about it that is random; `step` as in [`Noise::validate`].
    pub(crate) fn draw(&self, step: usize, context: &mut Context) -> Result<Drawn> {
        let (kind, _, told) = self.told();
        told.draw(context).map_err(|Wrong { field, expected, got }| Error::Noise {
            step,
            kind,
            field: field.into(),
            expected,
            got,
        })
    }

    fn told(&self) -> (&'static str, &'static str, &dyn Kind) {
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

/// A field with a value that cannot be used.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub field: &'static str,
    pub expected: String,
    pub got: String,
}

impl Wrong {
    pub fn new(field: &'static str, expected: impl Into<String>, got: impl ToString) -> Self {
        Self { field, expected: expected.into(), got: got.to_string() }
    }
}

/// What every kind of noise can do.
pub(crate) trait Kind {
    /// Its numbers: names, values and ranges.
    fn numbers(&self) -> Vec<Number>;

    /// Checks what a range alone cannot say.
    fn check(&self) -> Result<(), Wrong> {
        Ok(())
    }

    /// Fixes everything about it that is random. Its fields have been checked.
    fn draw(&self, context: &mut Context) -> Result<Drawn, Wrong>;
}

/// What a step is drawn for, and where its chances come from.
pub(crate) struct Context<'a> {
    /// Samples of the signal.
    pub len: usize,
    /// The signal's rate.
    pub sample_rate_hz: u32,
    /// For what all channels of a recording share.
    pub common: ChaCha8Rng,
    /// For what every channel has of its own.
    pub own: ChaCha8Rng,
    /// Where recordings come from.
    pub recordings: &'a dyn Recordings,
}

impl<'a> Context<'a> {
    /// The chances of a step are streams of one generator: one for all channels, and one for each.
    pub fn new(
        (len, sample_rate_hz): (usize, u32),
        (seed, step, channel): (u64, usize, usize),
        recordings: &'a dyn Recordings,
    ) -> Self {
        let stream = |number: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(((step as u64) << 32) | number as u64);
            rng
        };
        Self { len, sample_rate_hz, common: stream(0), own: stream(channel + 1), recordings }
    }

    /// A number, the same for all channels.
    pub fn number(&mut self, value: Value) -> f64 {
        value.draw(&mut self.common)
    }

    /// A number rounded to the nearest whole one, the same for all channels.
    pub fn count(&mut self, value: Value) -> usize {
        self.number(value).round() as usize
    }

    /// A recording as one channel at the signal's rate. Which one, where `name` stands for several, is the same for all
    /// channels.
    pub fn recording(&mut self, field: &'static str, name: &str) -> Result<std::borrow::Cow<'a, [f32]>, Wrong> {
        let choice = self.common.next_u64();
        let samples = self
            .recordings
            .recording(name, choice, self.sample_rate_hz)
            .ok_or_else(|| Wrong::new(field, "the name of a recording that is at hand", format!("{name:?}")))?;
        if !samples.iter().all(|sample| sample.is_finite()) || samples.iter().all(|&sample| sample == 0.0) {
            let got = format!("{name:?}, which is silent or not finite");
            return Err(Wrong::new(field, "a recording of some sound", got));
        }
        Ok(samples)
    }
}
