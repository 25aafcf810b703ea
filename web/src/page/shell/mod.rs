//! Carries out what the state wants done, and keeps what the state does not: files, samples, devices.

mod engine;
mod microphone;
mod recordings;
mod sound;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web::networks::NetworkListing;
use web::protocol::Failure;
use web::protocol::engine::Request;
use web::protocol::painter::{PainterOrder, Written};
use web::state::{Effect, PageEvent, PageState};
use web_sys::Blob;
use yew::Callback;

use super::engine::{EngineWorker, Word};
use super::files::{self, window};
use super::microphone::{LiveMicrophone, Recorder};
use super::msg::Msg;
use super::painter::PainterWorker;
use super::player::Player;
use super::store::TrackStore;
use super::{address, backend_memory};

/// What carries out effects: workers, files, sound and devices of the browser. Clones share them.
#[derive(Clone)]
pub struct Shell {
    send: Callback<Msg>,
    /// The tracks of all takes.
    pub store: TrackStore,
    /// What plays them.
    pub player: Player,
    /// What makes pictures of them.
    pub painter: Option<PainterWorker>,
    held: Rc<RefCell<Holdings>>,
}

/// What is kept from one effect to the next.
#[derive(Default)]
struct Holdings {
    engine: Option<EngineWorker>,
    files: HashMap<u32, Blob>,
    bundles: HashMap<u32, Blob>,
    next_file: u32,
    runs: HashMap<u32, Run>,
    words: VecDeque<Word>,
    listening: bool,
    recorder: Option<Recorder>,
    live: Option<LiveMicrophone>,
    live_request: Option<String>,
}

/// What the engine works on under one number.
#[derive(Clone, Copy)]
struct Run {
    take: u32,
    /// The result, and the track that it was made of, where what was removed can be heard.
    removed: Option<[usize; 2]>,
}

impl Shell {
    /// A shell that answers through `send`; the engine is started by [`Shell::begin`].
    pub fn new(send: Callback<Msg>) -> Self {
        let store = TrackStore::default();
        let stopped = {
            let send = send.clone();
            Callback::from(move |mute: bool| {
                send.emit(Msg::Event(PageEvent::Stopped));
                if mute {
                    let reason = "The browser plays no sound here: there is no device for it, or pages may not use it.";
                    send.emit(Msg::Event(PageEvent::Refused(reason.into())));
                }
            })
        };
        let player = Player::new(store.clone(), stopped);
        let checked = {
            let send = send.clone();
            Callback::from(move |(steps, error)| send.emit(Msg::Event(PageEvent::Checked(steps, error))))
        };
        Self { send, store, player, painter: PainterWorker::start(checked), held: Rc::default() }
    }

    fn tell(&self, event: PageEvent) {
        self.send.emit(Msg::Event(event));
    }

    /// Starts the engine and gets the list of networks.
    pub fn begin(&self) {
        self.spawn_engine();
        let this = self.clone();
        spawn_local(async move {
            let listed = list::<NetworkListing>("models.json").await;
            this.tell(PageEvent::Listed(listed.map_err(Failure::NoModel)));
            match list("noises.json").await {
                Ok(noises) => this.tell(PageEvent::Noises(noises)),
                Err(reason) => this.tell(PageEvent::Refused(format!("There is no list of noises: {reason}."))),
            }
        });
    }

    /// Sends an order to the painter.
    fn order(&self, order: PainterOrder, beside: Vec<JsValue>) {
        if let Some(painter) = &self.painter {
            painter.order(order, beside);
        }
    }

    /// A file that the painter makes.
    ///
    /// # Errors
    /// Why not, in a few words.
    pub async fn write(&self, file: Written) -> Result<Blob, String> {
        self.painter.as_ref().ok_or("this browser has no workers")?.write(file).await
    }

    /// Does what the state wants done.
    pub fn carry_out(&self, effect: Effect, state: &PageState) {
        match effect {
            Effect::Post(request) => {
                if let Request::Load { model, url: Some(url) } = &request {
                    let base = window().document().and_then(|document| document.base_uri().ok().flatten());
                    let url = base.and_then(|base| web_sys::Url::new_with_base(url, &base).ok()).map(|url| url.href());
                    self.post(&Request::Load { model: model.clone(), url }, &[], &[]);
                } else {
                    self.post(&request, &[], &[]);
                }
            }
            Effect::PostFile(request, id) => {
                self.register(&request, id, state);
                let file = self.held.borrow().files.get(&id).cloned();
                if let Some(file) = file {
                    self.post(&request, &[file.into()], &[]);
                }
            }
            Effect::PostDecoded(request, id) => {
                self.register(&request, id, state);
                self.post_decoded(request, id);
            }
            Effect::PostBundle(request, id) => self.post_bundle(request, id),
            Effect::Respawn => self.spawn_engine(),
            Effect::Remember(backend) => backend_memory::remember(backend),
            Effect::ForgetTracks(id) => self.forget(id),
            Effect::Forget(id) => {
                self.forget(id);
                self.held.borrow_mut().files.remove(&id);
            }
            Effect::ForgetBundle(id) => {
                self.held.borrow_mut().bundles.remove(&id);
            }
            Effect::Fetch(example) => self.fetch(example),
            Effect::Link => address::show(state),
            Effect::Check(steps) => self.order(PainterOrder::Check { steps }, Vec::new()),
            Effect::Play(_) => self.player.play(),
            Effect::Pause => self.player.pause(),
            Effect::Seek(_, seconds) => self.player.seek(seconds),
            Effect::Record => self.record(),
            Effect::StopRecording => {
                if let Some(recorder) = &self.held.borrow().recorder {
                    recorder.stop();
                }
            }
            Effect::OpenLive => self.open_live(state),
            Effect::CloseLive => {
                let mut held = self.held.borrow_mut();
                held.live_request = None;
                held.live = None;
            }
        }
    }
}

/// A list beside the page.
async fn list<T: DeserializeOwned>(name: &str) -> Result<Vec<T>, String> {
    let response = files::fetch(&format!("./{name}")).await?;
    let text = files::text(response.text()).await.ok_or("no answer; check the connection")?;
    serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))
}
