//! A recording through a network on all cores.

use std::mem;

use burn::prelude::*;
use pollster::block_on;
use rayon::prelude::*;

use super::channel::{Back, DenoisedPiece, Front, SeenPiece};
use super::{Channel, StreamOptions, check_block, start, through};
use crate::error::Result;
use crate::nn::Memory;
use crate::runner::Runner;

/// A recording being denoised with several pieces side by side, on the threads of the current rayon pool. Make one with
/// [`crate::Denoiser::parallel_stream`].
///
/// What comes out is, bit by bit, what comes out of [`super::Stream`], two blocks later: while the network computes the pieces of
/// a block, the fronts of the channels prepare the next one, and the backs complete the one before.
pub struct ParallelStream<B: Backend> {
    runner: Runner<B>,
    fronts: Vec<Front>,
    /// What a recurrent network remembers of each channel, whose pieces then go through it one after the other.
    memories: Vec<Option<Memory<B>>>,
    backs: Vec<Back>,
    block_length: usize,
    /// What the fronts made of the last block, and what the network made of the one before.
    prepared: Vec<ChannelBlock<SeenPiece>>,
    denoised: Vec<ChannelBlock<DenoisedPiece>>,
}

/// One channel of a block, between two stages.
struct ChannelBlock<P> {
    /// What came in.
    input: Vec<f32>,
    pieces: Vec<P>,
}

impl<B: Backend> ParallelStream<B> {
    pub(crate) fn new(runner: Runner<B>, options: StreamOptions, sample_rate_hz: u32, channels: usize) -> Result<Self> {
        let (mut fronts, mut memories, mut backs) = (Vec::new(), Vec::new(), Vec::new());
        for Channel { front, memory, back } in start(&runner, options, sample_rate_hz, channels)? {
            fronts.push(front);
            memories.push(memory);
            backs.push(back);
        }
        let pieces = rayon::current_num_threads().div_ceil(channels) as f64;
        let seconds = pieces * options.piece_length as f64 / f64::from(runner.sample_rate_hz());
        let block_length = (seconds * f64::from(sample_rate_hz)).ceil() as usize;
        Ok(Self { runner, fronts, memories, backs, block_length, prepared: Vec::new(), denoised: Vec::new() })
    }

    /// The shortest blocks with which every thread has a piece to compute, in samples per channel. Memory grows with the blocks.
    pub fn block_length(&self) -> usize {
        self.block_length
    }

    /// Takes a block of each channel, all of one length, any length. Gives what is denoised of each, all of one length again.
    ///
    /// # Errors
    /// As [`super::Stream::push`]. When the device fails, nothing may follow.
    pub fn push(&mut self, block: Vec<Vec<f32>>) -> Result<Vec<Vec<f32>>> {
        check_block(&block, self.fronts.len())?;
        self.advance(block, Front::push)
    }

    /// What was held back, as the recording ends here.
    ///
    /// # Errors
    /// When the device fails.
    pub fn flush(mut self) -> Result<Vec<Vec<f32>>> {
        let nothing = vec![Vec::new(); self.fronts.len()];
        let mut output = self.advance(nothing.clone(), |front, _| front.flush())?;
        // Two blocks are still under way.
        for _ in 0..2 {
            let more = self.advance(nothing.clone(), |_, _| Vec::new())?;
            output.iter_mut().zip(more).for_each(|(output, more)| output.extend(more));
        }
        self.backs.par_iter_mut().zip(&mut output).for_each(|(back, output)| back.flush(output));
        Ok(output)
    }

    /// Moves every block one stage on, all stages at the same time; `prepare` is what the fronts do.
    fn advance(
        &mut self,
        block: Vec<Vec<f32>>,
        prepare: impl Fn(&mut Front, &[f32]) -> Vec<SeenPiece> + Sync,
    ) -> Result<Vec<Vec<f32>>> {
        let Self { runner, fronts, memories, backs, prepared, denoised, .. } = self;
        let (waiting, finished) = (mem::take(prepared), mem::take(denoised));
        let mut output = vec![Vec::new(); backs.len()];
        let front = |(front, input): (&mut Front, Vec<f32>)| ChannelBlock { pieces: prepare(front, &input), input };
        let back = |((back, step), output): ((&mut Back, ChannelBlock<DenoisedPiece>), &mut Vec<f32>)| {
            back.push(&step.input, step.pieces, output);
        };
        let (through, (next, ())) = rayon::join(
            || network(runner, memories, waiting),
            || {
                rayon::join(
                    || fronts.par_iter_mut().zip(block).map(front).collect(),
                    || backs.par_iter_mut().zip(finished).zip(&mut output).for_each(back),
                )
            },
        );
        (*prepared, *denoised) = (next, through?);
        Ok(output)
    }
}

/// Takes all pieces of a block through the network.
fn network<B: Backend>(
    runner: &Runner<B>,
    memories: &mut [Option<Memory<B>>],
    steps: Vec<ChannelBlock<SeenPiece>>,
) -> Result<Vec<ChannelBlock<DenoisedPiece>>> {
    let step = |(ChannelBlock { input, pieces }, memory): (ChannelBlock<SeenPiece>, &mut Option<Memory<B>>)| {
        let pieces = match memory {
            Some(memory) => block_on(through(runner, pieces, Some(memory)))?,
            None => pieces.into_par_iter().map(|piece| block_on(piece.denoise(runner, None))).collect::<Result<_>>()?,
        };
        Ok(ChannelBlock { input, pieces })
    };
    steps.into_par_iter().zip(memories).map(step).collect()
}
