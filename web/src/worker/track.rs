//! A track on its way to the page, cut into pieces.

use js_sys::Float32Array;
use web::protocol::PIECE_SECONDS;
use web::protocol::engine::Response;

use crate::browser::post_samples;
use crate::source::TrackFormat;

/// A track on its way to the page.
pub struct TrackSender {
    id: u32,
    number: usize,
    piece_length: usize,
    /// Samples per channel that the page has.
    posted: u64,
    /// Samples per channel that came since the last start over, from its place on.
    position: u64,
    /// What is to be posted next, as far as it came.
    waiting: Vec<Vec<f32>>,
    /// The mean of the channels of what was posted, where somebody wants it.
    mean: Option<Vec<f32>>,
}

impl TrackSender {
    /// Track number `number` of take `id`, of which the page has `posted` samples.
    pub fn new(id: u32, number: usize, format: TrackFormat, posted: u64) -> Self {
        Self {
            id,
            number,
            piece_length: (PIECE_SECONDS * format.sample_rate_hz) as usize,
            posted,
            position: posted,
            waiting: vec![Vec::new(); format.channels],
            mean: None,
        }
    }

    /// The same, keeping the mean of its channels.
    pub fn with_mean(self) -> Self {
        Self { mean: Some(Vec::new()), ..self }
    }

    /// The mean of its channels, as far as it is posted; nothing unless it was to be kept.
    pub fn into_mean(self) -> Vec<f32> {
        self.mean.unwrap_or_default()
    }

    /// Samples per channel that the page has.
    pub fn posted(&self) -> u64 {
        self.posted
    }

    /// What comes next is from `position` on; what the page has of that is not posted again.
    pub fn start_over(&mut self, position: u64) {
        self.position = position;
        self.waiting.iter_mut().for_each(Vec::clear);
    }

    /// Takes samples of each channel, and posts the pieces that are whole.
    pub fn push(&mut self, block: &[impl AsRef<[f32]>]) {
        let length = block.first().map_or(0, |channel| channel.as_ref().len());
        let had = self.posted.saturating_sub(self.position).min(length as u64) as usize;
        self.position += length as u64;
        for (waiting, channel) in self.waiting.iter_mut().zip(block) {
            waiting.extend_from_slice(&channel.as_ref()[had..]);
        }
        while self.waiting[0].len() >= self.piece_length {
            self.post(self.piece_length);
        }
    }

    /// Posts the rest.
    pub fn finish(&mut self) {
        match self.waiting[0].len() {
            0 => {}
            length => self.post(length),
        }
    }

    /// Posts so many of the samples that wait.
    fn post(&mut self, length: usize) {
        let samples = Float32Array::new_with_length((length * self.waiting.len()) as u32);
        for (index, channel) in self.waiting.iter().enumerate() {
            let start = (index * length) as u32;
            samples.subarray(start, start + length as u32).copy_from(&channel[..length]);
        }
        if let Some(mean) = &mut self.mean {
            let scale = 1.0 / self.waiting.len() as f32;
            mean.extend((0..length).map(|at| self.waiting.iter().map(|channel| channel[at]).sum::<f32>() * scale));
        }
        post_samples(&Response::Piece { id: self.id, track: self.number, start: self.posted }, &samples);
        self.posted += length as u64;
        self.waiting.iter_mut().for_each(|channel| drop(channel.drain(..length)));
    }
}
