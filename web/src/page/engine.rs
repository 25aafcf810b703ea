//! The worker, from the page's side.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web::protocol::engine::{Request, Response};
use web::protocol::envelope;
use web_sys::{Event as DomEvent, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

/// What the engine says.
pub enum Word {
    /// An answer, and what is beside it.
    Answer(Box<Response>, Vec<JsValue>),
    /// It is no more.
    Died,
}

/// The worker, while it lives. Dropped, it ends.
pub struct EngineWorker {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(DomEvent)>,
}

impl EngineWorker {
    /// Starts a worker. `hear` gets all that it says, in order.
    pub fn start(hear: Callback<Word>) -> Option<Self> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options("./worker_loader.js", &options).ok()?;
        let on_message = Closure::new({
            let hear = hear.clone();
            move |event: MessageEvent| {
                if let Some((response, beside)) = envelope::unpack(&event.data()) {
                    hear.emit(Word::Answer(Box::new(response), beside));
                }
            }
        });
        let on_error = Closure::new(move |event: DomEvent| {
            event.prevent_default();
            hear.emit(Word::Died);
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Self { worker, _on_message: on_message, _on_error: on_error })
    }

    /// Sends a request with what belongs beside it; of that, `transferred` changes hands.
    pub fn post(&self, request: &Request, beside: &[JsValue], transferred: &[JsValue]) {
        let transferred: Array = transferred.iter().collect();
        // Fails only when something is transferred twice, and each is made for one message.
        let _ = self.worker.post_message_with_transfer(&envelope::pack(request, beside), &transferred);
    }
}

impl Drop for EngineWorker {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}
