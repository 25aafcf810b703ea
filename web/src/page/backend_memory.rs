//! Which backend was the faster on this device, remembered from one visit to the next.

use web::protocol::engine::Backend;

use super::files::window;

/// The key in the browser's storage.
const REMEMBERED: &str = "denoise-backend";
/// How long it is believed, in milliseconds: devices and browsers change.
const REMEMBERED_MS: f64 = 14.0 * 86_400_000.0;

/// Remembers a backend as the faster one.
pub fn remember(backend: Backend) {
    if let Ok(Some(storage)) = window().local_storage() {
        // Without room it is tried again next time.
        let _ = storage.set_item(REMEMBERED, &format!("{} {:.0}", backend.name(), js_sys::Date::now()));
    }
}

/// The backend that was the faster when both were timed; none if that was too long ago.
pub fn remembered() -> Option<Backend> {
    let stored = window().local_storage().ok()??.get_item(REMEMBERED).ok()??;
    let (name, time) = stored.split_once(' ')?;
    let age = js_sys::Date::now() - time.parse::<f64>().ok()?;
    let backend = [Backend::Cpu, Backend::Webgpu].into_iter().find(|backend| backend.name() == name)?;
    (0.0..REMEMBERED_MS).contains(&age).then_some(backend)
}
