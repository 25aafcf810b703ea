//! Noise, made step by step, and what every network makes of it.

use shared::noise::{Chain, Noise, Step, Value};
use web::settings::Task;
use web::state::{Event, State};
use web::take::Take;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use super::stage::canvases;
use super::{Send, input_value, live_value, on_event, select_value};
use crate::app::Msg;

/// The chain of noise, step by step, and as text.
pub fn editor(state: &State, send: &Send) -> Html {
    let chain = &state.settings.chain;
    let steps = chain.steps();
    let seed = send.reform(|event: yew::Event| match input_value(&event).parse() {
        Ok(seed) => Msg::Event(Event::Seed(seed)),
        Err(_) => Msg::Event(Event::Refused("The seed has to be a whole number from 0 to 4294967295.".into())),
    });
    let add = {
        let steps = steps.to_vec();
        send.reform(move |event: yew::Event| {
            let more = Noise::of_kind(&select_value(&event)).map(Step::from);
            if let Some(select) = event.target_dyn_into::<web_sys::HtmlSelectElement>() {
                select.set_value("");
            }
            with_steps(steps.iter().cloned().chain(more).collect())
        })
    };
    let ready = state.current().is_some_and(|take| !take.is_active() && state.is_stale());
    html! {
        <section class="panel editor" aria-label="Noise">
            <h2>{ "Noise, step by step" }</h2>
            <ol class="steps">{ for steps.iter().enumerate().map(|(index, step)| editor_of(steps, index, step, send)) }</ol>
            <div class="row">
                <label class="field" for="add-step">
                    { "Add a step" }
                    <select id="add-step" onchange={add}>
                        <option value="" selected=true>{ "Choose…" }</option>
                        { for kinds().map(|noise| html! { <option value={noise.kind()}>{ title(noise.kind()) }</option> }) }
                    </select>
                </label>
                <label class="field seed" for="seed">
                    { "Seed" }
                    <input id="seed" type="number" min="0" max="4294967295" step="1" value={state.settings.seed.to_string()} onchange={seed} />
                </label>
                { state.current().map(|take| html! {
                    <button id="make" type="button" class={classes!(ready.then_some("strong"))} disabled={!ready}
                        onclick={on_event(send, Event::Again(take.id))}>{ "Make this noise" }</button>
                }) }
            </div>
            <ChainText chain={chain.clone()} send={send.clone()} />
        </section>
    }
}

/// Those that need no recordings of anybody's.
fn kinds() -> impl Iterator<Item = Noise> {
    Noise::kinds().into_iter().filter(|noise| noise.recordings().is_empty() && noise.kind() != "recording")
}

/// A kind for people.
fn title(kind: &str) -> &'static str {
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
        _ => "A recording",
    }
}

fn with_steps(steps: Vec<Step>) -> Msg {
    Msg::Event(match Chain::new(steps) {
        Ok(chain) => Event::Chain(chain),
        Err(error) => Event::Refused(format!("The noise stays as it is: {error}.")),
    })
}

fn editor_of(steps: &[Step], index: usize, step: &Step, send: &Send) -> Html {
    let without = {
        let mut steps = steps.to_vec();
        steps.remove(index);
        with_steps(steps)
    };
    let earlier = (index > 0).then(|| {
        let mut steps = steps.to_vec();
        steps.swap(index, index - 1);
        with_steps(steps)
    });
    let name = title(step.noise.kind());
    html! {
        <li key={index} data-kind={step.noise.kind()}>
            <div class="heading">
                <h3>{ name }</h3>
                { earlier.map(|msg| html! {
                    <button type="button" class="quiet" aria-label={format!("{name} one step earlier")} onclick={super::on(send, msg)}>{ "↑" }</button>
                }) }
                <button type="button" class="quiet" aria-label={format!("Remove {name}")} onclick={super::on(send, without)}>{ "Remove" }</button>
            </div>
            <div class="numbers">{ for sliders(steps, index, &step.noise, send) }</div>
        </li>
    }
}

/// A slider for each number of a noise. Of the four ways to give a threshold, there is one for the one that was taken.
fn sliders(steps: &[Step], index: usize, noise: &Noise, send: &Send) -> Vec<Html> {
    let mut numbers = noise.numbers();
    if numbers.iter().all(|number| number.value.is_none()) {
        // None is given: the usual one is.
        let usual = if noise.kind() == "zero-small" { 0.8 } else { 0.6 };
        if let Some(number) = numbers.iter_mut().find(|number| number.name == "quantile") {
            number.value = Some(usual.into());
        }
    }
    numbers
        .into_iter()
        .filter_map(|number| {
            let value = number.value?;
            let (low, high) = (*number.range.start(), *number.range.end());
            // Nobody needs all of what is allowed.
            let (low, high) = match number.name {
                "snr_db" => (-10.0, 40.0),
                "magnitude" => (0.0, 10.0),
                name if name.ends_with("peak_db") => (-100.0, 0.0),
                name if name.ends_with("_s") => (low, high.min(3.0)),
                name if name.ends_with("_hz") => (low, high.min(16_000.0)),
                name if name.ends_with("_db") => (low.max(-40.0), high.min(40.0)),
                _ => (low, high),
            };
            let step = step_of(high - low);
            let id = format!("step-{index}-{}", number.name);
            let label =
                number.name.replace('_', " ").replace(" db", ", dB").replace(" hz", ", Hz").replace(" s", ", s");
            let (steps, name) = (steps.to_vec(), number.name);
            let oninput = send.reform(move |event: InputEvent| {
                with_number(&steps, index, name, live_value(&event).parse().unwrap_or(0.0))
            });
            let shown = match value {
                Value::Number(number) => tidy(number),
                Value::Range([from, to]) => format!("{} to {}", tidy(from), tidy(to)),
            };
            Some(html! {
                <label class="field" for={id.clone()} key={number.name}>
                    <span>{ label }{ ": " }<output>{ shown }</output></span>
                    <input {id} type="range" min={low.to_string()} max={high.to_string()} step={step.to_string()}
                        value={value.low().to_string()} {oninput} />
                </label>
            })
        })
        .collect()
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

/// The chain with one number of one step changed.
fn with_number(steps: &[Step], index: usize, name: &str, value: f64) -> Msg {
    let changed = || {
        let mut json = serde_json::to_value(&steps[index]).ok()?;
        let number = (value * 1000.0).round() / 1000.0;
        // Counts are whole numbers, which JSON tells from others.
        json.as_object_mut()?
            .insert(name.to_owned(), if number.fract() == 0.0 { (number as i64).into() } else { number.into() });
        serde_json::from_value::<Step>(json).ok()
    };
    match changed() {
        Some(step) => {
            let mut steps = steps.to_vec();
            steps[index] = step;
            with_steps(steps)
        }
        None => Msg::Event(Event::Refused(format!("{name} cannot be {value}."))),
    }
}

#[derive(Properties, PartialEq)]
struct ChainTextProperties {
    chain: Chain,
    send: Send,
}

/// The chain as text, which may be changed as well: what is being typed is not a chain at every moment, so it has a state of its
/// own.
#[component(ChainText)]
fn chain_text(properties: &ChainTextProperties) -> Html {
    let typed = use_state(|| None::<(Chain, String)>);
    let chain = properties.chain.clone();
    let json = || serde_json::to_string(&chain).unwrap_or_default();
    // What was typed holds until the chain changes elsewhere.
    let text = match &*typed {
        Some((of, text)) if *of == chain || Chain::from_json(text).is_ok_and(|read| read == chain) => text.clone(),
        _ => json(),
    };
    let error = Chain::from_json(&text).and_then(|read| {
        // Nobody's recordings are at hand here.
        match read.recordings().next() {
            Some(name) => Err(shared::Error::Chain(format!("the page has no recordings such as {name}"))),
            None => Ok(()),
        }
    });
    let error = error.err().map(|error| error.to_string());
    let oninput = {
        let (typed, chain, send) = (typed.clone(), chain.clone(), properties.send.clone());
        Callback::from(move |event: InputEvent| {
            let text = event.target_dyn_into::<HtmlTextAreaElement>().map(|area| area.value()).unwrap_or_default();
            typed.set(Some((chain.clone(), text.clone())));
            if let Ok(read) = Chain::from_json(&text)
                && read.recordings().next().is_none()
            {
                send.emit(Msg::Event(Event::Chain(read)));
            }
        })
    };
    html! {
        <details>
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
pub fn comparison(state: &State, send: &Send) -> Html {
    let Some(take) = state.current().filter(|take| take.task == Task::Experiment && take.heard_frames() > 0) else {
        return html! {};
    };
    html! {
        <section class="panel" aria-label="Comparison">
            <h2>{ "What the networks make of it" }</h2>
            { table(take) }
            <div class="small">
                { for take.tracks.iter().enumerate().map(|(index, track)| html! {
                    <button type="button" key={index} class={classes!("card", (state.voice() == index).then_some("open"))}
                        aria-pressed={(state.voice() == index).to_string()} onclick={on_event(send, Event::Voice(index))}>
                        <span>{ track.title.clone() }</span>
                        { canvases(&format!("small-{index}")) }
                    </button>
                }) }
            </div>
        </section>
    }
}

fn table(take: &Take) -> Html {
    let scored: Vec<_> = take.tracks.iter().filter_map(|track| Some((track.title.clone(), track.scores?))).collect();
    let columns: [(&str, fn(&web::protocol::Scores) -> Option<f64>, usize); 4] = [
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
