//! Effects: what the state wants done, as it does nothing itself.

use crate::example::ExampleRecording;
use crate::protocol::engine::{Backend, Request};
use crate::steps::Steps;

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a request to the engine.
    Post(Request),
    /// Send a request to denoise to the engine, with this take's file beside it.
    PostFile(Request, u32),
    /// Have the browser decode this take's file, and send the request with its samples.
    PostDecoded(Request, u32),
    /// Send a request to load to the engine, with this bundle beside it.
    PostBundle(Request, u32),
    /// Forget a bundle.
    ForgetBundle(u32),
    /// End the engine that there is, and start another.
    Respawn,
    /// Remember which backend is the faster.
    Remember(Backend),
    /// Forget the tracks of a take, and keep its file.
    ForgetTracks(u32),
    /// Forget a take.
    Forget(u32),
    /// Get an example.
    Fetch(ExampleRecording),
    /// The address is to say what the settings are.
    Link,
    /// Ask whether this noise can be made.
    Check(Steps),
    /// Play this take from where it stands.
    Play(u32),
    /// Pause.
    Pause,
    /// Go to this time of a take, in seconds.
    Seek(u32, f64),
    /// Begin to record.
    Record,
    /// End the recording.
    StopRecording,
    /// Open the microphone for live sound.
    OpenLive,
    /// Close it.
    CloseLive,
}
