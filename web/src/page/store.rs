//! The tracks of all takes, as the browser keeps them: in pieces, as blobs that it moves to disk when there are many.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Float32Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web::mix::Levels;
use web::overview::Overview;
use web::take::Format;
use web_sys::Blob;

/// Pieces that are kept in our own memory, those read last.
const MOST_RECENT: usize = 16;

/// A piece of a track: samples of every channel, one channel after the other.
pub type Planar = Rc<Vec<f32>>;

/// The tracks of all takes.
#[derive(Clone, Default)]
pub struct Store(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    takes: HashMap<u32, Tracks>,
    recent: VecDeque<(Place, Planar)>,
}

/// Which piece of which track of which take.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    take: u32,
    track: usize,
    piece: usize,
}

/// The tracks of a take.
struct Tracks {
    sample_rate_hz: u32,
    channels: usize,
    piece_length: u64,
    tracks: Vec<TrackPieces>,
    levels: Levels,
    /// The last but one less the last: what was removed.
    removed: Overview,
}

struct TrackPieces {
    pieces: Vec<Blob>,
    frames: u64,
    overview: Overview,
}

impl Store {
    /// Makes room for a take, unless there is.
    pub fn open(&self, take: u32, format: Format, piece_length: u64) {
        self.0.borrow_mut().takes.entry(take).or_insert_with(|| Tracks {
            sample_rate_hz: format.sample_rate_hz,
            channels: format.channels,
            piece_length,
            tracks: Vec::new(),
            levels: Levels::default(),
            removed: Overview::new(format.sample_rate_hz),
        });
    }

    /// Forgets a take's tracks.
    pub fn forget(&self, take: u32) {
        let mut inner = self.0.borrow_mut();
        inner.takes.remove(&take);
        inner.recent.retain(|(place, _)| place.take != take);
    }

    /// Puts a piece away; how many samples per channel of its track are there then. A piece that is there already is left out.
    /// With `removed_from`, it is the result of a network on that track.
    ///
    /// # Errors
    /// When the browser has no room for it.
    pub async fn put(
        &self,
        take: u32,
        track: usize,
        start: u64,
        buffer: &ArrayBuffer,
        removed_from: Option<usize>,
    ) -> Result<u64, JsValue> {
        let samples = Float32Array::new(buffer).to_vec();
        let (piece, mono) = {
            let mut inner = self.0.borrow_mut();
            let Some(tracks) = inner.takes.get_mut(&take) else { return Ok(0) };
            while tracks.tracks.len() <= track {
                let overview = Overview::new(tracks.sample_rate_hz);
                tracks.tracks.push(TrackPieces { pieces: Vec::new(), frames: 0, overview });
            }
            let there = &mut tracks.tracks[track];
            if start != there.frames {
                return Ok(there.frames);
            }
            let blob = Blob::new_with_buffer_source_sequence(&Array::of1(buffer))?;
            let frames = (samples.len() / tracks.channels) as u64;
            there.pieces.push(blob);
            there.frames += frames;
            let mono = mean(&samples, tracks.channels);
            there.overview.push(&mono, false);
            tracks.levels.add(track, &samples);
            (there.pieces.len() - 1, mono)
        };
        if let Some(before) = removed_from
            && let Some(noisy) = self.piece(take, before, piece).await
            && noisy.len() == samples.len()
        {
            let mut inner = self.0.borrow_mut();
            if let Some(tracks) = inner.takes.get_mut(&take) {
                tracks.levels.add_pair([(before, &noisy), (track, &samples)]);
                let difference: Vec<f32> =
                    mean(&noisy, tracks.channels).iter().zip(&mono).map(|(noisy, clean)| noisy - clean).collect();
                tracks.removed.push(&difference, false);
            }
        }
        Ok(self.frames(take, track))
    }

    /// Nothing more comes.
    pub fn finish(&self, take: u32) {
        if let Some(tracks) = self.0.borrow_mut().takes.get_mut(&take) {
            tracks.tracks.iter_mut().for_each(|track| track.overview.push(&[], true));
            tracks.removed.push(&[], true);
        }
    }

    /// Samples per channel of a track that are there.
    pub fn frames(&self, take: u32, track: usize) -> u64 {
        let inner = self.0.borrow();
        inner.takes.get(&take).and_then(|tracks| tracks.tracks.get(track)).map_or(0, |track| track.frames)
    }

    /// How loud the tracks of a take are.
    pub fn levels(&self, take: u32) -> Levels {
        self.0.borrow().takes.get(&take).map(|tracks| tracks.levels.clone()).unwrap_or_default()
    }

    /// Looks at a track from afar; at what was removed, if `track` is none.
    pub fn overview<T>(&self, take: u32, track: Option<usize>, look: impl FnOnce(&Overview) -> T) -> Option<T> {
        let inner = self.0.borrow();
        let tracks = inner.takes.get(&take)?;
        Some(look(match track {
            Some(track) => &tracks.tracks.get(track)?.overview,
            None => &tracks.removed,
        }))
    }

    /// A piece of a track; none if it is not there.
    pub async fn piece(&self, take: u32, track: usize, piece: usize) -> Option<Planar> {
        let place = Place { take, track, piece };
        let blob = {
            let inner = self.0.borrow();
            if let Some((_, samples)) = inner.recent.iter().find(|(recent, _)| *recent == place) {
                return Some(samples.clone());
            }
            inner.takes.get(&take)?.tracks.get(track)?.pieces.get(piece)?.clone()
        };
        let buffer = JsFuture::from(blob.array_buffer()).await.ok()?;
        let samples = Rc::new(Float32Array::new(buffer.unchecked_ref()).to_vec());
        let mut inner = self.0.borrow_mut();
        inner.recent.push_back((place, samples.clone()));
        let surplus = inner.recent.len().saturating_sub(MOST_RECENT);
        inner.recent.drain(..surplus);
        Some(samples)
    }

    /// The mean of the channels of a track from `from` to `to`, which may be outside it: zeros there.
    pub async fn mono(&self, take: u32, track: usize, from: i64, to: i64) -> Vec<f32> {
        let mut samples = vec![0.0; (to - from).max(0) as usize];
        let Some((channels, piece_length)) =
            self.0.borrow().takes.get(&take).map(|tracks| (tracks.channels, tracks.piece_length as i64))
        else {
            return samples;
        };
        let mut piece = from.max(0) / piece_length;
        while piece * piece_length < to {
            let Some(planar) = self.piece(take, track, piece as usize).await else { break };
            let start = piece * piece_length;
            for (index, sample) in mean(&planar, channels).into_iter().enumerate() {
                let at = start + index as i64 - from;
                if let Some(place) = usize::try_from(at).ok().and_then(|at| samples.get_mut(at)) {
                    *place = sample;
                }
            }
            piece += 1;
        }
        samples
    }
}

/// The mean of channels that lie one after the other.
fn mean(planar: &[f32], channels: usize) -> Vec<f32> {
    if channels <= 1 {
        return planar.to_vec();
    }
    let length = planar.len() / channels;
    let share = 1.0 / channels as f32;
    let sum = |index: usize| (0..channels).map(|channel| planar[channel * length + index]).sum::<f32>();
    (0..length).map(|index| share * sum(index)).collect()
}
