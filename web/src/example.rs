//! Recordings that the page brings along, so that it does something at once: sentences spoken by a program, with noise
//! made by our own code.

use crate::protocol::AddedNoise;
use crate::steps::Steps;

/// A recording that the page brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExampleRecording {
    /// Hiss, hum and a click now and then: an old tape.
    Tape,
    /// Other talkers.
    Cafe,
    /// A hall and broken packets.
    Call,
    /// The report's: coefficients raised.
    Raised,
    /// No noise, to make some on.
    Clean,
}

impl ExampleRecording {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Tape, Self::Cafe, Self::Call, Self::Raised, Self::Clean];

    /// Its name in links.
    pub fn key(self) -> &'static str {
        match self {
            Self::Tape => "tape",
            Self::Cafe => "cafe",
            Self::Call => "call",
            Self::Raised => "raised",
            Self::Clean => "clean",
        }
    }

    /// The example of this name.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|example| example.key() == key)
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Tape => "An old tape",
            Self::Cafe => "Voices behind a voice",
            Self::Call => "A hall and a bad line",
            Self::Raised => "Small coefficients raised",
            Self::Clean => "A clean voice",
        }
    }

    /// The file with the sentence, beside the page.
    pub fn file(self) -> &'static str {
        match self {
            Self::Tape | Self::Raised | Self::Clean => "examples/letter.wav",
            Self::Cafe | Self::Call => "examples/weather.wav",
        }
    }

    /// The noise on it; none on the clean one.
    pub fn noise(self) -> Option<AddedNoise> {
        let json = match self {
            Self::Tape => {
                r#"[{"kind": "pink", "snr_db": 8}, {"kind": "hum", "snr_db": 12}, {"kind": "crackle", "snr_db": 18}]"#
            }
            Self::Cafe => r#"[{"kind": "babble", "snr_db": 6}, {"kind": "brown", "snr_db": 10}]"#,
            Self::Call => {
                r#"[{"kind": "room", "rt60_s": 0.4}, {"kind": "white", "snr_db": 14}, {"kind": "drop-packets"}]"#
            }
            Self::Raised => r#"[{"kind": "raise-small", "quantile": 0.75, "phase": "random"}]"#,
            Self::Clean => return None,
        };
        Some(AddedNoise { chain: Steps::from_json(json).expect("a chain of ours"), seed: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_have_names_and_chains_that_can_be_made_without_recordings() {
        for example in ExampleRecording::ALL {
            assert_eq!(ExampleRecording::of_key(example.key()), Some(example));
            assert_eq!(example.noise().is_none(), example == ExampleRecording::Clean);
            let chain = example.noise().map(|noise| noise.chain.to_json()).unwrap_or("[]".into());
            let chain = shared::noise::Chain::from_json(&chain).expect("a chain");
            assert_eq!(chain.recordings().count(), 0);
        }
    }
}
