//! The page's state in one place, and what events make of it.
//!
//! [`State::update`] takes what happened and gives what is to be done about it; it does nothing itself. What is shown is a function
//! of the state alone. Samples, files and devices are kept by those who carry out the effects.

use shared::noise::NoiseKind;

use crate::example::Example;
use crate::networks::{Listed, Loading, Network, Origin};
use crate::protocol::{Backend, Choice, Facts, Failure, Input, Request, Response};
use crate::settings::{Settings, Task};
use crate::steps::Steps;
use crate::take::{Format, Phase, Take, Track};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The list of networks has come.
    Listed(Result<Vec<Listed>, Failure>),
    /// The engine says something.
    Engine(Response),
    /// The engine is no more.
    EngineDied,

    /// Somebody brought a recording, which is kept under this number.
    Added {
        /// Number of the take.
        id: u32,
        /// Its name.
        name: String,
        /// The example that it is, if it is one.
        example: Option<Example>,
    },
    /// Somebody brought a bundle, which is kept under this number.
    Dropped {
        /// Number of the bundle.
        id: u32,
        /// Its name.
        name: String,
        /// Its size.
        bytes: usize,
    },
    /// Something that was brought, recorded or fetched cannot be used at all.
    Refused(String),
    /// The browser could not decode a take either.
    Undecodable(u32, Failure),
    /// A take is to be seen.
    Open(u32),
    /// A take is to go.
    Remove(u32),
    /// Nobody waits for a take any more.
    Cancel(u32),
    /// A take is to be made again, as the settings are now.
    Again(u32),
    /// An example is to be opened.
    Example(Example),

    /// Another task.
    Task(Task),
    /// Another network.
    Network(String),
    /// Another attenuation limit.
    Strength(u8),
    /// Another voice.
    Voice(usize),
    /// Whether voices are equally loud.
    Matched(bool),
    /// Another way to store downloads.
    Depth(crate::settings::Depth),
    /// Another noise.
    Chain(Steps),
    /// Whether that can be made: why not, if not.
    Checked(Steps, Option<String>),
    /// What noises there are.
    Noises(Vec<NoiseKind>),
    /// Another seed.
    Seed(u32),
    /// Another stretch of time to be seen, in seconds; all of it if none.
    Window(Option<[f64; 2]>),

    /// Play if nothing plays, else pause.
    TogglePlay,
    /// Go to a time in seconds.
    Seek(f64),
    /// The end has been reached, or the browser does not let us play.
    Stopped,

    /// Record with the microphone, or end that.
    ToggleRecording,
    /// The microphone records.
    Recording,
    /// Nothing is recorded any more; why, if nobody asked for that.
    RecordingEnded(Option<Failure>),
    /// Hear the microphone without noise, or end that.
    ToggleLive,
    /// Live sound cannot begin.
    LiveFailed(Failure),

    /// Something was done that people may want to know: copied, saved.
    Notice(String),
    /// They have read it.
    Dismiss,
    /// The page can be used without a network from now on.
    Offline,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a request to the engine.
    Post(Request),
    /// Send a request to denoise to the engine, with this take's file beside it.
    PostFile(Request, u32),
    /// Have the browser decode this take's file, and send the request with its samples.
    PostDecoded(Request, u32),
    /// Send a request to load to the engine, with this bundle beside it.
    PostBundle(Request, u32),
    /// Forget a bundle.
    ForgetBundle(u32),
    /// End the engine that there is, and start another.
    Respawn,
    /// Remember which backend is the faster.
    Remember(Backend),
    /// Forget the tracks of a take, and keep its file.
    ForgetTracks(u32),
    /// Forget a take.
    Forget(u32),
    /// Get an example.
    Fetch(Example),
    /// The address is to say what the settings are.
    Link,
    /// Ask whether this noise can be made.
    Check(Steps),
    /// Play this take from where it stands.
    Play(u32),
    /// Pause.
    Pause,
    /// Go to this time of a take, in seconds.
    Seek(u32, f64),
    /// Begin to record.
    Record,
    /// End the recording.
    StopRecording,
    /// Open the microphone for live sound.
    OpenLive,
    /// Close it.
    CloseLive,
}

/// How far the engine is.
#[derive(Clone, Debug, PartialEq)]
pub enum Engine {
    /// It is being loaded.
    Starting,
    /// It listens; no network is ready yet.
    Listening,
    /// A network is ready.
    Ready,
    /// It cannot be used.
    Failed(Failure),
}

/// Live sound.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    /// There is none.
    Off,
    /// It is about to begin.
    Starting,
    /// It flows, with this latency in seconds, and this computing time over playing time.
    On(f64, f64),
    /// It ended.
    Failed(Failure),
}

/// Everything that the page is.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What shapes the page.
    pub settings: Settings,
    /// Which backend to take, unless the settings say.
    pub choice: Choice,
    /// How far the engine is.
    pub engine: Engine,
    /// What does the arithmetic, and why, once that is known.
    pub backend: Option<(Backend, String)>,
    /// The networks to choose from.
    pub networks: Vec<Network>,
    /// Bundles that somebody dropped and that the engine has not loaded yet. Only then do they replace networks of their names.
    pub arriving: Vec<Network>,
    /// What noises there are.
    pub noises: Vec<NoiseKind>,
    /// Why the noise of the settings cannot be made, if it cannot.
    pub noise_error: Option<String>,
    /// The recordings, in the order in which they came.
    pub takes: Vec<Take>,
    /// The takes that are open, for each task.
    pub open: [Option<u32>; 3],
    /// Whether something plays.
    pub playing: bool,
    /// Whether the microphone records, or is about to.
    pub recording: Option<bool>,
    /// Live sound.
    pub live: Live,
    /// What people should know.
    pub notices: Vec<String>,
    /// Whether the page can be used without a network.
    pub offline: bool,
    listed: bool,
    runs: u32,
}

/// Notices that are shown at a time: the last.
const MOST_NOTICES: usize = 4;

impl State {
    /// The page as a link opens it; with the backend that was found to be the faster before.
    pub fn new(query: &str, remembered: Option<Backend>) -> (Self, Vec<Effect>) {
        let (settings, notices) = Settings::from_query(query);
        let choice = settings.backend.unwrap_or(remembered.map_or(Choice::Probe, Choice::Prefer));
        let mut effects: Vec<Effect> = settings.example.map(Effect::Fetch).into_iter().collect();
        if settings.chain != Settings::default().chain {
            effects.push(Effect::Check(settings.chain.clone()));
        }
        let state = Self {
            settings,
            choice,
            engine: Engine::Starting,
            backend: None,
            networks: Vec::new(),
            arriving: Vec::new(),
            noises: Vec::new(),
            noise_error: None,
            takes: Vec::new(),
            open: [None; 3],
            playing: false,
            recording: None,
            live: Live::Off,
            notices,
            offline: false,
            listed: false,
            runs: 0,
        };
        (state, effects)
    }

    /// The take that is open.
    pub fn current(&self) -> Option<&Take> {
        let id = self.open[self.settings.task as usize]?;
        self.takes.iter().find(|take| take.id == id)
    }

    /// The chosen network.
    pub fn network(&self) -> Option<&Network> {
        let wanted = self.settings.network.as_deref();
        let chosen = wanted.and_then(|name| self.networks.iter().find(|network| network.listed.name == name));
        chosen.or_else(|| self.networks.iter().find(|network| network.listed.default)).or(self.networks.first())
    }

    /// The voice that is heard and seen.
    pub fn voice(&self) -> usize {
        self.current().map_or(0, |take| self.settings.voice.min(take.voice_count() - 1))
    }

    /// The stretch of the open take that is seen, in seconds: never empty.
    pub fn seen(&self) -> [f64; 2] {
        let total = self.current().map_or(0.0, Take::seconds).max(0.001);
        match self.settings.window {
            Some([from, to]) if from < total => [from, to.min(total)],
            _ => [0.0, total],
        }
    }

    /// Whether the open take was made otherwise than the settings say now.
    pub fn is_stale(&self) -> bool {
        let Some(take) = self.current() else { return false };
        match take.task {
            Task::Experiment => take
                .noise
                .as_ref()
                .is_none_or(|noise| noise.chain != self.settings.chain || noise.seed != self.settings.seed),
            _ => self.network().is_some_and(|network| !take.networks.contains(&network.model)),
        }
    }

    /// Takes what happened at `now`, in seconds from any time; gives what is to be done.
    pub fn update(&mut self, event: Event, now: f64) -> Vec<Effect> {
        let settings = self.settings.clone();
        let mut effects = Vec::new();
        self.take_event(event, now, &mut effects);
        if self.settings != settings {
            effects.push(Effect::Link);
        }
        effects
    }

    fn take_event(&mut self, event: Event, now: f64, effects: &mut Vec<Effect>) {
        match event {
            Event::Listed(Ok(listed)) => {
                self.listed = true;
                self.networks.splice(0..0, listed.into_iter().map(Network::of_site));
                if let Some(name) = &self.settings.network
                    && !self.networks.iter().any(|network| network.listed.name == *name)
                {
                    self.tell(format!(
                        "The link asks for the network “{name}”, which is not here; the usual one is taken."
                    ));
                    self.settings.network = None;
                }
                self.begin(effects);
            }
            Event::Listed(Err(failure)) => self.engine = Engine::Failed(failure),
            Event::Engine(response) => self.hear(response, now, effects),
            Event::EngineDied => self.revive(effects),

            Event::Added { id, name, example } => {
                let task = match self.settings.task {
                    Task::Experiment => Task::Experiment,
                    _ => Task::Denoise,
                };
                let noise = example.filter(|_| task == Task::Denoise).and_then(Example::noise);
                self.takes.push(Take::new(id, name, task, noise));
                self.settings.example = example;
                self.show(id, effects);
                self.send(id, false, effects);
            }
            Event::Dropped { id, name, bytes } => {
                let model = self.unused_model(&name);
                self.arriving.push(Network::dropped(id, model.clone(), name, bytes));
                self.load(&model, effects);
            }
            Event::Refused(reason) => self.tell(reason),
            Event::Undecodable(id, failure) => {
                if let Some(take) = self.takes.iter_mut().find(|take| take.id == id) {
                    take.phase = Phase::Failed(match (failure, &take.unreadable) {
                        // The browser does not say why; the engine did.
                        (Failure::NotAudio(_), Some(reason)) => Failure::NotAudio(reason.clone()),
                        (failure, _) => failure,
                    });
                }
            }
            Event::Open(id) => {
                self.settings.example = None;
                self.show(id, effects);
            }
            Event::Remove(id) => self.remove(id, effects),
            Event::Cancel(id) => {
                if let Some(take) = self.takes.iter_mut().find(|take| take.id == id && take.is_active()) {
                    take.phase = Phase::Failed(Failure::Cancelled);
                    effects.push(Effect::Post(Request::Cancel { id: take.run }));
                }
            }
            Event::Again(id) => self.again(id, effects),
            Event::Example(example) => effects.push(Effect::Fetch(example)),

            Event::Task(task) if task != self.settings.task => {
                self.quiet(effects);
                if self.live != Live::Off {
                    self.end_live(effects);
                }
                self.settings.task = task;
                self.settings.window = None;
                self.settings.voice = 1;
                self.settings.example = None;
            }
            Event::Task(_) => {}
            Event::Network(name) => {
                if let Some(network) = self.networks.iter().find(|network| network.listed.name == name) {
                    let model = network.model.clone();
                    self.settings.network = Some(name);
                    self.load(&model, effects);
                }
            }
            Event::Strength(db) => self.settings.strength_db = db.min(crate::settings::UNLIMITED_DB),
            Event::Voice(voice) => {
                if self.current().is_some_and(|take| voice < take.voice_count()) {
                    self.settings.voice = voice;
                }
            }
            Event::Matched(matched) => self.settings.matched = matched,
            Event::Depth(depth) => self.settings.depth = depth,
            Event::Checked(chain, error) => {
                if self.settings.chain == chain {
                    self.noise_error = error;
                }
            }
            Event::Noises(noises) => self.noises = noises,
            Event::Chain(chain) => {
                if chain != self.settings.chain {
                    effects.push(Effect::Check(chain.clone()));
                }
                self.settings.chain = chain;
                if self.current().is_some_and(|take| take.task == Task::Experiment) {
                    // There the threshold is seen.
                    self.settings.voice = 0;
                }
            }
            Event::Seed(seed) => self.settings.seed = seed,
            Event::Window(window) => self.settings.window = self.fit(window),

            Event::TogglePlay => {
                if self.playing {
                    self.quiet(effects);
                } else if let Some(take) = self.current().filter(|take| take.heard_frames() > 0) {
                    effects.push(Effect::Play(take.id));
                    self.playing = true;
                }
            }
            Event::Seek(seconds) => {
                if let Some(take) = self.current() {
                    effects.push(Effect::Seek(take.id, seconds.clamp(0.0, take.seconds())));
                }
            }
            Event::Stopped => self.playing = false,

            Event::ToggleRecording => match self.recording {
                None => {
                    self.recording = Some(false);
                    effects.push(Effect::Record);
                }
                Some(true) => effects.push(Effect::StopRecording),
                Some(false) => {}
            },
            Event::Recording => self.recording = Some(true),
            Event::RecordingEnded(failure) => {
                self.recording = None;
                if let Some(failure) = failure {
                    self.tell(failure.message());
                }
            }
            Event::ToggleLive => match self.live {
                Live::Off | Live::Failed(_) => {
                    self.live = Live::Starting;
                    effects.push(Effect::OpenLive);
                }
                Live::Starting | Live::On(..) => self.end_live(effects),
            },
            Event::LiveFailed(failure) => {
                self.live = Live::Failed(failure);
                effects.push(Effect::CloseLive);
            }

            Event::Notice(text) => self.tell(text),
            Event::Dismiss => self.notices.clear(),
            Event::Offline => self.offline = true,
        }
    }

    fn hear(&mut self, response: Response, now: f64, effects: &mut Vec<Effect>) {
        match response {
            Response::Listening => {
                self.engine = Engine::Listening;
                self.begin(effects);
            }
            Response::Started { backend, note } => self.backend = Some((backend, note)),
            Response::Loading { model, share } => {
                if let Some(network) = self.find(&model) {
                    network.loading = Loading::Loading(share);
                }
            }
            Response::Loaded { model, facts, backend, note } => {
                if self.choice == Choice::Probe {
                    effects.push(Effect::Remember(backend));
                    self.choice = Choice::Prefer(backend);
                }
                self.engine = Engine::Ready;
                self.backend = Some((backend, note));
                self.set_loaded(&model, facts, effects);
            }
            Response::FellBack { reason } => {
                self.choice = Choice::Prefer(Backend::Cpu);
                self.backend = Some((Backend::Cpu, format!("WebGPU failed: {reason}")));
                self.tell("The graphics processor was lost; the CPU continues from where it stood.".into());
            }
            Response::Opened { id, spec, length } => {
                if let Some(take) = self.running(id) {
                    take.phase = Phase::Working;
                    take.began.get_or_insert((now, take.finished_frames()));
                    take.format = Some(Format { spec: *spec, length });
                }
            }
            Response::Damaged { id, damage } => {
                if let Some(take) = self.running(id) {
                    take.damage = damage;
                }
            }
            // How many there are comes from where they are kept: `State::stored`.
            Response::Piece { .. } => {}
            Response::Scored { id, track, scores } => {
                if let Some(track) = self.running(id).and_then(|take| take.tracks.get_mut(track)) {
                    track.scores = Some(scores);
                }
            }
            Response::Done { id, elapsed_seconds, .. } => {
                if let Some(take) = self.running(id) {
                    take.phase = Phase::Done;
                    take.elapsed_seconds = Some(elapsed_seconds);
                }
            }
            Response::Live { latency_seconds, load } => {
                if self.live != Live::Off {
                    self.live = Live::On(latency_seconds, load);
                }
            }
            Response::LiveEnded { failure } => {
                effects.push(Effect::CloseLive);
                self.live = failure.map_or(Live::Off, Live::Failed);
            }
            Response::Failed { id: Some(run), failure, .. } => {
                let Some(take) = self.running(run) else { return };
                match failure {
                    Failure::NotAudio(reason) if take.unreadable.is_none() => {
                        take.unreadable = Some(reason);
                        take.damage.clear();
                        let id = take.id;
                        self.send(id, false, effects);
                    }
                    failure => take.phase = Phase::Failed(failure),
                }
            }
            Response::Failed { id: None, model: Some(model), failure } => self.refuse(&model, failure, effects),
            Response::Failed { id: None, model: None, failure } => self.engine = Engine::Failed(failure),
        }
    }

    /// A piece of a track of run number `run` has been put away: `frames` samples per channel of it are there.
    pub fn stored(&mut self, run: u32, track: usize, frames: u64) {
        let titles: Vec<String> = self.networks.iter().map(|network| network.listed.title.clone()).collect();
        let models: Vec<String> = self.networks.iter().map(|network| network.model.clone()).collect();
        let Some(take) = self.running(run) else { return };
        let before = if take.noise.is_some() { 2 } else { 1 };
        while take.tracks.len() <= track {
            let index = take.tracks.len();
            let title = match index.checked_sub(before) {
                Some(network) => {
                    let model = take.networks.get(network).cloned().unwrap_or_default();
                    models.iter().position(|known| *known == model).map_or(model, |index| titles[index].clone())
                }
                None if index == 0 && take.noise.is_some() => "Clean".into(),
                None => "Noisy".into(),
            };
            take.tracks.push(Track { title, ..Track::default() });
        }
        let there = &mut take.tracks[track].frames;
        *there = frames.max(*there);
    }

    /// The take that is being worked on under this number, unless it was given up.
    fn running(&mut self, run: u32) -> Option<&mut Take> {
        self.takes.iter_mut().find(|take| take.run == run && take.is_active())
    }

    /// Once engine and list are there: a backend, the chosen network, and whatever waits.
    fn begin(&mut self, effects: &mut Vec<Effect>) {
        if self.engine != Engine::Listening || !self.listed {
            return;
        }
        let Some(network) = self.network() else {
            self.engine = Engine::Failed(Failure::NoModel("there are none on this site".into()));
            return;
        };
        let chosen = network.model.clone();
        effects.push(Effect::Post(Request::Start { choice: self.choice }));
        self.load(&chosen, effects);
        let arriving: Vec<String> = self.arriving.iter().map(|network| network.model.clone()).collect();
        for model in arriving {
            self.load(&model, effects);
        }
        let waiting: Vec<u32> = self.takes.iter().filter(|take| take.is_active()).map(|take| take.id).collect();
        for id in waiting {
            self.send(id, true, effects);
        }
    }

    /// Has the engine load a network, unless it has.
    fn load(&mut self, model: &str, effects: &mut Vec<Effect>) {
        if !matches!(self.engine, Engine::Listening | Engine::Ready) {
            return;
        }
        let Some(network) = self.find(model) else { return };
        if matches!(network.loading, Loading::Loading(_) | Loading::Loaded(_)) {
            return;
        }
        network.loading = Loading::Loading(None);
        let model = model.to_owned();
        effects.push(match &network.origin {
            Origin::Site(file) => Effect::Post(Request::Load { model, url: Some(file.clone()) }),
            Origin::Dropped(id) => Effect::PostBundle(Request::Load { model, url: None }, *id),
        });
    }

    /// The network that the engine knows by this name, or will.
    fn find(&mut self, model: &str) -> Option<&mut Network> {
        self.networks.iter_mut().chain(&mut self.arriving).find(|network| network.model == model)
    }

    /// A name for the engine that no network has, nor any that made a take: the given one, or that with a number.
    fn unused_model(&self, name: &str) -> String {
        let networks = self.networks.iter().chain(&self.arriving).map(|network| &network.model);
        let used: Vec<&String> = networks.chain(self.takes.iter().flat_map(|take| &take.networks)).collect();
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|model| !used.contains(&model)).unwrap_or_default()
    }

    /// Has the engine work on a take; from where it stood before the engine was lost, if it is `resumed`.
    fn send(&mut self, id: u32, resumed: bool, effects: &mut Vec<Effect>) {
        if !matches!(self.engine, Engine::Listening | Engine::Ready) || !self.listed {
            return;
        }
        let Some(index) = self.takes.iter().position(|take| take.id == id) else { return };
        // Not where a network is gone that made what is there.
        let mut models = self.takes[index].networks.iter();
        let resumed = resumed && models.all(|model| self.networks.iter().any(|network| network.model == *model));
        if !resumed || self.takes[index].networks.is_empty() {
            self.takes[index].networks = match self.takes[index].task {
                Task::Experiment => {
                    let usable = |network: &&Network| !matches!(network.loading, Loading::Failed(_));
                    self.networks.iter().filter(usable).map(|network| network.model.clone()).collect()
                }
                _ => self.network().map(|network| network.model.clone()).into_iter().collect(),
            };
            if self.takes[index].task == Task::Experiment {
                let (chain, seed) = (self.settings.chain.clone(), self.settings.seed);
                self.takes[index].noise = Some(crate::protocol::AddedNoise { chain, seed });
            }
        }
        for model in self.takes[index].networks.clone() {
            self.load(&model, effects);
        }
        self.runs += 1;
        let take = &mut self.takes[index];
        take.run = self.runs;
        take.phase = Phase::Waiting;
        take.began = None;
        // What is there of a take with noise is soon made again.
        let whole = take.finished_frames() / take.piece_length() * take.piece_length();
        let from = if resumed && take.noise.is_none() && take.networks.len() == 1 { whole } else { 0 };
        if from == 0 {
            take.tracks.clear();
            effects.push(Effect::ForgetTracks(id));
        }
        let request = Request::Denoise {
            id: take.run,
            input: Input::File,
            noise: take.noise.clone(),
            models: take.networks.clone(),
            from,
        };
        effects.push(match take.unreadable {
            Some(_) => Effect::PostDecoded(request, id),
            None => Effect::PostFile(request, id),
        });
    }

    fn again(&mut self, id: u32, effects: &mut Vec<Effect>) {
        let Some(take) = self.takes.iter_mut().find(|take| take.id == id) else { return };
        if take.is_active() {
            effects.push(Effect::Post(Request::Cancel { id: take.run }));
        }
        take.restart();
        self.quiet(effects);
        self.send(id, false, effects);
    }

    fn remove(&mut self, id: u32, effects: &mut Vec<Effect>) {
        let Some(index) = self.takes.iter().position(|take| take.id == id) else { return };
        let take = self.takes.remove(index);
        if take.is_active() {
            effects.push(Effect::Post(Request::Cancel { id: take.run }));
        }
        if self.open.contains(&Some(id)) {
            self.quiet(effects);
            let next = self.takes.iter().rfind(|other| other.task == take.task).map(|take| take.id);
            self.open[take.task as usize] = next;
            self.settings.window = None;
            self.settings.example = None;
        }
        effects.push(Effect::Forget(id));
    }

    /// Opens a take.
    fn show(&mut self, id: u32, effects: &mut Vec<Effect>) {
        let Some(take) = self.takes.iter().find(|take| take.id == id) else { return };
        let task = take.task;
        if self.open[task as usize].is_some_and(|open| open != id) {
            self.quiet(effects);
            self.settings.window = None;
        }
        self.settings.task = task;
        self.open[task as usize] = Some(id);
    }

    fn quiet(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.playing) {
            effects.push(Effect::Pause);
        }
    }

    fn end_live(&mut self, effects: &mut Vec<Effect>) {
        self.live = Live::Off;
        effects.extend([Effect::Post(Request::StopLive), Effect::CloseLive]);
    }

    /// The engine died: another takes over, on the CPU, from where it stood. What it died of twice at the same place is given up.
    fn revive(&mut self, effects: &mut Vec<Effect>) {
        let alive = matches!(self.engine, Engine::Ready);
        let on_cpu = self.backend.as_ref().is_none_or(|(backend, _)| *backend == Backend::Cpu);
        self.choice = match self.choice {
            Choice::Only(backend) => Choice::Only(backend),
            _ => Choice::Prefer(Backend::Cpu),
        };
        if self.live != Live::Off {
            self.live = Live::Failed(Failure::Died);
            effects.push(Effect::CloseLive);
        }
        for network in &mut self.networks {
            if matches!(network.loading, Loading::Loading(_) | Loading::Loaded(_)) {
                network.loading = Loading::Unloaded;
            }
        }
        // A bundle may be what it died of, and would kill the next one.
        let tried = self.arriving.iter().filter(|network| matches!(network.loading, Loading::Loading(_)));
        for model in tried.map(|network| network.model.clone()).collect::<Vec<_>>() {
            self.refuse(&model, Failure::NoModel("the engine stopped while it was loaded".into()), effects);
        }
        let mut going_on = false;
        for take in self.takes.iter_mut().filter(|take| take.phase == Phase::Working) {
            let there = take.finished_frames();
            if on_cpu && take.resumed_from.is_some_and(|before| before >= there) {
                take.phase = Phase::Failed(Failure::Died);
            } else {
                take.resumed_from = Some(there);
                take.phase = Phase::Waiting;
                going_on = true;
            }
        }
        if !alive && on_cpu && !going_on {
            self.engine = Engine::Failed(Failure::Died);
            for take in self.takes.iter_mut().filter(|take| take.is_active()) {
                take.phase = Phase::Failed(Failure::Died);
            }
            return;
        }
        let what = if going_on { "continues from where it stood" } else { "was started again" };
        self.tell(format!("The engine stopped, most likely because memory ran out. It {what}, on the CPU."));
        self.engine = Engine::Starting;
        effects.push(Effect::Respawn);
    }

    /// A network cannot be loaded. What somebody dropped goes; a network of the site stays, and is not used.
    fn refuse(&mut self, model: &str, failure: Failure, effects: &mut Vec<Effect>) {
        let Some(network) = self.find(model) else { return };
        let name = network.listed.name.clone();
        if let Origin::Dropped(id) = network.origin {
            self.tell(format!("“{name}” was not added. {}", failure.message()));
            effects.push(Effect::ForgetBundle(id));
            if let Some(index) = self.arriving.iter().position(|network| network.model == model) {
                self.arriving.remove(index);
                return;
            }
            self.networks.retain(|network| network.model != model);
        } else {
            network.loading = Loading::Failed(failure.clone());
            if matches!(self.engine, Engine::Failed(_)) {
                // Without an engine nothing loads: that it has none was said.
            } else if !self.networks.iter().any(|network| network.facts().is_some()) {
                self.engine = Engine::Failed(failure);
            } else {
                self.tell(failure.message());
            }
        }
        if self.settings.network == Some(name) {
            self.settings.network = None;
        }
    }

    /// A network is ready. One that somebody dropped is chosen, and replaces the one of its name.
    fn set_loaded(&mut self, model: &str, facts: Box<Facts>, effects: &mut Vec<Effect>) {
        let Some(network) = self.find(model) else { return };
        let chosen = matches!(network.origin, Origin::Dropped(_)).then(|| network.listed.name.clone());
        if chosen.is_some() {
            network.listed.summary.clone_from(&facts.card.summary);
            network.listed.parameters = facts.card.parameters;
        }
        network.loading = Loading::Loaded(facts);
        if chosen.is_some() {
            self.settings.network = chosen;
        }
        let Some(index) = self.arriving.iter().position(|network| network.model == model) else { return };
        let mut arrived = self.arriving.remove(index);
        let Some(old) = self.networks.iter_mut().find(|network| network.listed.name == arrived.listed.name) else {
            return self.networks.push(arrived);
        };
        arrived.listed.default = old.listed.default;
        let old = std::mem::replace(old, arrived);
        if let Origin::Dropped(id) = old.origin {
            effects.push(Effect::ForgetBundle(id));
        }
        // What is still being made goes on with the old one.
        if !self.takes.iter().any(|take| take.is_active() && take.networks.contains(&old.model)) {
            effects.push(Effect::Post(Request::Unload { model: old.model }));
        }
    }

    /// A stretch of time that the open take has; none if that is all of it.
    fn fit(&self, window: Option<[f64; 2]>) -> Option<[f64; 2]> {
        /// The shortest stretch that is shown, in seconds.
        const SHORTEST: f64 = 0.02;
        let ([from, to], total) = (window?, self.current()?.seconds());
        let span = (to - from).max(SHORTEST);
        if !(to - from).is_finite() || span >= total {
            return None;
        }
        let from = from.clamp(0.0, total - span);
        Some([from, from + span])
    }

    fn tell(&mut self, text: String) {
        self.notices.retain(|notice| *notice != text);
        self.notices.push(text);
        let surplus = self.notices.len().saturating_sub(MOST_NOTICES);
        self.notices.drain(..surplus);
    }
}

#[cfg(test)]
mod tests;
