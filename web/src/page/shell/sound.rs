//! What is to be heard, and how loud.

use web::state::PageState;
use web::take::Take;

use super::Shell;
use crate::player::Sound;

impl Shell {
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
