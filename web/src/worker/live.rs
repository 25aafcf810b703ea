//! Sound as it comes, through a port that leads to where it is recorded and played.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Float32Array};
use shared::audio::check_rate;
use shared::stream::Options;
use wasm_bindgen::prelude::*;
use web::protocol::Failure;
use web::protocol::engine::{Backend, Response};
use web_sys::{MessageEvent, MessagePort};

use crate::browser::{now, post, sleep};
use crate::session::{BackendStream, Loaded, Session};
use crate::stop::{Stop, Trouble};

/// How often the page hears how it goes, in seconds.
const REPORT_SECONDS: f64 = 0.5;
/// How far back the load is measured, in seconds of sound.
const LOAD_SECONDS: f64 = 3.0;
/// How long the load may be above 1, in seconds.
const OVERLOAD_SECONDS: f64 = 3.0;
/// How much sound may wait while the load is above 1, in seconds.
const MAX_BACKLOG_SECONDS: f64 = 1.5;
/// How often sound is looked for, in milliseconds.
const LOOK_MILLISECONDS: i32 = 10;
/// Load that pieces are made long enough for, if they can be.
const AIM_LOAD: f64 = 0.6;
/// Lengths of pieces to choose from, in seconds.
const PIECE_SECONDS: [f64; 3] = [0.25, 0.5, 1.0];

/// Sound that came and waits.
type Inbox = Rc<RefCell<VecDeque<Vec<f32>>>>;

/// Denoises until it is to stop.
///
/// # Errors
/// When it cannot be done, or the network does not keep up.
pub async fn run(
    session: &mut Session,
    model: &str,
    sample_rate_hz: u32,
    beside: &[JsValue],
    stop: &Stop,
) -> Result<(), Failure> {
    session.network(model)?;
    check_rate(sample_rate_hz).map_err(|error| Failure::Other(error.to_string()))?;
    let port = beside.first().and_then(|port| port.dyn_ref::<MessagePort>());
    let port = OpenPort::new(port.ok_or_else(|| Failure::Other("there is no port for the sound".into()))?);
    loop {
        match flow(session.network(model)?, sample_rate_hz, &port, stop).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Failure(failure)) => return Err(failure),
            Err(Trouble::Device(reason)) if session.backend() == Backend::Webgpu => {
                post(&Response::FellBack { reason });
                session.fall_back().await?;
            }
            Err(Trouble::Device(reason)) => return Err(Failure::Other(reason)),
        }
    }
}

/// The same on one backend.
async fn flow(network: &Loaded, sample_rate_hz: u32, port: &OpenPort, stop: &Stop) -> Result<(), Trouble> {
    let rate = f64::from(sample_rate_hz);
    let mut stream = network.stream(sample_rate_hz, options(network).await?)?;
    let held_seconds = stream.latency() as f64 / rate;
    warm_up(&mut stream, sample_rate_hz, stop).await?;
    port.inbox.borrow_mut().clear(); // what came meanwhile is late already

    let mut load = Load::default();
    let mut reported = now();
    let mut overloaded: Option<f64> = None;
    while !stop.stopped() {
        sleep(LOOK_MILLISECONDS).await;
        let block: Vec<f32> = port.inbox.borrow_mut().drain(..).flatten().collect();
        let waiting_seconds = block.len() as f64 / rate;
        if !block.is_empty() {
            let started = now();
            let denoised = stream.push(&block).await?;
            load.add(now() - started, waiting_seconds);
            port.post(&denoised);
        }
        let time = now();
        if load.value() <= 1.0 {
            overloaded = None; // and what waited will be caught up with
        } else if waiting_seconds > MAX_BACKLOG_SECONDS || time - *overloaded.get_or_insert(time) > OVERLOAD_SECONDS {
            return Err(Failure::TooSlow((load.value() * 100.0).round() as u32).into());
        }
        if time - reported >= REPORT_SECONDS {
            reported = time;
            post(&Response::Live { latency_seconds: held_seconds + waiting_seconds, load: load.value() });
        }
    }
    Ok(())
}

/// Runs silence through a graphics processor, so that its programs are made for every length of input before there is
/// sound.
async fn warm_up(stream: &mut BackendStream, sample_rate_hz: u32, stop: &Stop) -> Result<(), Trouble> {
    if let BackendStream::Cpu(_) = stream {
        return Ok(());
    }
    let second = vec![0.0; sample_rate_hz as usize];
    for _ in 0..=2 * stream.latency() / second.len() {
        stream.push(&second).await?;
        if stop.listen().await.is_err() {
            break; // the page wants it to end, which is no failure
        }
    }
    stream.reset();
    Ok(())
}

/// Pieces as short as a network can afford: the context around each is computed too, so shorter ones are more work.
async fn options(network: &Loaded) -> shared::Result<Options> {
    let rate_hz = network.sample_rate_hz() as usize;
    let options = |seconds: f64| {
        let piece_length = ((seconds * rate_hz as f64) as usize).next_multiple_of(network.alignment());
        Options { piece_length, lookahead_seconds: 0.0, ..Options::default() }
    };
    let [tried @ .., longest] = PIECE_SECONDS;
    for seconds in tried {
        // Not worth trying where even a long piece takes too long.
        if network.speed * AIM_LOAD < 1.0 {
            break;
        }
        let piece_length = options(seconds).piece_length;
        let computed = network.time(piece_length + 2 * network.context()).await?;
        if computed * rate_hz as f64 <= AIM_LOAD * piece_length as f64 {
            return Ok(options(seconds));
        }
    }
    Ok(options(longest))
}

/// Computing time over playing time, lately.
#[derive(Default)]
struct Load {
    /// Seconds of both.
    blocks: VecDeque<(f64, f64)>,
    computed: f64,
    played: f64,
}

impl Load {
    fn add(&mut self, computed: f64, played: f64) {
        self.blocks.push_back((computed, played));
        (self.computed, self.played) = (self.computed + computed, self.played + played);
        while let Some(&(computed, played)) = self.blocks.front()
            && self.played - played >= LOAD_SECONDS
        {
            self.blocks.pop_front();
            (self.computed, self.played) = (self.computed - computed, self.played - played);
        }
    }

    /// 0 before the longest piece can have been computed.
    fn value(&self) -> f64 {
        if self.played < PIECE_SECONDS[2] { 0.0 } else { (self.computed / self.played).max(0.0) }
    }
}

/// A port that is listened to, until this is dropped.
struct OpenPort {
    port: MessagePort,
    inbox: Inbox,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl OpenPort {
    fn new(port: &MessagePort) -> Self {
        let inbox = Inbox::default();
        let listener = Closure::<dyn FnMut(MessageEvent)>::new({
            let inbox = inbox.clone();
            move |event: MessageEvent| {
                if let Some(samples) = event.data().dyn_ref::<Float32Array>() {
                    // A microphone gives finite numbers, and anything else would stop the stream.
                    let finite = |sample: f32| if sample.is_finite() { sample } else { 0.0 };
                    inbox.borrow_mut().push_back(samples.to_vec().into_iter().map(finite).collect());
                }
            }
        });
        port.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Self { port: port.clone(), inbox, _listener: listener }
    }

    /// Sends samples back.
    fn post(&self, samples: &[f32]) {
        if !samples.is_empty() {
            let samples = Float32Array::from(samples);
            // Fails when the other side is gone, and then nobody listens.
            let _ = self.port.post_message_with_transferable(&samples, &Array::of1(&samples.buffer()));
        }
    }
}

impl Drop for OpenPort {
    fn drop(&mut self) {
        self.port.set_onmessage(None);
        self.port.close();
    }
}
