//! The page as a program: events in, effects out, the state shown.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use exhibit::axis::time_text;
use gloo_render::AnimationFrame;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web::mix::Voice;
use web::protocol::painter::Wish;
use web::settings::PageTask;
use web::state::{Live, PageEvent, PageState};
use web_sys::{HtmlCanvasElement, HtmlElement};
use yew::prelude::*;

use super::files::{document, window};
use super::listeners::{self, DomListener};
use super::msg::{Msg, Souvenir};
use super::painter::wish;
use super::shell::Shell;
use super::{address, backend_memory, export, view};

/// The page.
pub struct App {
    state: PageState,
    shell: Shell,
    drawn: Rc<DrawnPictures>,
    _listeners: Vec<DomListener>,
    frame: Option<AnimationFrame>,
}

/// What has been drawn, and how wide.
#[derive(Default)]
struct DrawnPictures {
    wishes: RefCell<HashMap<String, (Wish, i32)>>,
    busy: Cell<bool>,
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let send = ctx.link().callback(|msg: Msg| msg);
        let shell = Shell::new(send.clone());
        let query = window().location().search().unwrap_or_default();
        let (state, effects) = PageState::new(&query, backend_memory::remembered());
        shell.begin();
        effects.into_iter().for_each(|effect| shell.carry_out(effect, &state));
        super::offline::register(send.reform(|()| Msg::Event(PageEvent::Offline)));
        if state.settings.embed
            && let Some(root) = document().document_element()
        {
            let _ = root.class_list().add_1("embed");
        }
        Self { state, shell, drawn: Rc::default(), _listeners: listeners::listen(&send), frame: None }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Event(event) => {
                if let PageEvent::Task(_)
                | PageEvent::Open(_)
                | PageEvent::Remove(_)
                | PageEvent::Added { .. }
                | PageEvent::Again(_) = event
                {
                    // Other canvases, or none.
                    self.drawn.wishes.borrow_mut().clear();
                }
                self.event(event);
            }
            Msg::Drawn => {
                self.draw(ctx);
                return false;
            }
            Msg::Frame => {
                self.frame = None;
                self.animate(ctx);
                return false;
            }
            Msg::Stored { run, track, frames } => self.state.stored(run, track, frames),
            Msg::Files(files) => {
                self.shell.add_files(files);
                return false;
            }
            Msg::Take(souvenir) => {
                self.give(souvenir, ctx.link().callback(Msg::Event));
                return false;
            }
            Msg::Resized => self.drawn.wishes.borrow_mut().clear(),
            Msg::Zoom(factor, at) => self.zoom(factor, at),
            Msg::Pan(share) => {
                if let Some([from, to]) = self.state.settings.window {
                    let by = share * (to - from);
                    self.event(PageEvent::Window(Some([from + by, to + by])));
                }
            }
            Msg::Skip(seconds) => self.event(PageEvent::Seek(self.shell.player.position() + seconds)),
        }
        self.shell.player.set(self.shell.sound(&self.state));
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let send = ctx.link().callback(|msg: Msg| msg);
        view::page(&self.state, &send, js_sys::Date::now() / 1000.0, self.shell.device_latency_seconds())
    }

    fn rendered(&mut self, ctx: &Context<Self>, first: bool) {
        if first {
            // The page is there: what stood in its place meanwhile, and for those without scripts, may go.
            let _ = document().document_element().map(|root| root.set_attribute("data-ready", ""));
        }
        place_marks();
        self.draw(ctx);
        self.animate(ctx);
    }
}

impl App {
    fn event(&mut self, event: PageEvent) {
        let moved = matches!(event, PageEvent::Seek(_));
        let effects = self.state.update(event, js_sys::Date::now() / 1000.0);
        for effect in effects {
            // What is to be played must be known before it is.
            self.shell.player.set(self.shell.sound(&self.state));
            self.shell.carry_out(effect, &self.state);
        }
        if moved {
            show_position(&self.state, self.shell.player.position());
        }
    }

    fn zoom(&mut self, factor: f64, at: Option<f64>) {
        let [from, to] = self.state.seen();
        let position = self.shell.player.position();
        let at = at.unwrap_or_else(|| {
            let head = (position - from) / (to - from);
            if (0.0..=1.0).contains(&head) { head } else { 0.5 }
        });
        let span = (to - from) / factor;
        let from = from + at * (to - from - span);
        self.event(PageEvent::Window(Some([from, from + span])));
    }

    /// Draws every picture that is there and not as it should be.
    fn draw(&self, ctx: &Context<Self>) {
        if self.drawn.busy.get() {
            return;
        }
        let Some(painter) = self.shell.painter.clone() else { return };
        let canvas = |id: &str, kind: &str| -> Option<HtmlCanvasElement> {
            document().get_element_by_id(&format!("{id}-{kind}"))?.dyn_into().ok()
        };
        let next = self.wishes().into_iter().find_map(|(id, wish)| {
            let (waveform, spectrogram) = canvas(&id, "waveform").zip(canvas(&id, "spectrogram"))?;
            // Before it has its place on the screen it has no width.
            let width = Some(spectrogram.client_width()).filter(|width| *width > 0)?;
            let key = (wish.clone(), width);
            let drawn = self.drawn.wishes.borrow_mut().insert(id, key.clone());
            (drawn.as_ref() != Some(&key)).then_some((wish, waveform, spectrogram))
        });
        let Some((wish, waveform, spectrogram)) = next else { return };
        self.drawn.busy.set(true);
        let (drawn, link) = (self.drawn.clone(), ctx.link().clone());
        spawn_local(async move {
            painter.paint(wish, &waveform, &spectrogram).await;
            drawn.busy.set(false);
            link.send_message(Msg::Drawn);
        });
    }

    /// The pictures that the page shows, by the names of their canvases.
    fn wishes(&self) -> Vec<(String, Wish)> {
        let Some(take) = self.state.current() else { return Vec::new() };
        let settings = &self.state.settings;
        let (voices, window) = (take.voices(settings.kept()), self.state.seen());
        let mut wishes = Vec::new();
        let mut add = |id: String, voice: &Voice, noise| wishes.push((id, wish(take, &voice.weights, window, noise)));
        let chosen = self.state.voice();
        if let Some(voice) = voices.get(chosen) {
            // On the clean recording the threshold is seen.
            let noise =
                (take.task == PageTask::Experiment && chosen == 0).then(|| (settings.chain.clone(), settings.seed));
            add("stage".into(), voice, noise);
        }
        if take.task == PageTask::Experiment {
            voices.iter().enumerate().for_each(|(index, voice)| add(format!("small-{index}"), voice, None));
        }
        wishes
    }

    /// Moves what moves: the playhead, the level of the microphone.
    fn animate(&mut self, ctx: &Context<Self>) {
        show_position(&self.state, self.shell.player.position());
        show_microphone(&self.shell);
        let moving = self.state.playing || self.state.recording == Some(true) || self.state.live != Live::Off;
        if moving && self.frame.is_none() {
            let link = ctx.link().clone();
            self.frame = Some(gloo_render::request_animation_frame(move |_| link.send_message(Msg::Frame)));
        }
    }

    /// Gives people what they want to take with them.
    fn give(&self, souvenir: Souvenir, tell: Callback<PageEvent>) {
        let (shell, state) = (self.shell.clone(), self.state.clone());
        let window = self.state.seen();
        spawn_local(async move {
            let done = match souvenir {
                Souvenir::Wav(id) => export::wav(&shell, &state, id).await.map(|()| None),
                Souvenir::Archive => export::archive(&shell, &state).await.map(|()| None),
                Souvenir::Page => export::page(&shell, &state, window).await,
                Souvenir::Link => copy(&address::of(&state), "The link").await,
                Souvenir::Embed => copy(&view::snippet(&address::of(&state)), "The snippet").await,
            };
            match done {
                Ok(Some(notice)) => tell.emit(PageEvent::Notice(notice)),
                Ok(None) => {}
                Err(reason) => tell.emit(PageEvent::Refused(format!("This did not work: {reason}."))),
            }
        });
    }
}

async fn copy(text: &str, what: &str) -> Result<Option<String>, String> {
    let has = js_sys::Reflect::has(&window().navigator(), &"clipboard".into()).unwrap_or(false);
    let refused = || format!("the browser does not let pages copy; here it is: {text}");
    if !has {
        return Err(refused());
    }
    let promise = window().navigator().clipboard().write_text(text);
    wasm_bindgen_futures::JsFuture::from(promise).await.map_err(|_| refused())?;
    Ok(Some(format!("{what} is copied.")))
}

/// Shows where the playhead is, without drawing the page again.
fn show_position(state: &PageState, position: f64) {
    let Some(take) = state.current() else { return };
    let total = take.seconds().max(0.001);
    let [from, to] = state.seen();
    let share = (position - from) / (to - from);
    for head in elements(".head") {
        let _ = head.style().set_property("left", &format!("{:.3}%", (100.0 * share).clamp(-1.0, 101.0)));
        let _ = head.toggle_attribute_with_force("hidden", !(0.0..=1.0).contains(&share));
    }
    let text = time_text(position, 1, total > 60.0);
    for clock in elements(".position") {
        clock.set_text_content(Some(&text));
    }
    for slider in elements("#picture") {
        let _ = slider.set_attribute("aria-valuenow", &format!("{position:.1}"));
        let _ = slider.set_attribute("aria-valuetext", &format!("{position:.1} seconds"));
    }
}

/// Puts the marks of all axes in their places.
fn place_marks() {
    for (axis, property) in [(".time", "left"), (".frequency", "bottom")] {
        for mark in elements(axis) {
            let at = mark.get_attribute("data-at").and_then(|at| at.parse::<f64>().ok()).unwrap_or(0.0);
            // As a share of the spectrogram, which the style sheet knows.
            let _ = mark.style().set_property(property, &format!("calc({at} * var(--axis))"));
        }
    }
}

fn elements(selector: &str) -> Vec<HtmlElement> {
    let Ok(found) = document().query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

/// Shows how loud the microphone is and how long it has recorded, without drawing the page again.
fn show_microphone(shell: &Shell) {
    /// The level at which the meter is empty, in dB of full scale.
    const QUIET_DB: f64 = -60.0;
    let Some((seconds, level_db)) = shell.microphone() else { return };
    let share = (1.0 - level_db / QUIET_DB).clamp(0.0, 1.0);
    for meter in elements(".meter > span") {
        let _ = meter.style().set_property("transform", &format!("scaleX({share:.3})"));
    }
    if let Some(seconds) = seconds {
        let text = time_text(seconds.floor(), 0, true);
        for timer in elements(".timer").into_iter().filter(|timer| timer.text_content().as_ref() != Some(&text)) {
            timer.set_text_content(Some(&text));
        }
    }
}
