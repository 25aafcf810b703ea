//! The painter, from the page's side, and its pictures on canvases.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Float32Array, Uint8ClampedArray};
use wasm_bindgen::prelude::*;
use web::protocol::envelope;
use web::protocol::painter::{PainterAnswer, PainterOrder, Wish, Written};
use web::steps::Steps;
use web::take::Take;
use web_sys::{
    Blob, CanvasRenderingContext2d, HtmlCanvasElement, ImageData, MessageEvent, Worker, WorkerOptions, WorkerType,
};
use yew::Callback;

use super::files::window;

/// Most columns of a picture.
const MOST_WIDTH: usize = 1400;

/// The picture of a voice of a take, of which a network's track is used with each of these weights.
pub fn wish(take: &Take, weights: &[f32], window: [f64; 2], noise: Option<(Steps, u32)>) -> Wish {
    Wish { take: take.id, run: take.run, weights: weights.to_vec(), window, frames: take.frames_of(weights), noise }
}

/// The painter.
#[derive(Clone)]
pub struct PainterWorker(Rc<PainterLink>);

type Early = Vec<(PainterOrder, Vec<JsValue>)>;
type MessageListener = Closure<dyn FnMut(MessageEvent)>;
/// What is beside an answer, or why there is none.
type PainterResult = Result<Vec<JsValue>, String>;

struct PainterLink {
    worker: Worker,
    /// Orders that it could not hear yet.
    early: RefCell<Option<Early>>,
    waiting: RefCell<HashMap<u32, oneshot::Sender<PainterResult>>>,
    number: Cell<u32>,
    on_message: RefCell<Option<MessageListener>>,
}

impl PainterWorker {
    /// Starts it. `checked` hears whether chains can be made. None where the browser has no workers.
    pub fn start(checked: Callback<(Steps, Option<String>)>) -> Option<Self> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options("./painter_loader.js", &options).ok()?;
        let this = Self(Rc::new(PainterLink {
            worker,
            early: RefCell::new(Some(Vec::new())),
            waiting: RefCell::default(),
            number: Cell::new(0),
            on_message: RefCell::default(),
        }));
        let hearing = this.clone();
        let on_message =
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match envelope::unpack(&event.data()) {
                Some((PainterAnswer::Listening, _)) => {
                    let early = hearing.0.early.borrow_mut().take().unwrap_or_default();
                    early.into_iter().for_each(|(order, beside)| hearing.order(order, beside));
                }
                Some((PainterAnswer::Checked { steps, error }, _)) => checked.emit((steps, error)),
                Some((PainterAnswer::Painted { number, .. }, beside)) => hearing.done(number, Ok(beside)),
                Some((PainterAnswer::Written { number, error }, beside)) => {
                    hearing.done(number, error.map_or(Ok(beside), Err))
                }
                None => {}
            });
        this.0.worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        *this.0.on_message.borrow_mut() = Some(on_message);
        Some(this)
    }

    /// Sends an order with what belongs beside it.
    pub fn order(&self, order: PainterOrder, beside: Vec<JsValue>) {
        if let Some(early) = self.0.early.borrow_mut().as_mut() {
            early.push((order, beside));
            return;
        }
        // Fails only for what cannot be sent at all, and blobs can.
        let _ = self.0.worker.post_message(&envelope::pack(&order, &beside));
    }

    fn done(&self, number: u32, result: PainterResult) {
        if let Some(waiting) = self.0.waiting.borrow_mut().remove(&number) {
            // Who waited may be gone.
            let _ = waiting.send(result);
        }
    }

    /// Sends an order that has an answer, and waits for what is beside that.
    async fn ask(&self, order: impl FnOnce(u32) -> PainterOrder) -> PainterResult {
        let number = self.0.number.get() + 1;
        self.0.number.set(number);
        let (send, receive) = oneshot::channel();
        self.0.waiting.borrow_mut().insert(number, send);
        self.order(order(number), Vec::new());
        receive.await.unwrap_or_else(|_| Err("the painter is gone".into()))
    }

    /// A file.
    ///
    /// # Errors
    /// Why not, in a few words.
    pub async fn write(&self, file: Written) -> Result<Blob, String> {
        let beside = self.ask(|number| PainterOrder::Write { number, file }).await?;
        beside.into_iter().next().map(JsCast::unchecked_into).ok_or("nothing came".into())
    }

    /// Puts a picture on two canvases: its waveform and its spectrogram. None if there is nothing to paint.
    pub async fn paint(&self, wish: Wish, waveform: &HtmlCanvasElement, spectrogram: &HtmlCanvasElement) -> Option<()> {
        let width = columns(spectrogram);
        let beside = self.ask(|number| PainterOrder::Paint { number, wish, width }).await.ok()?;
        let [pixels, extremes] = beside.as_slice() else { return None };
        let (pixels, extremes) = (Uint8ClampedArray::new(pixels), Float32Array::new(extremes).to_vec());
        let height = pixels.length() as usize / 4 / width;
        spectrogram.set_width(width as u32);
        spectrogram.set_height(height as u32);
        let image = ImageData::new_with_js_u8_clamped_array_and_sh(&pixels, width as u32, height as u32).ok()?;
        context(spectrogram)?.put_image_data(&image, 0.0, 0.0).ok()?;
        trace(waveform, &extremes)
    }
}

/// How many columns a canvas is to have: as many as it has pixels on the screen.
fn columns(canvas: &HtmlCanvasElement) -> usize {
    let ratio = window().device_pixel_ratio().min(2.0);
    ((f64::from(canvas.client_width()) * ratio) as usize).clamp(64, MOST_WIDTH)
}

fn context(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

/// Draws a waveform in the colour that the style sheet gives the canvas.
fn trace(canvas: &HtmlCanvasElement, extremes: &[f32]) -> Option<()> {
    const HEIGHT: f64 = 128.0;
    canvas.set_width((extremes.len() / 2) as u32);
    canvas.set_height(HEIGHT as u32);
    let style = window().get_computed_style(canvas).ok()??;
    let context = context(canvas)?;
    context.set_fill_style_str(&style.get_property_value("color").ok()?);
    let y = |sample: f32| (0.5 - 0.5 * f64::from(sample.clamp(-1.0, 1.0))) * HEIGHT;
    for (x, edges) in extremes.chunks_exact(2).enumerate().filter(|(_, edges)| !edges[0].is_nan()) {
        let (top, bottom) = (y(edges[1]), y(edges[0]));
        context.fill_rect(x as f64, top - 0.5, 1.0, (bottom - top).max(0.0) + 1.0);
    }
    Some(())
}
