//! Event handlers for the elements of the page, and the values of the fields that events come from.

use web::state::PageEvent;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::msg::Msg;

/// Where handlers send what happened.
pub type Send = Callback<Msg>;

/// A handler that sends the same message each time.
pub fn on<E>(send: &Send, msg: Msg) -> Callback<E> {
    send.reform(move |_| msg.clone())
}

/// A handler that sends an event to the state.
pub fn on_event<E>(send: &Send, event: PageEvent) -> Callback<E> {
    on(send, Msg::Event(event))
}

/// The text of the field that an event comes from; empty if it is no field.
pub fn input_value(event: &yew::Event) -> String {
    event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default()
}

/// The text of a field while it is being changed.
pub fn live_value(event: &InputEvent) -> String {
    event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default()
}

/// The value of the `<select>` that an event comes from; empty if it is none.
pub fn select_value(event: &yew::Event) -> String {
    event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value()).unwrap_or_default()
}
