//! What the whole page listens to, wherever the focus is: dropped and pasted files, and keys.

use wasm_bindgen::prelude::*;
use web::state::PageEvent;
use web_sys::{ClipboardEvent, DragEvent, Element, HtmlElement, KeyboardEvent, MouseEvent};
use yew::Callback;

use super::files::{self, document, window};
use super::msg::Msg;

/// Something that listens to the browser for as long as it is kept.
pub struct DomListener {
    target: web_sys::EventTarget,
    kind: &'static str,
    closure: Closure<dyn FnMut(web_sys::Event)>,
}

impl DomListener {
    fn new(target: &web_sys::EventTarget, kind: &'static str, hear: impl FnMut(web_sys::Event) + 'static) -> Self {
        let closure = Closure::<dyn FnMut(web_sys::Event)>::new(hear);
        let _ = target.add_event_listener_with_callback(kind, closure.as_ref().unchecked_ref());
        Self { target: target.clone(), kind, closure }
    }
}

impl Drop for DomListener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.kind, self.closure.as_ref().unchecked_ref());
    }
}

/// Starts listening: to files that are dropped or pasted anywhere, and to keys.
pub fn listen(send: &Callback<Msg>) -> Vec<DomListener> {
    let window = window();
    let over = |shown: bool| {
        if let Some(root) = document().document_element() {
            let _ = root.class_list().toggle_with_force("dragged", shown);
        }
    };
    let (dropped, pasted, keys, resized) = (send.clone(), send.clone(), send.clone(), send.clone());
    vec![
        DomListener::new(&window, "dragover", move |event| {
            event.prevent_default();
            over(true);
        }),
        DomListener::new(&window, "dragleave", move |event| {
            if event.unchecked_ref::<DragEvent>().related_target().is_none() {
                over(false);
            }
        }),
        DomListener::new(&window, "drop", move |event| {
            event.prevent_default();
            over(false);
            let data = event.unchecked_ref::<DragEvent>().data_transfer();
            dropped.emit(Msg::Files(files::listed(data.and_then(|data| data.files()))));
        }),
        DomListener::new(&window, "paste", move |event| {
            let data = event.unchecked_ref::<ClipboardEvent>().clipboard_data();
            let files = files::listed(data.and_then(|data| data.files()));
            if !files.is_empty() {
                event.prevent_default();
                pasted.emit(Msg::Files(files));
            }
        }),
        DomListener::new(&window, "keydown", move |event| {
            if let Some(msg) = key(event.unchecked_ref()) {
                event.prevent_default();
                keys.emit(msg);
            }
        }),
        DomListener::new(&window, "click", |event| {
            // What was pressed with a pointer gives the keys back: space is to play, not to press it again.
            let pointed = event.dyn_ref::<MouseEvent>().is_some_and(|event| event.detail() > 0);
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let pressed =
                target.and_then(|target| target.closest("button, input[type=radio], input[type=checkbox]").ok()?);
            if let Some(pressed) =
                pressed.filter(|_| pointed).and_then(|pressed| pressed.dyn_into::<HtmlElement>().ok())
            {
                let _ = pressed.blur();
            }
        }),
        DomListener::new(&window, "resize", move |_| resized.emit(Msg::Resized)),
    ]
}

/// What a key does wherever the focus is, unless the element that has it needs it for itself.
fn key(event: &KeyboardEvent) -> Option<Msg> {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
        return None;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let within = |selector: &str| {
        target.as_ref().is_some_and(|target| target.closest(selector).is_ok_and(|found| found.is_some()))
    };
    if within("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range]), [contenteditable]") {
        return None;
    }
    let name = event.key();
    if let (1, Some(digit @ 1..=9)) = (name.len(), name.chars().next().and_then(|digit| digit.to_digit(10))) {
        return Some(Msg::Event(PageEvent::Voice(digit as usize - 1)));
    }
    // Sliders, tabs and choices have arrows of their own; buttons and links have space.
    let arrows = !within("input, [role=tab]");
    let far = if event.shift_key() { 10.0 } else { 1.0 };
    Some(match name.as_str() {
        " " if !within("button, a, summary, input") => Msg::Event(PageEvent::TogglePlay),
        "ArrowLeft" if arrows => Msg::Skip(-far),
        "ArrowRight" if arrows => Msg::Skip(far),
        "Home" if within("#picture") => Msg::Event(PageEvent::Seek(0.0)),
        "End" if within("#picture") => Msg::Event(PageEvent::Seek(f64::MAX)),
        "+" | "=" => Msg::Zoom(2.0, None),
        "-" => Msg::Zoom(0.5, None),
        "0" => Msg::Event(PageEvent::Window(None)),
        _ => return None,
    })
}
