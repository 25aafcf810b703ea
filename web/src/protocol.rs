//! The messages between page and worker.
//!
//! A message is one of these enums as JSON, with audio beside it in buffers that change hands without a copy.

use serde::{Deserialize, Serialize};
use shared::noise::Chain;

/// Minutes of stereo at 48 kHz that a recording may have. The engine holds a few seconds of it, but the browser holds all of the
/// file and all of the result.
pub const MAX_MINUTES: usize = 70;

/// [`MAX_MINUTES`] as samples over all channels.
pub const MAX_SAMPLES: usize = 2 * 48_000 * 60 * MAX_MINUTES;

/// Largest file that can hold no more than [`MAX_SAMPLES`], in bytes.
pub const MAX_FILE_BYTES: usize = 4 * MAX_SAMPLES;

/// The networks that the page offers; each is `models/NAME.zip`.
pub const MODELS: [&str; 3] = ["dcunet", "wavenet", "autoencoder"];

/// What does the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The graphics processor, through WebGPU.
    Webgpu,
    /// The processor, through WebAssembly.
    Cpu,
}

impl Backend {
    /// The backend that a page's query string asks for: `?backend=webgpu` or `?backend=cpu`. None if it asks for neither.
    pub fn from_query(query: &str) -> Option<Self> {
        query.trim_start_matches('?').split('&').find_map(|pair| match pair {
            "backend=webgpu" => Some(Self::Webgpu),
            "backend=cpu" => Some(Self::Cpu),
            _ => None,
        })
    }
}

/// What the page asks of the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Request {
    /// Choose a backend. Must be the first request.
    Start {
        /// The only backend to try; if none, the best there is.
        backend: Option<Backend>,
    },
    /// Load a network, in place of the one there is.
    Load {
        /// Its name, for the answers.
        model: String,
        /// Where its bundle is.
        url: String,
    },
    /// Denoise a recording with the loaded network. Buffers: the WAV file, or one per channel of 32-bit floats.
    Denoise {
        /// Number of the recording, for the answers.
        id: u32,
        /// What the buffers hold.
        input: Input,
        /// What is done to it before.
        noise: Option<AddedNoise>,
    },
}

/// Noise that is made before a recording is denoised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedNoise {
    /// What is done, step by step.
    pub chain: Chain,
    /// What all that is random in it depends on.
    pub seed: u32,
}

/// What the buffers of a recording hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// One buffer: a WAV file.
    Wav,
    /// A buffer of samples per channel.
    Samples {
        /// Samples per second.
        sample_rate_hz: u32,
    },
}

/// What the worker answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Response {
    /// The worker listens; what was sent before is lost.
    Listening,
    /// The backend is chosen.
    Started {
        /// Which.
        backend: Backend,
        /// Why not the other, or on which adapter.
        note: String,
    },
    /// A bundle is on its way.
    Loading {
        /// Share that has arrived, 0 to 1; none if its size is not known.
        share: Option<f64>,
    },
    /// The network is ready.
    Loaded {
        /// Its name.
        model: String,
        /// What its card says, in a sentence.
        summary: String,
        /// Learned numbers in it.
        parameters: usize,
        /// What its card says that it is bad at, a sentence each.
        limits: Vec<String>,
    },
    /// A recording is being denoised.
    Progress {
        /// Number of the recording.
        id: u32,
        /// Share that is done, 0 to 1.
        share: f64,
    },
    /// A recording is denoised. Buffers: the parts of the noisy WAV file if noise was added, then those of the result.
    Done {
        /// Number of the recording.
        id: u32,
        /// Parts of the noisy WAV file; 0 if no noise was added.
        noisy_parts: usize,
        /// Length of the recording in seconds.
        audio_seconds: f64,
        /// How long it took, in seconds.
        elapsed_seconds: f64,
    },
    /// Something could not be done.
    Failed {
        /// Number of the recording; none if it was not about one.
        id: Option<u32>,
        /// What went wrong.
        failure: Failure,
    },
}

/// What can go wrong, in the classes that people can do something about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Neither we nor the browser can read the file.
    NotAudio,
    /// The recording is longer than [`MAX_SAMPLES`].
    TooLong,
    /// The microphone may not be used, or there is none.
    NoMicrophone,
    /// The network could not be fetched.
    NoModel(String),
    /// The backend that was asked for is not to be had.
    NoBackend(String),
    /// The worker died, most likely for want of memory.
    Died,
    /// The text that describes noise cannot be used.
    NoNoise(String),
    /// Anything else, as the engine puts it.
    Other(String),
}

impl Failure {
    /// The failure in words for people.
    pub fn message(&self) -> String {
        match self {
            Self::NotAudio => {
                "This file has no sound that can be read. Try WAV, MP3, FLAC, OGG or M4A.".into()
            }
            Self::TooLong => format!(
                "This recording is too long for a page’s memory: at most {MAX_MINUTES} minutes of stereo at 48 kHz. \
                 Cut it into parts, or use the command line, which takes more."
            ),
            Self::NoMicrophone => {
                "The microphone could not be used. Allow it for this page in the browser's address bar, and check that one \
                 is connected."
                    .into()
            }
            Self::NoModel(reason) => format!("The network could not be loaded ({reason}). Check the connection and reload."),
            Self::NoBackend(reason) => format!("WebGPU cannot be used here: {reason}. Remove “backend=webgpu” from the address."),
            Self::Died => {
                "The engine stopped, most likely because the browser gave it no more memory. Try a shorter recording."
                    .into()
            }
            Self::NoNoise(reason) => format!("The noise cannot be made: {reason}."),
            Self::Other(reason) => format!("This did not work: {reason}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        assert_eq!(Backend::from_query("?backend=webgpu"), Some(Backend::Webgpu));
        assert_eq!(Backend::from_query("?a=b&backend=cpu"), Some(Backend::Cpu));
        for query in ["", "?", "?backend=", "?backend=cuda", "?xbackend=cpu"] {
            assert_eq!(Backend::from_query(query), None, "{query}");
        }
    }

    #[test]
    fn messages_survive_the_way() {
        let requests = [
            Request::Start { backend: None },
            Request::Start { backend: Some(Backend::Cpu) },
            Request::Load { model: "dcunet".into(), url: "http://localhost/models/dcunet.zip".into() },
            Request::Denoise { id: 3, input: Input::Wav, noise: None },
            Request::Denoise {
                id: 4,
                input: Input::Samples { sample_rate_hz: 48_000 },
                noise: Some(AddedNoise {
                    chain: Chain::from_json(r#"[{"kind": "raise-small", "quantile": 0.7}]"#).expect("a chain"),
                    seed: 1,
                }),
            },
        ];
        for request in requests {
            let json = serde_json::to_string(&request).expect("a message is JSON");
            assert_eq!(serde_json::from_str::<Request>(&json).expect(&json), request);
        }
        let responses = [
            Response::Listening,
            Response::Started { backend: Backend::Webgpu, note: "an adapter".into() },
            Response::Loading { share: Some(0.5) },
            Response::Progress { id: 1, share: 0.25 },
            Response::Done { id: 1, noisy_parts: 0, audio_seconds: 2.0, elapsed_seconds: 0.5 },
            Response::Failed { id: None, failure: Failure::TooLong },
            Response::Failed { id: Some(2), failure: Failure::Other("why".into()) },
        ];
        for response in responses {
            let json = serde_json::to_string(&response).expect("a message is JSON");
            assert_eq!(serde_json::from_str::<Response>(&json).expect(&json), response);
        }
    }

    #[test]
    fn failures_have_words_for_people() {
        let failures = [
            Failure::NotAudio,
            Failure::TooLong,
            Failure::NoMicrophone,
            Failure::NoModel("status 404".into()),
            Failure::NoBackend("no adapter".into()),
            Failure::Died,
            Failure::NoNoise("step 1: no such kind".into()),
            Failure::Other("x".into()),
        ];
        for failure in failures {
            let message = failure.message();
            assert!(message.len() > 15 && message.ends_with('.'), "{message}");
        }
    }
}
