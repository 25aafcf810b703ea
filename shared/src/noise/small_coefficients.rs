//! The noises made on small STFT coefficients: where a chain says the threshold lies, and what becomes of what is below.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::drawn::DrawnStep;
use super::parameters::{Context, InvalidField, Parameters};
use super::stft::{Corruption, RaisedPhase, Threshold};
use super::value::{Number, Value};

/// Where the threshold lies, as a chain says it.
struct ThresholdChoice {
    quantile: Option<Value>,
    magnitude: Option<Value>,
    frame_peak_db: Option<Value>,
    file_peak_db: Option<Value>,
    default_quantile: f64,
}

impl ThresholdChoice {
    fn numbers(&self) -> Vec<Number> {
        vec![
            Number::new("quantile", self.quantile, 0.0..=1.0),
            Number::new("magnitude", self.magnitude, 0.0..=1e6),
            Number::new("frame_peak_db", self.frame_peak_db, -200.0..=0.0),
            Number::new("file_peak_db", self.file_peak_db, -200.0..=0.0),
        ]
    }

    fn check(&self) -> Result<(), InvalidField> {
        let numbers = self.numbers();
        let mut given = numbers.iter().filter(|number| number.value.is_some()).map(|number| number.name);
        match (given.next(), given.next()) {
            (Some(first), Some(second)) => {
                let expected = "one of quantile, magnitude, frame_peak_db and file_peak_db";
                Err(InvalidField::new(second, expected, format!("{first} as well")))
            }
            _ => Ok(()),
        }
    }

    fn draw(&self, context: &mut Context) -> Threshold {
        let mut number = |value: Option<Value>| value.map(|value| context.number(value) as f32);
        None.or_else(|| number(self.quantile).map(Threshold::Quantile))
            .or_else(|| number(self.magnitude).map(Threshold::Magnitude))
            .or_else(|| number(self.frame_peak_db).map(Threshold::FramePeakDb))
            .or_else(|| number(self.file_peak_db).map(Threshold::FilePeakDb))
            .unwrap_or(Threshold::Quantile(self.default_quantile as f32))
    }
}

/// A noise on small coefficients: the four fields of its threshold, then its own. Serde's `flatten` would do, but then
/// messages about unknown fields do not list the known ones.
macro_rules! with_threshold {
    ($(#[$about:meta])* $name:ident, default_quantile: $default:literal, { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// [`Threshold::Quantile`], 0 to 1.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub quantile: Option<Value>,
            /// [`Threshold::Magnitude`], 0 to 10⁶.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub magnitude: Option<Value>,
            /// [`Threshold::FramePeakDb`], −200 to 0 dB.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub frame_peak_db: Option<Value>,
            /// [`Threshold::FilePeakDb`], −200 to 0 dB.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub file_peak_db: Option<Value>,
            $($own)*
        }

        impl $name {
            fn threshold(&self) -> ThresholdChoice {
                let Self { quantile, magnitude, frame_peak_db, file_peak_db, .. } = *self;
                ThresholdChoice { quantile, magnitude, frame_peak_db, file_peak_db, default_quantile: $default }
            }
        }
    };
}

with_threshold! {
    /// Coefficients below a threshold become 0. One of the four fields says where it lies; without any it is a quantile of 0.8.
    ZeroSmall, default_quantile: 0.8, {}
}

with_threshold! {
    /// Coefficients below a threshold are raised to it. One of the first four fields says where it lies; without any it is a
    /// quantile of 0.6.
    RaiseSmall, default_quantile: 0.6, {
        /// `kept` (the default) or `random`: phases of what was raised.
        pub phase: PhaseChoice,
    }
}

/// What becomes of the phases of raised coefficients, as chains say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseChoice {
    /// They stay.
    #[default]
    Kept,
    /// They are drawn at random, for every channel by itself.
    Random,
}

impl Parameters for ZeroSmall {
    fn numbers(&self) -> Vec<Number> {
        self.threshold().numbers()
    }

    fn check(&self) -> Result<(), InvalidField> {
        self.threshold().check()
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        Ok(DrawnStep::Stft(Corruption::ZeroSmall(self.threshold().draw(context))))
    }
}

impl Parameters for RaiseSmall {
    fn numbers(&self) -> Vec<Number> {
        self.threshold().numbers()
    }

    fn check(&self) -> Result<(), InvalidField> {
        self.threshold().check()
    }

    fn draw(&self, context: &mut Context) -> Result<DrawnStep, InvalidField> {
        let threshold = self.threshold().draw(context);
        let phase = match self.phase {
            PhaseChoice::Kept => RaisedPhase::Kept,
            PhaseChoice::Random => RaisedPhase::Random(context.own.random()),
        };
        Ok(DrawnStep::Stft(Corruption::RaiseSmall(threshold, phase)))
    }
}
