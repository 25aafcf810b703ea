//! Files in and out of the browser.

use js_sys::{ArrayBuffer, Float32Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web::protocol::engine::TakeInput;
use web::protocol::{Failure, MAX_SAMPLES};
use web_sys::{
    AudioBuffer, Blob, Document, File, FileList, HtmlAnchorElement, OfflineAudioContext, Response, Url, Window,
};

/// The rate at which the browser decodes, in Hz. It does not tell a file's own.
const DECODING_RATE_HZ: f32 = 48_000.0;
/// Largest file that the browser is asked to decode, in bytes: it takes all of it into memory.
const MOST_DECODED_BYTES: f64 = 5e8;

/// The window. There always is one in a page.
pub fn window() -> Window {
    web_sys::window().expect("a page has a window")
}

/// The document. There always is one in a window.
pub fn document() -> Document {
    window().document().expect("a window has a document")
}

/// The files in a list of the browser's.
pub fn listed(list: Option<FileList>) -> Vec<File> {
    list.map_or_else(Vec::new, |list| (0..list.length()).filter_map(|index| list.item(index)).collect())
}

/// Has the browser decode a file: the input for a request, and what is beside it.
///
/// # Errors
/// When the browser cannot read it either, or it is too long.
pub async fn decode(file: &Blob) -> Result<(TakeInput, Vec<JsValue>), Failure> {
    let refused = |reason: &str| Failure::NotAudio(reason.into());
    if file.size() > MOST_DECODED_BYTES {
        return Err(refused("it is too large for the browser to decode"));
    }
    let unreadable = |_| refused("the browser cannot decode it");
    let bytes: ArrayBuffer = JsFuture::from(file.array_buffer()).await.map_err(unreadable)?.unchecked_into();
    let context = OfflineAudioContext::new_with_number_of_channels_and_length_and_sample_rate(1, 1, DECODING_RATE_HZ)
        .map_err(unreadable)?;
    let decoding = context.decode_audio_data(&bytes).map_err(unreadable)?;
    let audio: AudioBuffer = JsFuture::from(decoding).await.map_err(unreadable)?.unchecked_into();
    if audio.length() as usize * audio.number_of_channels() as usize > MAX_SAMPLES {
        return Err(Failure::TooLong);
    }
    let channels = (0..audio.number_of_channels()).map(|index| {
        let samples = channel_data(&audio, index).map_err(unreadable)?;
        Ok(samples.slice(0, samples.length()).buffer().into())
    });
    let sample_rate_hz = audio.sample_rate() as u32;
    Ok((TakeInput::Samples { sample_rate_hz }, channels.collect::<Result<_, Failure>>()?))
}

/// A channel as it lies in the browser's memory; web-sys would copy it into ours.
fn channel_data(audio: &AudioBuffer, index: u32) -> Result<Float32Array, JsValue> {
    let method: Function = Reflect::get(audio, &"getChannelData".into())?.dyn_into()?;
    method.call1(audio, &index.into())?.dyn_into()
}

/// Gets a file of this site.
///
/// # Errors
/// Why not, in a few words.
pub async fn fetch(url: &str) -> Result<Response, String> {
    let unreachable = |_| "no answer; check the connection".to_owned();
    let response = JsFuture::from(window().fetch_with_str(url)).await.map_err(unreachable)?;
    let response: Response = response.unchecked_into();
    if response.ok() { Ok(response) } else { Err(format!("status {}", response.status())) }
}

/// What a promise of text gives.
pub async fn text(promise: Result<Promise, JsValue>) -> Option<String> {
    JsFuture::from(promise.ok()?).await.ok()?.as_string()
}

/// Has the browser save a blob as a file of this name.
pub fn save(blob: &Blob, name: &str) {
    let Ok(address) = Url::create_object_url_with_blob(blob) else { return };
    if let Ok(link) = document().create_element("a") {
        let link: HtmlAnchorElement = link.unchecked_into();
        link.set_href(&address);
        link.set_download(name);
        link.click();
    }
    // The browser has to get to it first.
    gloo_timers::callback::Timeout::new(60_000, move || {
        let _ = Url::revoke_object_url(&address);
    })
    .forget();
}
