//! Convolution with a finite impulse response: by FFT on slices, as matrix products on a device.

use burn::prelude::*;
use burn::tensor::ops::PadMode;
use realfft::RealFftPlanner;

use crate::dsp::frame::frame;

/// Outputs of one row of a matrix product.
const BLOCK: usize = 512;
/// Taps of one matrix product at most; a multiple of [`BLOCK`].
const PARTITION: usize = 4 * BLOCK;

/// A finite impulse response: `y[i] = Σ_k taps[k] · x[i + origin − k]`, zeros assumed outside of the signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Fir {
    /// The response.
    pub taps: Vec<f32>,
    /// Which tap is that of delay 0; those before it answer to what is yet to come.
    pub origin: usize,
}

impl Fir {
    /// The filtered signal, of the same length: overlap-add of blocks transformed by FFT.
    pub fn apply(&self, signal: &[f32]) -> Vec<f32> {
        let taps = self.taps.len();
        if taps == 0 || signal.is_empty() {
            return vec![0.0; signal.len()];
        }
        // Blocks of about the response's own length cost least; none need be longer than all there is to do.
        let size = (4 * taps).max(1024).min(signal.len() + taps).next_power_of_two();
        let mut planner = RealFftPlanner::<f32>::new();
        let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
        let (mut time, mut response) = (forward.make_input_vec(), forward.make_output_vec());
        time[..taps].copy_from_slice(&self.taps);
        // Lengths are those of the plan; all that could fail is a wrong length.
        forward.process(&mut time, &mut response).expect("buffers made by the plan");

        let mut output = vec![0.0; signal.len() + taps - 1];
        let mut spectrum = forward.make_output_vec();
        let step = size - taps + 1;
        for (index, block) in signal.chunks(step).enumerate() {
            time.fill(0.0);
            time[..block.len()].copy_from_slice(block);
            forward.process(&mut time, &mut spectrum).expect("buffers made by the plan");
            let scale = 1.0 / size as f32;
            spectrum.iter_mut().zip(&response).for_each(|(value, gain)| *value = *value * gain * scale);
            // Both are real but for rounding, which the inverse would refuse.
            spectrum[0].im = 0.0;
            spectrum[size / 2].im = 0.0;
            inverse.process(&mut spectrum, &mut time).expect("buffers made by the plan");
            let overlapped = output[index * step..].iter_mut().zip(&time);
            overlapped.for_each(|(sum, value)| *sum += value);
        }
        (0..signal.len()).map(|i| output.get(i + self.origin).copied().unwrap_or(0.0)).collect()
    }

    /// [`Fir::apply`] as tensor code: frames of the signal times Toeplitz matrices of the response. A sample costs as many
    /// multiplications as there are taps; memory does not depend on their number.
    ///
    /// # Shapes
    /// `[batch, samples]` → `[batch, samples]`
    pub fn forward<B: Backend>(&self, signals: Tensor<B, 2>) -> Tensor<B, 2> {
        let [batch, samples] = signals.dims();
        let device = signals.device();
        let partition = self.taps.len().next_multiple_of(BLOCK).clamp(BLOCK, PARTITION);
        let all_taps = self.taps.len().next_multiple_of(partition).max(partition);
        let blocks = samples.div_ceil(BLOCK);
        let (before, after) = (all_taps.saturating_sub(self.origin), blocks * BLOCK + self.origin - samples);
        let padded = signals.pad([(0, 0), (before, after)], PadMode::Constant(0.0));
        let mut output = Tensor::<B, 3>::zeros([batch, blocks, BLOCK], &device);
        for (index, taps) in self.taps.chunks(partition).enumerate() {
            // Column n of a frame that starts `partition` samples early: taps in reverse, moved down by n.
            let mut matrix = vec![0.0; (partition + BLOCK) * BLOCK];
            for n in 0..BLOCK {
                for (delay, &tap) in taps.iter().enumerate() {
                    matrix[(n + partition - delay) * BLOCK + n] = tap;
                }
            }
            let matrix = Tensor::<B, 2>::from_data(TensorData::new(matrix, [partition + BLOCK, BLOCK]), &device);
            let start = before + self.origin - (index + 1) * partition;
            let segment = padded.clone().narrow(1, start, blocks * BLOCK + partition);
            output = output + frame(segment, partition + BLOCK, BLOCK).matmul(matrix.unsqueeze());
        }
        output.reshape([batch, blocks * BLOCK]).narrow(1, 0, samples)
    }
}
