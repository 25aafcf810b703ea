//! Whether WebGPU can be used here, and its start.

use burn::backend::wgpu::{WgpuDevice, graphics, init_setup_async};
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// What [`probe`] found.
pub struct Adapter {
    /// Its name, as far as the browser gives it.
    pub name: String,
    /// Whether it is a program and not a device: right, but far slower than the CPU backend.
    pub software: bool,
}

/// Asks the browser for an adapter, and it for all that Burn needs.
///
/// Burn panics on an adapter it cannot use, and a panic cannot be caught here, so everything is asked beforehand.
///
/// # Errors
/// The reason, when WebGPU cannot be used.
pub async fn probe() -> Result<Adapter, String> {
    let navigator = get(&js_sys::global(), "navigator").ok_or("this browser has no navigator")?;
    let gpu = get(&navigator, "gpu").ok_or("this browser does not have it")?;
    let options = Object::new();
    let _ = Reflect::set(&options, &"powerPreference".into(), &"high-performance".into());
    let adapter = call(&gpu, "requestAdapter", &[&options]).await.ok_or("there is no graphics adapter for it")?;
    let features = get(&adapter, "features").ok_or("the adapter does not tell its features")?;
    let has = get(&features, "has").and_then(|has| has.dyn_into::<Function>().ok());
    let timestamps = has.and_then(|has| has.call1(&features, &"timestamp-query".into()).ok());
    if !timestamps.is_some_and(|timestamps| timestamps.is_truthy()) {
        return Err("the adapter lacks the feature “timestamp-query”".into());
    }
    let info = get(&adapter, "info").unwrap_or(JsValue::UNDEFINED);
    let words = ["vendor", "architecture", "device", "description"].map(|key| text(&info, key));
    let name = words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let fallback =
        [&info, &adapter].iter().any(|object| get(object, "isFallbackAdapter").is_some_and(|v| v.is_truthy()));
    let lower = name.to_lowercase();
    let software = fallback || ["swiftshader", "llvmpipe", "software"].iter().any(|word| lower.contains(word));
    Ok(Adapter { name: if name.is_empty() { "unnamed adapter".into() } else { name }, software })
}

/// Starts WebGPU for Burn. To be called once, after [`probe`] found an adapter.
pub async fn start() {
    init_setup_async::<graphics::WebGpu>(&WgpuDevice::default(), Default::default()).await;
}

/// A property that is there and not null.
fn get(object: &JsValue, key: &str) -> Option<JsValue> {
    Reflect::get(object, &key.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

fn text(object: &JsValue, key: &str) -> String {
    get(object, key).and_then(|value| value.as_string()).unwrap_or_default()
}

/// Awaits a method that gives a promise. None if it fails or gives nothing.
async fn call(object: &JsValue, method: &str, arguments: &[&JsValue]) -> Option<JsValue> {
    let method = get(object, method)?.dyn_into::<Function>().ok()?;
    let arguments: js_sys::Array = arguments.iter().copied().collect();
    let promise = method.apply(object, &arguments).ok()?.dyn_into::<Promise>().ok()?;
    JsFuture::from(promise).await.ok().filter(|value| !value.is_undefined() && !value.is_null())
}
