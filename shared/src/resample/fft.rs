//! Sharp resampling in long blocks.

use std::collections::VecDeque;

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use super::greatest_common_divisor;
use crate::error::{Error, Result};

/// Input frames handed to the resampler at a time, at least: its filter's length, hence its sharpness, follows from it.
const CHUNK_LENGTH: usize = 1024;

/// [`rubato::Fft`] for blocks of any length, its delay taken off.
pub(super) struct FftResampler {
    fft: Fft<f32>,
    /// Input that does not fill a chunk yet.
    pending: Vec<f32>,
    /// One chunk of output.
    chunk: Vec<f32>,
    /// Output samples that are still the filter's delay.
    skip: usize,
}

impl FftResampler {
    pub(super) fn new(from_hz: usize, to_hz: usize) -> Result<Self> {
        // Blocks of an even length on both sides: the filter's delay is half a block, and only whole samples can be taken off.
        let even = 2 * from_hz / greatest_common_divisor(from_hz, to_hz);
        let chunk = CHUNK_LENGTH.next_multiple_of(even);
        let fft = Fft::<f32>::new(from_hz, to_hz, chunk, 1, FixedSync::Both)
            .map_err(|error| Error::audio("sampling rates", "two that can be converted", error))?;
        let (chunk, skip) = (vec![0.0; fft.output_frames_next()], fft.output_delay());
        Ok(Self { fft, pending: Vec::new(), chunk, skip })
    }

    pub(super) fn push(&mut self, block: &[f32], output: &mut VecDeque<f32>) {
        self.pending.extend_from_slice(block);
        let (input_length, output_length) = (self.fft.input_frames_next(), self.chunk.len());
        let whole = self.pending.len() / input_length * input_length;
        for input in self.pending[..whole].chunks_exact(input_length) {
            let input = SequentialSlice::new(input, 1, input_length).expect("one channel of the chunk's length");
            let mut chunk =
                SequentialSlice::new_mut(&mut self.chunk, 1, output_length).expect("one channel of the chunk's length");
            self.fft.process_into_buffer(&input, &mut chunk, None).expect("buffers of the lengths it asks for");
            let skipped = self.skip.min(output_length);
            self.skip -= skipped;
            output.extend(&self.chunk[skipped..]);
        }
        self.pending.drain(..whole);
    }

    /// Input samples that are held back, at most: a chunk that is not full, and the filter's delay, half a chunk.
    pub(super) fn latency(&self) -> usize {
        self.fft.input_frames_next() * 3 / 2
    }

    /// Input samples that make the chunk full.
    pub(super) fn wanted(&self) -> usize {
        self.fft.input_frames_next() - self.pending.len()
    }

    /// Goes back to the start of a signal.
    pub(super) fn reset(&mut self) {
        self.fft.reset();
        self.pending.clear();
        self.skip = self.fft.output_delay();
    }
}
