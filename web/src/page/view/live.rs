//! The microphone, without noise, in the headphones.

use web::state::{EnginePhase, Live, PageEvent, PageState};
use yew::prelude::*;

use super::handlers::{Send, on_event};

/// Live sound.
pub fn panel(state: &PageState, send: &Send, device_latency_seconds: f64) -> Html {
    let on = matches!(state.live, Live::Starting | Live::On(..));
    let (kind, text) = match &state.live {
        Live::Off => ("off", String::new()),
        Live::Starting => ("starting", "The microphone is being opened…".into()),
        Live::On(latency, load) => {
            let ms = 1000.0 * (latency + device_latency_seconds);
            // Nothing is known of it in the first second.
            let load = (*load > 0.0).then(|| format!(" The network needs {:.0} % of the time there is.", 100.0 * load));
            ("on", format!("You hear yourself {ms:.0} ms late.{}", load.unwrap_or_default()))
        }
        Live::Failed(failure) => ("failed", failure.message()),
    };
    html! {
        <section class="panel live" aria-label="Live" data-state={kind}>
            <p>{ "Speak, and hear yourself without the noise around you. Put headphones on first: through loudspeakers it howls." }</p>
            <div class="row">
                <button id="live" type="button" class={classes!("strong", on.then_some("recording"))} aria-pressed={on.to_string()}
                    disabled={state.engine != EnginePhase::Ready} onclick={on_event(send, PageEvent::ToggleLive)}>
                    { if on { "Stop" } else { "Start" } }
                </button>
                { on.then(|| html! { <span class="meter" aria-hidden="true"><span></span></span> }) }
            </div>
            <p id="live-note" class="note" role="status">{ text }</p>
        </section>
    }
}
