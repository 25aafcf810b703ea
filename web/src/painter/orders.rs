//! Takes orders, one after the other.

use js_sys::{Array, ArrayBuffer, Float32Array, Uint8ClampedArray};
use shared::noise::Chain;
use wasm_bindgen::prelude::*;
use web::protocol::envelope;
use web::protocol::painter::{PainterAnswer, PainterOrder, Written};
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageEvent};

use crate::gallery::Gallery;
use crate::writer;

/// Listens for as long as the worker lives.
pub fn listen() {
    console_error_panic_hook::set_once();
    let mut gallery = Gallery::default();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some((order, beside)) = envelope::unpack(&event.data()) {
            obey(&mut gallery, order, beside);
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    answer(&PainterAnswer::Listening, &[]);
}

fn obey(gallery: &mut Gallery, order: PainterOrder, beside: Vec<JsValue>) {
    match order {
        PainterOrder::Look { take, sample_rate_hz, channels, track, removed_from } => {
            if let Some(piece) = beside.into_iter().next() {
                gallery.look(take, (sample_rate_hz, channels), track, piece.unchecked_into::<Blob>(), removed_from);
            }
        }
        PainterOrder::Finish { take } => gallery.finish(take),
        PainterOrder::Forget { take } => gallery.forget(take),
        PainterOrder::Paint { number, wish, width } => match gallery.paint(&wish, width) {
            Some(picture) => {
                let pixels = Uint8ClampedArray::from(picture.pixels.as_slice()).buffer();
                let extremes: Vec<f32> =
                    picture.extremes.iter().flat_map(|edges| edges.unwrap_or([f32::NAN; 2])).collect();
                let extremes = Float32Array::from(extremes.as_slice()).buffer();
                let height = picture.pixels.len() / 4 / width.max(1);
                answer(&PainterAnswer::Painted { number, width, height }, &[pixels.into(), extremes.into()]);
            }
            None => answer(&PainterAnswer::Painted { number, width, height: 0 }, &[]),
        },
        PainterOrder::Write { number, file } => {
            let file = match file {
                Written::Wav(excerpt) => writer::wav(gallery, &excerpt),
                Written::Archive(files) => writer::archive(gallery, &files),
                Written::Page(plan) => writer::page(gallery, plan),
            };
            match file {
                Ok(file) => answer(&PainterAnswer::Written { number, error: None }, &[file.into()]),
                Err(reason) => answer(&PainterAnswer::Written { number, error: Some(reason) }, &[]),
            }
        }
        PainterOrder::Check { steps } => {
            let error = match Chain::from_json(&steps.to_json()) {
                // Nobody's recordings are at hand here.
                Ok(chain) => chain.recordings().next().map(|name| format!("the page has no recordings such as {name}")),
                Err(error) => Some(error.to_string()),
            };
            answer(&PainterAnswer::Checked { steps, error }, &[]);
        }
    }
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn answer(answer: &PainterAnswer, beside: &[JsValue]) {
    let transferred: Array = beside.iter().filter(|beside| beside.has_type::<ArrayBuffer>()).collect();
    // Fails only when something is transferred twice, and each is made for one message.
    let _ = scope().post_message_with_transfer(&envelope::pack(answer, beside), &transferred);
}
