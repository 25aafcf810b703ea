//! Numbers of a noise: fixed, or drawn from a range for every signal.

use core::fmt;
use core::ops::RangeInclusive;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// A number, or a range `[low, high]` from which one is drawn uniformly for every signal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number or a range [low, high]")]
pub enum Value {
    /// Always this.
    Number(f64),
    /// Anything from the first to the second, all equally likely.
    Range([f64; 2]),
}

impl Value {
    /// The number itself, or one from the range.
    pub fn draw(self, rng: &mut impl Rng) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Range([low, high]) => low + (high - low) * rng.random::<f64>(),
        }
    }

    /// The least it can be.
    pub fn low(self) -> f64 {
        let (Self::Number(low) | Self::Range([low, _])) = self;
        low
    }

    /// The most it can be.
    pub fn high(self) -> f64 {
        let (Self::Number(high) | Self::Range([_, high])) = self;
        high
    }

    /// Whether it is within `range`, and a range of its own the right way round. What is not a number never is.
    pub(crate) fn is_within(self, range: &RangeInclusive<f64>) -> bool {
        range.contains(&self.low()) && range.contains(&self.high()) && self.low() <= self.high()
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<[f64; 2]> for Value {
    fn from(range: [f64; 2]) -> Self {
        Self::Range(range)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Range([low, high]) => write!(f, "[{low}, {high}]"),
        }
    }
}

/// One number of a noise: what it is called, what it is, and what it may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// Its name in a chain, which ends in its unit if it has one.
    pub name: &'static str,
    /// What it is; `None` if it is one of several ways to say something, and another one was taken.
    pub value: Option<Value>,
    /// What it may be.
    pub range: RangeInclusive<f64>,
}

impl Number {
    pub(crate) fn new(name: &'static str, value: impl Into<Option<Value>>, range: RangeInclusive<f64>) -> Self {
        Self { name, value: value.into(), range }
    }
}
