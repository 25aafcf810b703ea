//! What events make of the page, as stories.

use shared::bundle::Card;

use super::*;
use crate::example::ExampleRecording;
use crate::networks::NetworkListing;
use crate::protocol::engine::{Facts, Request, Response};
use crate::take::TakePhase;

/// A page, and what it wanted done.
struct Story {
    state: PageState,
    effects: Vec<Effect>,
}

fn listed(name: &str, default: bool) -> NetworkListing {
    NetworkListing {
        name: name.into(),
        file: format!("models/{name}.zip"),
        bytes: 700_000,
        title: name.to_uppercase(),
        default,
        summary: "A network.".into(),
        parameters: 1,
    }
}

impl Story {
    fn begin(query: &str) -> Self {
        let (state, effects) = PageState::new(query, None);
        Self { state, effects }
    }

    /// With engine and networks ready.
    fn ready(query: &str) -> Self {
        let mut story = Self::begin(query);
        story.tell(PageEvent::Listed(Ok(vec![listed("dcunet", true), listed("wavenet", false)])));
        story.tell(PageEvent::Engine(Response::Listening));
        story.tell(PageEvent::Engine(Response::Started { backend: Backend::Cpu, note: "no WebGPU".into() }));
        story.loaded("dcunet");
        story
    }

    fn tell(&mut self, event: PageEvent) -> &[Effect] {
        self.effects = self.state.update(event, 1.0);
        &self.effects
    }

    fn loaded(&mut self, model: &str) {
        let facts = Box::new(Facts { card: Card::default(), bytes: 700_000, speed: 9.0 });
        let (model, note) = (model.into(), "9×".into());
        self.tell(PageEvent::Engine(Response::Loaded { model, facts, backend: Backend::Cpu, note }));
    }

    fn failed(&mut self, model: &str) {
        let failure = Failure::NoModel("weights: too few bytes".into());
        self.tell(PageEvent::Engine(Response::Failed { id: None, model: Some(model.into()), failure }));
    }

    fn drop_bundle(&mut self, id: u32, name: &str) {
        self.tell(PageEvent::Dropped { id, name: name.into(), bytes: 1_000 });
    }

    /// The networks that people can choose, and the one that is chosen.
    fn names(&self) -> Vec<&str> {
        self.state.networks.iter().map(|network| network.listed.name.as_str()).collect()
    }

    fn chosen(&self) -> &str {
        self.state.network().map_or("", |network| &network.listed.name)
    }

    fn add(&mut self, id: u32) -> &[Effect] {
        self.tell(PageEvent::Added { id, name: format!("{id}.wav"), example: None })
    }

    /// The requests to denoise among the last effects.
    fn sent(&self) -> Vec<(u32, u64, Vec<String>)> {
        let request = |effect: &Effect| match effect {
            Effect::PostFile(Request::Denoise { id, from, models, .. }, _)
            | Effect::PostDecoded(Request::Denoise { id, from, models, .. }, _) => Some((*id, *from, models.clone())),
            _ => None,
        };
        self.effects.iter().filter_map(request).collect()
    }

    fn opened(&mut self, run: u32, length: u64) {
        let (channels, channel_mask, encoding) = (1, None, media::Encoding::Pcm16);
        let spec =
            media::Spec { sample_rate_hz: 16_000, channels, channel_mask, encoding, metadata: Default::default() };
        self.tell(PageEvent::Engine(Response::Opened { id: run, spec: Box::new(spec), length: Some(length) }));
    }

    fn take(&self) -> &Take {
        self.state.current().expect("a take is open")
    }
}

#[test]
fn begins_once_engine_and_list_are_there_whichever_comes_first() {
    let mut story = Story::begin("");
    assert_eq!(story.tell(PageEvent::Engine(Response::Listening)), []);
    let effects = story.tell(PageEvent::Listed(Ok(vec![listed("dcunet", true)])));
    let url = Some("models/dcunet.zip".to_owned());
    assert_eq!(
        effects,
        [
            Effect::Post(Request::Start { choice: BackendChoice::Probe }),
            Effect::Post(Request::Load { model: "dcunet".into(), url }),
        ]
    );
    story.loaded("dcunet");
    assert_eq!(story.state.engine, EnginePhase::Ready);
    assert_eq!(story.effects, [Effect::Remember(Backend::Cpu)]);
}

#[test]
fn a_recording_that_comes_early_waits_and_is_denoised() {
    let mut story = Story::begin("");
    assert_eq!(story.add(1), []);
    story.tell(PageEvent::Listed(Ok(vec![listed("dcunet", true)])));
    story.tell(PageEvent::Engine(Response::Listening));
    let [(run, 0, _)] = story.sent()[..] else { panic!("{:?}", story.effects) };
    story.opened(run, 32_000);
    story.state.stored(run, 0, 32_000);
    story.state.stored(run, 1, 16_000);
    assert_eq!((story.take().share(), story.take().phase.clone()), (Some(0.5), TakePhase::Working));
    story.state.stored(run, 1, 32_000);
    story.tell(PageEvent::Engine(Response::Done { id: run, length: 32_000, elapsed_seconds: 0.5, engine_bytes: 1e7 }));
    assert_eq!(story.take().phase, TakePhase::Done);
    let titles: Vec<_> = story.take().tracks.iter().map(|track| track.title.clone()).collect();
    assert_eq!(titles, ["Noisy", "DCUNET"]);
}

#[test]
fn what_the_engine_cannot_read_the_browser_may() {
    let mut story = Story::ready("");
    story.add(1);
    let run = story.sent()[0].0;
    let failed = |id| {
        let failure = Failure::NotAudio("MP4: no codec".into());
        PageEvent::Engine(Response::Failed { id: Some(id), model: None, failure })
    };
    story.tell(failed(run));
    assert!(matches!(story.effects.last(), Some(Effect::PostDecoded(_, 1))), "{:?}", story.effects);
    let run = story.sent()[0].0;
    story.tell(failed(run));
    assert_eq!(story.take().phase, TakePhase::Failed(Failure::NotAudio("MP4: no codec".into())));
}

#[test]
fn what_neither_can_read_fails_with_the_reason_of_the_engine() {
    let mut story = Story::ready("");
    story.add(1);
    let run = story.sent()[0].0;
    let failure = Failure::NotAudio("WAV: the codec GSM 6.10 is not supported".into());
    story.tell(PageEvent::Engine(Response::Failed { id: Some(run), model: None, failure: failure.clone() }));
    story.tell(PageEvent::Undecodable(1, Failure::NotAudio("the browser cannot decode it".into())));
    assert_eq!(story.take().phase, TakePhase::Failed(failure));
    story.tell(PageEvent::Undecodable(1, Failure::TooLong));
    assert_eq!(story.take().phase, TakePhase::Failed(Failure::TooLong));
}

#[test]
fn damage_is_shown_with_its_recording_and_found_anew_when_it_is_made_again() {
    let mut story = Story::ready("");
    story.add(1);
    let run = story.sent()[0].0;
    story.opened(run, 32_000);
    let damage = vec![media::Damage { start: 16_000, length: 800, reason: "a checksum does not match".into() }];
    let damaged = |id| PageEvent::Engine(Response::Damaged { id, damage: damage.clone() });
    story.tell(damaged(run));
    assert_eq!(story.take().remarks().len(), 1);
    assert!(story.take().remarks()[0].contains("at 0:01.0 for 50 ms (a checksum does not match)"));
    story.tell(PageEvent::Engine(Response::Done { id: run, length: 32_000, elapsed_seconds: 0.5, engine_bytes: 1e7 }));
    assert_eq!((story.take().damage.clone(), story.take().phase.clone()), (damage.clone(), TakePhase::Done));
    // Late answers of a run that was given up say nothing about the next.
    story.tell(PageEvent::Again(1));
    assert_eq!(story.take().damage, []);
    story.tell(damaged(run));
    assert_eq!(story.take().damage, []);
}

#[test]
fn another_engine_goes_on_where_the_first_one_died() {
    let mut story = Story::ready("");
    story.add(1);
    let first = story.sent()[0].0;
    story.opened(first, 640_000);
    story.state.stored(first, 0, 256_000);
    story.state.stored(first, 1, 192_000);
    assert_eq!(story.tell(PageEvent::EngineDied), [Effect::Respawn]);
    assert_eq!((story.state.engine.clone(), story.take().phase.clone()), (EnginePhase::Starting, TakePhase::Waiting));
    story.tell(PageEvent::Engine(Response::Listening));
    let start = Effect::Post(Request::Start { choice: BackendChoice::Prefer(Backend::Cpu) });
    assert!(story.effects.contains(&start), "{:?}", story.effects);
    let [(second, from, _)] = story.sent()[..] else { panic!("{:?}", story.effects) };
    assert_eq!(from, 192_000);
    assert!(!story.effects.contains(&Effect::ForgetTracks(1)));
    // What the first still had to say is late.
    story.state.stored(first, 1, 640_000);
    assert_eq!(story.take().finished_frames(), 192_000);
    // Dying at the same place again is enough.
    story.opened(second, 640_000);
    story.tell(PageEvent::EngineDied);
    assert_eq!(story.take().phase, TakePhase::Failed(Failure::Died));
    // The page itself lives on.
    story.tell(PageEvent::Engine(Response::Listening));
    story.add(2);
    assert_eq!(story.sent().len(), 1);
}

#[test]
fn what_an_engine_lacks_is_said_once_and_not_what_follows_from_it() {
    let mut story = Story::begin("?backend=webgpu");
    story.tell(PageEvent::Listed(Ok(vec![listed("dcunet", true)])));
    story.tell(PageEvent::Engine(Response::Listening));
    let missing = Failure::NoBackend("there is no adapter".into());
    story.tell(PageEvent::Engine(Response::Failed { id: None, model: None, failure: missing.clone() }));
    let failure = Failure::Other("no backend was chosen".into());
    story.tell(PageEvent::Engine(Response::Failed { id: None, model: Some("dcunet".into()), failure }));
    assert_eq!(story.state.engine, EnginePhase::Failed(missing));
}

#[test]
fn an_engine_that_never_starts_is_given_up() {
    let mut story = Story::begin("?backend=cpu");
    story.add(1);
    story.tell(PageEvent::Listed(Ok(vec![listed("dcunet", true)])));
    assert_eq!(story.tell(PageEvent::EngineDied), []);
    assert_eq!(story.state.engine, EnginePhase::Failed(Failure::Died));
    assert_eq!(story.take().phase, TakePhase::Failed(Failure::Died));
}

#[test]
fn stopped_takes_ignore_what_comes_late_and_can_be_tried_again() {
    let mut story = Story::ready("");
    story.add(1);
    let run = story.sent()[0].0;
    assert_eq!(story.tell(PageEvent::Cancel(1)), [Effect::Post(Request::Cancel { id: run })]);
    story.tell(PageEvent::Engine(Response::Failed {
        id: Some(run),
        model: None,
        failure: Failure::Other("late".into()),
    }));
    assert_eq!(story.take().phase, TakePhase::Failed(Failure::Cancelled));
    story.tell(PageEvent::Again(1));
    assert_ne!(story.sent()[0].0, run);
    assert_eq!(story.take().phase, TakePhase::Waiting);
}

#[test]
fn another_network_is_loaded_and_makes_the_take_stale() {
    let mut story = Story::ready("");
    story.add(1);
    assert!(!story.state.is_stale());
    story.tell(PageEvent::Network("wavenet".into()));
    let url = Some("models/wavenet.zip".to_owned());
    assert_eq!(story.effects, [Effect::Post(Request::Load { model: "wavenet".into(), url }), Effect::Link]);
    assert!(story.state.is_stale());
    story.tell(PageEvent::Again(1));
    assert_eq!(story.sent()[0].2, ["wavenet"]);
    story.tell(PageEvent::Network("no such".into()));
    assert_eq!(story.effects, []);
}

#[test]
fn an_experiment_runs_every_network_on_the_noise_of_the_link() {
    let mut story = Story::ready("?task=experiment&seed=7&noise=%5B%7B%22kind%22%3A%22white%22%7D%5D");
    story.add(1);
    let (run, _, models) = story.sent()[0].clone();
    assert_eq!(models, ["dcunet", "wavenet"]);
    story.opened(run, 16_000);
    for track in 0..4 {
        story.state.stored(run, track, 16_000);
    }
    let titles: Vec<_> = story.take().tracks.iter().map(|track| track.title.clone()).collect();
    assert_eq!(titles, ["Clean", "Noisy", "DCUNET", "WAVENET"]);
    assert_eq!(story.take().share(), Some(1.0));
    let scores = crate::protocol::TrackScores { snr_db: Some(3.0), ..Default::default() };
    story.tell(PageEvent::Engine(Response::Scored { id: run, track: 2, scores }));
    assert_eq!(story.take().tracks[2].scores, Some(scores));
    assert!(!story.state.is_stale());
    story.tell(PageEvent::Seed(8));
    assert!(story.state.is_stale());
    story.tell(PageEvent::Voice(3));
    assert_eq!(story.state.voice(), 3);
    story.tell(PageEvent::Voice(4));
    assert_eq!(story.state.voice(), 3);
}

#[test]
fn a_dropped_bundle_is_chosen_once_it_was_tried_and_forgotten_if_it_fails() {
    let mut story = Story::ready("");
    story.drop_bundle(1, "mine");
    let request = Request::Load { model: "mine".into(), url: None };
    assert_eq!(story.effects, [Effect::PostBundle(request, 1)]);
    assert_eq!(story.names(), ["dcunet", "wavenet"]);
    story.loaded("mine");
    assert_eq!((story.names(), story.chosen()), (vec!["dcunet", "wavenet", "mine"], "mine"));
    story.drop_bundle(2, "broken");
    story.failed("broken");
    assert_eq!(story.effects, [Effect::ForgetBundle(2)]);
    assert_eq!((story.names(), story.chosen()), (vec!["dcunet", "wavenet", "mine"], "mine"));
    assert!(story.state.notices[0].contains("too few bytes"), "{:?}", story.state.notices);
}

#[test]
fn a_bundle_replaces_a_network_of_its_name_only_once_it_is_loaded() {
    for loaded in [false, true] {
        // A network that is in use, or one that nobody has loaded yet.
        let replaced = if loaded { "dcunet" } else { "wavenet" };
        let mut story = Story::ready("");
        story.add(1);
        story.drop_bundle(1, replaced);
        let model = format!("{replaced} (2)");
        let request = Request::Load { model: model.clone(), url: None };
        assert_eq!(story.effects, [Effect::PostBundle(request, 1)]);
        let before = story.state.networks.clone();

        // One that is broken changes nothing: the network is there, and can be used.
        story.failed(&model);
        assert_eq!((story.state.networks.clone(), story.chosen()), (before, "dcunet"));
        assert!(story.state.notices[0].starts_with(&format!("“{replaced}” was not added.")));
        story.tell(PageEvent::Network(replaced.into()));
        story.loaded(replaced);
        story.add(2);
        assert_eq!(story.sent()[0].2, [replaced]);
        story.tell(PageEvent::Cancel(2));
        story.tell(PageEvent::Cancel(1));

        // One that works is chosen in its place, and the engine forgets the old one.
        story.drop_bundle(2, replaced);
        story.loaded(&model);
        assert_eq!(story.effects.first(), Some(&Effect::Post(Request::Unload { model: replaced.into() })));
        assert_eq!((story.names(), story.chosen()), (vec!["dcunet", "wavenet"], replaced));
        assert!(story.state.is_stale(), "what the old one made is not what the new one would make");
        story.add(3);
        assert_eq!(story.sent()[0].2, std::slice::from_ref(&model));

        // And a broken one does not replace that either, nor is it what a new engine loads.
        story.drop_bundle(3, replaced);
        story.failed(&format!("{replaced} (3)"));
        assert_eq!(story.effects, [Effect::ForgetBundle(3)]);
        story.tell(PageEvent::EngineDied);
        story.tell(PageEvent::Engine(Response::Listening));
        let request = Request::Load { model, url: None };
        assert!(story.effects.contains(&Effect::PostBundle(request, 2)), "{:?}", story.effects);
    }
}

#[test]
fn what_is_being_made_goes_on_with_the_network_that_is_replaced() {
    let mut story = Story::ready("");
    story.add(1);
    let run = story.sent()[0].0;
    story.opened(run, 640_000);
    story.drop_bundle(1, "dcunet");
    story.loaded("dcunet (2)");
    assert!(!story.effects.contains(&Effect::Post(Request::Unload { model: "dcunet".into() })), "{:?}", story.effects);
    // A new engine has no network that would go on with it: it begins again, with the new one.
    story.state.stored(run, 0, 256_000);
    story.state.stored(run, 1, 192_000);
    story.tell(PageEvent::EngineDied);
    story.tell(PageEvent::Engine(Response::Listening));
    let [(_, from, models)] = &story.sent()[..] else { panic!("{:?}", story.effects) };
    assert_eq!((*from, models.as_slice()), (0, ["dcunet (2)".to_owned()].as_slice()));
}

#[test]
fn a_bundle_that_the_engine_dies_of_is_not_tried_again() {
    let mut story = Story::ready("");
    story.drop_bundle(1, "dcunet");
    assert!(story.tell(PageEvent::EngineDied).contains(&Effect::ForgetBundle(1)));
    assert!(story.state.notices.iter().any(|notice| notice.starts_with("“dcunet” was not added.")));
    story.tell(PageEvent::Engine(Response::Listening));
    let loads = |effect: &&Effect| matches!(effect, Effect::PostBundle(..));
    assert_eq!((story.effects.iter().find(loads), story.chosen()), (None, "dcunet"));
}

#[test]
fn a_bundle_that_comes_early_is_loaded_once_the_engine_listens() {
    let mut story = Story::begin("");
    story.drop_bundle(1, "mine");
    assert_eq!(story.effects, []);
    story.tell(PageEvent::Listed(Ok(vec![listed("dcunet", true)])));
    story.tell(PageEvent::Engine(Response::Listening));
    let request = Request::Load { model: "mine".into(), url: None };
    assert_eq!(story.effects.last(), Some(&Effect::PostBundle(request, 1)));
}

#[test]
fn what_plays_goes_on_in_another_voice_and_stops_with_another_recording() {
    let mut story = Story::ready("");
    assert_eq!(story.tell(PageEvent::TogglePlay), []);
    story.add(1);
    let run = story.sent()[0].0;
    story.opened(run, 32_000);
    story.state.stored(run, 0, 32_000);
    assert_eq!(story.tell(PageEvent::TogglePlay), [Effect::Play(1)]);
    assert_eq!(story.tell(PageEvent::Voice(2)), [Effect::Link]);
    assert!(story.state.playing);
    story.add(2);
    assert!(story.effects.contains(&Effect::Pause) && !story.state.playing);
    story.tell(PageEvent::Seek(f64::INFINITY));
    story.tell(PageEvent::Open(1));
    assert_eq!(story.tell(PageEvent::Seek(99.0)), [Effect::Seek(1, 2.0)]);
}

#[test]
fn what_is_seen_stays_within_the_recording() {
    let mut story = Story::ready("");
    story.add(1);
    let run = story.sent()[0].0;
    story.opened(run, 160_000);
    for (wanted, got) in [
        ([2.0, 4.0], Some([2.0, 4.0])),
        ([-1.0, 3.0], Some([0.0, 4.0])),
        ([9.0, 12.0], Some([7.0, 10.0])),
        ([3.0, 3.0], Some([3.0, 3.02])),
        ([-5.0, 50.0], None),
        ([f64::NAN, 1.0], None),
    ] {
        story.tell(PageEvent::Window(Some(wanted)));
        assert_eq!(story.state.settings.window, got, "{wanted:?}");
    }
}

#[test]
fn removing_the_open_recording_opens_the_one_before() {
    let mut story = Story::ready("");
    story.add(1);
    story.add(2);
    story.tell(PageEvent::Remove(2));
    assert_eq!(story.take().id, 1);
    story.tell(PageEvent::Remove(1));
    assert_eq!((story.state.current(), story.state.takes.len()), (None, 0));
    assert!(story.effects.contains(&Effect::Forget(1)));
}

#[test]
fn a_refused_microphone_is_reported_and_can_be_asked_for_again() {
    let mut story = Story::ready("");
    assert_eq!(story.tell(PageEvent::ToggleRecording), [Effect::Record]);
    assert_eq!(story.tell(PageEvent::ToggleRecording), []);
    story.tell(PageEvent::RecordingEnded(Some(Failure::MicrophoneRefused)));
    assert!(story.state.notices[0].contains("did not allow the microphone"));
    assert_eq!(story.tell(PageEvent::ToggleRecording), [Effect::Record]);
    story.tell(PageEvent::Recording);
    assert_eq!(story.tell(PageEvent::ToggleRecording), [Effect::StopRecording]);
}

#[test]
fn live_sound_ends_by_itself_where_it_is_too_slow_and_with_its_tab() {
    let mut story = Story::ready("?task=live");
    assert_eq!(story.tell(PageEvent::ToggleLive), [Effect::OpenLive]);
    story.tell(PageEvent::Engine(Response::Live { latency_seconds: 0.8, load: 0.5 }));
    assert_eq!(story.state.live, Live::On(0.8, 0.5));
    story.tell(PageEvent::Engine(Response::LiveEnded { failure: Some(Failure::TooSlow(140)) }));
    assert_eq!(
        (story.state.live.clone(), story.effects.clone()),
        (Live::Failed(Failure::TooSlow(140)), vec![Effect::CloseLive])
    );
    story.tell(PageEvent::ToggleLive);
    story.tell(PageEvent::Task(PageTask::Denoise));
    assert!(story.effects.contains(&Effect::Post(Request::StopLive)) && story.state.live == Live::Off);
}

#[test]
fn the_link_follows_the_page_and_opens_it_again() {
    let mut story = Story::ready("");
    story.tell(PageEvent::Strength(12));
    assert_eq!(story.effects, [Effect::Link]);
    story.tell(PageEvent::Strength(12));
    assert_eq!(story.effects, []);
    story.tell(PageEvent::Added { id: 1, name: "An old tape.wav".into(), example: Some(ExampleRecording::Tape) });
    story.tell(PageEvent::Voice(2));
    let query = story.state.settings.to_query();
    let (again, effects) = PageState::new(&query, None);
    assert_eq!((again.settings, effects), (story.state.settings, vec![Effect::Fetch(ExampleRecording::Tape)]));
}

#[test]
fn a_link_to_a_network_that_is_not_here_gets_the_usual_one() {
    let story = Story::ready("?network=mine");
    assert_eq!(story.state.network().map(|network| network.listed.name.as_str()), Some("dcunet"));
    assert!(story.state.notices[0].contains("mine"));
}
