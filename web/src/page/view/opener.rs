//! Where recordings come from: files, the microphone, examples.

use web::example::ExampleRecording;
use web::settings::PageTask;
use web::state::{PageEvent, PageState};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::handlers::{Send, on_event};
use crate::files;
use crate::msg::Msg;

/// The ways to bring a recording.
pub fn opener(state: &PageState, send: &Send) -> Html {
    let experiment = state.settings.task == PageTask::Experiment;
    let onchange = send.reform(|event: yew::Event| {
        let input: HtmlInputElement = event.target_unchecked_into();
        let given = files::listed(input.files());
        // So that the same file can be chosen again.
        input.set_value("");
        Msg::Files(given)
    });
    let (what, how) = if experiment {
        ("Choose a clean recording", "It is made noisy below, and cleaned by every network.")
    } else {
        (
            "Choose recordings",
            "Or drop or paste them anywhere: WAV, FLAC, MP3, Opus, M4A, AIFF, video; any rate and length.",
        )
    };
    let (label, pressed) = match state.recording {
        Some(true) => ("Stop", true),
        Some(false) => ("Asking for the microphone…", true),
        None => ("Record", false),
    };
    html! {
        <section class={classes!("opener", state.current().is_some().then_some("compact"))} aria-label="Open a recording">
            <label class="tile choose" for="file">
                <input id="file" type="file" multiple=true accept="audio/*,video/*,.wav,.rf64,.w64,.aif,.aiff,.au,.caf,.flac,.ogg,.opus,.mp3,.aac,.m4a,.mkv,.mka,.zip" {onchange} />
                <strong>{ what }</strong>
                <span>{ how }</span>
            </label>
            <div class="tile">
                <button id="record" type="button" aria-pressed={pressed.to_string()} class={classes!(pressed.then_some("recording"))}
                    onclick={on_event(send, PageEvent::ToggleRecording)}>{ label }</button>
                { if pressed { html! {
                    <>
                        <span class="timer" role="timer">{ "0:00" }</span>
                        <span class="meter" aria-hidden="true"><span></span></span>
                    </>
                } } else { html! { <span>{ "with the microphone" }</span> } } }
            </div>
            <div class="tile examples">
                <span id="examples">{ if experiment { "Or take one of ours" } else { "Or hear an example" } }</span>
                <div role="group" aria-labelledby="examples">
                    { for examples(experiment).iter().map(|example| html! {
                        <button type="button" class="quiet" data-example={example.key()}
                            onclick={on_event(send, PageEvent::Example(*example))}>{ example.title() }</button>
                    }) }
                </div>
            </div>
        </section>
    }
}

fn examples(experiment: bool) -> &'static [ExampleRecording] {
    if experiment {
        &[ExampleRecording::Clean]
    } else {
        &[ExampleRecording::Tape, ExampleRecording::Cafe, ExampleRecording::Call, ExampleRecording::Raised]
    }
}
