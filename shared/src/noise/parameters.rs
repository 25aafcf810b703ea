//! What all kinds of noise have in common: numbers with ranges, and how what is random about them is drawn.

use std::borrow::Cow;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::drawn::DrawnStep;
use super::value::{Number, Value};
use crate::error::Error;

/// The parameters of one kind of noise, with the field names of a chain.
pub(crate) trait Parameters {
    /// Its numbers: names, values and ranges.
    fn numbers(&self) -> Vec<Number>;

    /// Checks what a range alone cannot say.
    fn check(&self) -> Result<(), InvalidField> {
        Ok(())
    }

    /// Fixes everything about it that is random. Its fields have been checked.
    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField>;
}

/// A field with a value that cannot be used.
#[derive(Debug)]
pub(crate) struct InvalidField {
    pub field: &'static str,
    pub expected: String,
    pub got: String,
}

impl InvalidField {
    pub fn new(field: &'static str, expected: impl Into<String>, got: impl ToString) -> Self {
        Self { field, expected: expected.into(), got: got.to_string() }
    }

    /// The error about this field of step number `step`, from 1, of its chain.
    pub fn of_step(self, step: usize, kind: &'static str) -> Error {
        let Self { field, expected, got } = self;
        Error::Noise { step, kind, field, expected, got }
    }
}

/// Where the recordings that chains name come from. This crate opens no file.
pub trait Recordings {
    /// The samples of the recording `name` as one channel at `sample_rate_hz`, or `None` if there is none of that name.
    ///
    /// A name may stand for several (`*`, say). `choice`, any number at all, then says which: the same recording for the same
    /// number.
    fn recording(&self, name: &str, choice: u64, sample_rate_hz: u32) -> Option<Cow<'_, [f32]>>;
}

/// No recordings at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecordings;

impl Recordings for NoRecordings {
    fn recording(&self, _: &str, _: u64, _: u32) -> Option<Cow<'_, [f32]>> {
        None
    }
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
    pub fn recording(&mut self, field: &'static str, name: &str) -> Result<Cow<'a, [f32]>, InvalidField> {
        let choice = self.common.next_u64();
        let samples = self
            .recordings
            .recording(name, choice, self.sample_rate_hz)
            .ok_or_else(|| InvalidField::new(field, "the name of a recording that is at hand", format!("{name:?}")))?;
        if !samples.iter().all(|sample| sample.is_finite()) || samples.iter().all(|&sample| sample == 0.0) {
            let got = format!("{name:?}, which is silent or not finite");
            return Err(InvalidField::new(field, "a recording of some sound", got));
        }
        Ok(samples)
    }
}
