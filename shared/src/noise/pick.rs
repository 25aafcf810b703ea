//! Signals put together from samples of themselves.

use burn::prelude::*;
use burn::tensor::Int;

/// `y[i] = Σ_k weight[k][i] · x[index[k][i]]` over two terms: which samples of a signal stand where, and how strongly.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// Which samples, `[term][sample]`; each index is less than the length of the signal.
    pub index: [Vec<u32>; 2],
    /// How strongly, `[term][sample]`.
    pub weight: [Vec<f32>; 2],
}

impl Pick {
    /// One term alone: samples and their weights.
    pub(crate) fn one(index: Vec<u32>, weight: Vec<f32>) -> Self {
        let len = index.len();
        Self { index: [index, vec![0; len]], weight: [weight, vec![0.0; len]] }
    }

    /// The signal put together anew.
    ///
    /// # Panics
    /// When it was made for a longer signal.
    pub fn apply(&self, signal: &[f32]) -> Vec<f32> {
        let term = |k: usize, i: usize| match self.weight[k][i] {
            // So that what is far beyond range elsewhere does not turn into NaN here.
            0.0 => 0.0,
            weight => weight * signal[self.index[k][i] as usize],
        };
        (0..signal.len()).map(|i| term(0, i) + term(1, i)).collect()
    }

    /// [`Pick::apply`] as tensor code.
    ///
    /// # Shapes
    /// `[batch, samples]` → `[batch, samples]`
    pub fn forward<B: Backend>(&self, signals: Tensor<B, 2>) -> Tensor<B, 2> {
        let device = signals.device();
        let samples = signals.dims()[1];
        let term = |k: usize| {
            let index: Vec<i32> = self.index[k].iter().map(|&index| index as i32).collect();
            let index = Tensor::<B, 1, Int>::from_data(TensorData::new(index, [samples]), &device);
            let weight = Tensor::<B, 1>::from_data(TensorData::new(self.weight[k].clone(), [samples]), &device);
            signals.clone().select(1, index) * weight.unsqueeze()
        };
        term(0) + term(1)
    }
}
