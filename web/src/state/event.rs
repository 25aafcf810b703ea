//! Events: what people do, and what the engine and the browser report.

use shared::noise::NoiseKind;

use crate::example::ExampleRecording;
use crate::networks::NetworkListing;
use crate::protocol::Failure;
use crate::protocol::engine::Response;
use crate::settings::{Depth, PageTask};
use crate::steps::Steps;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum PageEvent {
    /// The list of networks has come.
    Listed(Result<Vec<NetworkListing>, Failure>),
    /// The engine says something.
    Engine(Response),
    /// The engine is no more.
    EngineDied,

    /// Somebody brought a recording, which is kept under this number.
    Added {
        /// Number of the take.
        id: u32,
        /// Its name.
        name: String,
        /// The example that it is, if it is one.
        example: Option<ExampleRecording>,
    },
    /// Somebody brought a bundle, which is kept under this number.
    Dropped {
        /// Number of the bundle.
        id: u32,
        /// Its name.
        name: String,
        /// Its size.
        bytes: usize,
    },
    /// Something that was brought, recorded or fetched cannot be used at all.
    Refused(String),
    /// The browser could not decode a take either.
    Undecodable(u32, Failure),
    /// A take is to be seen.
    Open(u32),
    /// A take is to go.
    Remove(u32),
    /// Nobody waits for a take any more.
    Cancel(u32),
    /// A take is to be made again, as the settings are now.
    Again(u32),
    /// An example is to be opened.
    Example(ExampleRecording),

    /// Another task.
    Task(PageTask),
    /// Another network.
    Network(String),
    /// Another attenuation limit.
    Strength(u8),
    /// Another voice.
    Voice(usize),
    /// Whether voices are equally loud.
    Matched(bool),
    /// Another way to store downloads.
    Depth(Depth),
    /// Another noise.
    Chain(Steps),
    /// Whether that can be made: why not, if not.
    Checked(Steps, Option<String>),
    /// What noises there are.
    Noises(Vec<NoiseKind>),
    /// Another seed.
    Seed(u32),
    /// Another stretch of time to be seen, in seconds; all of it if none.
    Window(Option<[f64; 2]>),

    /// Play if nothing plays, else pause.
    TogglePlay,
    /// Go to a time in seconds.
    Seek(f64),
    /// The end has been reached, or the browser does not let us play.
    Stopped,

    /// Record with the microphone, or end that.
    ToggleRecording,
    /// The microphone records.
    Recording,
    /// Nothing is recorded any more; why, if nobody asked for that.
    RecordingEnded(Option<Failure>),
    /// Hear the microphone without noise, or end that.
    ToggleLive,
    /// Live sound cannot begin.
    LiveFailed(Failure),

    /// Something was done that people may want to know: copied, saved.
    Notice(String),
    /// They have read it.
    Dismiss,
    /// The page can be used without a network from now on.
    Offline,
}
