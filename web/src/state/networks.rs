//! The networks' part of the state: loading them, replacing them, giving them up.

use super::{Effect, EnginePhase, PageState};
use crate::networks::{Loading, OfferedNetwork, Origin};
use crate::protocol::Failure;
use crate::protocol::engine::{Facts, Request};

impl PageState {
    /// Has the engine load a network, unless it has.
    pub(super) fn load(&mut self, model: &str, effects: &mut Vec<Effect>) {
        if !matches!(self.engine, EnginePhase::Listening | EnginePhase::Ready) {
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
    pub(super) fn find(&mut self, model: &str) -> Option<&mut OfferedNetwork> {
        self.networks.iter_mut().chain(&mut self.arriving).find(|network| network.model == model)
    }

    /// A name for the engine that no network has, nor any that made a take: the given one, or that with a number.
    pub(super) fn unused_model(&self, name: &str) -> String {
        let networks = self.networks.iter().chain(&self.arriving).map(|network| &network.model);
        let used: Vec<&String> = networks.chain(self.takes.iter().flat_map(|take| &take.networks)).collect();
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|model| !used.contains(&model)).unwrap_or_default()
    }

    /// A network cannot be loaded. What somebody dropped goes; a network of the site stays, and is not used.
    pub(super) fn refuse(&mut self, model: &str, failure: Failure, effects: &mut Vec<Effect>) {
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
            if matches!(self.engine, EnginePhase::Failed(_)) {
                // Without an engine nothing loads: that it has none was said.
            } else if !self.networks.iter().any(|network| network.facts().is_some()) {
                self.engine = EnginePhase::Failed(failure);
            } else {
                self.tell(failure.message());
            }
        }
        if self.settings.network == Some(name) {
            self.settings.network = None;
        }
    }

    /// A network is ready. One that somebody dropped is chosen, and replaces the one of its name.
    pub(super) fn set_loaded(&mut self, model: &str, facts: Box<Facts>, effects: &mut Vec<Effect>) {
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
        // What is still being made keeps the old one.
        if !self.takes.iter().any(|take| take.is_active() && take.networks.contains(&old.model)) {
            effects.push(Effect::Post(Request::Unload { model: old.model }));
        }
    }
}
