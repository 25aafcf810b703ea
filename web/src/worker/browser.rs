//! What the browser does for the engine: it carries answers, tells the time, and says what died.

use js_sys::{Array, Float32Array, Promise, WebAssembly};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web::protocol::engine::Response;
use web::protocol::envelope;
use web_sys::{DedicatedWorkerGlobalScope, PromiseRejectionEvent};

/// What is global in a worker.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Posts an answer.
pub fn post(response: &Response) {
    // Fails for what cannot be copied only, and this is text.
    let _ = scope().post_message(&envelope::pack(response, &[]));
}

/// Posts an answer with samples beside it, which go over without a copy.
pub fn post_samples(response: &Response, samples: &Float32Array) {
    let buffer = samples.buffer();
    let message = envelope::pack(response, &[buffer.clone().into()]);
    // Fails for a buffer that is transferred twice only, and each is made for one message.
    let _ = scope().post_message_with_transfer(&message, &Array::of1(&buffer));
}

/// Seconds since the worker started.
pub fn now() -> f64 {
    scope().performance().map_or_else(js_sys::Date::now, |clock| clock.now()) / 1000.0
}

/// Waits, and lets the worker hear its messages meanwhile.
pub async fn sleep(milliseconds: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        // Cannot fail for a function.
        let _ = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
    });
    // A timer never rejects.
    let _ = JsFuture::from(promise).await;
}

/// Memory of the engine in bytes. It never gets less: what is freed is used again.
pub fn memory_bytes() -> f64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length().into()
}

/// Has the page hear of whatever dies in a promise: such an error stays in the worker, unless it is thrown anew.
pub fn report_rejections() {
    let on_rejection = Closure::<dyn FnMut(PromiseRejectionEvent)>::new(|event: PromiseRejectionEvent| {
        let reason = event.reason();
        let rethrow = Closure::once_into_js(move || -> () { wasm_bindgen::throw_val(reason) });
        let _ = scope().set_timeout_with_callback(rethrow.unchecked_ref());
    });
    let _ = scope().add_event_listener_with_callback("unhandledrejection", on_rejection.as_ref().unchecked_ref());
    on_rejection.forget(); // listens for as long as the worker lives
}
