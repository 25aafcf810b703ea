//! A network over a signal of any length, piece by piece.

use std::ops::Range;

use crate::nn::NetworkConfig;

/// Cuts a signal into pieces that join to what the network would make of the whole.
///
/// Every piece is seen with as much context as the receptive field reaches, and starts where the network's strides would have
/// started.
pub struct Pieces {
    context: usize,
    length: usize,
    /// The signal from `first` on.
    samples: Vec<f32>,
    first: usize,
    /// Where the next piece starts.
    start: usize,
}

impl Pieces {
    /// Pieces of at least `length` samples apart from their context, at the start of a signal.
    pub fn new(config: &NetworkConfig, length: usize) -> Self {
        Self {
            context: config.context(),
            length: length.max(1).next_multiple_of(config.alignment()),
            samples: Vec::new(),
            first: 0,
            start: 0,
        }
    }

    /// Samples that are held back, at most.
    pub fn latency(&self) -> usize {
        self.length + self.context
    }

    /// Where new samples of the signal go, at the end.
    pub fn input(&mut self) -> &mut Vec<f32> {
        &mut self.samples
    }

    /// What the network is to see of the next piece, and where in its output the piece is: once all that it needs is there, or
    /// whatever is there when the signal is `complete`.
    pub fn next(&mut self, complete: bool) -> Option<(&[f32], Range<usize>)> {
        // What lies before this piece's context is not needed any more.
        let needed = self.start.saturating_sub(self.context);
        self.samples.drain(..needed - self.first);
        self.first = needed;
        let received = self.first + self.samples.len();
        let end = match received >= self.start + self.length + self.context {
            true => self.start + self.length,
            false if complete => received.min(self.start + self.length),
            false => return None,
        };
        if end <= self.start {
            return None;
        }
        let range = self.start - self.first..end - self.first;
        let last = (end + self.context).min(received);
        self.start = end;
        Some((&self.samples[..last - self.first], range))
    }
}
