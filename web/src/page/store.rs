//! The tracks of all takes, as the browser keeps them: in pieces, as blobs that it moves to disk when there are many.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Float32Array};
use media::Spec;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web::mix::Levels;
use web_sys::Blob;

/// Pieces that are kept in our own memory, those read last.
const MOST_RECENT: usize = 16;

/// A piece of a track: samples of every channel, one channel after the other.
pub type Planar = Rc<Vec<f32>>;

/// The tracks of all takes.
#[derive(Clone, Default)]
pub struct TrackStore(Rc<RefCell<StoredTakes>>);

#[derive(Default)]
struct StoredTakes {
    takes: HashMap<u32, StoredTracks>,
    recent: VecDeque<(PieceKey, Planar)>,
}

/// Which piece of which track of which take.
#[derive(Clone, Copy, PartialEq)]
struct PieceKey {
    take: u32,
    track: usize,
    piece: usize,
}

/// The tracks of a take.
struct StoredTracks {
    sample_rate_hz: u32,
    channels: usize,
    tracks: Vec<TrackPieces>,
    levels: Levels,
}

#[derive(Default)]
struct TrackPieces {
    pieces: Vec<Blob>,
    frames: u64,
}

impl TrackStore {
    /// Makes room for a take, unless there is.
    pub fn open(&self, take: u32, spec: &Spec) {
        self.0.borrow_mut().takes.entry(take).or_insert_with(|| StoredTracks {
            sample_rate_hz: spec.sample_rate_hz,
            channels: spec.channels,
            tracks: Vec::new(),
            levels: Levels::default(),
        });
    }

    /// Forgets a take's tracks.
    pub fn forget(&self, take: u32) {
        let mut inner = self.0.borrow_mut();
        inner.takes.remove(&take);
        inner.recent.retain(|(place, _)| place.take != take);
    }

    /// Puts a piece away; how many samples per channel of its track are there then, and the piece, unless it was there
    /// already. With `removed_from`, it is the result of a network on that track.
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
    ) -> Result<(u64, Option<Blob>), JsValue> {
        let samples = Float32Array::new(buffer).to_vec();
        let (piece, blob) = {
            let mut inner = self.0.borrow_mut();
            let Some(tracks) = inner.takes.get_mut(&take) else { return Ok((0, None)) };
            while tracks.tracks.len() <= track {
                tracks.tracks.push(TrackPieces::default());
            }
            let there = &mut tracks.tracks[track];
            if start != there.frames {
                return Ok((there.frames, None));
            }
            let blob = Blob::new_with_buffer_source_sequence(&Array::of1(buffer))?;
            let frames = (samples.len() / tracks.channels) as u64;
            there.pieces.push(blob.clone());
            there.frames += frames;
            tracks.levels.add(track, &samples);
            (there.pieces.len() - 1, blob)
        };
        if let Some(before) = removed_from
            && let Some(noisy) = self.piece(take, before, piece).await
            && noisy.len() == samples.len()
        {
            let mut inner = self.0.borrow_mut();
            if let Some(tracks) = inner.takes.get_mut(&take) {
                tracks.levels.add_pair([(before, &noisy), (track, &samples)]);
            }
        }
        Ok((self.frames(take, track), Some(blob)))
    }

    /// Samples per channel of a track that are there.
    pub fn frames(&self, take: u32, track: usize) -> u64 {
        let inner = self.0.borrow();
        inner.takes.get(&take).and_then(|tracks| tracks.tracks.get(track)).map_or(0, |track| track.frames)
    }

    /// The rate in Hz and the channels of a take.
    pub fn format(&self, take: u32) -> Option<(u32, usize)> {
        let inner = self.0.borrow();
        inner.takes.get(&take).map(|tracks| (tracks.sample_rate_hz, tracks.channels))
    }

    /// How loud the tracks of a take are.
    pub fn levels(&self, take: u32) -> Levels {
        self.0.borrow().takes.get(&take).map(|tracks| tracks.levels.clone()).unwrap_or_default()
    }

    /// A piece of a track; none if it is not there.
    pub async fn piece(&self, take: u32, track: usize, piece: usize) -> Option<Planar> {
        let place = PieceKey { take, track, piece };
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
}
