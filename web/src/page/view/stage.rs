//! The open recording: seen, heard, taken along.

use exhibit::axis::{Mark, frequency_marks, time_marks, time_text};
use web::settings::{Depth, PageTask, UNLIMITED_DB};
use web::state::{PageEvent, PageState};
use web::take::{Take, TakePhase};
use web_sys::{HtmlElement, PointerEvent, WheelEvent};
use yew::prelude::*;

use super::handlers::{Send, live_value, on, on_event, select_value};
use super::share;
use super::takes::{progress, sentence, state_name};
use crate::msg::{Msg, Souvenir};

/// The open recording.
pub fn stage(state: &PageState, send: &Send, now: f64) -> Html {
    let Some(take) = state.current() else { return html! {} };
    let seen = take.heard_frames() > 0;
    html! {
        <article class="panel stage" data-state={state_name(take)} aria-label={take.name.clone()}>
            <div class="heading">
                <h2 class="name">{ take.name.clone() }</h2>
                { take.is_active().then(|| html! {
                    <button id="stop" type="button" class="quiet" onclick={on_event(send, PageEvent::Cancel(take.id))}>{ "Stop" }</button>
                }) }
                <button id="remove" type="button" class="quiet" onclick={on_event(send, PageEvent::Remove(take.id))}>{ "Remove" }</button>
            </div>
            <p class="note" role="status">{ sentence(take, now) }</p>
            { for take.remarks().into_iter().map(|remark| html! { <p class="note remark">{ remark }</p> }) }
            { progress(take) }
            { seen.then(|| html! {
                <>
                    { transport(state, take, send) }
                    { picture(state, take, send) }
                </>
            }) }
            { below(state, take, send, seen) }
        </article>
    }
}

fn transport(state: &PageState, take: &Take, send: &Send) -> Html {
    let voices = take.voices(state.settings.kept());
    let chosen = state.voice();
    let total = take.seconds();
    let choice = |index: usize| {
        let title = voices.get(index).map_or("…".to_owned(), |voice| voice.title.clone());
        html! {
            <label class="choice">
                <input type="radio" name="voice" value={(index + 1).to_string()} checked={index == chosen}
                    disabled={voices.get(index).is_none()} onchange={on_event(send, PageEvent::Voice(index))} />
                <span>{ title }<kbd aria-hidden="true">{ index + 1 }</kbd></span>
            </label>
        }
    };
    let strength = send.reform(|event: InputEvent| {
        Msg::Event(PageEvent::Strength(live_value(&event).parse().unwrap_or(UNLIMITED_DB)))
    });
    let db = state.settings.strength_db;
    let amount = if db >= UNLIMITED_DB { "all of it".to_owned() } else { format!("by {db} dB at most") };
    html! {
        <div class="transport">
            <button id="play" type="button" class="play" onclick={on_event(send, PageEvent::TogglePlay)}>
                { if state.playing { "Pause" } else { "Play" } }
            </button>
            <span class="clock"><span class="position">{ "0.0" }</span>{ " / " }{ time_text(total, 1, total > 60.0) }</span>
            <fieldset class="voices">
                <legend>{ "Hear" }</legend>
                { for (0..take.voice_count()).map(choice) }
            </fieldset>
            <label class="check">
                <input id="matched" type="checkbox" checked={state.settings.matched}
                    onchange={on_event(send, PageEvent::Matched(!state.settings.matched))} />
                { "Equally loud" }
            </label>
            { (take.task != PageTask::Experiment).then(|| html! {
                <label class="field strength" for="strength">
                    <span>{ "Remove noise: " }<output>{ amount.clone() }</output></span>
                    <input id="strength" type="range" min="0" max={UNLIMITED_DB.to_string()} step="1" value={db.to_string()}
                        aria-valuetext={amount} oninput={strength} />
                </label>
            }) }
        </div>
    }
}

/// A picture's canvases: `NAME-waveform` and `NAME-spectrogram`, by which they are found to be drawn on.
pub fn canvases(name: &str) -> Html {
    html! {
        <>
            <canvas id={format!("{name}-waveform")} class="waveform" aria-hidden="true"></canvas>
            <canvas id={format!("{name}-spectrogram")} class="spectrogram" aria-hidden="true"></canvas>
        </>
    }
}

fn picture(state: &PageState, take: &Take, send: &Send) -> Html {
    let total = take.seconds().max(0.001);
    let window = state.seen();
    let zoomed = state.settings.window.is_some();
    let title =
        take.voices(state.settings.kept()).get(state.voice()).map(|voice| voice.title.clone()).unwrap_or_default();
    let rate = take.format.as_ref().map_or(16_000, |format| format.spec.sample_rate_hz);
    let threshold = take.task == PageTask::Experiment && state.voice() == 0;
    html! {
        <div class="picture-frame">
            <div id="picture" class={classes!("picture", zoomed.then_some("zoomed"))} role="slider" tabindex="0"
                aria-label={format!("Position in {title}")} aria-valuemin="0" aria-valuemax={format!("{total:.1}")} aria-valuenow="0.0"
                onpointerdown={pointer_down(send, window)} onwheel={wheel(send)}>
                { canvases("stage") }
                <div class="head"></div>
                { for frequency_marks(rate, 4).into_iter().map(|mark| on_axis("frequency", mark)) }
            </div>
            <div class="times" aria-hidden="true">{ for time_marks(window, 8).into_iter().map(|mark| on_axis("time", mark)) }</div>
            <div class="row under">
                <span class="scale" aria-hidden="true">{ "−80 dB" }<span></span>{ "0 dB" }</span>
                { threshold.then(|| html! { <span class="note">{ "Grey: below the threshold" }</span> }) }
                <span class="buttons" role="group" aria-label="Zoom">
                    <button id="zoom-out" type="button" class="quiet" aria-label="Zoom out" onclick={on(send, Msg::Zoom(0.5, None))}>{ "−" }</button>
                    <button id="zoom-in" type="button" class="quiet" aria-label="Zoom in" onclick={on(send, Msg::Zoom(2.0, None))}>{ "+" }</button>
                    <button id="earlier" type="button" class="quiet" aria-label="Show what is earlier" disabled={!zoomed} onclick={on(send, Msg::Pan(-0.5))}>{ "←" }</button>
                    <button id="later" type="button" class="quiet" aria-label="Show what is later" disabled={!zoomed} onclick={on(send, Msg::Pan(0.5))}>{ "→" }</button>
                    <button id="whole" type="button" class="quiet" disabled={!zoomed} onclick={on_event(send, PageEvent::Window(None))}>{ "All" }</button>
                </span>
            </div>
        </div>
    }
}

/// A mark, which the page puts in its place: no style may stand in an attribute under our policy.
fn on_axis(axis: &'static str, mark: Mark) -> Html {
    // Those at an end would stick out.
    let end = if mark.at < 0.02 { Some("first") } else { (mark.at > 0.97).then_some("last") };
    html! { <span class={classes!(axis, end)} data-at={format!("{:.4}", mark.at)}>{ mark.text }</span> }
}

/// Where a pointer is in the element that listens, 0 to 1.
fn share_of(x: f64, element: &HtmlElement) -> f64 {
    let frame = element.get_bounding_client_rect();
    ((x - frame.left()) / frame.width().max(1.0)).clamp(0.0, 1.0)
}

fn pointer_down(send: &Send, [from, to]: [f64; 2]) -> Callback<PointerEvent> {
    send.reform(move |event: PointerEvent| {
        let picture: HtmlElement =
            event.current_target().map(wasm_bindgen::JsCast::unchecked_into).expect("who listens");
        let at = share_of(f64::from(event.client_x()), &picture);
        Msg::Event(PageEvent::Seek(from + at * (to - from)))
    })
}

/// With Ctrl, or by two fingers, a wheel zooms; sideways it moves.
fn wheel(send: &Send) -> Callback<WheelEvent> {
    let send = send.clone();
    Callback::from(move |event: WheelEvent| {
        let picture: HtmlElement =
            event.current_target().map(wasm_bindgen::JsCast::unchecked_into).expect("who listens");
        if event.ctrl_key() {
            event.prevent_default();
            let at = share_of(f64::from(event.client_x()), &picture);
            send.emit(Msg::Zoom((-event.delta_y() / 200.0).exp().clamp(0.5, 2.0), Some(at)));
        } else if event.delta_x().abs() > event.delta_y().abs() {
            event.prevent_default();
            send.emit(Msg::Pan(event.delta_x() / f64::from(picture.client_width().max(1))));
        }
    })
}

/// What can be done with it.
fn below(state: &PageState, take: &Take, send: &Send, seen: bool) -> Html {
    let depth = send.reform(|event: yew::Event| {
        Msg::Event(PageEvent::Depth(Depth::of_key(&select_value(&event)).unwrap_or_default()))
    });
    let name = state.network().map(|network| network.listed.title.clone()).unwrap_or_default();
    let again = match (&take.phase, take.task) {
        (TakePhase::Failed(_), _) => Some("Try again".to_owned()),
        (_, PageTask::Denoise) if state.is_stale() => Some(format!("Denoise again with {name}")),
        _ => None,
    };
    let title = take.voices(0.0).get(state.voice()).map(|voice| voice.title.to_lowercase()).unwrap_or_default();
    html! {
        <div class="row below">
            { again.map(|text| html! {
                <button id="again" type="button" class="strong" onclick={on_event(send, PageEvent::Again(take.id))}>{ text }</button>
            }) }
            { seen.then(|| html! {
                <>
                    <span class="joined">
                        <button type="button" class={classes!("download", again_is_none(state, take).then_some("strong"))}
                            disabled={take.is_active()} onclick={on(send, Msg::Take(Souvenir::Wav(take.id)))}>
                            { format!("Download “{title}”") }
                        </button>
                        <select id="depth" aria-label="Format of downloads" onchange={depth}>
                            { for Depth::ALL.map(|(depth, key, title)| html! {
                                <option value={key} selected={state.settings.depth == depth}>{ title }</option>
                            }) }
                        </select>
                    </span>
                    { share::buttons(take, send) }
                </>
            }) }
        </div>
    }
}

fn again_is_none(state: &PageState, take: &Take) -> bool {
    !state.is_stale() && !matches!(take.phase, TakePhase::Failed(_))
}
