//! Cutting a batch of items into what goes through the network at once.
//!
//! The report's two ways with recordings of any length: all padded to the longest of the batch, or cut into pieces that follow one
//! another, so that memory does not depend on their length (as Wave-U-Net's code has it). Pieces overlap by the network's context, and
//! only what is between counts: a network without batch normalisation gives there what it gives for the whole.

use std::ops::Range;

/// How a run cuts its batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Samples of a piece, without context; none for all at once.
    pub piece_length: Option<usize>,
    /// Samples on either side that a piece's output depends on.
    pub context: usize,
    /// Samples between two positions at which the network behaves the same.
    pub alignment: usize,
}

/// What goes through the network at once: a stretch of some items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPiece {
    /// The stretch.
    pub window: Range<usize>,
    /// The items that reach into it, by their numbers.
    pub rows: Vec<usize>,
    /// What of the stretch counts, for each of them.
    pub counted: Vec<Range<usize>>,
}

impl Cut {
    /// The pieces of items of these lengths. Every sample of every item counts in exactly one of them.
    pub fn pieces(&self, lengths: &[usize]) -> Vec<BatchPiece> {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let length = self.piece_length.map_or(longest, |length| length.next_multiple_of(self.alignment)).max(1);
        let piece = |start: usize| {
            let end = (start + length).min(longest);
            // Context and piece are whole numbers of alignments, so the window starts where the network is as at the beginning.
            let window = start.saturating_sub(self.context)..(end + self.context).min(longest);
            let rows: Vec<usize> = (0..lengths.len()).filter(|&row| lengths[row] > start).collect();
            let counted = rows.iter().map(|&row| start - window.start..end.min(lengths[row]) - window.start).collect();
            BatchPiece { window, rows, counted }
        };
        (0..longest).step_by(length).map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_counts_once_with_its_context_around_it() {
        let lengths = [1_000, 37, 640, 1];
        for (piece_length, context) in [(None, 96), (Some(100), 96), (Some(128), 0), (Some(5_000), 32), (Some(1), 32)] {
            let cut = Cut { piece_length, context, alignment: 32 };
            let mut counts: Vec<Vec<u32>> = lengths.iter().map(|&length| vec![0; length]).collect();
            for BatchPiece { window, rows, counted } in cut.pieces(&lengths) {
                assert_eq!(window.start % 32, 0);
                for (&row, counted) in rows.iter().zip(&counted) {
                    let stretch = window.start + counted.start..window.start + counted.end;
                    assert!(window.start <= stretch.start - stretch.start.min(context), "context before");
                    assert!(window.end >= stretch.end + (1_000 - stretch.end).min(context), "context after");
                    stretch.for_each(|sample| counts[row][sample] += 1);
                }
            }
            assert!(counts.iter().flatten().all(|&count| count == 1), "{piece_length:?}");
        }
        assert!(Cut { piece_length: None, context: 0, alignment: 1 }.pieces(&[]).is_empty());
    }
}
