//! Tensor code that several networks need.

use burn::prelude::*;
use burn::tensor::DType;

/// `[batch, channels, samples]` with zeros on both sides. Burn's own padding knows only the default precision.
pub(super) fn pad_samples<B: Backend>(x: Tensor<B, 3>, left: usize, right: usize) -> Tensor<B, 3> {
    let [batch, channels, _] = x.dims();
    let zeros = |samples: usize| Tensor::zeros([batch, channels, samples], (&x.device(), x.dtype()));
    let parts = [zeros(left), x.clone(), zeros(right)];
    Tensor::cat(parts.into_iter().filter(|part| part.dims()[2] > 0).collect(), 2)
}

/// What `compute` makes of `x`, brought to `precision` before and back after it.
pub(super) fn in_precision<B: Backend, const D: usize>(
    precision: DType,
    x: Tensor<B, D>,
    compute: impl FnOnce(Tensor<B, D>) -> Tensor<B, D>,
) -> Tensor<B, D> {
    let outside = x.dtype();
    if outside == precision {
        return compute(x);
    }
    compute(x.cast(precision)).cast(outside)
}
