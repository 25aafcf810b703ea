//! A recording through a network on all cores.

use std::mem;

use burn::prelude::*;
use pollster::block_on;
use rayon::prelude::*;

use super::channel::{Back, Denoised, Front, Piece};
use super::{check_block, start};
use crate::error::Result;
use crate::pipeline::Denoiser;

/// A recording being denoised with several pieces side by side. Make one with [`Denoiser::parallel_stream`].
///
/// What comes out is, bit by bit, what comes out of [`super::Stream`]. It comes later, in larger parts: blocks are collected until
/// every thread of the current rayon pool has a piece, and while the network computes those, the fronts of the channels prepare
/// the next ones and the backs complete the ones before. Memory is that of a few pieces for each thread, whatever the length.
pub struct ParallelStream<B: Backend> {
    denoiser: Denoiser<B>,
    fronts: Vec<Front>,
    backs: Vec<Back>,
    /// Samples per channel that are collected before the fronts get them.
    batch_length: usize,
    collected: Vec<Vec<f32>>,
    /// What the fronts made of the last batch, and what the network made of the one before.
    prepared: Vec<Step<Piece>>,
    denoised: Vec<Step<Denoised>>,
}

/// One channel of a batch, between two stages.
struct Step<P> {
    /// What came in.
    input: Vec<f32>,
    pieces: Vec<P>,
}

impl<B: Backend> ParallelStream<B> {
    pub(crate) fn new(denoiser: Denoiser<B>, sample_rate_hz: u32, channels: usize) -> Result<Self> {
        let (fronts, backs) = start(&denoiser, sample_rate_hz, channels)?.into_iter().unzip();
        let pieces = rayon::current_num_threads().div_ceil(channels) as f64;
        let seconds = pieces * denoiser.options().piece_length as f64 / f64::from(denoiser.sample_rate_hz());
        let batch_length = (seconds * f64::from(sample_rate_hz)).ceil() as usize;
        let collected = vec![Vec::new(); channels];
        Ok(Self { denoiser, fronts, backs, batch_length, collected, prepared: Vec::new(), denoised: Vec::new() })
    }

    /// Takes a block of each channel, all of one length, any length. Gives what is denoised of each, all of one length again:
    /// nothing, most of the time.
    ///
    /// # Errors
    /// As [`super::Stream::push`]. When the device fails, nothing may follow.
    pub fn push(&mut self, block: &[impl AsRef<[f32]>]) -> Result<Vec<Vec<f32>>> {
        check_block(block, self.fronts.len())?;
        for (collected, samples) in self.collected.iter_mut().zip(block) {
            collected.extend_from_slice(samples.as_ref());
        }
        if self.collected[0].len() < self.batch_length {
            return Ok(vec![Vec::new(); self.fronts.len()]);
        }
        self.advance()
    }

    /// What was held back, as the recording ends here.
    ///
    /// # Errors
    /// When the device fails.
    pub fn flush(mut self) -> Result<Vec<Vec<f32>>> {
        let mut output = self.advance()?;
        let more = self.advance()?;
        let rest = self.fronts.par_iter_mut().map(|front| Step { input: Vec::new(), pieces: front.flush() }).collect();
        // Two batches are on their way still, and nothing comes in any more.
        let (denoised, last) = rayon::join(
            || network(&self.denoiser, rest),
            || {
                let mut last = vec![Vec::new(); self.backs.len()];
                complete(&mut self.backs, mem::take(&mut self.denoised), &mut last);
                last
            },
        );
        for part in [more, last] {
            output.iter_mut().zip(part).for_each(|(output, part)| output.extend(part));
        }
        self.backs.par_iter_mut().zip(denoised?).zip(&mut output).for_each(|((back, step), output)| {
            back.flush(step.pieces, output);
        });
        Ok(output)
    }

    /// Moves every batch one stage on, all stages at the same time.
    fn advance(&mut self) -> Result<Vec<Vec<f32>>> {
        let Self { denoiser, fronts, backs, collected, prepared, denoised, .. } = self;
        let (waiting, finished) = (mem::take(prepared), mem::take(denoised));
        let mut output = vec![Vec::new(); backs.len()];
        let (through, next) = rayon::join(
            || network(denoiser, waiting),
            || {
                let prepare = |(front, collected): (&mut Front, &mut Vec<f32>)| {
                    let input = mem::take(collected);
                    Step { pieces: front.push(&input), input }
                };
                rayon::join(
                    || fronts.par_iter_mut().zip(collected).map(prepare).collect(),
                    || complete(backs, finished, &mut output),
                )
                .0
            },
        );
        (*prepared, *denoised) = (next, through?);
        Ok(output)
    }
}

/// Takes all pieces of a batch through the network.
fn network<B: Backend>(denoiser: &Denoiser<B>, batch: Vec<Step<Piece>>) -> Result<Vec<Step<Denoised>>> {
    // A module can be sent to another thread, not shared between threads; a clone shares the weights.
    let through = |(denoiser, piece): (Denoiser<B>, Piece)| block_on(piece.denoise(&denoiser));
    let mut inputs = Vec::new();
    let mut counts = Vec::new();
    let mut pieces = Vec::new();
    for step in batch {
        inputs.push(step.input);
        counts.push(step.pieces.len());
        pieces.extend(step.pieces.into_iter().map(|piece| (denoiser.clone(), piece)));
    }
    let mut denoised = pieces.into_par_iter().map(through).collect::<Result<Vec<_>>>()?.into_iter();
    let step = |(input, count)| Step { input, pieces: denoised.by_ref().take(count).collect() };
    Ok(inputs.into_iter().zip(counts).map(step).collect())
}

/// Brings a batch back to the rate of the input, at the end of `output`.
fn complete(backs: &mut [Back], batch: Vec<Step<Denoised>>, output: &mut [Vec<f32>]) {
    backs.par_iter_mut().zip(batch).zip(output).for_each(|((back, step), output)| {
        back.push(&step.input, step.pieces, output);
    });
}
