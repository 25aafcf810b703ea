//! A network over a signal of any length, piece by piece.

use std::ops::Range;

use crate::nn::NetworkConfig;

/// Cuts a signal into pieces that join to what the network would make of the whole.
pub struct Pieces {
    cut: Cut,
    /// Samples of the signal that a piece brings on.
    length: usize,
    /// The signal from `first` on.
    samples: Vec<f32>,
    first: usize,
    /// Where the next piece starts.
    start: usize,
    /// Where the signal ends, once that is known.
    end: Option<usize>,
}

/// What a piece needs to be seen with.
enum Cut {
    /// As many samples on either side as the receptive field reaches. Pieces start where the network's strides would have
    /// started.
    Context(usize),
    /// Nothing: the network remembers. What comes out is `delay` samples late, and only whole hops go in.
    Memory { delay: usize, hop_length: usize },
}

impl Pieces {
    /// Pieces of at least `length` samples apart from their context, at the start of a signal.
    pub fn new(config: &NetworkConfig, length: usize) -> Self {
        let hop_length = config.alignment();
        let cut = match config.receptive_field() {
            Some(_) => Cut::Context(config.context()),
            None => Cut::Memory { delay: config.latency() - hop_length, hop_length },
        };
        Self {
            cut,
            length: length.max(1).next_multiple_of(hop_length),
            samples: Vec::new(),
            first: 0,
            start: 0,
            end: None,
        }
    }

    /// Samples that are held back, at most.
    pub fn latency(&self) -> usize {
        self.length
            + match self.cut {
                Cut::Context(context) => context,
                Cut::Memory { delay, .. } => delay,
            }
    }

    /// Where new samples of the signal go, at the end.
    pub fn input(&mut self) -> &mut Vec<f32> {
        &mut self.samples
    }

    /// What the network is to see of the next piece, and where in its output the piece is: once all that it needs is there, or
    /// whatever is there when the signal is `complete`. Pieces of a recurrent network must all go through it, in order, even
    /// those that give nothing yet.
    pub fn next(&mut self, complete: bool) -> Option<(&[f32], Range<usize>)> {
        match self.cut {
            Cut::Context(context) => self.with_context(context, complete),
            Cut::Memory { delay, hop_length } => self.remembered(delay, hop_length, complete),
        }
    }

    fn with_context(&mut self, context: usize, complete: bool) -> Option<(&[f32], Range<usize>)> {
        // What lies before this piece's context is not needed any more.
        self.forget(self.start.saturating_sub(context));
        let received = self.first + self.samples.len();
        let end = match received >= self.start + self.length + context {
            true => self.start + self.length,
            false if complete => received.min(self.start + self.length),
            false => return None,
        };
        if end <= self.start {
            return None;
        }
        let range = self.start - self.first..end - self.first;
        let last = (end + context).min(received);
        self.start = end;
        Some((&self.samples[..last - self.first], range))
    }

    fn remembered(&mut self, delay: usize, hop_length: usize, complete: bool) -> Option<(&[f32], Range<usize>)> {
        self.forget(self.start);
        let received = self.start + self.samples.len();
        if complete && received > 0 {
            self.end.get_or_insert(received);
        }
        // The last samples come out when silence has followed them.
        let left = self.end.map_or(received, |end| end + delay).saturating_sub(self.start);
        let count = match left >= self.length {
            true => self.length,
            false if self.end.is_some() && left > 0 => left.next_multiple_of(hop_length),
            false => return None,
        };
        if self.samples.len() < count {
            self.samples.resize(count, 0.0);
        }
        let range = delay.saturating_sub(self.start).min(count)..self.end.map_or(count, |_| left.min(count));
        self.start += count;
        Some((&self.samples[..count], range))
    }

    /// Drops what lies before `position`.
    fn forget(&mut self, position: usize) {
        self.samples.drain(..position - self.first);
        self.first = position;
    }
}
