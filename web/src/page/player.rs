//! Plays a take: all tracks on one clock, each with its share in the voice that is heard.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AudioBuffer, AudioBufferSourceNode, AudioContext, AudioContextOptions, GainNode};
use yew::Callback;

use super::store::TrackStore;

/// How far ahead pieces are handed to the browser, in seconds.
const AHEAD_SECONDS: f64 = 2.0;
/// Time in which a voice gives way to another, in seconds: no click, and no gap.
const FADE_SECONDS: f64 = 0.015;
/// From handing over the first piece to hearing it, in seconds.
const START_SECONDS: f64 = 0.05;

/// Time between two looks at what is due, in milliseconds.
const TICK_MS: u32 = 100;
/// Looks after which a browser whose clock stands still is known to play nothing.
const MOST_STILL: u32 = 30;

/// What is to be heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Number of the take.
    pub take: u32,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// Its channels.
    pub channels: usize,
    /// Samples per channel of a piece.
    pub piece_length: u64,
    /// What each track is multiplied with.
    pub gains: Vec<f32>,
    /// Samples per channel there will be, once that is known.
    pub end: Option<u64>,
}

/// Plays one take at a time.
#[derive(Clone)]
pub struct Player(Rc<PlayerState>);

struct PlayerState {
    store: TrackStore,
    stopped: Callback<bool>,
    sound: RefCell<Option<Sound>>,
    output: RefCell<Option<Output>>,
    playing: Cell<bool>,
    /// Where it stands, in seconds; while playing, at the time of the context in `anchor`.
    position: Cell<f64>,
    anchor: Cell<f64>,
    /// The next piece to hand over, and when it is due, in time of the context.
    next: Cell<(usize, f64)>,
    /// Counts starts, so that what was under way before one is known to be late.
    epoch: Cell<u32>,
    busy: Cell<bool>,
    /// For how many looks at it the browser's clock has stood still, and where.
    still: Cell<(u32, f64)>,
    timer: RefCell<Option<Interval>>,
}

/// The browser's side.
struct Output {
    context: AudioContext,
    sample_rate_hz: u32,
    /// A gain for every track.
    gains: Vec<GainNode>,
    /// What was handed over and has not ended.
    sources: Vec<AudioBufferSourceNode>,
}

impl Player {
    /// A player of what is in `store`; `stopped` hears when it comes to an end by itself, and whether because nothing
    /// sounds here.
    pub fn new(store: TrackStore, stopped: Callback<bool>) -> Self {
        Self(Rc::new(PlayerState {
            store,
            stopped,
            sound: RefCell::default(),
            output: RefCell::default(),
            playing: Cell::new(false),
            position: Cell::new(0.0),
            anchor: Cell::new(0.0),
            next: Cell::new((0, 0.0)),
            epoch: Cell::new(0),
            busy: Cell::new(false),
            still: Cell::new((0, -1.0)),
            timer: RefCell::default(),
        }))
    }

    /// Says what is to be heard from now on. Another take begins at its start; another voice of the same one continues
    /// in place.
    pub fn set(&self, sound: Option<Sound>) {
        let other = {
            let old = self.0.sound.borrow();
            old.as_ref().map(|sound| sound.take) != sound.as_ref().map(|sound| sound.take)
        };
        if other {
            self.pause();
            self.0.position.set(0.0);
        }
        if let (Some(output), Some(sound)) = (self.0.output.borrow().as_ref(), &sound) {
            for (gain, value) in output.gains.iter().zip(&sound.gains) {
                let now = output.context.current_time();
                let _ = gain.gain().set_target_at_time(*value, now, FADE_SECONDS / 3.0);
            }
        }
        *self.0.sound.borrow_mut() = sound;
    }

    /// Where it stands, in seconds.
    pub fn position(&self) -> f64 {
        let inner = &self.0;
        let output = inner.output.borrow();
        match output.as_ref().filter(|_| inner.playing.get()) {
            Some(output) => {
                let now = output.context.current_time();
                // It waits where nothing has been handed over yet.
                let heard = now.min(inner.next.get().1) - inner.anchor.get();
                inner.position.get() + heard.max(0.0)
            }
            None => inner.position.get(),
        }
    }

    /// Plays from where it stands; from the start, if that is the end.
    pub fn play(&self) {
        let inner = &self.0;
        let Some(sound) = inner.sound.borrow().clone() else { return };
        if let Some(end) = sound.end
            && self.position() >= end as f64 / f64::from(sound.sample_rate_hz) - 0.01
        {
            inner.position.set(0.0);
        }
        if self.prepare(&sound).is_none() {
            inner.stopped.emit(true);
            return;
        }
        inner.playing.set(true);
        inner.still.set((0, -1.0));
        self.restart();
        let this = self.clone();
        *inner.timer.borrow_mut() = Some(Interval::new(TICK_MS, move || this.look()));
    }

    /// Stops, and keeps the place.
    pub fn pause(&self) {
        let inner = &self.0;
        inner.position.set(self.position());
        inner.playing.set(false);
        inner.epoch.set(inner.epoch.get() + 1);
        inner.timer.borrow_mut().take();
        self.silence();
    }

    /// Goes to a time in seconds.
    pub fn seek(&self, seconds: f64) {
        self.0.position.set(seconds);
        if self.0.playing.get() {
            self.restart();
        }
    }

    /// Lets go of what was handed over.
    fn silence(&self) {
        if let Some(output) = self.0.output.borrow_mut().as_mut() {
            for source in output.sources.drain(..) {
                #[expect(deprecated, reason = "the name in web-sys of the method that all nodes of this kind have")]
                let _ = source.stop();
                let _ = source.disconnect();
            }
        }
    }

    /// Sees to a context of the sound's rate, so that nothing is resampled piece by piece, and gains for its tracks.
    fn prepare(&self, sound: &Sound) -> Option<()> {
        let mut output = self.0.output.borrow_mut();
        if let Some(old) = output.take_if(|output| output.sample_rate_hz != sound.sample_rate_hz) {
            let _ = old.context.close();
        }
        if output.is_none() {
            let options = AudioContextOptions::new();
            options.set_sample_rate(sound.sample_rate_hz as f32);
            // Browsers do not take every rate; then they resample.
            let context = AudioContext::new_with_context_options(&options).or_else(|_| AudioContext::new()).ok()?;
            *output =
                Some(Output { context, sample_rate_hz: sound.sample_rate_hz, gains: Vec::new(), sources: Vec::new() });
        }
        let output = output.as_mut()?;
        while output.gains.len() < sound.gains.len() {
            let gain = output.context.create_gain().ok()?;
            gain.connect_with_audio_node(&output.context.destination()).ok()?;
            output.gains.push(gain);
        }
        for (index, gain) in output.gains.iter().enumerate() {
            gain.gain().set_value(sound.gains.get(index).copied().unwrap_or(0.0));
        }
        // Browsers keep it waiting until somebody has pressed something.
        let _ = output.context.resume();
        Some(())
    }

    /// Begins anew at the position.
    fn restart(&self) {
        let inner = &self.0;
        self.silence();
        inner.epoch.set(inner.epoch.get() + 1);
        let (Some(sound), Some(now)) =
            (inner.sound.borrow().clone(), inner.output.borrow().as_ref().map(|output| output.context.current_time()))
        else {
            return;
        };
        let frame = inner.position.get() * f64::from(sound.sample_rate_hz);
        let piece = (frame / sound.piece_length as f64) as usize;
        inner.anchor.set(now + START_SECONDS);
        inner.next.set((piece, now + START_SECONDS));
        self.tick();
    }

    /// Keeps it playing, or gives up where nothing sounds: there is no device, or the browser does not let us.
    fn look(&self) {
        let inner = &self.0;
        let Some(now) = inner.output.borrow().as_ref().map(|output| output.context.current_time()) else { return };
        let (count, at) = inner.still.get();
        inner.still.set(if now == at { (count + 1, at) } else { (0, now) });
        if count > MOST_STILL {
            self.pause();
            inner.stopped.emit(true);
        } else {
            self.tick();
        }
    }

    /// Hands over what is due soon.
    fn tick(&self) {
        let inner = &self.0;
        let (Some(sound), Some(now)) =
            (inner.sound.borrow().clone(), inner.output.borrow().as_ref().map(|output| output.context.current_time()))
        else {
            return;
        };
        let (piece, due) = inner.next.get();
        let start = piece as u64 * sound.piece_length;
        if sound.end.is_some_and(|end| start >= end) {
            if now >= due {
                self.pause();
                inner.position.set(sound.end.unwrap_or(0) as f64 / f64::from(sound.sample_rate_hz));
                inner.stopped.emit(false);
            }
            return;
        }
        if !inner.playing.get() || inner.busy.get() || due - now > AHEAD_SECONDS {
            return;
        }
        inner.busy.set(true);
        let (this, epoch) = (self.clone(), inner.epoch.get());
        spawn_local(async move {
            this.hand_over(&sound, piece, epoch).await;
            this.0.busy.set(false);
            if this.0.playing.get() && (this.0.epoch.get() != epoch || this.0.next.get().0 > piece) {
                this.tick();
            }
        });
    }

    /// Hands a piece of every track that has it to the browser, if those that are heard have it.
    async fn hand_over(&self, sound: &Sound, piece: usize, epoch: u32) {
        let inner = &self.0;
        let channels = sound.channels;
        let mut tracks = Vec::new();
        for (track, gain) in sound.gains.iter().enumerate() {
            let samples = inner.store.piece(sound.take, track, piece).await;
            if samples.is_none() && *gain != 0.0 {
                return;
            }
            tracks.push(samples);
        }
        let mut output = inner.output.borrow_mut();
        let Some(output) = output.as_mut().filter(|_| inner.playing.get() && inner.epoch.get() == epoch) else {
            return;
        };
        let rate = f64::from(sound.sample_rate_hz);
        let start = piece as f64 * sound.piece_length as f64 / rate;
        let now = output.context.current_time();
        let (_, mut due) = inner.next.get();
        if due < now {
            // It had to wait, or the browser was busy: the clock stood still.
            inner.position.set(inner.position.get() + due - inner.anchor.get());
            due = now + START_SECONDS;
            inner.anchor.set(due);
        }
        let place = inner.position.get() + due - inner.anchor.get();
        let offset = (place - start).max(0.0);
        let mut seconds: f64 = 0.0;
        for (samples, gain) in tracks.iter().zip(&output.gains) {
            let Some(samples) = samples else { continue };
            let length = samples.len() / channels;
            let buffer = output.context.create_buffer(channels as u32, length as u32, sound.sample_rate_hz as f32);
            let (Ok(buffer), Ok(source)) = (buffer, output.context.create_buffer_source()) else { continue };
            fill(&buffer, samples, length);
            source.set_buffer(Some(&buffer));
            let _ = source.connect_with_audio_node(gain);
            let _ = source.start_with_when_and_grain_offset(due, offset);
            seconds = seconds.max(length as f64 / rate);
            output.sources.push(source);
        }
        // Those of the pieces before the last have ended.
        let surplus = output.sources.len().saturating_sub(4 * sound.gains.len());
        output.sources.drain(..surplus);
        inner.next.set((piece + 1, due + (seconds - offset).max(0.0)));
    }
}

fn fill(buffer: &AudioBuffer, planar: &[f32], length: usize) {
    for (channel, samples) in planar.chunks_exact(length.max(1)).enumerate() {
        let _ = buffer.copy_to_channel(samples, channel as i32);
    }
}
