//! One channel of a stream, from its rate to the network's and back.
//!
//! ```text
//! input ─┬─ down ─┬─ leveller ── pieces ┄ network ┄ gains undone ─┬─ up ────────────── after ─┐
//!        │        └─ raw ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄─┴─ up, upper band ─ before ─┤
//!        └─────────────────────────────────────────────────────────────────────────── input ──┴─ output
//! ```
//!
//! Dots are where a [`SeenPiece`] goes from the [`Front`] through the network to the [`Back`]. The two share nothing else, so that
//! they can work at the same time.

use std::collections::VecDeque;
use std::ops::Range;

use burn::prelude::*;

use super::level::Leveller;
use super::options::StreamOptions;
use super::pieces::Pieces;
use super::silence::Silence;
use super::upper_band::UpperBand;
use crate::error::Result;
use crate::nn::Memory;
use crate::resample::Resampler;
use crate::runner::Runner;

/// A stretch of a channel on its way through the network.
pub struct SeenPiece {
    /// What the network sees, at its rate and level, with context around the stretch.
    seen: Vec<f32>,
    /// Where in `seen` the stretch is.
    range: Range<usize>,
    /// The stretch before it was levelled.
    raw: Vec<f32>,
    /// What each of its samples was multiplied by.
    gains: Vec<f64>,
}

/// A [`SeenPiece`] that has been through the network.
pub struct DenoisedPiece {
    /// The stretch at the level of the input, before and after.
    raw: Vec<f32>,
    after: Vec<f32>,
}

impl SeenPiece {
    /// Takes the piece through the network; a recurrent one remembers those before it, all of them.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn denoise<B: Backend>(
        self,
        runner: &Runner<B>,
        memory: Option<&mut Memory<B>>,
    ) -> Result<DenoisedPiece> {
        let mut after = runner.run(self.seen, memory).await?;
        after.truncate(self.range.end);
        after.drain(..self.range.start);
        let peak = f64::from(f32::MAX);
        for (sample, gain) in after.iter_mut().zip(self.gains) {
            *sample = (f64::from(*sample) / gain).clamp(-peak, peak) as f32;
        }
        Ok(DenoisedPiece { raw: self.raw, after })
    }
}

/// A channel before the network: samples in, pieces out.
pub struct Front {
    down: Resampler,
    leveller: Leveller,
    pieces: Pieces,
    /// At the network's rate: what went into the leveller, and the gains it applied.
    raw: VecDeque<f32>,
    gains: VecDeque<f64>,
}

impl Front {
    /// The start of a channel.
    ///
    /// # Errors
    /// When the rates cannot be converted.
    pub fn new<B: Backend>(runner: &Runner<B>, options: StreamOptions, sample_rate_hz: u32) -> Result<Self> {
        let network_hz = runner.sample_rate_hz();
        Ok(Self {
            down: resampler(options, sample_rate_hz, network_hz)?,
            leveller: Leveller::new(network_hz, (!options.low_latency).then_some(options.lookahead_seconds)),
            pieces: Pieces::new(runner.config(), options.piece_length),
            raw: VecDeque::new(),
            gains: VecDeque::new(),
        })
    }

    /// Takes a block; gives whatever pieces are complete.
    pub fn push(&mut self, block: &[f32]) -> Vec<SeenPiece> {
        let received = self.raw.len();
        self.down.push(block, &mut self.raw);
        self.level(received);
        self.cut(false)
    }

    /// The rest, as the signal ends here. Nothing may follow.
    pub fn flush(&mut self) -> Vec<SeenPiece> {
        let received = self.raw.len();
        self.down.flush(&mut self.raw);
        self.level(received);
        self.leveller.flush(self.pieces.input(), &mut self.gains);
        self.cut(true)
    }

    /// Levels what came since `raw` had `received` samples.
    fn level(&mut self, received: usize) {
        let (samples, gains) = (self.pieces.input(), &mut self.gains);
        for part in slices(&self.raw, received..self.raw.len()) {
            self.leveller.push(part, samples, gains);
        }
    }

    fn cut(&mut self, complete: bool) -> Vec<SeenPiece> {
        let mut pieces = Vec::new();
        while let Some((seen, range)) = self.pieces.next(complete) {
            let (seen, raw) = (seen.to_vec(), self.raw.drain(..range.len()).collect());
            pieces.push(SeenPiece { seen, raw, gains: self.gains.drain(..range.len()).collect(), range });
        }
        pieces
    }
}

/// A channel after the network: its input and the denoised pieces in, samples out.
pub struct Back {
    up: Resampler,
    /// What is above the network's band, where the recording has such a band.
    upper: Option<(UpperBand, Resampler)>,
    silence: Silence,
    /// Samples of the network's rate per sample of the input's.
    ratio: f64,
    /// Share of what the network removes that stays all the same.
    kept: f32,
    /// At the input's rate: what came in, and the network's band before and after it.
    input: VecDeque<f32>,
    before: VecDeque<f32>,
    after: VecDeque<f32>,
    emitted: u64,
}

impl Back {
    /// The start of a channel.
    ///
    /// # Errors
    /// When the rates cannot be converted.
    pub fn new<B: Backend>(runner: &Runner<B>, options: StreamOptions, sample_rate_hz: u32) -> Result<Self> {
        let network_hz = runner.sample_rate_hz();
        let up = || resampler(options, network_hz, sample_rate_hz);
        let upper = match sample_rate_hz > network_hz {
            true => Some((UpperBand::new(options.low_latency), up()?)),
            false => None,
        };
        Ok(Self {
            up: up()?,
            upper,
            silence: Silence::new(sample_rate_hz),
            ratio: f64::from(network_hz) / f64::from(sample_rate_hz),
            kept: options.kept(),
            input: VecDeque::new(),
            before: VecDeque::new(),
            after: VecDeque::new(),
            emitted: 0,
        })
    }

    /// Takes a block of the input and the pieces that the front made of it; puts what is denoised at the end of `output`.
    pub fn push(&mut self, block: &[f32], pieces: Vec<DenoisedPiece>, output: &mut Vec<f32>) {
        self.input.extend(block);
        pieces.into_iter().for_each(|piece| self.take(piece));
        self.emit(false, output);
    }

    /// Puts the rest at the end of `output`, as all pieces have come. Nothing may follow.
    pub fn flush(&mut self, output: &mut Vec<f32>) {
        self.up.flush(&mut self.after);
        if let Some((upper, up)) = &mut self.upper {
            upper.flush();
            up.flush(&mut self.before);
        }
        self.emit(true, output);
    }

    fn take(&mut self, DenoisedPiece { raw, after }: DenoisedPiece) {
        self.up.push(&after, &mut self.after);
        if let Some((upper, up)) = &mut self.upper {
            upper.push(&raw, &after);
            up.push(&raw, &mut self.before);
        }
    }

    /// Puts together what has gone all the ways.
    fn emit(&mut self, complete: bool, output: &mut Vec<f32>) {
        let mut ready = self.input.len().min(self.after.len());
        if let (Some((upper, _)), false) = (&self.upper, complete) {
            let known = (upper.known() as f64 / self.ratio) as u64;
            ready = ready.min(self.before.len()).min(known.saturating_sub(self.emitted) as usize);
        }
        for _ in 0..ready {
            let next = |queue: &mut VecDeque<f32>| queue.pop_front().unwrap_or_default();
            let (input, mut denoised) = (next(&mut self.input), next(&mut self.after));
            if let Some((upper, _)) = &mut self.upper {
                let gain = upper.gain(self.emitted as f64 * self.ratio);
                denoised += gain * (input - next(&mut self.before));
            }
            denoised *= self.silence.gain(input);
            output.push(denoised + self.kept * (input - denoised));
            self.emitted += 1;
        }
    }
}

fn resampler(options: StreamOptions, from_hz: u32, to_hz: u32) -> Result<Resampler> {
    if options.low_latency { Resampler::low_latency(from_hz, to_hz) } else { Resampler::new(from_hz, to_hz) }
}

/// Input samples that a channel holds back, at most.
pub fn latency(front: &Front, back: &Back) -> usize {
    let upper = back.upper.as_ref().map_or(0, |(upper, _)| upper.latency());
    let at_network = front.leveller.latency() + front.pieces.latency() + upper.max(back.up.latency());
    // One more for what falls between two samples of the other rate.
    front.down.latency() + (at_network as f64 / back.ratio).ceil() as usize + 1
}

/// The stretch of a queue, in the one or two parts in which it lies in memory.
fn slices(queue: &VecDeque<f32>, range: Range<usize>) -> [&[f32]; 2] {
    let (head, tail) = queue.as_slices();
    let part = |slice: &[f32], before: usize| {
        let start = range.start.saturating_sub(before).min(slice.len());
        let end = range.end.saturating_sub(before).min(slice.len());
        start..end
    };
    [&head[part(head, 0)], &tail[part(tail, head.len())]]
}
