//! What a loss compares, and which samples of it count.

use core::ops::Range;

use burn::prelude::*;

/// Added to energies under a root or a division.
pub(super) const EPSILON: f64 = 1e-8;

/// A signal of a lower mean square than this, -100 dB of full scale, is silent.
const SILENCE: f64 = 1e-10;

/// A network's input, what it should have given, and what it gave: `[batch, 1, samples]` each.
pub(super) struct Signals<B: Backend> {
    pub noisy: Tensor<B, 3>,
    pub clean: Tensor<B, 3>,
    pub estimate: Tensor<B, 3>,
}

impl<B: Backend> Signals<B> {
    /// # Panics
    /// When the signals differ in shape or have several channels.
    pub fn new(noisy: Tensor<B, 3>, clean: Tensor<B, 3>, estimate: Tensor<B, 3>) -> Self {
        let expected = clean.dims();
        assert_eq!(expected[1], 1, "expected signals [batch, 1, samples], got {expected:?}");
        for (name, got) in [("noisy", noisy.dims()), ("estimate", estimate.dims())] {
            assert_eq!(got, expected, "expected {name} signals in the shape of the clean ones");
        }
        Self { noisy, clean, estimate }
    }

    /// `[batch, 1, 1]`: the root mean square of the clean signal, or of the noisy one where that is silent, or next to
    /// nothing where both are.
    pub fn level(&self) -> Tensor<B, 3> {
        let power = |x: &Tensor<B, 3>| x.clone().square().mean_dim(2);
        let clean = power(&self.clean);
        let silent = clean.clone().lower_elem(SILENCE);
        clean.mask_where(silent, power(&self.noisy)).clamp_min(SILENCE).sqrt()
    }

    /// The counted samples alone where items count the same; else the signals as they are, and the ranges.
    ///
    /// # Panics
    /// When there are more or fewer ranges than items, or a range is empty or ends after the signals.
    pub fn counted(self, counted: Option<&[Range<usize>]>) -> (Self, Option<&[Range<usize>]>) {
        let Some(ranges) = counted else { return (self, None) };
        let [batch, _, samples] = self.clean.dims();
        assert_eq!(ranges.len(), batch, "expected as many counted ranges as items");
        for range in ranges {
            assert!(!range.is_empty() && range.end <= samples, "expected samples within 0..{samples}, got {range:?}");
        }
        match ranges {
            [first, others @ ..] if others.iter().all(|range| range == first) => (self.narrow(2, first), None),
            _ => (self, Some(ranges)),
        }
    }

    /// Each item's stretch, in a batch of its own.
    pub fn stretches(self, ranges: &[Range<usize>]) -> impl Iterator<Item = Self> {
        let item = move |(item, range)| self.map(|x| x.clone().narrow(0, item, 1)).narrow(2, range);
        ranges.iter().enumerate().map(item)
    }

    /// Zeros where an item does not count, and `[batch]`, by how much that thins a mean over all samples.
    pub fn masked(self, ranges: &[Range<usize>]) -> (Self, Tensor<B, 1>) {
        let [batch, _, samples] = self.clean.dims();
        let device = self.clean.device();
        let mut mask = vec![0.0f32; batch * samples];
        for (row, range) in mask.chunks_exact_mut(samples).zip(ranges) {
            row[range.clone()].fill(1.0);
        }
        let mask = Tensor::<B, 3>::from_data(TensorData::new(mask, [batch, 1, samples]), &device);
        let dilution: Vec<f32> = ranges.iter().map(|range| samples as f32 / range.len() as f32).collect();
        (self.map(|x| x.clone() * mask.clone()), Tensor::from_data(TensorData::new(dilution, [batch]), &device))
    }

    fn map(&self, change: impl Fn(&Tensor<B, 3>) -> Tensor<B, 3>) -> Self {
        Self { noisy: change(&self.noisy), clean: change(&self.clean), estimate: change(&self.estimate) }
    }

    fn narrow(self, dim: usize, range: &Range<usize>) -> Self {
        if range.len() == self.clean.dims()[dim] {
            return self;
        }
        self.map(|x| x.clone().narrow(dim, range.start, range.len()))
    }
}
