//! The address of the page, which holds its settings.

use wasm_bindgen::JsValue;
use web::state::PageState;

use super::files::window;

/// The address of the page as it is, with its settings.
pub fn of(state: &PageState) -> String {
    let location = window().location();
    let (origin, path) = (location.origin().unwrap_or_default(), location.pathname().unwrap_or_default());
    let query = state.settings.to_query();
    format!("{origin}{path}{}{query}", if query.is_empty() { "" } else { "?" })
}

/// Has the address bar show the page as it is.
pub fn show(state: &PageState) {
    if let Ok(history) = window().history() {
        // Browsers refuse when it is done a hundred times in half a minute; the next time will do.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&of(state)));
    }
}
