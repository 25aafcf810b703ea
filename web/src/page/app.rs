//! The page as a program: events in, effects out, the state shown.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use gloo_render::AnimationFrame;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web::mix::Voice;
use web::painting::Wish;
use web::picture::time_text;
use web::settings::Task;
use web::state::{Event, Live, State};
use web_sys::{ClipboardEvent, DragEvent, Element, HtmlCanvasElement, HtmlElement, KeyboardEvent, MouseEvent};
use yew::prelude::*;

use super::browser::{self, Browser};
use super::export;
use super::files::{document, window};
use super::painter::wish;
use super::view;

/// What the page hears.
#[derive(Clone)]
pub enum Msg {
    /// For the state.
    Event(Event),
    /// A piece was put away: so many samples per channel of this track of this run are there.
    Stored {
        /// Number of the run.
        run: u32,
        /// Number of the track.
        track: usize,
        /// How many.
        frames: u64,
    },
    /// Files that somebody brought.
    Files(Vec<web_sys::File>),
    /// Something people want to take with them.
    Take(Souvenir),
    /// A picture is to be drawn again: its canvas has another size.
    Resized,
    /// Zoom by a factor around a place in the picture, 0 to 1; around the playhead if none.
    Zoom(f64, Option<f64>),
    /// Move what is seen by a share of its length.
    Pan(f64),
    /// Move the playhead by seconds.
    Skip(f64),
    /// A picture is done.
    Drawn,
    /// The screen is about to be drawn.
    Frame,
}

/// Something people want to take with them.
#[derive(Clone, Debug, PartialEq)]
pub enum Souvenir {
    /// The voice that is heard of this take, as a WAV file.
    Wav(u32),
    /// The results of all takes, as one archive.
    Archive,
    /// The open take as a page of its own.
    Page,
    /// The link to the page as it is.
    Link,
    /// What another page needs to show this one in it.
    Embed,
}

/// The page.
pub struct App {
    state: State,
    browser: Browser,
    drawn: Rc<Drawn>,
    _listeners: Vec<Listener>,
    frame: Option<AnimationFrame>,
}

/// What has been drawn, and how wide.
#[derive(Default)]
struct Drawn {
    wishes: RefCell<HashMap<String, (Wish, i32)>>,
    busy: Cell<bool>,
}

/// Something that listens to the browser for as long as it is kept.
struct Listener {
    target: web_sys::EventTarget,
    kind: &'static str,
    closure: Closure<dyn FnMut(web_sys::Event)>,
}

impl Listener {
    fn new(target: &web_sys::EventTarget, kind: &'static str, hear: impl FnMut(web_sys::Event) + 'static) -> Self {
        let closure = Closure::<dyn FnMut(web_sys::Event)>::new(hear);
        let _ = target.add_event_listener_with_callback(kind, closure.as_ref().unchecked_ref());
        Self { target: target.clone(), kind, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.kind, self.closure.as_ref().unchecked_ref());
    }
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let send = ctx.link().callback(|msg: Msg| msg);
        let browser = Browser::new(send.clone());
        let query = window().location().search().unwrap_or_default();
        let (state, effects) = State::new(&query, Browser::remembered());
        browser.begin();
        effects.into_iter().for_each(|effect| browser.carry_out(effect, &state));
        super::offline::register(send.reform(|()| Msg::Event(Event::Offline)));
        if state.settings.embed
            && let Some(root) = document().document_element()
        {
            let _ = root.class_list().add_1("embed");
        }
        Self { state, browser, drawn: Rc::default(), _listeners: listeners(&send), frame: None }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Event(event) => {
                if let Event::Task(_) | Event::Open(_) | Event::Remove(_) | Event::Added { .. } | Event::Again(_) =
                    event
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
                self.browser.add_files(files);
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
                    self.event(Event::Window(Some([from + by, to + by])));
                }
            }
            Msg::Skip(seconds) => self.event(Event::Seek(self.browser.player.position() + seconds)),
        }
        self.browser.player.set(self.browser.sound(&self.state));
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let send = ctx.link().callback(|msg: Msg| msg);
        view::page(&self.state, &send, js_sys::Date::now() / 1000.0, self.browser.device_latency_seconds())
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
    fn event(&mut self, event: Event) {
        let moved = matches!(event, Event::Seek(_));
        let effects = self.state.update(event, js_sys::Date::now() / 1000.0);
        for effect in effects {
            // What is to be played must be known before it is.
            self.browser.player.set(self.browser.sound(&self.state));
            self.browser.carry_out(effect, &self.state);
        }
        if moved {
            show_position(&self.state, self.browser.player.position());
        }
    }

    fn zoom(&mut self, factor: f64, at: Option<f64>) {
        let [from, to] = self.state.seen();
        let position = self.browser.player.position();
        let at = at.unwrap_or_else(|| {
            let head = (position - from) / (to - from);
            if (0.0..=1.0).contains(&head) { head } else { 0.5 }
        });
        let span = (to - from) / factor;
        let from = from + at * (to - from - span);
        self.event(Event::Window(Some([from, from + span])));
    }

    /// Draws every picture that is there and not as it should be.
    fn draw(&self, ctx: &Context<Self>) {
        if self.drawn.busy.get() {
            return;
        }
        let Some(painter) = self.browser.painter.clone() else { return };
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
            let noise = (take.task == Task::Experiment && chosen == 0).then(|| (settings.chain.clone(), settings.seed));
            add("stage".into(), voice, noise);
        }
        if take.task == Task::Experiment {
            voices.iter().enumerate().for_each(|(index, voice)| add(format!("small-{index}"), voice, None));
        }
        wishes
    }

    /// Moves what moves: the playhead, the level of the microphone.
    fn animate(&mut self, ctx: &Context<Self>) {
        show_position(&self.state, self.browser.player.position());
        show_microphone(&self.browser);
        let moving = self.state.playing || self.state.recording == Some(true) || self.state.live != Live::Off;
        if moving && self.frame.is_none() {
            let link = ctx.link().clone();
            self.frame = Some(gloo_render::request_animation_frame(move |_| link.send_message(Msg::Frame)));
        }
    }

    /// Gives people what they want to take with them.
    fn give(&self, souvenir: Souvenir, tell: Callback<Event>) {
        let (browser, state) = (self.browser.clone(), self.state.clone());
        let window = self.state.seen();
        spawn_local(async move {
            let done = match souvenir {
                Souvenir::Wav(id) => export::wav(&browser, &state, id).await.map(|()| None),
                Souvenir::Archive => export::archive(&browser, &state).await.map(|()| None),
                Souvenir::Page => export::page(&browser, &state, window).await,
                Souvenir::Link => copy(&browser::address(&state), "The link").await,
                Souvenir::Embed => copy(&view::snippet(&browser::address(&state)), "The snippet").await,
            };
            match done {
                Ok(Some(notice)) => tell.emit(Event::Notice(notice)),
                Ok(None) => {}
                Err(reason) => tell.emit(Event::Refused(format!("This did not work: {reason}."))),
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
fn show_position(state: &State, position: f64) {
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
fn show_microphone(browser: &Browser) {
    /// The level at which the meter is empty, in dB of full scale.
    const QUIET_DB: f64 = -60.0;
    let Some((seconds, level_db)) = browser.microphone() else { return };
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

/// What the whole page listens to: files that are dropped or pasted anywhere, and keys.
fn listeners(send: &Callback<Msg>) -> Vec<Listener> {
    let window = window();
    let over = |shown: bool| {
        if let Some(root) = document().document_element() {
            let _ = root.class_list().toggle_with_force("dragged", shown);
        }
    };
    let (dropped, pasted, keys, resized) = (send.clone(), send.clone(), send.clone(), send.clone());
    vec![
        Listener::new(&window, "dragover", move |event| {
            event.prevent_default();
            over(true);
        }),
        Listener::new(&window, "dragleave", move |event| {
            if event.unchecked_ref::<DragEvent>().related_target().is_none() {
                over(false);
            }
        }),
        Listener::new(&window, "drop", move |event| {
            event.prevent_default();
            over(false);
            let data = event.unchecked_ref::<DragEvent>().data_transfer();
            dropped.emit(Msg::Files(view::files(data.and_then(|data| data.files()))));
        }),
        Listener::new(&window, "paste", move |event| {
            let data = event.unchecked_ref::<ClipboardEvent>().clipboard_data();
            let files = view::files(data.and_then(|data| data.files()));
            if !files.is_empty() {
                event.prevent_default();
                pasted.emit(Msg::Files(files));
            }
        }),
        Listener::new(&window, "keydown", move |event| {
            if let Some(msg) = key(event.unchecked_ref()) {
                event.prevent_default();
                keys.emit(msg);
            }
        }),
        Listener::new(&window, "click", |event| {
            // What was pressed with a pointer gives the keys back: space is to play, not to press it again.
            let pointed = event.dyn_ref::<MouseEvent>().is_some_and(|event| event.detail() > 0);
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let pressed =
                target.and_then(|target| target.closest("button, input[type=radio], input[type=checkbox]").ok()?);
            if let Some(pressed) =
                pressed.filter(|_| pointed).and_then(|pressed| pressed.dyn_into::<HtmlElement>().ok())
            {
                let _ = pressed.blur();
            }
        }),
        Listener::new(&window, "resize", move |_| resized.emit(Msg::Resized)),
    ]
}

/// What a key does wherever the focus is, unless the element that has it needs it for itself.
fn key(event: &KeyboardEvent) -> Option<Msg> {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
        return None;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let within = |selector: &str| {
        target.as_ref().is_some_and(|target| target.closest(selector).is_ok_and(|found| found.is_some()))
    };
    if within("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range]), [contenteditable]") {
        return None;
    }
    let name = event.key();
    if let (1, Some(digit @ 1..=9)) = (name.len(), name.chars().next().and_then(|digit| digit.to_digit(10))) {
        return Some(Msg::Event(Event::Voice(digit as usize - 1)));
    }
    // Sliders, tabs and choices have arrows of their own; buttons and links have space.
    let arrows = !within("input, [role=tab]");
    let far = if event.shift_key() { 10.0 } else { 1.0 };
    Some(match name.as_str() {
        " " if !within("button, a, summary, input") => Msg::Event(Event::TogglePlay),
        "ArrowLeft" if arrows => Msg::Skip(-far),
        "ArrowRight" if arrows => Msg::Skip(far),
        "Home" if within("#picture") => Msg::Event(Event::Seek(0.0)),
        "End" if within("#picture") => Msg::Event(Event::Seek(f64::MAX)),
        "+" | "=" => Msg::Zoom(2.0, None),
        "-" => Msg::Zoom(0.5, None),
        "0" => Msg::Event(Event::Window(None)),
        _ => return None,
    })
}
