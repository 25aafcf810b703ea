//! What people take along or send to others.

use web::take::Take;
use yew::prelude::*;

use super::handlers::{Send, on};
use crate::msg::{Msg, Souvenir};

/// A page of its own, the link, the snippet.
pub fn buttons(take: &Take, send: &Send) -> Html {
    let button = |id: &'static str, text: &'static str, disabled: bool, souvenir: Souvenir| {
        html! { <button {id} type="button" class="quiet" {disabled} onclick={on(send, Msg::Take(souvenir))}>{ text }</button> }
    };
    html! {
        <span class="buttons" role="group" aria-label="Share">
            { button("save-page", "Save as a page", take.is_active(), Souvenir::Page) }
            { button("copy-link", "Copy link", false, Souvenir::Link) }
            { button("copy-embed", "Copy snippet", false, Souvenir::Embed) }
        </span>
    }
}

/// What another page needs to show this one, at `address`, in it.
pub fn snippet(address: &str) -> String {
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    let address = if query.is_empty() { format!("{place}?embed=1") } else { format!("{place}?{query}&embed=1") };
    let address = address.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<iframe src=\"{address}\" title=\"Remove noise from recordings\" width=\"100%\" height=\"640\" \
         allow=\"microphone; clipboard-write\" loading=\"lazy\"></iframe>"
    )
}
