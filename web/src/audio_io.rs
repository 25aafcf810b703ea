//! Sound in and out of the browser: files, formats other than WAV, the microphone.

use js_sys::{Array, ArrayBuffer, Float32Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AudioBuffer, Blob, BlobEvent, BlobPropertyBag, MediaRecorder, MediaStream, MediaStreamConstraints,
    MediaStreamTrack, OfflineAudioContext, Url,
};

use crate::protocol::{Failure, Input, MAX_FILE_BYTES, MAX_SAMPLES};

/// The rate at which the browser decodes what is not WAV, in Hz. It does not tell a file's own.
const DECODING_RATE_HZ: u32 = 48_000;

/// A recording as the worker takes it. WAV files go as they are, unless `decode` is set; others are decoded by the browser.
///
/// # Errors
/// When the browser cannot read the file, or it is too long.
pub async fn prepare(blob: &Blob, decode: bool) -> Result<(Input, Vec<ArrayBuffer>), Failure> {
    if blob.size() > MAX_FILE_BYTES as f64 {
        return Err(Failure::TooLong);
    }
    let unreadable = |_| Failure::NotAudio;
    let bytes: ArrayBuffer = JsFuture::from(blob.array_buffer()).await.map_err(unreadable)?.unchecked_into();
    if !decode && is_wav(&bytes) {
        return Ok((Input::Wav, vec![bytes]));
    }
    let context =
        OfflineAudioContext::new_with_number_of_channels_and_length_and_sample_rate(1, 1, DECODING_RATE_HZ as f32)
            .map_err(unreadable)?;
    let decoding = context.decode_audio_data(&bytes).map_err(unreadable)?;
    let audio: AudioBuffer = JsFuture::from(decoding).await.map_err(unreadable)?.unchecked_into();
    if audio.length() as usize * audio.number_of_channels() as usize > MAX_SAMPLES {
        return Err(Failure::TooLong);
    }
    let channels = (0..audio.number_of_channels()).map(|index| {
        let samples = channel_data(&audio, index).map_err(unreadable)?;
        Ok(samples.slice(0, samples.length()).buffer())
    });
    let sample_rate_hz = audio.sample_rate() as u32;
    Ok((Input::Samples { sample_rate_hz }, channels.collect::<Result<_, Failure>>()?))
}

/// A channel as it lies in the browser's memory; web-sys would copy it into ours.
fn channel_data(audio: &AudioBuffer, index: u32) -> Result<Float32Array, JsValue> {
    let method: Function = Reflect::get(audio, &"getChannelData".into())?.dyn_into()?;
    method.call1(audio, &index.into())?.dyn_into()
}

fn is_wav(bytes: &ArrayBuffer) -> bool {
    let start = Uint8Array::new(&bytes.slice_with_end(0, 12)).to_vec();
    start.len() == 12 && &start[..4] == b"RIFF" && &start[8..] == b"WAVE"
}

/// A WAV file that players and links can use, from its parts.
pub fn wav_blob(parts: &[ArrayBuffer]) -> Option<Blob> {
    let options = BlobPropertyBag::new();
    options.set_type("audio/wav");
    Blob::new_with_u8_array_sequence_and_options(&parts.iter().collect::<Array>(), &options).ok()
}

/// An address for a blob; kept until [`forget`].
pub fn address(blob: &Blob) -> String {
    Url::create_object_url_with_blob(blob).unwrap_or_default()
}

/// Lets the memory behind an address go.
pub fn forget(address: &str) {
    let _ = Url::revoke_object_url(address); // fails only on text that is no address
}

/// The microphone, recording.
pub struct Microphone {
    stream: MediaStream,
    recorder: MediaRecorder,
    _on_data: Closure<dyn FnMut(BlobEvent)>,
    _on_stop: Closure<dyn FnMut()>,
}

impl Microphone {
    /// Asks for the microphone and starts to record. `done` gets the recording after [`Microphone::stop`].
    ///
    /// # Errors
    /// When there is none, or it may not be used.
    pub async fn start(done: impl Fn(Blob) + 'static) -> Result<Self, Failure> {
        let refused = |_| Failure::NoMicrophone;
        let devices = web_sys::window().expect("a page has a window").navigator().media_devices().map_err(refused)?;
        // The browser's own processing would remove, badly, what this page is there to remove.
        let wishes = Object::new();
        for key in ["echoCancellation", "noiseSuppression", "autoGainControl"] {
            Reflect::set(&wishes, &key.into(), &false.into()).map_err(refused)?;
        }
        let constraints = MediaStreamConstraints::new();
        constraints.set_audio(&wishes);
        let stream = devices.get_user_media_with_constraints(&constraints).map_err(refused)?;
        let stream: MediaStream = JsFuture::from(stream).await.map_err(refused)?.unchecked_into();
        let recorder = MediaRecorder::new_with_media_stream(&stream).map_err(refused)?;

        let parts = Array::new();
        let on_data = Closure::<dyn FnMut(BlobEvent)>::new({
            let parts = parts.clone();
            move |event: BlobEvent| {
                if let Some(data) = event.data() {
                    parts.push(&data);
                }
            }
        });
        let on_stop = Closure::<dyn FnMut()>::new(move || {
            if let Ok(blob) = Blob::new_with_blob_sequence(&parts) {
                done(blob);
            }
        });
        recorder.set_ondataavailable(Some(on_data.as_ref().unchecked_ref()));
        recorder.set_onstop(Some(on_stop.as_ref().unchecked_ref()));
        recorder.start().map_err(refused)?;
        Ok(Self { stream, recorder, _on_data: on_data, _on_stop: on_stop })
    }

    /// Ends the recording and lets the microphone go. Must be kept until `done` was called.
    pub fn stop(&self) {
        let _ = self.recorder.stop(); // fails only when it has stopped already
        for track in self.stream.get_tracks().iter() {
            track.unchecked_into::<MediaStreamTrack>().stop();
        }
    }
}
