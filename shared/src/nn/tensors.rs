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

/// Added to squared magnitudes under a root, so that the gradient at 0 is finite.
pub(super) const EPSILON: f64 = 1e-8;

/// Complex numbers with magnitudes raised to a power, phases kept: `S · |S|^(power - 1)`, of `[batch, 2, …]`, real parts before
/// imaginary parts.
pub(super) fn raise_magnitude<B: Backend>(spectrum: Tensor<B, 4>, power: f64) -> Tensor<B, 4> {
    if power == 1.0 {
        return spectrum;
    }
    let squares = spectrum.clone().powi_scalar(2).sum_dim(1) + EPSILON;
    spectrum * squares.powf_scalar((power - 1.0) / 2.0)
}

/// The element-wise product of two complex maps of one channel, `[batch, 2, …]` each.
pub(super) fn complex_product<B: Backend>(a: Tensor<B, 4>, b: Tensor<B, 4>) -> Tensor<B, 4> {
    let part = |x: &Tensor<B, 4>, index: usize| x.clone().narrow(1, index, 1);
    let (a_r, a_i, b_r, b_i) = (part(&a, 0), part(&a, 1), part(&b, 0), part(&b, 1));
    let real = a_r.clone() * b_r.clone() - a_i.clone() * b_i.clone();
    let imaginary = a_r * b_i + a_i * b_r;
    Tensor::cat(vec![real, imaginary], 1)
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
