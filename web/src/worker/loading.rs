//! Fetching bundles.

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web::protocol::Failure;
use web::protocol::engine::Response;
use web_sys::{ReadableStreamDefaultReader, Response as FetchResponse};

use crate::browser::{post, scope};

/// Largest bundle in bytes: many times what a browser's memory has room to compute with.
const MAX_BYTES: usize = 64 << 20;

/// The bundle beside a request, or else from where it is.
///
/// # Errors
/// When there is none, or it is too large.
pub async fn bundle(model: &str, url: Option<&str>, beside: &[JsValue]) -> Result<Vec<u8>, Failure> {
    if let Some(buffer) = beside.first().and_then(|value| value.dyn_ref::<ArrayBuffer>()) {
        check_size(f64::from(buffer.byte_length()))?;
        return Ok(Uint8Array::new(buffer).to_vec());
    }
    fetch(model, url.ok_or_else(|| refused("there is no file"))?).await
}

/// Fetches a file, telling how far it is.
async fn fetch(model: &str, url: &str) -> Result<Vec<u8>, Failure> {
    let unreachable = |_| refused("no answer");
    let response = JsFuture::from(scope().fetch_with_str(url)).await.map_err(unreachable)?;
    let response: FetchResponse = response.dyn_into().map_err(unreachable)?;
    if !response.ok() {
        return Err(refused(&format!("status {}", response.status())));
    }
    let size = response.headers().get("content-length").ok().flatten().and_then(|size| size.parse::<f64>().ok());
    check_size(size.unwrap_or(0.0))?;
    let body = response.body().ok_or_else(|| refused("empty answer"))?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let part = JsFuture::from(reader.read()).await.map_err(unreachable)?;
        let property = |key: &str| Reflect::get(&part, &key.into()).unwrap_or(JsValue::UNDEFINED);
        if property("done").is_truthy() {
            return Ok(bytes);
        }
        let part = Uint8Array::new(&property("value"));
        check_size(bytes.len() as f64 + f64::from(part.length()))?;
        bytes.extend(part.to_vec());
        // Compressed transfers have another length than what they carry.
        let share = size.map(|size| bytes.len() as f64 / size).filter(|share| *share <= 1.0);
        post(&Response::Loading { model: model.into(), share });
    }
}

fn check_size(bytes: f64) -> Result<(), Failure> {
    if bytes <= MAX_BYTES as f64 {
        return Ok(());
    }
    Err(refused(&format!("it has more than {} MiB", MAX_BYTES >> 20)))
}

fn refused(reason: &str) -> Failure {
    Failure::NoModel(reason.into())
}
