//! The engine's part of the state: how its answers change the page, how it begins, and what happens when it dies.

use super::{Effect, EnginePhase, Live, PageState};
use crate::networks::Loading;
use crate::protocol::Failure;
use crate::protocol::engine::{Backend, BackendChoice, Request, Response};
use crate::take::{TakeFormat, TakePhase};

impl PageState {
    /// Takes an answer of the engine.
    pub(super) fn hear(&mut self, response: Response, now: f64, effects: &mut Vec<Effect>) {
        match response {
            Response::Listening => {
                self.engine = EnginePhase::Listening;
                self.begin(effects);
            }
            Response::Started { backend, note } => self.backend = Some((backend, note)),
            Response::Loading { model, share } => {
                if let Some(network) = self.find(&model) {
                    network.loading = Loading::Loading(share);
                }
            }
            Response::Loaded { model, facts, backend, note } => {
                if self.choice == BackendChoice::Probe {
                    effects.push(Effect::Remember(backend));
                    self.choice = BackendChoice::Prefer(backend);
                }
                self.engine = EnginePhase::Ready;
                self.backend = Some((backend, note));
                self.set_loaded(&model, facts, effects);
            }
            Response::FellBack { reason } => {
                self.choice = BackendChoice::Prefer(Backend::Cpu);
                self.backend = Some((Backend::Cpu, format!("WebGPU failed: {reason}")));
                self.tell("The graphics processor was lost; the CPU continues from where it stood.".into());
            }
            Response::Opened { id, spec, length } => {
                if let Some(take) = self.running(id) {
                    take.phase = TakePhase::Working;
                    take.began.get_or_insert((now, take.finished_frames()));
                    take.format = Some(TakeFormat { spec: *spec, length });
                }
            }
            Response::Damaged { id, damage } => {
                if let Some(take) = self.running(id) {
                    take.damage = damage;
                }
            }
            // How many there are comes from where they are kept: `PageState::stored`.
            Response::Piece { .. } => {}
            Response::Scored { id, track, scores } => {
                if let Some(track) = self.running(id).and_then(|take| take.tracks.get_mut(track)) {
                    track.scores = Some(scores);
                }
            }
            Response::Done { id, elapsed_seconds, .. } => {
                if let Some(take) = self.running(id) {
                    take.phase = TakePhase::Done;
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
                    failure => take.phase = TakePhase::Failed(failure),
                }
            }
            Response::Failed { id: None, model: Some(model), failure } => self.refuse(&model, failure, effects),
            Response::Failed { id: None, model: None, failure } => self.engine = EnginePhase::Failed(failure),
        }
    }

    /// Once engine and list are there: a backend, the chosen network, and whatever waits.
    pub(super) fn begin(&mut self, effects: &mut Vec<Effect>) {
        if self.engine != EnginePhase::Listening || !self.listed {
            return;
        }
        let Some(network) = self.network() else {
            self.engine = EnginePhase::Failed(Failure::NoModel("there are none on this site".into()));
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

    /// The engine died: another takes over, on the CPU, from where it stood. What it died of twice at the same place is
    /// given up.
    pub(super) fn revive(&mut self, effects: &mut Vec<Effect>) {
        let alive = matches!(self.engine, EnginePhase::Ready);
        let on_cpu = self.backend.as_ref().is_none_or(|(backend, _)| *backend == Backend::Cpu);
        self.choice = match self.choice {
            BackendChoice::Only(backend) => BackendChoice::Only(backend),
            _ => BackendChoice::Prefer(Backend::Cpu),
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
        for take in self.takes.iter_mut().filter(|take| take.phase == TakePhase::Working) {
            let there = take.finished_frames();
            if on_cpu && take.resumed_from.is_some_and(|before| before >= there) {
                take.phase = TakePhase::Failed(Failure::Died);
            } else {
                take.resumed_from = Some(there);
                take.phase = TakePhase::Waiting;
                going_on = true;
            }
        }
        if !alive && on_cpu && !going_on {
            self.engine = EnginePhase::Failed(Failure::Died);
            for take in self.takes.iter_mut().filter(|take| take.is_active()) {
                take.phase = TakePhase::Failed(Failure::Died);
            }
            return;
        }
        let what = if going_on { "continues from where it stood" } else { "was started again" };
        self.tell(format!("The engine stopped, most likely because memory ran out. It {what}, on the CPU."));
        self.engine = EnginePhase::Starting;
        effects.push(Effect::Respawn);
    }
}
