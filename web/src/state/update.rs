//! How each event changes the state.

use super::{Effect, EnginePhase, Live, PageEvent, PageState};
use crate::example::ExampleRecording;
use crate::networks::OfferedNetwork;
use crate::protocol::Failure;
use crate::protocol::engine::Request;
use crate::settings::{PageTask, UNLIMITED_DB};
use crate::take::{Take, TakePhase};

/// Notices that are shown at a time: the last.
const MOST_NOTICES: usize = 4;

impl PageState {
    pub(super) fn take_event(&mut self, event: PageEvent, now: f64, effects: &mut Vec<Effect>) {
        match event {
            PageEvent::Listed(Ok(listed)) => {
                self.listed = true;
                self.networks.splice(0..0, listed.into_iter().map(OfferedNetwork::of_site));
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
            PageEvent::Listed(Err(failure)) => self.engine = EnginePhase::Failed(failure),
            PageEvent::Engine(response) => self.hear(response, now, effects),
            PageEvent::EngineDied => self.revive(effects),

            PageEvent::Added { id, name, example } => {
                let task = match self.settings.task {
                    PageTask::Experiment => PageTask::Experiment,
                    _ => PageTask::Denoise,
                };
                let noise = example.filter(|_| task == PageTask::Denoise).and_then(ExampleRecording::noise);
                self.takes.push(Take::new(id, name, task, noise));
                self.settings.example = example;
                self.show(id, effects);
                self.send(id, false, effects);
            }
            PageEvent::Dropped { id, name, bytes } => {
                let model = self.unused_model(&name);
                self.arriving.push(OfferedNetwork::dropped(id, model.clone(), name, bytes));
                self.load(&model, effects);
            }
            PageEvent::Refused(reason) => self.tell(reason),
            PageEvent::Undecodable(id, failure) => {
                if let Some(take) = self.takes.iter_mut().find(|take| take.id == id) {
                    take.phase = TakePhase::Failed(match (failure, &take.unreadable) {
                        // The browser does not say why; the engine did.
                        (Failure::NotAudio(_), Some(reason)) => Failure::NotAudio(reason.clone()),
                        (failure, _) => failure,
                    });
                }
            }
            PageEvent::Open(id) => {
                self.settings.example = None;
                self.show(id, effects);
            }
            PageEvent::Remove(id) => self.remove(id, effects),
            PageEvent::Cancel(id) => {
                if let Some(take) = self.takes.iter_mut().find(|take| take.id == id && take.is_active()) {
                    take.phase = TakePhase::Failed(Failure::Cancelled);
                    effects.push(Effect::Post(Request::Cancel { id: take.run }));
                }
            }
            PageEvent::Again(id) => self.again(id, effects),
            PageEvent::Example(example) => effects.push(Effect::Fetch(example)),

            PageEvent::Task(task) if task != self.settings.task => {
                self.quiet(effects);
                if self.live != Live::Off {
                    self.end_live(effects);
                }
                self.settings.task = task;
                self.settings.window = None;
                self.settings.voice = 1;
                self.settings.example = None;
            }
            PageEvent::Task(_) => {}
            PageEvent::Network(name) => {
                if let Some(network) = self.networks.iter().find(|network| network.listed.name == name) {
                    let model = network.model.clone();
                    self.settings.network = Some(name);
                    self.load(&model, effects);
                }
            }
            PageEvent::Strength(db) => self.settings.strength_db = db.min(UNLIMITED_DB),
            PageEvent::Voice(voice) => {
                if self.current().is_some_and(|take| voice < take.voice_count()) {
                    self.settings.voice = voice;
                }
            }
            PageEvent::Matched(matched) => self.settings.matched = matched,
            PageEvent::Depth(depth) => self.settings.depth = depth,
            PageEvent::Checked(chain, error) => {
                if self.settings.chain == chain {
                    self.noise_error = error;
                }
            }
            PageEvent::Noises(noises) => self.noises = noises,
            PageEvent::Chain(chain) => {
                if chain != self.settings.chain {
                    effects.push(Effect::Check(chain.clone()));
                }
                self.settings.chain = chain;
                if self.current().is_some_and(|take| take.task == PageTask::Experiment) {
                    // There the threshold is seen.
                    self.settings.voice = 0;
                }
            }
            PageEvent::Seed(seed) => self.settings.seed = seed,
            PageEvent::Window(window) => self.settings.window = self.fit(window),

            PageEvent::TogglePlay => {
                if self.playing {
                    self.quiet(effects);
                } else if let Some(take) = self.current().filter(|take| take.heard_frames() > 0) {
                    effects.push(Effect::Play(take.id));
                    self.playing = true;
                }
            }
            PageEvent::Seek(seconds) => {
                if let Some(take) = self.current() {
                    effects.push(Effect::Seek(take.id, seconds.clamp(0.0, take.seconds())));
                }
            }
            PageEvent::Stopped => self.playing = false,

            PageEvent::ToggleRecording => match self.recording {
                None => {
                    self.recording = Some(false);
                    effects.push(Effect::Record);
                }
                Some(true) => effects.push(Effect::StopRecording),
                Some(false) => {}
            },
            PageEvent::Recording => self.recording = Some(true),
            PageEvent::RecordingEnded(failure) => {
                self.recording = None;
                if let Some(failure) = failure {
                    self.tell(failure.message());
                }
            }
            PageEvent::ToggleLive => match self.live {
                Live::Off | Live::Failed(_) => {
                    self.live = Live::Starting;
                    effects.push(Effect::OpenLive);
                }
                Live::Starting | Live::On(..) => self.end_live(effects),
            },
            PageEvent::LiveFailed(failure) => {
                self.live = Live::Failed(failure);
                effects.push(Effect::CloseLive);
            }

            PageEvent::Notice(text) => self.tell(text),
            PageEvent::Dismiss => self.notices.clear(),
            PageEvent::Offline => self.offline = true,
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

    /// Pauses, if something plays.
    pub(super) fn quiet(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.playing) {
            effects.push(Effect::Pause);
        }
    }

    /// Ends live sound, on both sides.
    fn end_live(&mut self, effects: &mut Vec<Effect>) {
        self.live = Live::Off;
        effects.extend([Effect::Post(Request::StopLive), Effect::CloseLive]);
    }

    /// Shows a notice; the oldest go when there are many.
    pub(super) fn tell(&mut self, text: String) {
        self.notices.retain(|notice| *notice != text);
        self.notices.push(text);
        let surplus = self.notices.len().saturating_sub(MOST_NOTICES);
        self.notices.drain(..surplus);
    }
}
