//! The engine: started, heard, and asked; the pieces of its results are put away.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web::protocol::Failure;
use web::protocol::engine::{Request, Response, TakeInput};
use web::protocol::painter::PainterOrder;
use web::settings::PageTask;
use web::state::{PageEvent, PageState};
use yew::Callback;

use super::{Run, Shell};
use crate::engine::{EngineWorker, Word};
use crate::files::{self, document};
use crate::msg::Msg;

impl Shell {
    /// Starts an engine, in place of the one that there was.
    pub(super) fn spawn_engine(&self) {
        let this = self.clone();
        let engine = EngineWorker::start(Callback::from(move |word| this.hear(word)));
        let missing = engine.is_none();
        let mut held = self.held.borrow_mut();
        held.words.clear();
        held.engine = engine;
        if missing {
            drop(held);
            self.tell(PageEvent::EngineDied);
        }
    }

    /// Takes what the engine says, one after the other: putting a piece away takes a while.
    fn hear(&self, word: Word) {
        let mut held = self.held.borrow_mut();
        held.words.push_back(word);
        if std::mem::replace(&mut held.listening, true) {
            return;
        }
        let this = self.clone();
        spawn_local(async move {
            loop {
                let word = this.held.borrow_mut().words.pop_front();
                match word {
                    Some(Word::Answer(response, beside)) => this.answer(*response, beside).await,
                    Some(Word::Died) => this.tell(PageEvent::EngineDied),
                    None => break,
                }
            }
            this.held.borrow_mut().listening = false;
        });
    }

    async fn answer(&self, response: Response, beside: Vec<JsValue>) {
        let run = |id: &u32| self.held.borrow().runs.get(id).copied();
        match &response {
            Response::Opened { id, spec, .. } => {
                if let Some(run) = run(id) {
                    self.store.open(run.take, spec);
                }
            }
            Response::Piece { id, track, start } => {
                let (Some(known), Some(buffer)) = (run(id), beside.first()) else { return };
                let removed_from = known.removed.filter(|[result, _]| result == track).map(|[_, before]| before);
                let put = self.store.put(known.take, *track, *start, buffer.unchecked_ref(), removed_from).await;
                match put {
                    Ok((frames, piece)) => {
                        if let (Some(piece), Some((sample_rate_hz, channels))) = (piece, self.store.format(known.take))
                        {
                            let take = known.take;
                            let order =
                                PainterOrder::Look { take, sample_rate_hz, channels, track: *track, removed_from };
                            self.order(order, vec![piece.into()]);
                        }
                        self.send.emit(Msg::Stored { run: *id, track: *track, frames });
                    }
                    Err(_) => {
                        self.post(&Request::Cancel { id: *id }, &[], &[]);
                        let failed = Response::Failed { id: Some(*id), model: None, failure: Failure::NoRoom };
                        self.tell(PageEvent::Engine(failed));
                    }
                }
                return;
            }
            Response::Done { id, engine_bytes, .. } => {
                if let Some(run) = run(id) {
                    self.order(PainterOrder::Finish { take: run.take }, Vec::new());
                }
                if let Some(root) = document().document_element() {
                    // For tests, and whoever looks for it: what the engine holds.
                    let _ = root.set_attribute("data-engine-bytes", &format!("{engine_bytes:.0}"));
                }
            }
            _ => {}
        }
        self.tell(PageEvent::Engine(response));
    }

    /// Sends a request with what belongs beside it; of that, `transferred` changes hands.
    pub(super) fn post(&self, request: &Request, beside: &[JsValue], transferred: &[JsValue]) {
        if let Some(engine) = &self.held.borrow().engine {
            engine.post(request, beside, transferred);
        }
    }

    /// Has the browser decode a take's file, and sends the request with its samples beside it.
    pub(super) fn post_decoded(&self, request: Request, id: u32) {
        let file = self.held.borrow().files.get(&id).cloned();
        let this = self.clone();
        spawn_local(async move {
            let Some(file) = file else { return };
            match files::decode(&file).await {
                Ok((decoded, channels)) => {
                    let request = with_input(request, decoded);
                    this.post(&request, &channels, &channels);
                }
                Err(failure) => this.tell(PageEvent::Undecodable(id, failure)),
            }
        });
    }

    /// Sends a request to load with a bundle beside it.
    pub(super) fn post_bundle(&self, request: Request, id: u32) {
        let blob = self.held.borrow().bundles.get(&id).cloned();
        let this = self.clone();
        spawn_local(async move {
            let Some(blob) = blob else { return };
            if let Ok(bytes) = JsFuture::from(blob.array_buffer()).await {
                this.post(&request, std::slice::from_ref(&bytes), std::slice::from_ref(&bytes));
            }
        });
    }

    /// Remembers which take a request to denoise is about.
    pub(super) fn register(&self, request: &Request, take: u32, state: &PageState) {
        let Request::Denoise { id, noise, .. } = request else { return };
        let experiment = state.takes.iter().any(|known| known.id == take && known.task == PageTask::Experiment);
        let removed = match (experiment, noise) {
            (true, _) => None,
            (false, Some(_)) => Some([2, 1]),
            (false, None) => Some([1, 0]),
        };
        self.held.borrow_mut().runs.insert(*id, Run { take, removed });
    }
}

/// A request to denoise with another input.
fn with_input(request: Request, input: TakeInput) -> Request {
    match request {
        Request::Denoise { id, noise, models, from, .. } => Request::Denoise { id, input, noise, models, from },
        other => other,
    }
}
