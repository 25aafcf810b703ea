//! The engine's side: takes requests one after the other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};
use shared::bundle::Card;
use shared::{Bundle, wav};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent, ReadableStreamDefaultReader, Response as FetchResponse};

use crate::messages;
use crate::protocol::{Failure, MAX_SAMPLES, Request, Response};
use crate::recording::{Parts, Source};
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
            let Card { summary, parameters, limits, .. } = bundle.card;
            post(&Response::Loaded { model, summary, parameters, limits }, &[]);
        }
        Request::Denoise { id, input, noise } => {
            let session = session.as_ref().ok_or(Failure::Other("no backend was started".into()))?;
            let source = Source::new(input, &buffers)?;
            if source.length() == 0 {
                return Err(Failure::Other("the recording is empty".into()));
            }
            if source.length() * source.channels() as u64 > MAX_SAMPLES as u64 {
                return Err(Failure::TooLong);
            }
            let audio_seconds = source.length() as f64 / f64::from(source.sample_rate_hz());
            let (source, mut parts) = match &noise {
                Some(noise) => source.with_noise(noise)?,
                None => (source, Vec::new()),
            };
            let noisy_parts = parts.len();
            let started = js_sys::Date::now();
            parts.extend(denoise(session, id, source).await?);
            let elapsed_seconds = (js_sys::Date::now() - started) / 1000.0;
            post(&Response::Done { id, noisy_parts, audio_seconds, elapsed_seconds }, &parts);
        }
    }
    Ok(())
}

/// Denoises a recording as it is read; the WAV file of the result, in parts.
async fn denoise(session: &Session, id: u32, mut source: Source) -> Result<Vec<ArrayBuffer>, Failure> {
    let failed = |error: shared::Error| Failure::Other(error.to_string());
    let (sample_rate_hz, channels) = (source.sample_rate_hz(), source.channels());
    let stream = session.stream(sample_rate_hz, channels).ok_or(Failure::Other("no network is loaded".into()))?;
    let mut stream = stream.map_err(failed)?;
    let mut parts = Parts::default();
    let mut writer = wav::Writer::new(&mut parts, sample_rate_hz, channels, source.encoding()).map_err(failed)?;
    let mut done = 0;
    loop {
        let block = source.read()?;
        let complete = block[0].is_empty();
        let denoised = if complete { stream.flush().await } else { stream.push(&block).await }.map_err(failed)?;
        writer.write(&denoised).map_err(failed)?;
        if !denoised[0].is_empty() {
            done += denoised[0].len();
            post(&Response::Progress { id, share: done as f64 / source.length() as f64 }, &[]);
        }
        if complete {
            break;
        }
    }
    writer.finish().map_err(failed)?;
    Ok(parts.finish())
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
