//! A take from request to result: opened, made noisy if that is wanted, denoised.

use std::cell::Cell;

use wasm_bindgen::JsValue;
use web::protocol::engine::{Response, TakeInput};
use web::protocol::{AddedNoise, Failure};

use crate::browser::{memory_bytes, post};
use crate::denoising::ActiveTake;
use crate::experiment;
use crate::session::Session;
use crate::source::RecordingSource;
use crate::stop::Stop;
use crate::track::TrackSender;

/// A request to denoise.
pub struct DenoiseRequest {
    /// Number of the take.
    pub id: u32,
    /// What the recording is.
    pub input: TakeInput,
    /// The recording.
    pub beside: Vec<JsValue>,
    /// What is done to it before.
    pub noise: Option<AddedNoise>,
    /// What denoises it.
    pub models: Vec<String>,
    /// Samples per channel that the page has.
    pub from: u64,
}

/// Denoises a take, and posts all there is to say about it.
///
/// # Errors
/// When it cannot be done, or is not to be done any more.
pub async fn run(session: &mut Session, request: DenoiseRequest, stop: Stop) -> Result<(), Failure> {
    for model in &request.models {
        session.network(model)?;
    }
    if request.from > 0 && (request.noise.is_some() || request.models.len() != 1) {
        return Err(Failure::Other("only the result of one network without added noise can be resumed".into()));
    }
    let source = RecordingSource::open(request.input, &request.beside)?;
    let (id, format) = (request.id, source.format());
    if request.noise.is_some() {
        experiment::check_length(&source, source.length.unwrap_or(0))?;
    }
    post(&Response::Opened { id, spec: Box::new(source.spec.clone()), length: source.length });
    let mut take = ActiveTake { session, id, format, stop, elapsed_seconds: 0.0 };
    let length = match &request.noise {
        Some(noise) => experiment::run(&mut take, source, noise, &request.models).await?,
        None => {
            let mut tracks: Vec<TrackSender> =
                (0..=request.models.len()).map(|number| TrackSender::new(id, number, format, request.from)).collect();
            let opened = Cell::new(Some(source));
            let open = || opened.take().map_or_else(|| RecordingSource::open(request.input, &request.beside), Ok);
            take.denoise(open, &request.models, &mut tracks).await?
        }
    };
    let elapsed_seconds = take.elapsed_seconds;
    post(&Response::Done { id, length, elapsed_seconds, engine_bytes: memory_bytes() });
    Ok(())
}
