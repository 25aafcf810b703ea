//! What people see and do.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::ArrayBuffer;
use shared::noise::Chain;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Blob, Document, DragEvent, Element, File, FileList, HtmlAnchorElement, HtmlAudioElement, HtmlButtonElement,
    HtmlElement, HtmlInputElement, HtmlProgressElement, HtmlSelectElement, HtmlTemplateElement, HtmlTextAreaElement,
    MessageEvent, Worker, WorkerOptions, WorkerType,
};

use crate::audio_io::{self, Microphone};
use crate::messages;
use crate::protocol::{AddedNoise, Backend, Failure, Input, MODELS, Request, Response};

/// Seed of the noise that people add: the same noise again for the same recording, so that networks can be compared.
const NOISE_SEED: u32 = 1;

/// The choice among the examples of noise that stands for none of them.
const OWN_NOISE: &str = "own";

/// One recording on the page.
struct Recording {
    name: String,
    original: Blob,
    /// Its card on the page.
    card: Element,
    /// Whether the browser has decoded it, after we could not.
    decoded: bool,
    waiting: bool,
    /// The network that denoises it.
    model: String,
    /// Whether noise was added to it.
    noisy: bool,
    /// Addresses of the noisy recording and of the result.
    before: String,
    result: Option<String>,
}

struct App {
    document: Document,
    worker: Worker,
    /// Whether the engine has a backend.
    started: bool,
    /// Whether it has a network, too.
    ready: bool,
    /// The name of that network, or of the one that was asked for last.
    model: String,
    /// The backend that the address asks for; the CPU after WebGPU has failed.
    wanted: Option<Backend>,
    recordings: Vec<Recording>,
    microphone: Option<Microphone>,
}

type Shared = Rc<RefCell<App>>;

/// Builds the page and starts the engine.
pub fn main() {
    console_error_panic_hook::set_once();
    let window = web_sys::window().expect("a page has a window");
    let document = window.document().expect("a window has a document");
    let wanted = Backend::from_query(&window.location().search().unwrap_or_default());
    let app = App {
        document,
        worker: spawn(),
        started: false,
        ready: false,
        model: String::new(),
        wanted,
        recordings: Vec::new(),
        microphone: None,
    };
    let app = Rc::new(RefCell::new(app));
    listen_to_worker(&app);
    listen_to_people(&app);
}

fn spawn() -> Worker {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    Worker::new_with_options("./worker_loader.js", &options).expect("the page may start workers")
}

fn listen_to_worker(app: &Shared) {
    let on_message = {
        let app = app.clone();
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some((response, buffers)) = messages::unpack(&event.data()) {
                take(&app, response, buffers);
            }
        })
    };
    let on_error = {
        let app = app.clone();
        Closure::<dyn FnMut()>::new(move || revive(&app))
    };
    let worker = app.borrow().worker.clone();
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    on_message.forget(); // both listen for as long as the worker lives
    on_error.forget();
}

/// The worker died: says so on what waited for it, and starts another, on the CPU.
fn revive(app: &Shared) {
    {
        let mut app = app.borrow_mut();
        app.worker.terminate();
        (app.started, app.ready) = (false, false);
        for id in app.waiting() {
            app.fail(id, &Failure::Died);
        }
        if app.wanted == Some(Backend::Cpu) {
            app.status("failed", &Failure::Died.message());
            return; // it had its second chance
        }
        app.wanted = Some(Backend::Cpu);
        app.worker = spawn();
    }
    listen_to_worker(app);
}

fn take(shared: &Shared, response: Response, buffers: Vec<ArrayBuffer>) {
    let mut app = shared.borrow_mut();
    match response {
        Response::Listening => {
            app.status("busy", "Starting the engine…");
            app.post(&Request::Start { backend: app.wanted }, &[]);
        }
        Response::Started { backend, note } => {
            let name = match backend {
                Backend::Webgpu => "WebGPU",
                Backend::Cpu => "CPU",
            };
            let badge = app.element("backend");
            badge.set_text_content(Some(name));
            badge.set_title(&note);
            badge.set_hidden(false);
            app.element("backend-note").set_text_content(Some(&format!("Runs on this device: {name} ({note}).")));
            app.started = true;
            app.load();
        }
        Response::Loading { share } => {
            let percent = share.map(|share| format!(" {:.0} %", share * 100.0)).unwrap_or_default();
            app.status("busy", &format!("Loading the network…{percent}"));
        }
        // Another may have been chosen meanwhile; that one is on its way.
        Response::Loaded { model, .. } if model != app.model => {}
        Response::Loaded { model, summary, parameters, limits } => {
            app.ready = true;
            app.status("ready", &format!("Ready: {model}."));
            let text = format!("{summary} {parameters} parameters. {}", limits.join(" "));
            app.element("model-note").set_text_content(Some(&text));
            let waiting = app.waiting();
            drop(app);
            waiting.into_iter().for_each(|id| denoise(shared, id));
        }
        Response::Progress { id, share } => app.progress(id as usize, share),
        Response::Done { id, noisy_parts, audio_seconds, elapsed_seconds } => {
            let (noisy, denoised) = buffers.split_at(noisy_parts.min(buffers.len()));
            app.show_before(id as usize, noisy);
            if let Some(blob) = audio_io::wav_blob(denoised) {
                app.finish(id as usize, &blob, audio_seconds, elapsed_seconds);
            }
        }
        Response::Failed { id: Some(id), failure } => {
            let id = id as usize;
            // A WAV file in an encoding that only the browser knows.
            if failure == Failure::NotAudio && !app.recordings[id].decoded {
                app.recordings[id].decoded = true;
                drop(app);
                denoise(shared, id);
            } else {
                app.fail(id, &failure);
            }
        }
        Response::Failed { id: None, failure } => {
            app.ready = false;
            app.status("failed", &failure.message());
        }
    }
}

/// Sends a recording to the engine, or leaves it waiting until there is one.
fn denoise(shared: &Shared, id: usize) {
    let (blob, decoded, noise) = {
        let mut app = shared.borrow_mut();
        let noise = match app.noise() {
            Ok(noise) => noise,
            Err(failure) => return app.fail(id, &failure),
        };
        let ready = app.ready;
        let recording = &mut app.recordings[id];
        recording.waiting = true;
        let _ = recording.card.set_attribute("data-state", "busy");
        if !ready {
            app.note(id, "Waiting for the network…");
            return;
        }
        app.progress(id, 0.0);
        let model = app.model.clone();
        let recording = &mut app.recordings[id];
        recording.model = model;
        (recording.original.clone(), recording.decoded, noise)
    };
    let shared = shared.clone();
    spawn_local(async move {
        match audio_io::prepare(&blob, decoded).await {
            Ok((input, buffers)) => {
                let mut app = shared.borrow_mut();
                app.recordings[id].decoded |= input != Input::Wav;
                app.post(&Request::Denoise { id: id as u32, input, noise }, &buffers);
            }
            Err(failure) => shared.borrow_mut().fail(id, &failure),
        }
    });
}

fn add(shared: &Shared, name: String, original: Blob) {
    let id = {
        let mut app = shared.borrow_mut();
        let template: HtmlTemplateElement = app.element("recording").unchecked_into();
        let card = template.content().first_element_child().expect("the template holds a card");
        let card: Element = card.clone_node_with_deep(true).expect("elements can be copied").unchecked_into();
        child::<HtmlElement>(&card, ".name").set_text_content(Some(&name));
        let before = audio_io::address(&original);
        child::<HtmlAudioElement>(&card, ".before").set_src(&before);
        // The newest first, where people look.
        let _ = app.element("recordings").prepend_with_node_1(&card);
        app.recordings.push(Recording {
            name,
            original,
            card,
            decoded: false,
            waiting: true,
            model: String::new(),
            noisy: false,
            before,
            result: None,
        });
        app.recordings.len() - 1
    };
    let again = child::<HtmlButtonElement>(&shared.borrow().recordings[id].card, ".again");
    let on_again = {
        let shared = shared.clone();
        Closure::<dyn FnMut()>::new(move || denoise(&shared, id))
    };
    again.set_onclick(Some(on_again.as_ref().unchecked_ref()));
    on_again.forget();
    denoise(shared, id);
}

fn add_files(shared: &Shared, files: Option<FileList>) {
    let files = files.into_iter().flat_map(|files| (0..files.length()).filter_map(move |index| files.get(index)));
    files.for_each(|file: File| add(shared, file.name(), file.unchecked_into()));
}

fn listen_to_people(shared: &Shared) {
    let app = shared.borrow();
    let input: HtmlInputElement = app.element("file").unchecked_into();
    on(&input.clone().into(), "change", shared, move |shared, _| {
        add_files(shared, input.files());
        input.set_value(""); // the same file may be picked again
    });

    let drop_zone: HtmlElement = app.element("drop");
    let body: HtmlElement = app.document.body().expect("a document has a body");
    for kind in ["dragover", "dragleave", "drop"] {
        let zone = drop_zone.clone();
        on(&body, kind, shared, move |shared, event| {
            event.prevent_default(); // a browser would leave the page to show the file
            let _ = zone.class_list().toggle_with_force("over", kind == "dragover");
            if kind == "drop" {
                let event: DragEvent = event.unchecked_into();
                add_files(shared, event.data_transfer().and_then(|data| data.files()));
            }
        });
    }

    let chooser: HtmlSelectElement = app.element("model").unchecked_into();
    on(&chooser.into(), "change", shared, |shared, _| shared.borrow_mut().load());
    let noise: HtmlTextAreaElement = app.element("noise").unchecked_into();
    if let Some(chain) = query("noise") {
        noise.set_value(&chain);
        let _ = app.element("noise-panel").set_attribute("open", "");
        app.check_noise();
    }
    on(&noise.into(), "input", shared, |shared, _| shared.borrow().check_noise());
    on(&app.element("noise-example"), "change", shared, |shared, event| {
        let app = shared.borrow();
        let example = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
        if let Some(example) = example.map(|example| example.value()).filter(|example| example != OWN_NOISE) {
            app.element("noise").unchecked_into::<HtmlTextAreaElement>().set_value(&example);
            app.check_noise();
        }
    });
    on(&app.element("record"), "click", shared, |shared, _| record(shared));
}

/// Starts the microphone, or stops it.
fn record(shared: &Shared) {
    let button = shared.borrow().element("record");
    let running = shared.borrow().microphone.is_some();
    if running {
        let microphone = shared.borrow_mut().microphone.take();
        button.set_text_content(Some("Record"));
        button.class_list().remove_1("recording").unwrap_or_default();
        shared.borrow().element("input-note").set_text_content(None);
        if let Some(microphone) = microphone {
            microphone.stop();
            // The recorder hands the sound over after this turn; its closures must outlive it.
            std::mem::forget(microphone);
        }
        return;
    }
    let shared = shared.clone();
    spawn_local(async move {
        let done = {
            let shared = shared.clone();
            move |blob| {
                let count = shared.borrow().recordings.len() + 1;
                add(&shared, format!("Recording {count}"), blob);
            }
        };
        match Microphone::start(done).await {
            Ok(microphone) => {
                shared.borrow_mut().microphone = Some(microphone);
                button.set_text_content(Some("Stop"));
                button.class_list().add_1("recording").unwrap_or_default();
                shared.borrow().element("input-note").set_text_content(Some("Recording. Press Stop when done."));
            }
            Err(failure) => shared.borrow().element("input-note").set_text_content(Some(&failure.message())),
        }
    });
}

/// Listens to an event for as long as the page lives.
fn on(target: &HtmlElement, kind: &str, shared: &Shared, act: impl Fn(&Shared, web_sys::Event) + 'static) {
    let shared = shared.clone();
    let listener = Closure::<dyn FnMut(web_sys::Event)>::new(move |event| act(&shared, event));
    target.add_event_listener_with_callback(kind, listener.as_ref().unchecked_ref()).expect("elements take listeners");
    listener.forget();
}

/// What the address says after `?` under a name.
fn query(name: &str) -> Option<String> {
    let search = web_sys::window()?.location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

fn child<T: JsCast>(parent: &Element, selector: &str) -> T {
    let found = parent.query_selector(selector).ok().flatten().expect("the template has all parts");
    found.unchecked_into()
}

impl App {
    /// The recordings that have been sent, or wait to be, and have no answer yet.
    fn waiting(&self) -> Vec<usize> {
        (0..self.recordings.len()).filter(|&id| self.recordings[id].waiting).collect()
    }

    fn element(&self, id: &str) -> HtmlElement {
        self.document.get_element_by_id(id).unwrap_or_else(|| panic!("the page has no #{id}")).unchecked_into()
    }

    fn post(&self, request: &Request, buffers: &[ArrayBuffer]) {
        let (message, transfer) = messages::pack(request, buffers);
        self.worker.post_message_with_transfer(&message, &transfer).expect("buffers are transferred once");
    }

    /// Asks for the chosen network. Before there is a backend it need not: that will.
    fn load(&mut self) {
        if !self.started {
            return;
        }
        self.ready = false;
        let chosen = self.element("model").unchecked_into::<HtmlSelectElement>().value();
        let model = MODELS.into_iter().find(|model| *model == chosen).unwrap_or(MODELS[0]);
        // Relative to the page, not to the worker's script.
        let base = self.document.base_uri().ok().flatten().unwrap_or_default();
        let url = web_sys::Url::new_with_base(&format!("models/{model}.zip"), &base).map(|url| url.href());
        self.status("busy", "Loading the network…");
        self.model = model.into();
        self.post(&Request::Load { model: model.into(), url: url.unwrap_or_default() }, &[]);
    }

    /// The noise that is asked for, if any.
    fn noise(&self) -> Result<Option<AddedNoise>, Failure> {
        let text = self.element("noise").unchecked_into::<HtmlTextAreaElement>().value();
        if text.trim().is_empty() {
            return Ok(None);
        }
        let chain = Chain::from_json(&text).map_err(|error| Failure::NoNoise(error.to_string()))?;
        Ok(Some(AddedNoise { chain, seed: NOISE_SEED }))
    }

    /// Says under the noise what is wrong with it, and above it which of the examples it is.
    fn check_noise(&self) {
        let (text, invalid) = match self.noise() {
            Ok(None) => ("Recordings are denoised as they are.".into(), "false"),
            Ok(Some(_)) => ("Made before recordings are denoised, from the next one on.".into(), "false"),
            Err(failure) => (failure.message(), "true"),
        };
        self.element("noise-note").set_text_content(Some(&text));
        let example: HtmlSelectElement = self.element("noise-example").unchecked_into();
        example.set_value(self.element("noise").unchecked_into::<HtmlTextAreaElement>().value().trim());
        if example.selected_index() < 0 {
            example.set_value(OWN_NOISE); // none of the examples
        }
        let _ = self.element("noise").set_attribute("aria-invalid", invalid);
    }

    fn status(&self, state: &str, text: &str) {
        let status = self.element("status");
        let _ = status.set_attribute("data-state", state);
        status.set_text_content(Some(text));
    }

    fn note(&self, id: usize, text: &str) {
        child::<HtmlElement>(&self.recordings[id].card, ".note").set_text_content(Some(text));
    }

    fn progress(&self, id: usize, share: f64) {
        child::<HtmlProgressElement>(&self.recordings[id].card, "progress").set_value(share);
        self.note(id, &format!("Denoising… {:.0} %", share * 100.0));
    }

    fn fail(&mut self, id: usize, failure: &Failure) {
        self.recordings[id].waiting = false;
        let _ = self.recordings[id].card.set_attribute("data-state", "failed");
        self.note(id, &failure.message());
    }

    /// Plays the noisy recording as the one before, if there is one; else the original.
    fn show_before(&mut self, id: usize, noisy_parts: &[ArrayBuffer]) {
        let recording = &mut self.recordings[id];
        let noisy = if noisy_parts.is_empty() { None } else { audio_io::wav_blob(noisy_parts) };
        if noisy.is_none() && !recording.noisy {
            return;
        }
        recording.noisy = noisy.is_some();
        let before = audio_io::address(noisy.as_ref().unwrap_or(&recording.original));
        audio_io::forget(&std::mem::replace(&mut recording.before, before));
        child::<HtmlAudioElement>(&recording.card, ".before").set_src(&recording.before);
    }

    fn finish(&mut self, id: usize, blob: &Blob, audio_seconds: f64, elapsed_seconds: f64) {
        let address = audio_io::address(blob);
        let recording = &mut self.recordings[id];
        recording.waiting = false;
        if let Some(old) = recording.result.replace(address.clone()) {
            audio_io::forget(&old);
        }
        child::<HtmlAudioElement>(&recording.card, ".after").set_src(&address);
        let download = child::<HtmlAnchorElement>(&recording.card, ".download");
        download.set_href(&address);
        let stem = recording.name.rsplit_once('.').map_or(recording.name.as_str(), |(stem, _)| stem);
        download.set_download(&format!("{stem}.denoised.wav"));
        let _ = recording.card.set_attribute("data-state", "done");
        let speed = audio_seconds / elapsed_seconds.max(1e-3);
        let Recording { model, noisy, .. } = &self.recordings[id];
        let noise = if *noisy { " Noise was added before." } else { "" };
        let text = format!(
            "Denoised by {model}: {audio_seconds:.1} s of sound in {elapsed_seconds:.1} s, {speed:.1} times as fast as it plays.{noise}"
        );
        self.note(id, &text);
    }
}
