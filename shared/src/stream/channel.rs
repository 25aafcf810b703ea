//! One channel of a stream, from its rate to the network's and back.

use std::collections::VecDeque;

use burn::prelude::*;

use super::level::Leveller;
use super::pieces::Pieces;
use super::silence::Silence;
use super::upper_band::UpperBand;
use crate::error::Result;
use crate::pipeline::Denoiser;
use crate::resample::Resampler;

/// The state of one channel. Samples wait in the queues between two stages, never longer than [`Channel::latency`].
///
/// ```text
/// input ─┬─ down ─┬─ leveller ── pieces, network ── gains undone ─┬─ up ────────────── after ─┐
///        │        └─ raw ─────────────────────────────────────────┴─ up, upper band ─ before ─┤
///        └─────────────────────────────────────────────────────────────────────────── input ──┴─ output
/// ```
pub struct Channel {
    down: Resampler,
    leveller: Leveller,
    pieces: Pieces,
    up_after: Resampler,
    /// What is above the network's band, where the recording has such a band.
    upper: Option<(UpperBand, Resampler)>,
    silence: Silence,
    /// Samples of the network's rate per sample of the input's.
    ratio: f64,
    /// Share of what the network removes that stays all the same.
    kept: f32,

    /// At the input's rate: what came in.
    input: VecDeque<f32>,
    /// At the network's rate: what went into the leveller, and the gains it applied.
    raw: VecDeque<f32>,
    gains: VecDeque<f64>,
    /// At the input's rate: the network's band before and after it.
    before: VecDeque<f32>,
    after: VecDeque<f32>,
    emitted: u64,
}

impl Channel {
    /// A channel at its start.
    ///
    /// # Errors
    /// When the rates cannot be converted.
    pub fn new<B: Backend>(denoiser: &Denoiser<B>, sample_rate_hz: u32) -> Result<Self> {
        let network_hz = denoiser.sample_rate_hz();
        let options = denoiser.options();
        let up = || Resampler::new(network_hz, sample_rate_hz);
        let upper = if sample_rate_hz > network_hz { Some((UpperBand::new(), up()?)) } else { None };
        Ok(Self {
            down: Resampler::new(sample_rate_hz, network_hz)?,
            leveller: Leveller::new(network_hz, options.lookahead_seconds),
            pieces: Pieces::new(denoiser.config(), options.piece_length),
            up_after: up()?,
            upper,
            silence: Silence::new(sample_rate_hz),
            ratio: f64::from(network_hz) / f64::from(sample_rate_hz),
            kept: options.kept(),
            input: VecDeque::new(),
            raw: VecDeque::new(),
            gains: VecDeque::new(),
            before: VecDeque::new(),
            after: VecDeque::new(),
            emitted: 0,
        })
    }

    /// Input samples that are held back, at most.
    pub fn latency(&self) -> usize {
        let upper = self.upper.as_ref().map_or(0, |(upper, _)| upper.latency());
        let at_network = self.leveller.latency() + self.pieces.latency() + upper.max(self.up_after.latency());
        // One more for what falls between two samples of the other rate.
        self.down.latency() + (at_network as f64 / self.ratio).ceil() as usize + 1
    }

    /// Takes a block; puts what is denoised at the end of `output`.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn push<B: Backend>(
        &mut self,
        denoiser: &Denoiser<B>,
        block: &[f32],
        output: &mut Vec<f32>,
    ) -> Result<()> {
        self.input.extend(block);
        let received = self.raw.len();
        self.down.push(block, &mut self.raw);
        self.level(received);
        self.denoise(denoiser, false).await?;
        self.emit(false, output);
        Ok(())
    }

    /// The rest, as the signal ends here. Nothing may follow.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn flush<B: Backend>(&mut self, denoiser: &Denoiser<B>, output: &mut Vec<f32>) -> Result<()> {
        let received = self.raw.len();
        self.down.flush(&mut self.raw);
        self.level(received);
        self.leveller.flush(self.pieces.input(), &mut self.gains);
        self.denoise(denoiser, true).await?;
        self.up_after.flush(&mut self.after);
        if let Some((upper, up)) = &mut self.upper {
            upper.flush();
            up.flush(&mut self.before);
        }
        self.emit(true, output);
        Ok(())
    }

    /// Levels what came since `raw` had `received` samples.
    fn level(&mut self, received: usize) {
        let (samples, gains) = (self.pieces.input(), &mut self.gains);
        for part in slices(&self.raw, received..self.raw.len()) {
            self.leveller.push(part, samples, gains);
        }
    }

    /// Runs the network over whatever pieces are there.
    async fn denoise<B: Backend>(&mut self, denoiser: &Denoiser<B>, complete: bool) -> Result<()> {
        while let Some(piece) = self.pieces.next(complete) {
            let range = piece.range;
            let mut denoised = denoiser.run(piece.input).await?;
            denoised.truncate(range.end);
            denoised.drain(..range.start);
            for sample in &mut denoised {
                let gain = self.gains.pop_front().expect("a gain for every sample");
                let peak = f64::from(f32::MAX);
                *sample = (f64::from(*sample) / gain).clamp(-peak, peak) as f32;
            }
            let raw: Vec<f32> = self.raw.drain(..denoised.len()).collect();
            self.up_after.push(&denoised, &mut self.after);
            if let Some((upper, up)) = &mut self.upper {
                upper.push(&raw, &denoised);
                up.push(&raw, &mut self.before);
            }
        }
        Ok(())
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

/// The stretch of a queue, in the one or two parts in which it lies in memory.
fn slices(queue: &VecDeque<f32>, range: core::ops::Range<usize>) -> [&[f32]; 2] {
    let (head, tail) = queue.as_slices();
    let part = |slice: &[f32], before: usize| {
        let start = range.start.saturating_sub(before).min(slice.len());
        let end = range.end.saturating_sub(before).min(slice.len());
        start..end
    };
    [&head[part(head, 0)], &tail[part(tail, head.len())]]
}
