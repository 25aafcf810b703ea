//! The choice of a network, and what there is to know about it.

use web::networks::{Loading, OfferedNetwork};
use web::state::{PageEvent, PageState};
use yew::prelude::*;

use super::handlers::{Send, select_value};
use crate::msg::Msg;

/// The choice of a network.
pub fn chooser(state: &PageState, send: &Send) -> Html {
    let chosen = state.network();
    let name = chosen.map(|network| network.listed.name.clone()).unwrap_or_default();
    let onchange = send.reform(|event: yew::Event| Msg::Event(PageEvent::Network(select_value(&event))));
    html! {
        <section class="panel network" aria-label="Network">
            <div class="row">
                <label class="field" for="model">
                    { "Network" }
                    <select id="model" {onchange}>
                        { for state.networks.iter().map(|network| html! {
                            <option value={network.listed.name.clone()} selected={network.listed.name == name}>
                                { network.listed.title.clone() }
                            </option>
                        }) }
                    </select>
                </label>
                { chosen.map(facts) }
            </div>
            { chosen.map(details) }
        </section>
    }
}

/// The facts in a line.
fn facts(network: &OfferedNetwork) -> Html {
    let listed = &network.listed;
    let mut facts = vec![format!("{:.2} MB", listed.bytes as f64 / 1e6)];
    if listed.parameters > 0 {
        facts.push(format!("{} k parameters", listed.parameters / 1000));
    }
    match &network.loading {
        Loading::Loaded(known) => {
            facts.push(format!("{} as fast as sound plays, here", times(known.speed)));
            if let Some(score) = known.card.scores.iter().find(|score| score.metric.starts_with("SI-SDR")) {
                facts.push(format!("SI-SDR {:.1} → {:.1} dB", score.before, score.after));
            }
        }
        Loading::Failed(failure) => facts.push(failure.message()),
        Loading::Loading(_) => facts.push("loading…".into()),
        Loading::Unloaded => {}
    }
    html! {
        <ul id="model-facts" class="facts" aria-label="Facts about this network">
            { for facts.into_iter().map(|fact| html! { <li>{ fact }</li> }) }
        </ul>
    }
}

/// A factor in words.
pub fn times(factor: f64) -> String {
    if factor >= 10.0 { format!("{factor:.0} times") } else { format!("{factor:.1} times") }
}

fn details(network: &OfferedNetwork) -> Html {
    let card = network.facts().map(|facts| &facts.card);
    html! {
        <details>
            <summary>{ "What this network can do, and what it cannot" }</summary>
            <p>{ network.listed.summary.clone() }</p>
            { card.map(|card| html! {
                <>
                    <ul id="model-note">{ for card.limits.iter().map(|limit| html! { <li>{ limit.clone() }</li> }) }</ul>
                    <div class="scroll" tabindex="0" role="region" aria-label="Scores of this network">
                        <table>
                            <thead><tr>
                                <th scope="col">{ "On" }</th><th scope="col">{ "Score" }</th>
                                <th scope="col">{ "Before" }</th><th scope="col">{ "After" }</th>
                            </tr></thead>
                            <tbody>
                                { for card.scores.iter().map(|score| html! {
                                    <tr>
                                        <th scope="row">{ score.set.clone() }</th>
                                        <td>{ score.metric.clone() }</td>
                                        <td>{ format!("{:.2}", score.before) }</td>
                                        <td>{ format!("{:.2}", score.after) }</td>
                                    </tr>
                                }) }
                            </tbody>
                        </table>
                    </div>
                    <p>{ training(&card.training) }</p>
                </>
            }) }
        </details>
    }
}

fn training(training: &shared::bundle::Training) -> String {
    format!(
        "Trained for {} steps on {:.1} hours of sound, on {}, {}.",
        training.steps, training.hours_seen, training.device, training.date
    )
}
