//! What is shown: functions of the state alone.

mod experiment;
mod handlers;
mod live;
mod network;
mod opener;
mod share;
mod stage;
mod takes;

use web::protocol::engine::Backend;
use web::settings::PageTask;
use web::state::{EnginePhase, PageEvent, PageState};
use yew::prelude::*;

pub use share::snippet;

use self::handlers::{Send, on_event};

/// The whole page; at this time in seconds, and with what devices add to the latency of live sound.
pub fn page(state: &PageState, send: &Send, now: f64, device_latency_seconds: f64) -> Html {
    let task = state.settings.task;
    let body = match task {
        PageTask::Denoise => html! {
            <>
                { opener::opener(state, send) }
                { network::chooser(state, send) }
                { takes::list(state, send, now) }
                { stage::stage(state, send, now) }
            </>
        },
        PageTask::Experiment => html! {
            <>
                { opener::opener(state, send) }
                { experiment::editor(state, send) }
                { stage::stage(state, send, now) }
                { experiment::comparison(state, send) }
            </>
        },
        PageTask::Live => html! {
            <>
                { network::chooser(state, send) }
                { live::panel(state, send, device_latency_seconds) }
            </>
        },
    };
    html! {
        <>
            { (!state.settings.embed).then(|| header(state, send)) }
            <main>
                { state.settings.embed.then(|| html! { <h1 class="unseen">{ "Remove noise from a recording" }</h1> }) }
                { status(state) }
                { notices(state, send) }
                { body }
            </main>
            { if state.settings.embed { embedded_footer() } else { footer(state) } }
        </>
    }
}

fn header(state: &PageState, send: &Send) -> Html {
    let tab = |task: PageTask| {
        let current = (state.settings.task == task).then_some("page");
        html! {
            <button type="button" id={format!("task-{}", task.key())} aria-current={current}
                onclick={on_event(send, PageEvent::Task(task))}>{ task.title() }</button>
        }
    };
    let badge = state.backend.as_ref().map(|(backend, note)| {
        html! { <span id="backend" class="badge" title={note.clone()}>{ backend.name() }</span> }
    });
    html! {
        <header>
            <div class="title">
                <h1>{ "Remove noise from a recording" }</h1>
                <p>{ "Three neural networks, on your own device. Nothing is sent anywhere. " }{ badge }</p>
            </div>
            <nav aria-label="What to do">{ for PageTask::ALL.map(tab) }</nav>
        </header>
    }
}

/// How far the engine is: the page can be used before, but nothing comes out.
fn status(state: &PageState) -> Html {
    let loading = state.networks.iter().chain(&state.arriving).find_map(|network| match network.loading {
        web::networks::Loading::Loading(share) => Some((network.listed.title.clone(), share)),
        _ => None,
    });
    let (kind, text, share) = match (&state.engine, loading) {
        (EnginePhase::Failed(failure), _) => ("failed", failure.message(), None),
        (EnginePhase::Ready, None) => ("ready", ready_text(state), None),
        (EnginePhase::Ready, Some((title, share))) => ("busy", format!("Loading {title}…"), Some(share)),
        (EnginePhase::Listening, Some((title, share))) => ("busy", format!("Loading {title}…"), Some(share)),
        (EnginePhase::Starting | EnginePhase::Listening, _) => ("busy", "Loading the engine…".into(), Some(None)),
    };
    html! {
        <div class="status" data-state={kind}>
            <p id="status" role="status" data-state={kind}>{ text }</p>
            { share.map(|share| html! {
                <progress max="1" value={share.map(|share| share.to_string())} aria-label="Loading" />
            }) }
        </div>
    }
}

fn ready_text(state: &PageState) -> String {
    let name = state.network().map(|network| network.listed.name.clone()).unwrap_or_default();
    match &state.backend {
        Some((Backend::Webgpu, _)) => format!("Ready: {name}, on the graphics processor."),
        _ => format!("Ready: {name}."),
    }
}

fn notices(state: &PageState, send: &Send) -> Html {
    html! {
        <div class="notices" role="status" aria-label="Notices">
            { for state.notices.iter().map(|text| html! { <p>{ text.clone() }</p> }) }
            { (!state.notices.is_empty()).then(|| html! {
                <button type="button" class="quiet" onclick={on_event(send, PageEvent::Dismiss)}>{ "Dismiss" }</button>
            }) }
        </div>
    }
}

fn footer(state: &PageState) -> Html {
    let note = state.backend.as_ref().map(|(backend, note)| format!("Computed by the {} ({note}).", backend.name()));
    html! {
        <footer>
            <p>{ "Made for speech. Keys: space plays, 1 to 5 choose what is heard, arrows move, + and − zoom." }</p>
            <p id="backend-note">{ note }</p>
            <p id="offline">{ if state.offline { "Works without a network from now on." } else { "" } }</p>
        </footer>
    }
}

fn embedded_footer() -> Html {
    let place = super::files::window().location();
    let page = format!("{}{}", place.origin().unwrap_or_default(), place.pathname().unwrap_or_default());
    html! {
        <footer>
            <p><a href={page} target="_blank" rel="noopener">{ "Remove noise from recordings of your own" }</a></p>
        </footer>
    }
}
