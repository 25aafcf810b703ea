//! The page's state in one place, and what events make of it.
//!
//! [`PageState::update`] takes what happened and gives what is to be done about it; it does nothing itself. What is
//! shown is a function of the state alone. Samples, files and devices are kept by those who carry out the effects.

mod effect;
mod engine;
mod event;
mod networks;
mod takes;
mod update;

use shared::noise::NoiseKind;

pub use self::effect::Effect;
pub use self::event::PageEvent;
use crate::networks::OfferedNetwork;
use crate::protocol::Failure;
use crate::protocol::engine::{Backend, BackendChoice};
use crate::settings::{PageTask, Settings};
use crate::take::Take;

/// How far the engine is.
#[derive(Clone, Debug, PartialEq)]
pub enum EnginePhase {
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
pub struct PageState {
    /// What shapes the page.
    pub settings: Settings,
    /// Which backend to take, unless the settings say.
    pub choice: BackendChoice,
    /// How far the engine is.
    pub engine: EnginePhase,
    /// What does the arithmetic, and why, once that is known.
    pub backend: Option<(Backend, String)>,
    /// The networks to choose from.
    pub networks: Vec<OfferedNetwork>,
    /// Bundles that somebody dropped and that the engine has not loaded yet. Only then do they replace networks of
    /// their names.
    pub arriving: Vec<OfferedNetwork>,
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

impl PageState {
    /// The page as a link opens it; with the backend that was found to be the faster before.
    pub fn new(query: &str, remembered: Option<Backend>) -> (Self, Vec<Effect>) {
        let (settings, notices) = Settings::from_query(query);
        let choice = settings.backend.unwrap_or(remembered.map_or(BackendChoice::Probe, BackendChoice::Prefer));
        let mut effects: Vec<Effect> = settings.example.map(Effect::Fetch).into_iter().collect();
        if settings.chain != Settings::default().chain {
            effects.push(Effect::Check(settings.chain.clone()));
        }
        let state = Self {
            settings,
            choice,
            engine: EnginePhase::Starting,
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
    pub fn network(&self) -> Option<&OfferedNetwork> {
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
            PageTask::Experiment => take
                .noise
                .as_ref()
                .is_none_or(|noise| noise.chain != self.settings.chain || noise.seed != self.settings.seed),
            _ => self.network().is_some_and(|network| !take.networks.contains(&network.model)),
        }
    }

    /// Takes what happened at `now`, in seconds from any time; gives what is to be done.
    pub fn update(&mut self, event: PageEvent, now: f64) -> Vec<Effect> {
        let settings = self.settings.clone();
        let mut effects = Vec::new();
        self.take_event(event, now, &mut effects);
        if self.settings != settings {
            effects.push(Effect::Link);
        }
        effects
    }
}

#[cfg(test)]
mod tests;
