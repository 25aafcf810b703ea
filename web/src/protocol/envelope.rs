//! Messages as the browser carries them: an array of the JSON and what is beside it.

use js_sys::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};

/// The array to post.
pub fn pack(message: &impl Serialize, beside: &[JsValue]) -> Array {
    let json = serde_json::to_string(message).expect("a message is JSON");
    std::iter::once(&JsValue::from(json)).chain(beside).collect()
}

/// The message and what is beside it. None if it is not one of ours.
pub fn unpack<T: DeserializeOwned>(data: &JsValue) -> Option<(T, Vec<JsValue>)> {
    let packed = data.dyn_ref::<Array>()?;
    let message = serde_json::from_str(&packed.get(0).as_string()?).ok()?;
    Some((message, packed.iter().skip(1).collect()))
}
