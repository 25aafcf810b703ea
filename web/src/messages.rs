//! Messages as the browser carries them: an array of the JSON and the buffers, which change hands.

use js_sys::{Array, ArrayBuffer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};

/// The array to post, and the list of what it transfers.
pub fn pack(message: &impl Serialize, buffers: &[ArrayBuffer]) -> (Array, Array) {
    let json = serde_json::to_string(message).expect("a message is JSON");
    let transfer: Array = buffers.iter().collect();
    let packed = Array::of1(&JsValue::from(json));
    (packed.concat(&transfer), transfer)
}

/// The message and its buffers. None if it is not one of ours.
pub fn unpack<T: DeserializeOwned>(data: &JsValue) -> Option<(T, Vec<ArrayBuffer>)> {
    let packed = data.dyn_ref::<Array>()?;
    let message = serde_json::from_str(&packed.get(0).as_string()?).ok()?;
    let buffers = packed.iter().skip(1).map(|buffer| buffer.dyn_into().ok()).collect::<Option<_>>()?;
    Some((message, buffers))
}
