//! What people take with them: WAV files, all of them as one archive, and a page of its own.

use media::{Encoding, Spec};
use web::protocol::painter::{Excerpt, PagePlan, PlannedVoice, Written};
use web::settings::{Depth, PageTask};
use web::state::PageState;
use web::take::{Take, TakePhase};

use super::address;
use super::files::save;
use super::shell::Shell;

/// The longest stretch that goes into a saved page, in seconds.
const MOST_SAVED_SECONDS: f64 = 120.0;

/// What a download of a take holds: what the recording did, at the chosen depth.
fn spec(take: &Take, depth: Depth) -> Option<Spec> {
    let mut spec = take.format.as_ref()?.spec.clone();
    spec.encoding = match depth {
        Depth::Same => spec.encoding,
        Depth::Pcm16 => Encoding::Pcm16,
        Depth::Pcm24 => Encoding::Pcm24,
        Depth::Float32 => Encoding::Float32,
    };
    Some(spec)
}

/// The name of a download: that of the recording, with what it is.
fn file_name(take: &Take, what: &str, ending: &str) -> String {
    let stem = take.name.rsplit_once('.').map_or(take.name.as_str(), |(stem, _)| stem);
    format!("{stem}.{what}.{ending}")
}

fn excerpt(take: &Take, state: &PageState, voice: usize) -> Option<Excerpt> {
    let weights = take.voices(state.settings.kept()).into_iter().nth(voice)?.weights;
    Some(Excerpt { take: take.id, weights, spec: spec(take, state.settings.depth)? })
}

const NOTHING: &str = "nothing of it is there yet";

/// Saves the voice that is heard of a take.
///
/// # Errors
/// Why not, in a few words.
pub async fn wav(shell: &Shell, state: &PageState, id: u32) -> Result<(), String> {
    let take = state.takes.iter().find(|take| take.id == id).ok_or("it is gone")?;
    let voice = if state.current().is_some_and(|open| open.id == id) { state.voice() } else { 1 };
    let what = match (take.task, voice) {
        (PageTask::Experiment, voice) => {
            take.tracks.get(voice).ok_or(NOTHING)?.title.to_ascii_lowercase().replace(' ', "-")
        }
        (_, 0) => "before".into(),
        (_, 1) => "denoised".into(),
        _ => "removed".into(),
    };
    let file = shell.write(Written::Wav(excerpt(take, state, voice).ok_or(NOTHING)?)).await?;
    save(&file, &file_name(take, &what, "wav"));
    Ok(())
}

/// Saves the results of all takes as one archive.
///
/// # Errors
/// Why not, in a few words.
pub async fn archive(shell: &Shell, state: &PageState) -> Result<(), String> {
    let mut files: Vec<(String, Excerpt)> = Vec::new();
    for take in state.takes.iter().filter(|take| take.task == PageTask::Denoise && take.phase == TakePhase::Done) {
        let mut name = file_name(take, "denoised", "wav");
        let mut number = 1;
        while files.iter().any(|(known, _)| *known == name) {
            number += 1;
            name = file_name(take, &format!("denoised-{number}"), "wav");
        }
        files.push((name, excerpt(take, state, 1).ok_or(NOTHING)?));
    }
    save(&shell.write(Written::Archive(files)).await?, "denoised.zip");
    Ok(())
}

/// Saves a stretch of the open take as a page of its own. Gives what people should know about it, if anything.
///
/// # Errors
/// Why not, in a few words.
pub async fn page(shell: &Shell, state: &PageState, [from, to]: [f64; 2]) -> Result<Option<String>, String> {
    let take = state.current().ok_or("no recording is open")?;
    let voice = |(index, voice): (usize, web::mix::Voice)| PlannedVoice {
        title: voice.title,
        weights: voice.weights,
        gain: shell.gain(state, take, index),
        scores: (take.task == PageTask::Experiment).then(|| take.tracks.get(index)?.scores).flatten(),
    };
    let plan = PagePlan {
        take: take.id,
        run: take.run,
        spec: spec(take, Depth::Same).ok_or(NOTHING)?,
        title: take.name.clone(),
        networks: take.networks.clone(),
        noise: take.noise.as_ref().map(|noise| noise.chain.to_json()),
        window: [from, to.min(from + MOST_SAVED_SECONDS)],
        address: address::of(state),
        voices: take.voices(state.settings.kept()).into_iter().enumerate().map(voice).collect(),
    };
    let file = shell.write(Written::Page(plan)).await?;
    save(&file, &file_name(take, "denoised", "html"));
    let long = to - from > MOST_SAVED_SECONDS;
    Ok(long.then(|| format!("The page holds the first {MOST_SAVED_SECONDS} s of what is shown; zoom in to choose.")))
}
