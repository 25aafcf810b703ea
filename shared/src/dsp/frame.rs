//! Cutting signals into overlapping frames and adding them back, at a cost linear in length and with a gradient.

use burn::tensor::{Tensor, backend::Backend, ops::PadMode};

/// Overlapping frames of a signal.
///
/// Built from `n_fft / hop_length` shifted views of the signal in blocks of one hop, because the gradient of Burn's `unfold`
/// visits frames one by one.
///
/// # Shapes
/// `[batch, (frames + n_fft / hop_length - 1) * hop_length]` → `[batch, frames, n_fft]`
///
/// # Panics
/// When `hop_length` does not divide `n_fft` and the signal, or the signal is shorter than a frame.
pub fn frame<B: Backend>(signal: Tensor<B, 2>, n_fft: usize, hop_length: usize) -> Tensor<B, 3> {
    let [batch, samples] = signal.dims();
    let overlap = n_fft / hop_length;
    assert!(n_fft.is_multiple_of(hop_length) && samples.is_multiple_of(hop_length) && samples >= n_fft);
    let frames = samples / hop_length + 1 - overlap;
    let blocks = signal.reshape([batch, samples / hop_length, hop_length]);
    Tensor::cat((0..overlap).map(|shift| blocks.clone().narrow(1, shift, frames)).collect(), 2)
}

/// The sum of overlapping frames; the adjoint of [`frame`].
///
/// # Shapes
/// `[batch, frames, n_fft]` → `[batch, (frames + n_fft / hop_length - 1) * hop_length]`
///
/// # Panics
/// When `hop_length` does not divide `n_fft`.
pub fn overlap_add<B: Backend>(frames: Tensor<B, 3>, hop_length: usize) -> Tensor<B, 2> {
    let [batch, count, n_fft] = frames.dims();
    let overlap = n_fft / hop_length;
    assert!(n_fft.is_multiple_of(hop_length));
    let shifted = |shift: usize| {
        frames
            .clone()
            .narrow(2, shift * hop_length, hop_length)
            .pad([(0, 0), (shift, overlap - 1 - shift), (0, 0)], PadMode::Constant(0.0))
    };
    (1..overlap)
        .fold(shifted(0), |sum, shift| sum + shifted(shift))
        .reshape([batch, (count + overlap - 1) * hop_length])
}
