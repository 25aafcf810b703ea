//! The microphone: recorded, or live through a network.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web::protocol::Failure;
use web_sys::{
    AnalyserNode, AudioContext, AudioWorkletNode, AudioWorkletNodeOptions, Blob, BlobEvent, DomException,
    MediaRecorder, MediaStream, MediaStreamConstraints, MediaStreamTrack, MessageChannel, MessagePort,
};

use super::files::window;

/// Asks for the microphone, without the browser's own processing: that would remove, badly, what we are there to
/// remove.
async fn open() -> Result<MediaStream, Failure> {
    let missing = |_| Failure::NoMicrophone;
    // Only pages that were fetched safely have it.
    if !Reflect::has(&window().navigator(), &"mediaDevices".into()).unwrap_or(false) {
        return Err(Failure::NoMicrophone);
    }
    let devices = window().navigator().media_devices().map_err(missing)?;
    let wishes = Object::new();
    for key in ["echoCancellation", "noiseSuppression", "autoGainControl"] {
        Reflect::set(&wishes, &key.into(), &false.into()).map_err(missing)?;
    }
    let constraints = MediaStreamConstraints::new();
    constraints.set_audio(&wishes);
    let stream = devices.get_user_media_with_constraints(&constraints).map_err(missing)?;
    let stream = JsFuture::from(stream).await.map_err(|error| match error.dyn_ref::<DomException>() {
        Some(error) if error.name() == "NotAllowedError" => Failure::MicrophoneRefused,
        _ => Failure::NoMicrophone,
    })?;
    Ok(stream.unchecked_into())
}

fn close(stream: &MediaStream) {
    for track in stream.get_tracks().iter() {
        track.unchecked_into::<MediaStreamTrack>().stop();
    }
}

/// Measures how loud a stream is.
struct Meter {
    context: AudioContext,
    analyser: AnalyserNode,
}

impl Meter {
    fn new(stream: &MediaStream) -> Option<Self> {
        let context = AudioContext::new().ok()?;
        let analyser = context.create_analyser().ok()?;
        let source = context.create_media_stream_source(stream).ok()?;
        source.connect_with_audio_node(&analyser).ok()?;
        Some(Self { context, analyser })
    }

    /// The root mean square over some 40 ms, in dB of full scale.
    fn level_db(&self) -> f64 {
        let mut samples = vec![0.0f32; self.analyser.fft_size() as usize];
        self.analyser.get_float_time_domain_data(&mut samples);
        20.0 * f64::from(shared::audio::rms(&samples).max(1e-6)).log10()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let _ = self.context.close();
    }
}

/// The microphone, recording. Dropped, it lets the microphone go.
pub struct Recorder {
    stream: MediaStream,
    recorder: MediaRecorder,
    meter: Option<Meter>,
    began: f64,
    _on_data: Closure<dyn FnMut(BlobEvent)>,
    _on_stop: Closure<dyn FnMut()>,
}

impl Recorder {
    /// Asks for the microphone and starts to record. `done` gets the recording after [`Recorder::stop`], or when the
    /// microphone is taken away.
    ///
    /// # Errors
    /// When there is none, or it may not be used.
    pub async fn start(done: impl Fn(Blob) + 'static) -> Result<Self, Failure> {
        let missing = |_| Failure::NoMicrophone;
        let stream = open().await?;
        let recorder = MediaRecorder::new_with_media_stream(&stream).map_err(missing)?;
        let parts = Array::new();
        let on_data = Closure::new({
            let parts = parts.clone();
            move |event: BlobEvent| {
                if let Some(data) = event.data() {
                    parts.push(&data);
                }
            }
        });
        let on_stop = Closure::new(move || {
            if let Ok(blob) = Blob::new_with_blob_sequence(&parts) {
                done(blob);
            }
        });
        recorder.set_ondataavailable(Some(on_data.as_ref().unchecked_ref()));
        recorder.set_onstop(Some(on_stop.as_ref().unchecked_ref()));
        recorder.start().map_err(missing)?;
        let meter = Meter::new(&stream);
        Ok(Self { stream, recorder, meter, began: js_sys::Date::now(), _on_data: on_data, _on_stop: on_stop })
    }

    /// How long it has recorded, in seconds, and how loud it is, in dB of full scale.
    pub fn reading(&self) -> (f64, f64) {
        ((js_sys::Date::now() - self.began) / 1000.0, self.meter.as_ref().map_or(-120.0, Meter::level_db))
    }

    /// Ends the recording. Must be kept until `done` was called.
    pub fn stop(&self) {
        let _ = self.recorder.stop(); // fails only when it has stopped already
        close(&self.stream);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        close(&self.stream);
    }
}

/// The microphone, flowing to the engine and from there to the ears. Dropped, it ends.
pub struct LiveMicrophone {
    stream: MediaStream,
    context: AudioContext,
    node: AudioWorkletNode,
    meter: Option<Meter>,
}

impl LiveMicrophone {
    /// Opens the microphone; gives the port for the engine, and the rate in Hz.
    ///
    /// # Errors
    /// When there is none, it may not be used, or the browser cannot do this.
    pub async fn start() -> Result<(Self, MessagePort, u32), Failure> {
        let failed = |_| Failure::Other("this browser has no audio worklets".into());
        let stream = open().await?;
        let begin = async {
            let context = AudioContext::new().map_err(failed)?;
            let worklet = context.audio_worklet().map_err(failed)?.add_module("./live.js").map_err(failed)?;
            JsFuture::from(worklet).await.map_err(failed)?;
            let channel = MessageChannel::new().map_err(failed)?;
            let node = AudioWorkletNode::new_with_options(&context, "live", &AudioWorkletNodeOptions::new());
            let node = node.map_err(failed)?;
            let port: JsValue = channel.port1().into();
            let message = Array::of1(&port);
            node.port().map_err(failed)?.post_message_with_transferable(&port, &message).map_err(failed)?;
            let source = context.create_media_stream_source(&stream).map_err(failed)?;
            source.connect_with_audio_node(&node).map_err(failed)?;
            node.connect_with_audio_node(&context.destination()).map_err(failed)?;
            let _ = context.resume();
            Ok((context, node, channel.port2()))
        };
        match begin.await {
            Ok((context, node, port)) => {
                let (rate, meter) = (context.sample_rate() as u32, Meter::new(&stream));
                Ok((Self { stream, context, node, meter }, port, rate))
            }
            Err(failure) => {
                close(&stream);
                Err(failure)
            }
        }
    }

    /// How loud it is, in dB of full scale.
    pub fn level_db(&self) -> f64 {
        self.meter.as_ref().map_or(-120.0, Meter::level_db)
    }

    /// What the browser and the device add to the latency, in seconds, as far as they say.
    pub fn device_latency_seconds(&self) -> f64 {
        let number = |key: &str| Reflect::get(&self.context, &key.into()).ok().and_then(|value| value.as_f64());
        number("baseLatency").unwrap_or(0.0) + number("outputLatency").unwrap_or(0.0)
    }
}

impl Drop for LiveMicrophone {
    fn drop(&mut self) {
        let _ = self.node.disconnect();
        let _ = self.context.close();
        close(&self.stream);
    }
}
