//! The list of recordings, and how far each is.

use exhibit::axis::time_text;
use web::protocol::Failure;
use web::settings::PageTask;
use web::state::{PageEvent, PageState};
use web::take::{Take, TakePhase};
use yew::prelude::*;

use super::handlers::{Send, on, on_event};
use super::network::times;
use crate::msg::{Msg, Souvenir};

/// The recordings of this task, if there are several; what is to be known of one is in its stage.
pub fn list(state: &PageState, send: &Send, now: f64) -> Html {
    let takes: Vec<&Take> = state.takes.iter().filter(|take| take.task == PageTask::Denoise).collect();
    if takes.len() < 2 {
        return html! {};
    }
    let done = takes.iter().filter(|take| take.phase == TakePhase::Done).count();
    let open = state.current().map(|take| take.id);
    html! {
        <section class="panel" aria-label="Recordings">
            <ul class="takes">
                { for takes.iter().map(|take| html! {
                    <li key={take.id} data-state={state_name(take)} class={classes!((open == Some(take.id)).then_some("open"))}>
                        <button type="button" class="quiet name" aria-current={(open == Some(take.id)).then_some("true")}
                            onclick={on_event(send, PageEvent::Open(take.id))}>{ take.name.clone() }</button>
                        <span class="note">{ short(take, now) }</span>
                        { progress(take) }
                        { buttons(take, send) }
                    </li>
                }) }
            </ul>
            { (done > 1).then(|| html! {
                <div class="row">
                    <button id="archive" type="button" onclick={on(send, Msg::Take(Souvenir::Archive))}>
                        { format!("Download all {done} as one zip") }
                    </button>
                </div>
            }) }
        </section>
    }
}

fn buttons(take: &Take, send: &Send) -> Html {
    html! {
        <span class="buttons">
            { take.is_active().then(|| html! {
                <button type="button" class="quiet" aria-label={format!("Stop {}", take.name)}
                    onclick={on_event(send, PageEvent::Cancel(take.id))}>{ "Stop" }</button>
            }) }
            <button type="button" class="quiet" aria-label={format!("Remove {}", take.name)}
                onclick={on_event(send, PageEvent::Remove(take.id))}>{ "Remove" }</button>
        </span>
    }
}

/// How far a take is, for style sheets and tests.
pub fn state_name(take: &Take) -> &'static str {
    match take.phase {
        TakePhase::Waiting => "waiting",
        TakePhase::Working => "busy",
        TakePhase::Done => "done",
        TakePhase::Failed(_) => "failed",
    }
}

/// The bar of a take that is being worked on.
pub fn progress(take: &Take) -> Html {
    if !take.is_active() {
        return html! {};
    }
    let value = take.share().map(|share| format!("{share:.4}"));
    html! { <progress max="1" {value} aria-label={format!("Progress of {}", take.name)} /> }
}

/// How far a take is, in a few words.
fn short(take: &Take, now: f64) -> String {
    match &take.phase {
        TakePhase::Waiting => "waits".into(),
        TakePhase::Working => match (take.share(), take.seconds_left(now)) {
            (Some(share), Some(left)) => format!("{:.0} %, {} left", 100.0 * share, duration(left)),
            (Some(share), None) => format!("{:.0} %", 100.0 * share),
            _ => format!("{} so far", duration(take.seconds())),
        },
        // Where is said where it is open.
        TakePhase::Done if !take.damage.is_empty() => format!("{}, damaged", duration(take.seconds())),
        TakePhase::Done => duration(take.seconds()),
        // Why is said where it is open.
        TakePhase::Failed(Failure::Cancelled) => "stopped".into(),
        TakePhase::Failed(_) => "failed".into(),
    }
}

/// How far a take is, in a sentence.
pub fn sentence(take: &Take, now: f64) -> String {
    match &take.phase {
        TakePhase::Waiting => "Waits for the engine.".into(),
        TakePhase::Working => format!("Denoising by {}: {}.", take.networks.join(", "), short(take, now)),
        TakePhase::Failed(failure) => failure.message(),
        TakePhase::Done => {
            let (seconds, elapsed) = (take.seconds(), take.elapsed_seconds.unwrap_or(0.0));
            let speed = times(seconds * take.networks.len() as f64 / elapsed.max(1e-3));
            let noise = if take.noise.is_some() { " Noise was added before." } else { "" };
            format!(
                "Denoised by {}: {seconds:.1} s of sound in {elapsed:.1} s, {speed} as fast as it plays.{noise}",
                take.networks.join(", ")
            )
        }
    }
}

/// A duration as people say it.
pub fn duration(seconds: f64) -> String {
    if seconds < 60.0 { format!("{seconds:.0} s") } else { format!("{} min", time_text(seconds, 0, true)) }
}
