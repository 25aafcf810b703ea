//! What page and painter say to each other. The painter is a worker that makes pictures and files, so that the page
//! neither waits for them nor needs what they are made with; the engine is too busy for it.

use media::Spec;
use serde::{Deserialize, Serialize};

use super::take::TrackScores;
use crate::steps::Steps;

/// What the page asks of the painter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PainterOrder {
    /// Look at the next piece of a track, which is beside the message as a `Blob`.
    Look {
        /// Number of the take.
        take: u32,
        /// Samples per second.
        sample_rate_hz: u32,
        /// How many channels.
        channels: usize,
        /// Number of the track.
        track: usize,
        /// The track that it is a network's result of, if what was removed is wanted as well.
        removed_from: Option<usize>,
    },
    /// Nothing more of a take comes.
    Finish {
        /// Number of the take.
        take: u32,
    },
    /// Forget a take.
    Forget {
        /// Number of the take.
        take: u32,
    },
    /// Make a picture. Answered by [`PainterAnswer::Painted`].
    Paint {
        /// For the answer.
        number: u32,
        /// What is wanted.
        wish: Wish,
        /// How many columns.
        width: usize,
    },
    /// Make a file. Answered by [`PainterAnswer::Written`].
    Write {
        /// For the answer.
        number: u32,
        /// What is in it.
        file: Written,
    },
    /// Say whether a chain can be made. Answered by [`PainterAnswer::Checked`].
    Check {
        /// The chain.
        steps: Steps,
    },
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Written {
    /// A voice, as WAV.
    Wav(Excerpt),
    /// Voices under these names, as WAV, in one archive.
    Archive(Vec<(String, Excerpt)>),
    /// A stretch of a take, as a page of its own.
    Page(PagePlan),
}

/// A voice as it is to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Excerpt {
    /// Number of the take.
    pub take: u32,
    /// How much of each track.
    pub weights: Vec<f32>,
    /// What the file is to hold. Rate and channels are those of the take.
    pub spec: Spec,
}

/// A page of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PagePlan {
    /// Number of the take.
    pub take: u32,
    /// Number of the run that made it.
    pub run: u32,
    /// What its sound files are to hold.
    pub spec: Spec,
    /// The recording's name.
    pub title: String,
    /// The networks that worked on it.
    pub networks: Vec<String>,
    /// The noise that was made, as JSON.
    pub noise: Option<String>,
    /// The stretch, in seconds.
    pub window: [f64; 2],
    /// Where the page is.
    pub address: String,
    /// What there is to hear.
    pub voices: Vec<PlannedVoice>,
}

/// A voice in a page of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedVoice {
    /// Its name.
    pub title: String,
    /// How much of each track.
    pub weights: Vec<f32>,
    /// The factor that makes it as loud as the first.
    pub gain: f32,
    /// How it compares with the clean recording.
    pub scores: Option<TrackScores>,
}

/// A picture of a voice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Number of the take.
    pub take: u32,
    /// Number of the run that made it, so that another run's picture is another wish.
    pub run: u32,
    /// How much of each track.
    pub weights: Vec<f32>,
    /// The stretch, in seconds.
    pub window: [f64; 2],
    /// Samples per channel that are there of the tracks.
    pub frames: u64,
    /// The noise with this seed whose threshold is shown, if it is one of the report's.
    pub noise: Option<(Steps, u32)>,
}

/// What the painter answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PainterAnswer {
    /// It listens; what was sent before is lost.
    Listening,
    /// A picture, beside the message: RGBA pixels, then the lowest and highest sample of each column, not a number
    /// where there is none.
    Painted {
        /// The number of the order.
        number: u32,
        /// Columns.
        width: usize,
        /// Rows; 0 if there was nothing to paint.
        height: usize,
    },
    /// A file, as a `Blob` beside the message.
    Written {
        /// The number of the order.
        number: u32,
        /// Why there is none, if there is none.
        error: Option<String>,
    },
    /// Whether a chain can be made.
    Checked {
        /// The chain.
        steps: Steps,
        /// Why not, if not.
        error: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_way() {
        let steps = Steps::from_json(r#"[{"kind": "raise-small", "quantile": 0.7}]"#).expect("steps");
        let wish = Wish {
            take: 1,
            run: 2,
            weights: vec![1.0, -1.0],
            window: [0.0, 1.5],
            frames: 16_000,
            noise: Some((steps.clone(), 1)),
        };
        let (channels, channel_mask, encoding) = (2, Some(0x3), media::Encoding::Pcm24);
        let spec = Spec { sample_rate_hz: 16_000, channels, channel_mask, encoding, metadata: Default::default() };
        let orders = [
            PainterOrder::Look { take: 1, sample_rate_hz: 16_000, channels: 2, track: 1, removed_from: Some(0) },
            PainterOrder::Finish { take: 1 },
            PainterOrder::Forget { take: 1 },
            PainterOrder::Paint { number: 7, wish, width: 100 },
            PainterOrder::Write { number: 8, file: Written::Wav(Excerpt { take: 1, weights: vec![0.5], spec }) },
            PainterOrder::Check { steps: steps.clone() },
        ];
        for order in orders {
            let json = serde_json::to_string(&order).expect("a message is JSON");
            assert_eq!(serde_json::from_str::<PainterOrder>(&json).expect(&json), order);
        }
        let answers = [
            PainterAnswer::Listening,
            PainterAnswer::Painted { number: 7, width: 100, height: 256 },
            PainterAnswer::Written { number: 8, error: None },
            PainterAnswer::Checked { steps, error: Some("step 1: no".into()) },
        ];
        for answer in answers {
            let json = serde_json::to_string(&answer).expect("a message is JSON");
            assert_eq!(serde_json::from_str::<PainterAnswer>(&json).expect(&json), answer);
        }
    }
}
