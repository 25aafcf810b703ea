//! The tracks that pictures are made of: from afar, and from their samples.

use std::collections::HashMap;

use exhibit::spectrogram::Grid;
use exhibit::{spectrogram, waveform};
use js_sys::Float32Array;
use shared::dsp::spectrum::{Spectrum, SpectrumPlan};
use shared::noise::stft::STFT;
use shared::noise::{Chain, Corruption, DrawnStep, NoRecordings};
use web::mix::{mean, mix};
use web::overview::Overview;
use web::protocol::painter::Wish;
use web::steps::Steps;
use web_sys::{Blob, FileReaderSync};

/// Up to this long a stretch is drawn from its samples, a longer one from the overview, in seconds.
const DETAIL_SECONDS: f64 = 30.0;
/// Up to this long recordings get the threshold of the report's corruptions drawn, in seconds: their spectrum is held
/// whole.
const MOST_THRESHOLD_SECONDS: f64 = 60.0;
/// Rows of a spectrogram's picture; the browser scales it.
const HEIGHT: usize = 256;

/// A picture.
pub struct VoicePicture {
    /// RGBA, row after row.
    pub pixels: Vec<u8>,
    /// Lowest and highest sample of each column.
    pub extremes: Vec<Option<[f32; 2]>>,
}

/// All takes.
#[derive(Default)]
pub struct Gallery {
    takes: HashMap<u32, GalleryTake>,
    /// The last spectrum of a whole track, with the run and the length it belongs to.
    spectrum: Option<((u32, u64), Spectrum)>,
}

struct GalleryTake {
    sample_rate_hz: u32,
    channels: usize,
    tracks: Vec<GalleryTrack>,
    /// What a network removed.
    removed: Overview,
}

struct GalleryTrack {
    pieces: Vec<Blob>,
    /// Samples per channel of every piece but the last.
    piece_length: usize,
    overview: Overview,
}

impl Gallery {
    /// Looks at the next piece of a track; see [`web::protocol::painter::PainterOrder::Look`].
    pub fn look(
        &mut self,
        take: u32,
        (sample_rate_hz, channels): (u32, usize),
        track: usize,
        piece: Blob,
        removed_from: Option<usize>,
    ) {
        let Some(samples) = read(&piece) else { return };
        let take = self.takes.entry(take).or_insert_with(|| GalleryTake {
            sample_rate_hz,
            channels,
            tracks: Vec::new(),
            removed: Overview::new(sample_rate_hz),
        });
        while take.tracks.len() <= track {
            let overview = Overview::new(sample_rate_hz);
            take.tracks.push(GalleryTrack {
                pieces: Vec::new(),
                piece_length: samples.len() / channels.max(1),
                overview,
            });
        }
        let mono = mean(&samples, channels);
        let there = &mut take.tracks[track];
        there.overview.push(&mono, false);
        there.pieces.push(piece);
        let index = there.pieces.len() - 1;
        let before = removed_from.and_then(|before| take.tracks.get(before)?.pieces.get(index)).and_then(read);
        if let Some(before) = before.filter(|before| before.len() == samples.len()) {
            let difference: Vec<f32> =
                mean(&before, channels).iter().zip(&mono).map(|(noisy, clean)| noisy - clean).collect();
            take.removed.push(&difference, false);
        }
    }

    /// Nothing more of a take comes.
    pub fn finish(&mut self, take: u32) {
        if let Some(take) = self.takes.get_mut(&take) {
            take.tracks.iter_mut().for_each(|track| track.overview.push(&[], true));
            take.removed.push(&[], true);
        }
    }

    /// Forgets a take.
    pub fn forget(&mut self, take: u32) {
        self.takes.remove(&take);
        self.spectrum = None;
    }

    /// Samples per channel that are there of a voice; none if there are none.
    pub fn frames(&self, take: u32, weights: &[f32]) -> Option<u64> {
        let take = self.takes.get(&take)?;
        let frames = |track: usize| {
            let track = take.tracks.get(track)?;
            let last = track.pieces.last()?.size() as usize / size_of::<f32>() / take.channels.max(1);
            Some(((track.pieces.len() - 1) * track.piece_length + last) as u64)
        };
        used(weights).map(|(track, _)| frames(track)).min().unwrap_or_else(|| frames(0))
    }

    /// The channels of a piece of a voice; none if it is not there.
    pub fn mixed(&self, take: u32, weights: &[f32], piece: usize) -> Option<Vec<Vec<f32>>> {
        let take = self.takes.get(&take)?;
        let used: Vec<(usize, f32)> = used(weights).collect();
        let read = |(track, _): &(usize, f32)| take.tracks.get(*track)?.pieces.get(piece).and_then(read);
        // Where a voice is silent by all its weights, it is as long as the recording.
        let pieces: Vec<Vec<f32>> =
            if used.is_empty() { vec![read(&(0, 0.0))?] } else { used.iter().map(read).collect::<Option<_>>()? };
        let weights: Vec<f32> = used.iter().map(|(_, weight)| *weight).collect();
        let sum = mix(&weights, &pieces.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let length = sum.len() / take.channels.max(1);
        Some(sum.chunks(length.max(1)).map(<[f32]>::to_vec).collect())
    }

    /// The picture of a voice; none if nothing of it is there.
    pub fn paint(&mut self, wish: &Wish, width: usize) -> Option<VoicePicture> {
        let take = self.takes.get(&wish.take)?;
        let [from, to] = wish.window;
        if width == 0 || to <= from {
            return None;
        }
        let (extremes, mut grid) =
            if to - from <= DETAIL_SECONDS { take.detail(wish, width) } else { take.seen_from_afar(wish, width)? };
        // The same for all voices and stretches, so that they can be compared: the loudest of the recording as it came.
        let top_db = spectrogram::top_db([take.tracks.first()?.overview.peak_db()]);
        let rate = f64::from(take.sample_rate_hz);
        let mut threshold_db: Vec<f32> = Vec::new();
        let short = wish.frames as f64 <= MOST_THRESHOLD_SECONDS * rate;
        if let Some(corruption) =
            wish.noise.as_ref().filter(|_| short).and_then(|noise| corruption(noise, take.sample_rate_hz))
        {
            let key = (wish.run, wish.frames);
            if self.spectrum.as_ref().is_none_or(|(known, _)| *known != key) {
                let samples = take.mono(0, 0, wish.frames as i64);
                self.spectrum = Some((key, SpectrumPlan::new(STFT).forward(&samples)));
            }
            let (_, spectrum) = self.spectrum.as_ref()?;
            let thresholds = corruption.thresholds(spectrum).ok()?;
            let frame = |x: usize| {
                let seconds = from + (to - from) * (x as f64 + 0.5) / width as f64;
                ((seconds * rate / STFT.hop_length as f64).round() as usize).min(thresholds.len() - 1)
            };
            grid = Grid::of_spectrum(spectrum, (0..width).map(frame));
            threshold_db = (0..width).map(|x| spectrogram::magnitude_db(thresholds[frame(x)], spectrum.bins)).collect();
        }
        let small = |x: usize, level: f32| threshold_db.get(x).is_some_and(|threshold| level < *threshold);
        Some(VoicePicture { pixels: grid.pixels(HEIGHT, top_db, small), extremes })
    }
}

impl GalleryTake {
    /// From samples.
    fn detail(&self, wish: &Wish, width: usize) -> (Vec<Option<[f32; 2]>>, Grid) {
        let rate = f64::from(self.sample_rate_hz);
        let [from, to] = wish.window.map(|seconds| (seconds * rate).round() as i64);
        let n_fft = spectrogram::n_fft(self.sample_rate_hz);
        let margin = n_fft / 2;
        let [first, last] = [from - margin as i64, to + margin as i64];
        let weights = used(&wish.weights);
        let (tracks, weights): (Vec<Vec<f32>>, Vec<f32>) =
            weights.map(|(track, weight)| (self.mono(track, first, last), weight)).unzip();
        let samples = mix(&weights, &tracks.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let mut grid = Grid::of_samples(&samples, margin, n_fft, width);
        // What has not come yet is left open, not silent.
        let there = (wish.frames as i64 - from).clamp(0, to - from) as usize;
        let seen = width * there / (to - from).max(1) as usize;
        grid.levels_db[seen * grid.rows..].fill(f32::NAN);
        let inside = margin.min(samples.len())..(margin + there).min(samples.len());
        let mut extremes = waveform::extremes(&samples[inside], seen);
        extremes.resize(width, None);
        (extremes, grid)
    }

    /// From the overviews.
    fn seen_from_afar(&self, wish: &Wish, width: usize) -> Option<(Vec<Option<[f32; 2]>>, Grid)> {
        let rate = self.sample_rate_hz;
        let look = |overview: &Overview, weight: f32| {
            let (extremes, grid) =
                (overview.extremes(rate, wish.window, width), overview.grid(rate, wish.window, width));
            let extremes =
                extremes.into_iter().map(|column| column.map(|edges| edges.map(|edge| edge * weight))).collect();
            (extremes, grid.amplified(weight.abs()))
        };
        let used: Vec<(usize, f32)> = used(&wish.weights).collect();
        match used.as_slice() {
            [(track, weight)] => Some(look(&self.tracks.get(*track)?.overview, *weight)),
            // What was removed has an overview of its own.
            [(_, weight), (_, minus)] if *minus == -*weight => Some(look(&self.removed, *weight)),
            [(before, kept), (after, share)] => {
                let a: (Vec<Option<[f32; 2]>>, Grid) = look(&self.tracks.get(*before)?.overview, *kept);
                let b: (Vec<Option<[f32; 2]>>, Grid) = look(&self.tracks.get(*after)?.overview, *share);
                // Where noise is kept, the sum reaches as far as both together at most.
                let sum =
                    |(a, b): (&Option<[f32; 2]>, &Option<[f32; 2]>)| Some([(*a)?[0] + (*b)?[0], (*a)?[1] + (*b)?[1]]);
                Some((a.0.iter().zip(&b.0).map(sum).collect(), a.1.plus(&b.1)))
            }
            _ => None,
        }
    }

    /// The mean of the channels of a track from `from` to `to`, which may be outside it: zeros there.
    fn mono(&self, track: usize, from: i64, to: i64) -> Vec<f32> {
        let mut samples = vec![0.0; (to - from).max(0) as usize];
        let Some(track) = self.tracks.get(track).filter(|track| track.piece_length > 0) else { return samples };
        let length = track.piece_length as i64;
        let mut piece = from.max(0) / length;
        while piece * length < to {
            let Some(planar) = track.pieces.get(piece as usize).and_then(read) else { break };
            for (index, sample) in mean(&planar, self.channels).into_iter().enumerate() {
                let at = piece * length + index as i64 - from;
                if let Some(place) = usize::try_from(at).ok().and_then(|at| samples.get_mut(at)) {
                    *place = sample;
                }
            }
            piece += 1;
        }
        samples
    }
}

/// The tracks that a voice has some of, with their weights.
fn used(weights: &[f32]) -> impl Iterator<Item = (usize, f32)> {
    weights.iter().copied().enumerate().filter(|(_, weight)| *weight != 0.0)
}

/// The samples of a piece: all of the first channel, then all of the next.
fn read(piece: &Blob) -> Option<Vec<f32>> {
    let buffer = FileReaderSync::new().ok()?.read_as_array_buffer(piece).ok()?;
    Some(Float32Array::new(&buffer).to_vec())
}

/// The report's corruption with which a chain begins, drawn with its seed; none if it begins with something else.
fn corruption((steps, seed): &(Steps, u32), sample_rate_hz: u32) -> Option<Corruption> {
    let first = Chain::from_json(&steps.first().to_json()).ok()?;
    // Others may be costly to draw.
    if first.steps().first()?.noise.group() != shared::noise::NoiseGroup::Stft {
        return None;
    }
    let drawn = first.draw(1, sample_rate_hz, 0, (*seed).into(), &NoRecordings).ok()?;
    match drawn.steps().first()? {
        DrawnStep::Stft(corruption) => Some(*corruption),
        _ => None,
    }
}
