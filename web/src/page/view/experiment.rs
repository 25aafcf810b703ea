//! Noise, made step by step, and what every network makes of it.

use shared::noise::{NoiseKind, NoiseNumber};
use web::settings::PageTask;
use web::state::{PageEvent, PageState};
use web::steps::Steps;
use web::take::Take;
use web_sys::{HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::handlers::{Send, input_value, live_value, on_event, select_value};
use super::stage::canvases;
use crate::msg::Msg;

/// The chain of noise, step by step, and as text.
pub fn editor(state: &PageState, send: &Send) -> Html {
    let steps = &state.settings.chain;
    let seed = send.reform(|event: yew::Event| {
        Msg::Event(match input_value(&event).parse() {
            Ok(seed) => PageEvent::Seed(seed),
            Err(_) => PageEvent::Refused("The seed has to be a whole number from 0 to 4294967295.".into()),
        })
    });
    let add = {
        let steps = steps.clone();
        send.reform(move |event: yew::Event| {
            let kind = select_value(&event);
            if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
                select.set_value("");
            }
            Msg::Event(PageEvent::Chain(steps.with(&kind)))
        })
    };
    let stale = state.current().is_some_and(|take| !take.is_active() && state.is_stale());
    let ready = stale && state.noise_error.is_none();
    let offered = state.noises.iter().filter(|noise| !noise.needs_recordings || noise.kind == "babble");
    html! {
        <section class="panel editor" aria-label="Noise">
            <h2>{ "Noise, step by step" }</h2>
            <ol class="steps">{ for steps.kinds().enumerate().map(|(index, kind)| editor_of(state, index, kind, send)) }</ol>
            <div class="row">
                <label class="field" for="add-step">
                    { "Add a step" }
                    <select id="add-step" onchange={add}>
                        <option value="" selected=true>{ "Choose…" }</option>
                        { for offered.map(|noise| html! {
                            <option value={noise.kind.clone()}>{ title(&noise.kind) }</option>
                        }) }
                    </select>
                </label>
                <label class="field seed" for="seed">
                    { "Seed" }
                    <input id="seed" type="number" min="0" max="4294967295" step="1"
                        value={state.settings.seed.to_string()} onchange={seed} />
                </label>
                { state.current().map(|take| html! {
                    <button id="make" type="button" class={classes!(ready.then_some("strong"))} disabled={!ready}
                        onclick={on_event(send, PageEvent::Again(take.id))}>{ "Make this noise" }</button>
                }) }
            </div>
            <ChainText steps={steps.clone()} error={state.noise_error.clone()} send={send.clone()} />
        </section>
    }
}

/// A kind for people.
fn title(kind: &str) -> String {
    match kind {
        "zero-small" => "Small coefficients zeroed",
        "raise-small" => "Small coefficients raised",
        "white" => "White noise",
        "pink" => "Pink noise",
        "brown" => "Brown noise",
        "hum" => "Mains hum",
        "clicks" => "Clicks",
        "crackle" => "Crackle",
        "babble" => "Other talkers",
        "gain" => "Another level",
        "clip" => "Clipping",
        "band-limit" => "A narrow band",
        "resample" => "Bad resampling",
        "drop-packets" => "Lost packets",
        "room" => "A room",
        other => other,
    }
    .to_owned()
}

fn editor_of(state: &PageState, index: usize, kind: &str, send: &Send) -> Html {
    let steps = &state.settings.chain;
    let name = title(kind);
    let known = state.noises.iter().find(|noise| noise.kind == kind);
    html! {
        <li key={index} data-kind={kind.to_owned()}>
            <div class="heading">
                <h3>{ name.clone() }</h3>
                { (index > 0).then(|| html! {
                    <button type="button" class="quiet" aria-label={format!("{name} one step earlier")}
                        onclick={on_event(send, PageEvent::Chain(steps.with_earlier(index)))}>{ "↑" }</button>
                }) }
                <button type="button" class="quiet" aria-label={format!("Remove {name}")}
                    onclick={on_event(send, PageEvent::Chain(steps.without(index)))}>{ "Remove" }</button>
            </div>
            { known.map(|noise| html! {
                <div class="numbers">{ for shown(steps, index, noise).into_iter().map(|(number, value)| {
                    slider(steps, index, number, value, send)
                }) }</div>
            }) }
        </li>
    }
}

/// The numbers of a step to be shown. Of the four ways to give a threshold, that is the one that was taken, or the
/// usual one.
fn shown<'a>(steps: &Steps, index: usize, noise: &'a NoiseKind) -> Vec<(&'a NoiseNumber, [f64; 2])> {
    /// What the report's corruptions take where a chain says nothing; see [`shared::noise::stft`].
    const USUAL: [(&str, f64); 2] = [("zero-small", 0.8), ("raise-small", 0.6)];
    let value = |number: &NoiseNumber| steps.number(index, &number.name).or(number.usual);
    let mut shown: Vec<_> = noise.numbers.iter().filter_map(|number| Some((number, value(number)?))).collect();
    if let (true, Some((_, usual))) = (shown.is_empty(), USUAL.iter().find(|(kind, _)| *kind == noise.kind)) {
        shown.extend(
            noise.numbers.iter().filter(|number| number.name == "quantile").map(|number| (number, [*usual; 2])),
        );
    }
    shown
}

fn slider(steps: &Steps, index: usize, number: &NoiseNumber, [from, to]: [f64; 2], send: &Send) -> Html {
    let [low, high] = useful(number);
    let id = format!("step-{index}-{}", number.name);
    let oninput = {
        let (steps, name) = (steps.clone(), number.name.clone());
        send.reform(move |event: InputEvent| {
            let value = live_value(&event).parse().unwrap_or(low);
            Msg::Event(PageEvent::Chain(steps.with_number(index, &name, value)))
        })
    };
    let text = if from == to { tidy(from) } else { format!("{} to {}", tidy(from), tidy(to)) };
    html! {
        <label class="field" for={id.clone()} key={number.name.clone()}>
            <span>{ label(&number.name) }{ ": " }<output>{ text }</output></span>
            <input {id} type="range" min={low.to_string()} max={high.to_string()} step={step_of(high - low).to_string()}
                value={from.to_string()} {oninput} />
        </label>
    }
}

/// A number's name for people: what it is, then its unit.
fn label(name: &str) -> String {
    let units = [("_db", "dB"), ("_hz", "Hz"), ("_s", "s"), ("_ms", "ms")];
    match units.iter().find_map(|(ending, unit)| Some((name.strip_suffix(ending)?, unit))) {
        Some(("snr", unit)) => format!("signal to noise, {unit}"),
        Some((what, unit)) => format!("{}, {unit}", what.replace('_', " ")),
        None => name.replace('_', " "),
    }
}

/// The part of a number's range that anybody wants.
fn useful(number: &NoiseNumber) -> [f64; 2] {
    let [low, high] = number.range;
    match number.name.as_str() {
        "snr_db" => [-10.0, 40.0],
        "magnitude" => [0.0, 10.0],
        name if name.ends_with("peak_db") => [-100.0, 0.0],
        name if name.ends_with("_s") => [low, high.min(3.0)],
        name if name.ends_with("_hz") => [low, high.min(16_000.0)],
        name if name.ends_with("_db") => [low.max(-40.0), high.min(40.0)],
        _ => [low, high],
    }
}

fn step_of(span: f64) -> f64 {
    match span {
        ..=2.0 => 0.01,
        ..=20.0 => 0.1,
        ..=500.0 => 1.0,
        _ => 10.0,
    }
}

fn tidy(number: f64) -> String {
    format!("{}", (number * 1000.0).round() / 1000.0)
}

#[derive(Properties, PartialEq)]
struct ChainTextProperties {
    steps: Steps,
    error: Option<String>,
    send: Send,
}

/// The chain as text, which may be changed as well: what is being typed is not a chain at every moment, so it has a
/// state of its own.
#[component(ChainText)]
fn chain_text(properties: &ChainTextProperties) -> Html {
    let typed = use_state(|| None::<(Steps, String)>);
    let steps = properties.steps.clone();
    // What was typed holds until the chain changes elsewhere.
    let text = match &*typed {
        Some((of, text)) if *of == steps || Steps::from_json(text).is_ok_and(|read| read == steps) => text.clone(),
        _ => steps.to_json(),
    };
    let error = Steps::from_json(&text).err().or_else(|| properties.error.clone());
    // An error opens it, but nothing closes it under the hands of who types.
    let opened = use_mut_ref(|| false);
    *opened.borrow_mut() |= error.is_some();
    let opened = *opened.borrow();
    let oninput = {
        let send = properties.send.clone();
        Callback::from(move |event: InputEvent| {
            let text = event.target_dyn_into::<HtmlTextAreaElement>().map(|area| area.value()).unwrap_or_default();
            typed.set(Some((steps.clone(), text.clone())));
            if let Ok(read) = Steps::from_json(&text) {
                send.emit(Msg::Event(PageEvent::Chain(read)));
            }
        })
    };
    html! {
        <details open={opened}>
            <summary>{ "As text" }</summary>
            <label class="field" for="noise">
                { "Steps, as JSON" }
                <textarea id="noise" rows="3" spellcheck="false" autocomplete="off" aria-describedby="noise-note"
                    aria-invalid={error.is_some().to_string()} value={text} {oninput} />
            </label>
            <p id="noise-note" class="note" role="status">{ error.unwrap_or_default() }</p>
        </details>
    }
}

/// Scores and pictures side by side.
pub fn comparison(state: &PageState, send: &Send) -> Html {
    let Some(take) = state.current().filter(|take| take.task == PageTask::Experiment && take.heard_frames() > 0) else {
        return html! {};
    };
    html! {
        <section class="panel" aria-label="Comparison">
            <h2>{ "What the networks make of it" }</h2>
            { table(take) }
            <div class="small">
                { for take.tracks.iter().enumerate().map(|(index, track)| html! {
                    <button type="button" key={index} class={classes!("card", (state.voice() == index).then_some("open"))}
                        aria-pressed={(state.voice() == index).to_string()} onclick={on_event(send, PageEvent::Voice(index))}>
                        <span>{ track.title.clone() }</span>
                        { canvases(&format!("small-{index}")) }
                    </button>
                }) }
            </div>
        </section>
    }
}

/// One of the scores.
type PickScore = fn(&web::protocol::TrackScores) -> Option<f64>;

fn table(take: &Take) -> Html {
    let scored: Vec<_> = take.tracks.iter().filter_map(|track| Some((track.title.clone(), track.scores?))).collect();
    let columns: [(&str, PickScore, usize); 4] = [
        ("SNR, dB", |scores| scores.snr_db, 1),
        ("SI-SDR, dB", |scores| scores.si_sdr_db, 1),
        ("wSDR", |scores| scores.wsdr, 3),
        ("STOI", |scores| scores.stoi, 3),
    ];
    let best = columns
        .map(|(_, value, _)| scored.iter().filter_map(|(_, scores)| value(scores)).fold(f64::NEG_INFINITY, f64::max));
    html! {
        <div class="scroll" tabindex="0" role="region" aria-label="Scores against the clean recording">
            <table id="scores">
                <caption>{ "Against the clean recording; higher is better, the best is marked" }</caption>
                <thead><tr>
                    <th scope="col">{ "Recording" }</th>
                    { for columns.map(|(name, ..)| html! { <th scope="col">{ name }</th> }) }
                </tr></thead>
                <tbody>
                    { for scored.iter().map(|(title, scores)| html! {
                        <tr>
                            <th scope="row">{ title.clone() }</th>
                            { for columns.iter().zip(best).map(|((_, value, decimals), best)| {
                                let number = value(scores);
                                let is_best = number == Some(best);
                                html! {
                                    <td class={classes!(is_best.then_some("best"))}>
                                        { number.map_or("–".into(), |number| format!("{number:.decimals$}")) }
                                        { is_best.then(|| html! { <span class="unseen">{ " best" }</span> }) }
                                    </td>
                                }
                            }) }
                        </tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}
