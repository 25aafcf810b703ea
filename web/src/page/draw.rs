//! Draws waveforms and spectrograms on canvases.

use shared::dsp::spectrum::{Spectrum, SpectrumPlan};
use shared::noise::stft::STFT;
use shared::noise::{Corruption, Drawn, NoRecordings};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{Clamped, JsCast};
use web::mix::Voice;
use web::picture::{self, Grid, RANGE_DB};
use web::settings::Task;
use web::take::Take;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use super::store::Store;

/// Up to this long a stretch is drawn from its samples, a longer one from the overview, in seconds.
const DETAIL_SECONDS: f64 = 30.0;
/// Up to this long recordings get the threshold of the report's corruptions drawn, in seconds.
pub const MOST_THRESHOLD_SECONDS: f64 = 60.0;
/// Rows of a spectrogram's picture; the browser scales it.
const HEIGHT: usize = 256;
/// Most columns of a picture.
const MOST_WIDTH: usize = 1400;

/// What is to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Number of the take, and of the run that made it.
    pub take: u32,
    /// See there.
    pub run: u32,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// Which tracks, and how much of each.
    pub voice: Voice,
    /// The stretch, in seconds.
    pub window: [f64; 2],
    /// Samples per channel that are there of the tracks.
    pub frames: u64,
    /// The corruption whose threshold is shown.
    pub corruption: Option<Corruption>,
}

impl Wish {
    /// The picture of a voice of a take.
    pub fn of(take: &Take, voice: &Voice, window: [f64; 2], corruption: Option<Corruption>) -> Option<Self> {
        let used = voice.weights.iter().zip(&take.tracks).filter(|(weight, _)| **weight != 0.0);
        Some(Self {
            take: take.id,
            run: take.run,
            sample_rate_hz: take.format?.sample_rate_hz,
            voice: voice.clone(),
            window,
            frames: used.map(|(_, track)| track.frames).min().unwrap_or(0),
            corruption,
        })
    }
}

/// The report's corruption with which a chain begins, drawn with this seed; none if it begins with something else.
pub fn first_corruption(take: &Take, chain: &shared::noise::Chain, seed: u32) -> Option<Corruption> {
    let first = shared::noise::Chain::new(chain.steps().first().cloned().into_iter().collect()).ok()?;
    if take.task != Task::Experiment || take.seconds() > MOST_THRESHOLD_SECONDS {
        return None;
    }
    if first.steps().first()?.noise.group() != shared::noise::Group::Stft {
        return None;
    }
    let drawn = first.draw(1, take.format?.sample_rate_hz, 0, seed.into(), &NoRecordings).ok()?;
    match drawn.steps().first()? {
        Drawn::Stft(corruption) => Some(*corruption),
        _ => None,
    }
}

/// Draws, and remembers what is costly.
#[derive(Clone, Default)]
pub struct Artist {
    /// The last spectrum of a whole track, with its take and run.
    spectrum: Rc<RefCell<Option<(u32, u32, u64, Rc<Spectrum>)>>>,
}

impl Artist {
    /// Draws a voice: its waveform and its spectrogram. Whether there was anything to draw.
    pub async fn draw(
        &self,
        store: &Store,
        wish: &Wish,
        waveform: &HtmlCanvasElement,
        spectrogram: &HtmlCanvasElement,
    ) -> Option<()> {
        let width = columns(spectrogram);
        let [from, to] = wish.window;
        let (extremes, mut grid) = if to - from <= DETAIL_SECONDS {
            self.detail(store, wish, width).await
        } else {
            self.overview(store, wish, width)?
        };
        let mut threshold: Vec<f32> = Vec::new();
        if let Some(corruption) = wish.corruption {
            let spectrum = self.whole(store, wish).await;
            let thresholds = corruption.thresholds(&spectrum).ok()?;
            let frames = thresholds.len();
            let rate = f64::from(wish.sample_rate_hz);
            let frame = |x: usize| {
                let seconds = from + (to - from) * (x as f64 + 0.5) / width as f64;
                ((seconds * rate / STFT.hop_length as f64).round() as usize).min(frames - 1)
            };
            grid = Grid::of_spectrum(&spectrum, (0..width).map(frame));
            threshold = (0..width).map(|x| picture::magnitude_db(thresholds[frame(x)], spectrum.bins)).collect();
        }
        // The same for all voices and stretches, so that they can be compared: the loudest of the recording as it came.
        let top_db =
            store.overview(wish.take, Some(0), |overview| overview.peak_db()).unwrap_or(0.0).max(RANGE_DB / 2.0);
        let small = |x: usize, level: f32| threshold.get(x).is_some_and(|threshold| level < *threshold);
        paint(spectrogram, width, &grid.pixels(HEIGHT, top_db, small))?;
        trace(waveform, &extremes)
    }

    async fn detail(&self, store: &Store, wish: &Wish, width: usize) -> (Vec<Option<[f32; 2]>>, Grid) {
        let rate = f64::from(wish.sample_rate_hz);
        let [from, to] = wish.window.map(|seconds| (seconds * rate).round() as i64);
        let n_fft = picture::n_fft(wish.sample_rate_hz);
        let margin = n_fft / 2;
        let mut tracks = Vec::new();
        for (track, weight) in wish.voice.weights.iter().enumerate() {
            // Those that do not count need not be read.
            let there = if *weight != 0.0 { to + margin as i64 } else { from - margin as i64 };
            tracks.push(store.mono(wish.take, track, from - margin as i64, there).await);
        }
        let length = (to - from) as usize + 2 * margin;
        tracks.iter_mut().for_each(|track| track.resize(length, 0.0));
        let tracks: Vec<&[f32]> = tracks.iter().map(Vec::as_slice).collect();
        let mut samples = web::mix::mix(&wish.voice, &tracks);
        let there = (wish.frames as i64 - from).clamp(0, to - from) as usize;
        let grid = Grid::of_samples(&samples, margin, n_fft, width);
        samples.truncate(margin + there);
        samples.drain(..margin);
        // What has not come yet is left open, not silent.
        let seen = width * there / ((to - from).max(1) as usize);
        let mut extremes = picture::extremes(&samples, seen);
        extremes.resize(width, None);
        let mut grid = grid;
        let rows = grid.rows;
        grid.levels_db[seen * rows..].fill(f32::NAN);
        (extremes, grid)
    }

    fn overview(&self, store: &Store, wish: &Wish, width: usize) -> Option<(Vec<Option<[f32; 2]>>, Grid)> {
        let used: Vec<(usize, f32)> =
            wish.voice.weights.iter().copied().enumerate().filter(|(_, weight)| *weight != 0.0).collect();
        let rate = wish.sample_rate_hz;
        let look = |track| {
            store.overview(wish.take, track, |overview| {
                (overview.extremes(rate, wish.window, width), overview.grid(rate, wish.window, width))
            })
        };
        match used.as_slice() {
            [(track, weight)] => look(Some(*track)).map(|seen| weighted(seen, *weight)),
            // What was removed has an overview of its own.
            [(_, weight), (_, minus)] if *minus == -*weight => look(None).map(|seen| weighted(seen, *weight)),
            [(before, kept), (after, share)] => {
                // Where noise is kept, the sum reaches as far as both together at most.
                let (a, b) = (weighted(look(Some(*before))?, *kept), weighted(look(Some(*after))?, *share));
                let extremes =
                    a.0.iter().zip(&b.0).map(|(a, b)| Some([(*a)?[0] + (*b)?[0], (*a)?[1] + (*b)?[1]])).collect();
                let sum = |(a, b): (&f32, &f32)| 20.0 * (10f32.powf(a / 20.0) + 10f32.powf(b / 20.0)).log10();
                let levels_db = a.1.levels_db.iter().zip(&b.1.levels_db).map(sum).collect();
                Some((extremes, Grid { rows: a.1.rows, levels_db }))
            }
            _ => None,
        }
    }

    /// The spectrum of all of a track on which the report's corruptions are made.
    async fn whole(&self, store: &Store, wish: &Wish) -> Rc<Spectrum> {
        if let Some((take, run, frames, spectrum)) = &*self.spectrum.borrow()
            && (*take, *run, *frames) == (wish.take, wish.run, wish.frames)
        {
            return spectrum.clone();
        }
        let samples = store.mono(wish.take, 0, 0, wish.frames as i64).await;
        let spectrum = Rc::new(SpectrumPlan::new(STFT).forward(&samples));
        *self.spectrum.borrow_mut() = Some((wish.take, wish.run, wish.frames, spectrum.clone()));
        spectrum
    }
}

fn weighted((extremes, grid): (Vec<Option<[f32; 2]>>, Grid), weight: f32) -> (Vec<Option<[f32; 2]>>, Grid) {
    let gain_db = 20.0 * weight.abs().max(1e-6).log10();
    let extremes = extremes.into_iter().map(|column| column.map(|edges| edges.map(|edge| edge * weight))).collect();
    let levels_db = grid.levels_db.into_iter().map(|level| (level + gain_db).max(0.0)).collect();
    (extremes, Grid { rows: grid.rows, levels_db })
}

/// How many columns a canvas is to have: as many as it has pixels on the screen.
fn columns(canvas: &HtmlCanvasElement) -> usize {
    let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio()).min(2.0);
    ((f64::from(canvas.client_width()) * ratio) as usize).clamp(64, MOST_WIDTH)
}

fn context(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

fn paint(canvas: &HtmlCanvasElement, width: usize, pixels: &[u8]) -> Option<()> {
    canvas.set_width(width as u32);
    canvas.set_height(HEIGHT as u32);
    let image = ImageData::new_with_u8_clamped_array_and_sh(Clamped(pixels), width as u32, HEIGHT as u32).ok()?;
    context(canvas)?.put_image_data(&image, 0.0, 0.0).ok()
}

/// Draws a waveform in the colour that the style sheet gives the canvas.
fn trace(canvas: &HtmlCanvasElement, extremes: &[Option<[f32; 2]>]) -> Option<()> {
    const HEIGHT: f64 = 128.0;
    canvas.set_width(extremes.len() as u32);
    canvas.set_height(HEIGHT as u32);
    let style = web_sys::window()?.get_computed_style(canvas).ok()??;
    let context = context(canvas)?;
    context.set_fill_style_str(&style.get_property_value("color").ok()?);
    let y = |sample: f32| (0.5 - 0.5 * f64::from(sample.clamp(-1.0, 1.0))) * HEIGHT;
    for (x, column) in extremes.iter().enumerate() {
        let Some([low, high]) = column else { continue };
        let (top, bottom) = (y(*high), y(*low));
        context.fill_rect(x as f64, top - 0.5, 1.0, (bottom - top).max(0.0) + 1.0);
    }
    Some(())
}
