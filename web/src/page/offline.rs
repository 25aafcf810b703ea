//! The page without a network: a service worker keeps all of it.

use js_sys::{Promise, Reflect};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::Callback;

use super::files::window;

/// Has the browser keep the site. `ready` hears when all of it is kept; where the browser cannot or has no room,
/// nothing happens.
pub fn register(ready: Callback<()>) {
    let navigator = window().navigator();
    if !Reflect::has(&navigator, &"serviceWorker".into()).unwrap_or(false) {
        return;
    }
    let workers = navigator.service_worker();
    let registered: Promise = workers.register("./sw.js");
    spawn_local(async move {
        if JsFuture::from(registered).await.is_err() {
            return;
        }
        if let Ok(active) = workers.ready()
            && JsFuture::from(active).await.is_ok()
        {
            ready.emit(());
        }
    });
}
