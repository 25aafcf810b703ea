//! The takes' part of the state: sending them to the engine, showing them, making them again, removing them.

use super::{Effect, EnginePhase, PageState};
use crate::networks::{Loading, OfferedNetwork};
use crate::protocol::AddedNoise;
use crate::protocol::engine::{Request, TakeInput};
use crate::settings::PageTask;
use crate::take::{Take, TakePhase, TakeTrack};

impl PageState {
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
            take.tracks.push(TakeTrack { title, ..TakeTrack::default() });
        }
        let there = &mut take.tracks[track].frames;
        *there = frames.max(*there);
    }

    /// The take that is being worked on under this number, unless it was given up.
    pub(super) fn running(&mut self, run: u32) -> Option<&mut Take> {
        self.takes.iter_mut().find(|take| take.run == run && take.is_active())
    }

    /// Has the engine work on a take; from where it stood before the engine was lost, if it is `resumed`.
    pub(super) fn send(&mut self, id: u32, resumed: bool, effects: &mut Vec<Effect>) {
        if !matches!(self.engine, EnginePhase::Listening | EnginePhase::Ready) || !self.listed {
            return;
        }
        let Some(index) = self.takes.iter().position(|take| take.id == id) else { return };
        // Not where a network is gone that made what is there.
        let mut models = self.takes[index].networks.iter();
        let resumed = resumed && models.all(|model| self.networks.iter().any(|network| network.model == *model));
        if !resumed || self.takes[index].networks.is_empty() {
            self.takes[index].networks = match self.takes[index].task {
                PageTask::Experiment => {
                    let usable = |network: &&OfferedNetwork| !matches!(network.loading, Loading::Failed(_));
                    self.networks.iter().filter(usable).map(|network| network.model.clone()).collect()
                }
                _ => self.network().map(|network| network.model.clone()).into_iter().collect(),
            };
            if self.takes[index].task == PageTask::Experiment {
                let (chain, seed) = (self.settings.chain.clone(), self.settings.seed);
                self.takes[index].noise = Some(AddedNoise { chain, seed });
            }
        }
        for model in self.takes[index].networks.clone() {
            self.load(&model, effects);
        }
        self.runs += 1;
        let take = &mut self.takes[index];
        take.run = self.runs;
        take.phase = TakePhase::Waiting;
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
            input: TakeInput::File,
            noise: take.noise.clone(),
            models: take.networks.clone(),
            from,
        };
        effects.push(match take.unreadable {
            Some(_) => Effect::PostDecoded(request, id),
            None => Effect::PostFile(request, id),
        });
    }

    /// Makes a take again, as the settings are now.
    pub(super) fn again(&mut self, id: u32, effects: &mut Vec<Effect>) {
        let Some(take) = self.takes.iter_mut().find(|take| take.id == id) else { return };
        if take.is_active() {
            effects.push(Effect::Post(Request::Cancel { id: take.run }));
        }
        take.restart();
        self.quiet(effects);
        self.send(id, false, effects);
    }

    /// Removes a take; the last of its task is shown in its place.
    pub(super) fn remove(&mut self, id: u32, effects: &mut Vec<Effect>) {
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
    pub(super) fn show(&mut self, id: u32, effects: &mut Vec<Effect>) {
        let Some(take) = self.takes.iter().find(|take| take.id == id) else { return };
        let task = take.task;
        if self.open[task as usize].is_some_and(|open| open != id) {
            self.quiet(effects);
            self.settings.window = None;
        }
        self.settings.task = task;
        self.open[task as usize] = Some(id);
    }
}
