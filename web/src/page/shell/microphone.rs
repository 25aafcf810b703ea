//! The microphone: recorded into a take, or live through the engine.

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web::protocol::engine::Request;
use web::state::{PageEvent, PageState};
use web_sys::Blob;

use super::Shell;
use crate::microphone::{LiveMicrophone, Recorder};

impl Shell {
    /// Starts to record; what was recorded becomes a take.
    pub(super) fn record(&self) {
        let this = self.clone();
        spawn_local(async move {
            let done = {
                let this = this.clone();
                move |blob: Blob| {
                    this.tell(PageEvent::RecordingEnded(None));
                    if blob.size() > 0.0 {
                        this.add(format!("Recording {}.webm", clock()), blob, None);
                    }
                    // Not at once: this is called by it.
                    let this = this.clone();
                    gloo_timers::callback::Timeout::new(0, move || drop(this.held.borrow_mut().recorder.take()))
                        .forget();
                }
            };
            match Recorder::start(done).await {
                Ok(recorder) => {
                    this.held.borrow_mut().recorder = Some(recorder);
                    this.tell(PageEvent::Recording);
                }
                Err(failure) => this.tell(PageEvent::RecordingEnded(Some(failure))),
            }
        });
    }

    /// Opens the microphone and leads it through the chosen network.
    pub(super) fn open_live(&self, state: &PageState) {
        let Some(model) = state.network().map(|network| network.model.clone()) else { return };
        self.held.borrow_mut().live_request = Some(model.clone());
        let this = self.clone();
        spawn_local(async move {
            let opened = LiveMicrophone::start().await;
            if this.held.borrow().live_request.is_none() {
                return; // somebody has changed their mind
            }
            match opened {
                Ok((live, port, sample_rate_hz)) => {
                    let port: JsValue = port.into();
                    let beside = std::slice::from_ref(&port);
                    this.post(&Request::StartLive { model, sample_rate_hz }, beside, beside);
                    this.held.borrow_mut().live = Some(live);
                }
                Err(failure) => this.tell(PageEvent::LiveFailed(failure)),
            }
        });
    }

    /// How long the microphone has recorded, if it does, and how loud it is, in dB of full scale.
    pub fn microphone(&self) -> Option<(Option<f64>, f64)> {
        let held = self.held.borrow();
        match (&held.recorder, &held.live) {
            (Some(recorder), _) => {
                let (seconds, level_db) = recorder.reading();
                Some((Some(seconds), level_db))
            }
            (None, Some(live)) => Some((None, live.level_db())),
            _ => None,
        }
    }

    /// What the browser and the device add to the latency of live sound, in seconds.
    pub fn device_latency_seconds(&self) -> f64 {
        self.held.borrow().live.as_ref().map_or(0.0, LiveMicrophone::device_latency_seconds)
    }
}

/// The time of day, for names of recordings.
fn clock() -> String {
    let now = js_sys::Date::new_0();
    format!("{:02}.{:02}.{:02}", now.get_hours(), now.get_minutes(), now.get_seconds())
}
