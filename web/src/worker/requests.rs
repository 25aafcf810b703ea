//! The queue of what the page asks.
//!
//! Requests are answered one after the other. Only two are heard while another is worked on: the one to cancel a take,
//! and the one to end live sound, until which everything else waits.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web::protocol::Failure;
use web::protocol::engine::{Request, Response};
use web::protocol::envelope;
use web_sys::MessageEvent;

use crate::browser::{post, report_rejections, scope};
use crate::session::Session;
use crate::stop::Stop;
use crate::take::DenoiseRequest;
use crate::{live, loading, take};

/// What was asked and is not answered.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Request, Vec<JsValue>)>,
    current: Current,
}

/// What is being worked on.
#[derive(Default)]
enum Current {
    #[default]
    Nothing,
    Take(u32, Stop),
    Live(Stop),
    /// What cannot be stopped.
    Other,
}

/// Starts listening.
pub fn listen() {
    console_error_panic_hook::set_once();
    report_rejections();
    let queue = Rc::new(RefCell::new(Queue::default()));
    let session = Rc::new(RefCell::new(None));
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Some((request, beside)) = envelope::unpack(&event.data()) else { return };
        let mut open = queue.borrow_mut();
        match request {
            Request::Cancel { id } => open.cancel(id),
            Request::StopLive => open.stop_live(),
            request => {
                open.waiting.push_back((request, beside));
                if matches!(open.current, Current::Nothing) {
                    open.current = Current::Other;
                    spawn_local(work(queue.clone(), session.clone()));
                }
            }
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget(); // listens for as long as the worker lives
    post(&Response::Listening);
}

impl Queue {
    /// Stops work on a take, or forgets that it waits.
    fn cancel(&mut self, id: u32) {
        if let Current::Take(current, stop) = &self.current
            && *current == id
        {
            return stop.stop(); // whoever works on it answers
        }
        let had = self.waiting.len();
        self.waiting.retain(|(request, _)| !matches!(request, Request::Denoise { id: other, .. } if *other == id));
        if self.waiting.len() < had {
            post(&Response::Failed { id: Some(id), model: None, failure: Failure::Cancelled });
        }
    }

    /// Ends live sound, or forgets that it is to begin.
    fn stop_live(&mut self) {
        if let Current::Live(stop) = &self.current {
            return stop.stop();
        }
        let had = self.waiting.len();
        self.waiting.retain(|(request, _)| !matches!(request, Request::StartLive { .. }));
        if self.waiting.len() < had {
            post(&Response::LiveEnded { failure: None });
        }
    }

    /// The next request, which is worked on from now on.
    fn next(&mut self) -> Option<(Request, Vec<JsValue>, Stop)> {
        let stop = Stop::default();
        let next = self.waiting.pop_front();
        self.current = match &next {
            None => Current::Nothing,
            Some((Request::Denoise { id, .. }, _)) => Current::Take(*id, stop.clone()),
            Some((Request::StartLive { .. }, _)) => Current::Live(stop.clone()),
            Some(_) => Current::Other,
        };
        next.map(|(request, beside)| (request, beside, stop))
    }
}

/// Answers requests until none waits.
async fn work(queue: Rc<RefCell<Queue>>, session: Rc<RefCell<Option<Session>>>) {
    loop {
        let next = queue.borrow_mut().next();
        let Some((request, beside, stop)) = next else { break };
        // Out of its cell while it works: nothing else runs that could want it.
        let mut current = session.borrow_mut().take();
        answer(request, beside, stop, &mut current).await;
        *session.borrow_mut() = current;
    }
}

/// Answers one request; what fails is an answer, too.
async fn answer(request: Request, beside: Vec<JsValue>, stop: Stop, session: &mut Option<Session>) {
    let failed = |id, model, failure| post(&Response::Failed { id, model, failure });
    match request {
        Request::Start { choice } => {
            if session.is_some() {
                return failed(None, None, Failure::Other("the engine was started before".into()));
            }
            match Session::start(choice).await {
                Ok((started, note)) => {
                    post(&Response::Started { backend: started.backend(), note });
                    *session = Some(started);
                }
                Err(failure) => failed(None, None, failure),
            }
        }
        Request::Load { model, url } => {
            if let Err(failure) = load(&model, url.as_deref(), &beside, session).await {
                failed(None, Some(model), failure);
            }
        }
        Request::Unload { model } => {
            if let Some(session) = session {
                session.unload(&model);
            }
        }
        Request::Denoise { id, input, noise, models, from } => {
            let request = DenoiseRequest { id, input, beside, noise, models, from };
            let done = match started(session) {
                Ok(session) => take::run(session, request, stop).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = done {
                failed(Some(id), None, failure);
            }
        }
        Request::StartLive { model, sample_rate_hz } => {
            let done = match started(session) {
                Ok(session) => live::run(session, &model, sample_rate_hz, &beside, &stop).await,
                Err(failure) => Err(failure),
            };
            post(&Response::LiveEnded { failure: done.err() });
        }
        // Heard before they come here.
        Request::Cancel { .. } | Request::StopLive => {}
    }
}

/// Loads a network, and posts all there is to say about it.
async fn load(
    model: &str,
    url: Option<&str>,
    beside: &[JsValue],
    session: &mut Option<Session>,
) -> Result<(), Failure> {
    let session = started(session)?;
    let bytes = loading::bundle(model, url, beside).await?;
    let news = session.load(model, &bytes).await?;
    if let Some(reason) = news.fell_back {
        post(&Response::FellBack { reason });
    }
    let (backend, note) = (session.backend(), news.note);
    post(&Response::Loaded { model: model.into(), facts: Box::new(news.facts), backend, note });
    Ok(())
}

/// The session, if there is one.
fn started(session: &mut Option<Session>) -> Result<&mut Session, Failure> {
    session.as_mut().ok_or_else(|| Failure::Other("no backend was chosen".into()))
}
