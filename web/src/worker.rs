//! The engine's side: takes requests one after the other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Float32Array, Uint8Array};
use shared::wav::{self, Encoding};
use shared::{Audio, Bundle};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent, ReadableStreamDefaultReader, Response as FetchResponse};

use crate::messages;
use crate::protocol::{Failure, Input, MAX_SAMPLES, Request, Response};
use crate::session::Session;

/// Requests that wait, and whether one is being worked on.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Request, Vec<ArrayBuffer>)>,
    busy: bool,
}

/// Starts listening.
pub fn main() {
    console_error_panic_hook::set_once();
    let queue = Rc::new(RefCell::new(Queue::default()));
    let session = Rc::new(RefCell::new(None));
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Some(request) = messages::unpack(&event.data()) else { return };
        queue.borrow_mut().waiting.push_back(request);
        if !std::mem::replace(&mut queue.borrow_mut().busy, true) {
            spawn_local(work(queue.clone(), session.clone()));
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget(); // listens for as long as the worker lives
    post(&Response::Listening, &[]);
}

/// Answers requests until none waits.
async fn work(queue: Rc<RefCell<Queue>>, session: Rc<RefCell<Option<Session>>>) {
    loop {
        let next = queue.borrow_mut().waiting.pop_front();
        let Some((request, buffers)) = next else { break };
        let id = match &request {
            Request::Denoise { id, .. } => Some(*id),
            _ => None,
        };
        // Out of its cell while it works: nothing else runs that could want it.
        let mut current = session.borrow_mut().take();
        if let Err(failure) = answer(request, buffers, &mut current).await {
            post(&Response::Failed { id, failure }, &[]);
        }
        *session.borrow_mut() = current;
    }
    queue.borrow_mut().busy = false;
}

async fn answer(request: Request, buffers: Vec<ArrayBuffer>, session: &mut Option<Session>) -> Result<(), Failure> {
    match request {
        Request::Start { backend } => {
            let (started, note) = Session::start(backend).await?;
            post(&Response::Started { backend: started.backend(), note }, &[]);
            *session = Some(started);
        }
        Request::Load { model, url } => {
            let session = session.as_mut().ok_or(Failure::Other("no backend was started".into()))?;
            let bytes = fetch(&url).await?;
            let bundle = Bundle::from_bytes(&bytes).map_err(|error| Failure::NoModel(error.to_string()))?;
            session.load(&bundle).map_err(|error| Failure::NoModel(error.to_string()))?;
            let (summary, parameters) = (bundle.card.summary, bundle.card.parameters);
            post(&Response::Loaded { model, summary, parameters }, &[]);
        }
        Request::Denoise { id, input } => {
            let session = session.as_ref().ok_or(Failure::Other("no backend was started".into()))?;
            let (audio, encoding) = decode(input, buffers)?;
            if audio.len() * audio.channels().len() > MAX_SAMPLES {
                return Err(Failure::TooLong);
            }
            let started = js_sys::Date::now();
            let progress = |share| post(&Response::Progress { id, share }, &[]);
            let denoised =
                session.denoise(&audio, progress).await.ok_or(Failure::Other("no network is loaded".into()))?;
            let elapsed_seconds = (js_sys::Date::now() - started) / 1000.0;
            let bytes = denoised.and_then(|denoised| wav::encode(&denoised, encoding));
            let bytes = bytes.map_err(|error| Failure::Other(error.to_string()))?;
            let buffer = Uint8Array::from(bytes.as_slice()).buffer();
            post(&Response::Done { id, audio_seconds: audio.seconds(), elapsed_seconds }, &[buffer]);
        }
    }
    Ok(())
}

/// The recording in the buffers, and the encoding that keeps its precision.
fn decode(input: Input, buffers: Vec<ArrayBuffer>) -> Result<(Audio, Encoding), Failure> {
    match input {
        Input::Wav => {
            let buffer = buffers.first().ok_or(Failure::NotAudio)?;
            let bytes = Uint8Array::new(buffer).to_vec();
            wav::decode(bytes.as_slice()).map_err(|error| match error {
                shared::Error::Wav(_) => Failure::NotAudio,
                other => Failure::Other(other.to_string()),
            })
        }
        Input::Samples { sample_rate_hz } => {
            let channels = buffers.iter().map(|buffer| Float32Array::new(buffer).to_vec()).collect();
            let audio = Audio::new(sample_rate_hz, channels).map_err(|error| Failure::Other(error.to_string()))?;
            Ok((audio, Encoding::Pcm16))
        }
    }
}

/// Fetches a file of this site, telling how far it is.
async fn fetch(url: &str) -> Result<Vec<u8>, Failure> {
    let unreachable = |_| Failure::NoModel("no answer".into());
    let response = JsFuture::from(scope().fetch_with_str(url)).await.map_err(unreachable)?;
    let response: FetchResponse = response.dyn_into().map_err(unreachable)?;
    if !response.ok() {
        return Err(Failure::NoModel(format!("status {}", response.status())));
    }
    let size = response.headers().get("content-length").ok().flatten().and_then(|size| size.parse::<f64>().ok());
    let body = response.body().ok_or(Failure::NoModel("empty answer".into()))?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let part = JsFuture::from(reader.read()).await.map_err(unreachable)?;
        let property = |key: &str| js_sys::Reflect::get(&part, &key.into()).unwrap_or(JsValue::UNDEFINED);
        if property("done").is_truthy() {
            return Ok(bytes);
        }
        bytes.extend(Uint8Array::new(&property("value")).to_vec());
        // Compressed transfers have another length than what they carry.
        let share = size.map(|size| bytes.len() as f64 / size).filter(|share| *share <= 1.0);
        post(&Response::Loading { share }, &[]);
    }
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn post(response: &Response, buffers: &[ArrayBuffer]) {
    let (message, transfer) = messages::pack(response, buffers);
    // Fails only when a buffer is transferred twice, and each is made for one message.
    let _ = scope().post_message_with_transfer(&message, &transfer);
}
