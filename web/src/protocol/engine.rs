//! What page and engine say to each other.

use media::{Damage, Spec};
use serde::{Deserialize, Serialize};
use shared::bundle::Card;

use super::failure::Failure;
use super::take::{AddedNoise, TrackScores};

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
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webgpu => "WebGPU",
            Self::Cpu => "CPU",
        }
    }
}

/// Which backend the engine is to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendChoice {
    /// Both are timed with the first network, and the faster is taken; the CPU where WebGPU is only emulated.
    Probe,
    /// As `Probe`, an emulated WebGPU included: for tests.
    ProbeAll,
    /// This one, found faster before; the other if it is not to be had any more.
    Prefer(Backend),
    /// This one or none.
    Only(Backend),
}

/// What the page asks of the worker. Requests are answered one after the other, but for [`Request::Cancel`] and
/// [`Request::StopLive`], which are heard at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Choose a backend. Must be the first request.
    Start {
        /// Which.
        choice: BackendChoice,
    },
    /// Load a network beside those that there are, or in place of the one of this name.
    ///
    /// Beside it: nothing, or an `ArrayBuffer` with the bundle.
    Load {
        /// Its name, for the requests and answers that follow.
        model: String,
        /// Where its bundle is, if not beside the message.
        url: Option<String>,
    },
    /// Forget a network. Nothing is answered.
    Unload {
        /// Its name.
        model: String,
    },
    /// Denoise a recording. Beside it: see [`TakeInput`].
    Denoise {
        /// Number of the take, for the answers.
        id: u32,
        /// What is beside the message.
        input: TakeInput,
        /// What is done to the recording before. If something, track 0 is the recording, track 1 the noisy one.
        noise: Option<AddedNoise>,
        /// Loaded networks, each of which makes a track, in this order.
        models: Vec<String>,
        /// Samples per channel of every track that the page has already: a whole number of pieces. Only without noise
        /// and with one network.
        from: u64,
    },
    /// Stop working on this take, or forget that it waits. Answered by [`Failure::Cancelled`] if it was not done.
    Cancel {
        /// Number of the take.
        id: u32,
    },
    /// Denoise sound as it comes through a port, which is beside the message: it gets and gives `Float32Array`s of one
    /// channel. Answered by [`Response::Live`], again and again, until [`Request::StopLive`].
    StartLive {
        /// A loaded network.
        model: String,
        /// Samples per second, in and out.
        sample_rate_hz: u32,
    },
    /// End that. Answered by [`Response::LiveEnded`].
    StopLive,
}

/// What is beside a request to denoise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TakeInput {
    /// A `Blob`: a file of any format in [`media::FORMATS`], which the worker reads in blocks.
    File,
    /// For each channel an `ArrayBuffer` of 32-bit floats, which the browser decoded.
    Samples {
        /// Samples per second.
        sample_rate_hz: u32,
    },
}

/// What the worker answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// The worker listens; what was sent before is lost.
    Listening,
    /// What is known of the backends before anything was computed.
    Started {
        /// The backend in use, for now.
        backend: Backend,
        /// Why, in a few words.
        note: String,
    },
    /// A bundle is on its way.
    Loading {
        /// Its name.
        model: String,
        /// Share that has arrived, 0 to 1; none if its size is not known.
        share: Option<f64>,
    },
    /// A network is ready, and has been tried.
    Loaded {
        /// Its name.
        model: String,
        /// What there is to know about it.
        facts: Box<Facts>,
        /// The backend in use from now on.
        backend: Backend,
        /// Why, in a few words.
        note: String,
    },
    /// WebGPU failed in the middle of something; the CPU continues it.
    FellBack {
        /// What happened.
        reason: String,
    },
    /// A recording is being read.
    Opened {
        /// Number of the take.
        id: u32,
        /// What a download is to hold, so that nothing of the recording's format is lost.
        spec: Box<Spec>,
        /// Samples per channel, if the file says how many.
        length: Option<u64>,
    },
    /// A recording has been read to its end, and parts of it could not be decoded.
    Damaged {
        /// Number of the take.
        id: u32,
        /// All of them, in order.
        damage: Vec<Damage>,
    },
    /// A piece of a track. Beside it: an `ArrayBuffer` of 32-bit floats, all of the first channel, then all of the
    /// next.
    Piece {
        /// Number of the take.
        id: u32,
        /// Number of the track.
        track: usize,
        /// Where in the track it starts, in samples per channel.
        start: u64,
    },
    /// How a track of a noisy take compares with the clean recording, track 0.
    Scored {
        /// Number of the take.
        id: u32,
        /// Number of the track.
        track: usize,
        /// How.
        scores: TrackScores,
    },
    /// A take is done.
    Done {
        /// Number of the take.
        id: u32,
        /// Samples per channel of every track.
        length: u64,
        /// How long the networks took, in seconds.
        elapsed_seconds: f64,
        /// Memory of the engine at this time, in bytes.
        engine_bytes: f64,
    },
    /// Live sound flows.
    Live {
        /// How far the output lags behind the input by the engine's doing, in seconds.
        latency_seconds: f64,
        /// Computing time over playing time, lately; above 1 the network does not keep up.
        load: f64,
    },
    /// Live sound does not flow any more.
    LiveEnded {
        /// Why, unless it was asked for.
        failure: Option<Failure>,
    },
    /// Something could not be done.
    Failed {
        /// Number of the take; none if it was not about one.
        id: Option<u32>,
        /// The network that it was about, if it was to be loaded.
        model: Option<String>,
        /// What went wrong.
        failure: Failure,
    },
}

/// What there is to know about a loaded network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Its card.
    pub card: Card,
    /// Size of the bundle in bytes.
    pub bytes: usize,
    /// Playing time over computing time, on this device, measured with a second of sound.
    pub speed: f64,
}

#[cfg(test)]
mod tests {
    use media::{Encoding, Metadata};

    use super::*;
    use crate::steps::Steps;

    #[test]
    fn messages_survive_the_way() {
        let chain = Steps::from_json(r#"[{"kind": "raise-small", "quantile": 0.7}]"#).expect("a chain");
        let requests = [
            Request::Start { choice: BackendChoice::Probe },
            Request::Start { choice: BackendChoice::Only(Backend::Cpu) },
            Request::Load { model: "dcunet".into(), url: Some("http://localhost/models/dcunet.zip".into()) },
            Request::Denoise {
                id: 3,
                input: TakeInput::File,
                noise: None,
                models: vec!["dcunet".into()],
                from: 192_000,
            },
            Request::Denoise {
                id: 4,
                input: TakeInput::Samples { sample_rate_hz: 48_000 },
                noise: Some(AddedNoise { chain, seed: 1 }),
                models: vec!["dcunet".into(), "wavenet".into()],
                from: 0,
            },
            Request::Cancel { id: 4 },
            Request::StartLive { model: "dcunet".into(), sample_rate_hz: 48_000 },
            Request::StopLive,
        ];
        for request in requests {
            let json = serde_json::to_string(&request).expect("a message is JSON");
            assert_eq!(serde_json::from_str::<Request>(&json).expect(&json), request);
        }
        let facts = Box::new(Facts { card: Card::default(), bytes: 700_000, speed: 9.5 });
        let scores = TrackScores { snr_db: Some(-3.0), si_sdr_db: None, wsdr: Some(0.25), stoi: Some(0.5) };
        let info = vec![(*b"INAM", "Title".to_owned())];
        let metadata = Metadata { info, bext: Some(vec![0, 255]), left_out: vec!["cue points".into()] };
        let (encoding, channel_mask) = (Encoding::Pcm24, Some(0x3f));
        let spec = Spec { sample_rate_hz: 44_100, channels: 6, channel_mask, encoding, metadata };
        let responses = [
            Response::Listening,
            Response::Started { backend: Backend::Webgpu, note: "an adapter".into() },
            Response::Loading { model: "dcunet".into(), share: Some(0.5) },
            Response::Loaded { model: "dcunet".into(), facts, backend: Backend::Cpu, note: "faster here".into() },
            Response::FellBack { reason: "device lost".into() },
            Response::Opened { id: 1, spec: Box::new(spec), length: None },
            Response::Damaged { id: 1, damage: vec![Damage { start: 9, length: 0, reason: "cut".into() }] },
            Response::Piece { id: 1, track: 1, start: 176_400 },
            Response::Scored { id: 1, track: 2, scores },
            Response::Done { id: 1, length: 200_000, elapsed_seconds: 0.5, engine_bytes: 1e8 },
            Response::Live { latency_seconds: 0.8, load: 0.4 },
            Response::LiveEnded { failure: Some(Failure::TooSlow(140)) },
            Response::Failed { id: None, model: None, failure: Failure::TooLong },
            Response::Failed { id: Some(2), model: None, failure: Failure::Other("why".into()) },
        ];
        for response in responses {
            let json = serde_json::to_string(&response).expect("a message is JSON");
            assert_eq!(serde_json::from_str::<Response>(&json).expect(&json), response);
        }
    }
}
