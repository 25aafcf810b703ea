//! Carries out what the state wants done, and keeps what it does not: files, samples, devices.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web::example::ExampleRecording;
use web::networks::NetworkListing;
use web::protocol::Failure;
use web::protocol::engine::{Backend, Request, Response, TakeInput};
use web::protocol::painter::{PainterOrder, Written};
use web::settings::PageTask;
use web::state::{Effect, PageEvent, PageState};
use web::take::Take;
use web_sys::Blob;
use yew::Callback;

use super::engine::{EngineWorker, Word};
use super::files::{self, window};
use super::microphone::{LiveMicrophone, Recorder};
use super::msg::Msg;
use super::painter::PainterWorker;
use super::player::{Player, Sound};
use super::store::TrackStore;

/// Where it is remembered which backend was the faster, and how long that holds, in milliseconds: devices and browsers change.
const REMEMBERED: &str = "denoise-backend";
const REMEMBERED_MS: f64 = 14.0 * 86_400_000.0;

/// Everything that is the browser's.
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
    /// A browser that answers through `send`.
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

    fn spawn_engine(&self) {
        let this = self.clone();
        let engine = EngineWorker::start(Callback::from(move |word| this.hear(word)));
        let missing = engine.is_none();
        let mut held = self.held.borrow_mut();
        held.words.clear();
        held.engine = engine;
        if missing {
            drop(held);
            self.tell(PageEvent::EngineDied);
        }
    }

    /// Takes what the engine says, one after the other: putting a piece away takes a while.
    fn hear(&self, word: Word) {
        let mut held = self.held.borrow_mut();
        held.words.push_back(word);
        if std::mem::replace(&mut held.listening, true) {
            return;
        }
        let this = self.clone();
        spawn_local(async move {
            loop {
                let word = this.held.borrow_mut().words.pop_front();
                match word {
                    Some(Word::Answer(response, beside)) => this.answer(*response, beside).await,
                    Some(Word::Died) => this.tell(PageEvent::EngineDied),
                    None => break,
                }
            }
            this.held.borrow_mut().listening = false;
        });
    }

    async fn answer(&self, response: Response, beside: Vec<JsValue>) {
        let run = |id: &u32| self.held.borrow().runs.get(id).copied();
        match &response {
            Response::Opened { id, spec, .. } => {
                if let Some(run) = run(id) {
                    self.store.open(run.take, spec);
                }
            }
            Response::Piece { id, track, start } => {
                let (Some(known), Some(buffer)) = (run(id), beside.first()) else { return };
                let removed_from = known.removed.filter(|[result, _]| result == track).map(|[_, before]| before);
                let put = self.store.put(known.take, *track, *start, buffer.unchecked_ref(), removed_from).await;
                match put {
                    Ok((frames, piece)) => {
                        if let (Some(piece), Some((sample_rate_hz, channels))) = (piece, self.store.format(known.take))
                        {
                            let take = known.take;
                            let order =
                                PainterOrder::Look { take, sample_rate_hz, channels, track: *track, removed_from };
                            self.order(order, vec![piece.into()]);
                        }
                        self.send.emit(Msg::Stored { run: *id, track: *track, frames });
                    }
                    Err(_) => {
                        self.post(&Request::Cancel { id: *id }, &[], &[]);
                        let failed = Response::Failed { id: Some(*id), model: None, failure: Failure::NoRoom };
                        self.tell(PageEvent::Engine(failed));
                    }
                }
                return;
            }
            Response::Done { id, engine_bytes, .. } => {
                if let Some(run) = run(id) {
                    self.order(PainterOrder::Finish { take: run.take }, Vec::new());
                }
                if let Some(root) = files::document().document_element() {
                    // For tests, and whoever looks for it: what the engine holds.
                    let _ = root.set_attribute("data-engine-bytes", &format!("{engine_bytes:.0}"));
                }
            }
            _ => {}
        }
        self.tell(PageEvent::Engine(response));
    }

    fn post(&self, request: &Request, beside: &[JsValue], transferred: &[JsValue]) {
        if let Some(engine) = &self.held.borrow().engine {
            engine.post(request, beside, transferred);
        }
    }

    /// Takes files that somebody brought: bundles by their ending, all else as recordings.
    pub fn add_files(&self, given: impl IntoIterator<Item = web_sys::File>) {
        for file in given {
            let name = file.name();
            match name.strip_suffix(".zip") {
                Some(stem) => self.add_bundle(stem.to_owned(), file.unchecked_into()),
                None => self.add(name, file.unchecked_into(), None),
            }
        }
    }

    fn add_bundle(&self, name: String, blob: Blob) {
        let bytes = blob.size() as usize;
        let id = {
            let mut held = self.held.borrow_mut();
            held.next_file += 1;
            let id = held.next_file;
            held.bundles.insert(id, blob);
            id
        };
        self.tell(PageEvent::Dropped { id, name, bytes });
    }

    fn add(&self, name: String, blob: Blob, example: Option<ExampleRecording>) {
        let id = {
            let mut held = self.held.borrow_mut();
            held.next_file += 1;
            let id = held.next_file;
            held.files.insert(id, blob);
            id
        };
        self.tell(PageEvent::Added { id, name, example });
    }

    /// The backend that was the faster when it was tried.
    pub fn remembered() -> Option<Backend> {
        let stored = window().local_storage().ok()??.get_item(REMEMBERED).ok()??;
        let (name, time) = stored.split_once(' ')?;
        let age = js_sys::Date::now() - time.parse::<f64>().ok()?;
        let backend = [Backend::Cpu, Backend::Webgpu].into_iter().find(|backend| backend.name() == name)?;
        (0.0..REMEMBERED_MS).contains(&age).then_some(backend)
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
                let file = self.held.borrow().files.get(&id).cloned();
                let this = self.clone();
                spawn_local(async move {
                    let Some(file) = file else { return };
                    match files::decode(&file).await {
                        Ok((decoded, channels)) => {
                            let request = with_input(request, decoded);
                            this.post(&request, &channels, &channels);
                        }
                        Err(failure) => this.tell(PageEvent::Undecodable(id, failure)),
                    }
                });
            }
            Effect::PostBundle(request, id) => {
                let blob = self.held.borrow().bundles.get(&id).cloned();
                let this = self.clone();
                spawn_local(async move {
                    let Some(blob) = blob else { return };
                    if let Ok(bytes) = wasm_bindgen_futures::JsFuture::from(blob.array_buffer()).await {
                        this.post(&request, std::slice::from_ref(&bytes), std::slice::from_ref(&bytes));
                    }
                });
            }
            Effect::Respawn => self.spawn_engine(),
            Effect::Remember(backend) => {
                if let Ok(Some(storage)) = window().local_storage() {
                    // Without room it is tried again next time.
                    let _ = storage.set_item(REMEMBERED, &format!("{} {:.0}", backend.name(), js_sys::Date::now()));
                }
            }
            Effect::ForgetTracks(id) => self.forget(id),
            Effect::Forget(id) => {
                self.forget(id);
                self.held.borrow_mut().files.remove(&id);
            }
            Effect::ForgetBundle(id) => {
                self.held.borrow_mut().bundles.remove(&id);
            }
            Effect::Fetch(example) => self.fetch(example),
            Effect::Link => set_address(state),
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

    fn forget(&self, take: u32) {
        self.store.forget(take);
        self.order(PainterOrder::Forget { take }, Vec::new());
    }

    fn register(&self, request: &Request, take: u32, state: &PageState) {
        let Request::Denoise { id, noise, .. } = request else { return };
        let experiment = state.takes.iter().any(|known| known.id == take && known.task == PageTask::Experiment);
        let removed = match (experiment, noise) {
            (true, _) => None,
            (false, Some(_)) => Some([2, 1]),
            (false, None) => Some([1, 0]),
        };
        self.held.borrow_mut().runs.insert(*id, Run { take, removed });
    }

    fn fetch(&self, example: ExampleRecording) {
        let this = self.clone();
        spawn_local(async move {
            let blob = async {
                let response = files::fetch(&format!("./{}", example.file())).await?;
                let promise = response.blob().map_err(|_| "no answer")?;
                let blob = wasm_bindgen_futures::JsFuture::from(promise).await.map_err(|_| "no answer")?;
                Ok::<Blob, String>(blob.unchecked_into())
            };
            match blob.await {
                Ok(blob) => this.add(format!("{}.wav", example.title()), blob, Some(example)),
                Err(reason) => this.tell(PageEvent::Refused(format!("The example could not be fetched: {reason}."))),
            }
        });
    }

    fn record(&self) {
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

    fn open_live(&self, state: &PageState) {
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

    /// What is to be heard of the open take.
    pub fn sound(&self, state: &PageState) -> Option<Sound> {
        let take = state.current()?;
        let spec = &take.format.as_ref()?.spec;
        let (voices, index) = (take.voices(state.settings.kept()), state.voice());
        let voice = voices.get(index)?;
        let gain = self.gain(state, take, index);
        Some(Sound {
            take: take.id,
            sample_rate_hz: spec.sample_rate_hz,
            channels: spec.channels,
            piece_length: take.piece_length(),
            gains: voice.weights.iter().map(|weight| weight * gain).collect(),
            end: (!take.is_active()).then(|| take.frames_of(&voice.weights)),
        })
    }

    /// The factor with which a voice of a take is heard.
    pub fn gain(&self, state: &PageState, take: &Take, voice: usize) -> f32 {
        let voices = take.voices(state.settings.kept());
        match (state.settings.matched, voices.get(voice), voices.first()) {
            (true, Some(voice), Some(first)) => self.store.levels(take.id).gain(voice, first),
            _ => 1.0,
        }
    }
}

/// A list beside the page.
async fn list<T: DeserializeOwned>(name: &str) -> Result<Vec<T>, String> {
    let response = files::fetch(&format!("./{name}")).await?;
    let text = files::text(response.text()).await.ok_or("no answer; check the connection")?;
    serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))
}

fn with_input(request: Request, input: TakeInput) -> Request {
    match request {
        Request::Denoise { id, noise, models, from, .. } => Request::Denoise { id, input, noise, models, from },
        other => other,
    }
}

/// The address of the page as it is, with its settings.
pub fn address(state: &PageState) -> String {
    let location = window().location();
    let (origin, path) = (location.origin().unwrap_or_default(), location.pathname().unwrap_or_default());
    let query = state.settings.to_query();
    format!("{origin}{path}{}{query}", if query.is_empty() { "" } else { "?" })
}

fn set_address(state: &PageState) {
    if let Ok(history) = window().history() {
        // Browsers refuse when it is done a hundred times in half a minute; the next time will do.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address(state)));
    }
}

/// The time of day, for names of recordings.
fn clock() -> String {
    let now = js_sys::Date::new_0();
    format!("{:02}.{:02}.{:02}", now.get_hours(), now.get_minutes(), now.get_seconds())
}
