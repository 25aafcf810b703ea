//! Two-dimensional convolutions, plain and transposed, as matrix products over overlapping views.
//!
//! A feature map is `[batch, time, frequency, channels]`. In a padded map the taps of a kernel along frequency are neighbours in
//! memory, so all windows of a row together are one matrix of overlapping rows: a view. A convolution is then the sum over the
//! taps along time of one product each, with every `stride`-th row of the map, and nothing is gathered.
//!
//! A transposed convolution with stride `s` is `s²` ordinary ones without stride: the outputs at `s q + a`, for each phase `a`
//! of either axis, see only every `s`-th tap (Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution Using an
//! Efficient Sub-Pixel Convolutional Neural Network"). No zero is multiplied and nothing is scattered.

use burn::prelude::*;
use burn::tensor::Slice;

/// Values that lie at every `step`-th place of a larger map, from `start` on; both `[time, frequency]`.
#[derive(Clone, Debug)]
pub(super) struct Piece<B: Backend> {
    /// `[batch, time, frequency, channels]`
    pub(super) values: Tensor<B, 4>,
    pub(super) start: [usize; 2],
    pub(super) step: [usize; 2],
    /// Where its channels start in the larger map.
    pub(super) channel: usize,
}

impl<B: Backend> Piece<B> {
    /// A map that has no gaps.
    pub(super) fn whole(values: Tensor<B, 4>) -> Self {
        Self { values, start: [0, 0], step: [1, 1], channel: 0 }
    }
}

/// A map of `size`, `[time, frequency]`, from pieces, with zeros before and after.
pub(super) fn assemble<B: Backend>(
    pieces: Vec<Piece<B>>,
    [time, frequency]: [usize; 2],
    channels: usize,
    padding: [[usize; 2]; 2],
) -> Tensor<B, 4> {
    let [[t_before, t_after], [f_before, f_after]] = padding;
    let [batch, ..] = pieces[0].values.dims();
    let (rows, columns) = (t_before + time + t_after, f_before + frequency + f_after);
    let mut map = Tensor::zeros([batch, rows, columns, channels], &pieces[0].values.device());
    for Piece { values, start: [t, f], step, channel } in pieces {
        let [_, count_t, count_f, width] = values.dims();
        if step[1] == 1 && width == channels {
            // Whole rows are copied at once.
            let first = (f_before + f) * channels;
            let slices = [all(), steps(t_before + t, count_t, step[0]), steps(first, count_f * channels, 1)];
            let values = values.reshape([batch, count_t, count_f * channels]);
            let flat = map.reshape([batch, rows, columns * channels]).slice_assign(slices, values);
            map = flat.reshape([batch, rows, columns, channels]);
        } else {
            let slices = [
                all(),
                steps(t_before + t, count_t, step[0]),
                steps(f_before + f, count_f, step[1]),
                steps(channel, width, 1),
            ];
            map = map.slice_assign(slices, values);
        }
    }
    map
}

fn all() -> Slice {
    Slice::full()
}

/// `count` places from `start` on, `step` apart.
fn steps(start: usize, count: usize, step: usize) -> Slice {
    Slice::new(start as isize, Some((start + (count - 1) * step + 1) as isize), step as isize)
}

/// How one axis of a window lies in the padded map: output `q` sees `taps` places from `start + step * q` on.
#[derive(Clone, Debug)]
struct Window {
    start: usize,
    step: usize,
    /// Indices into the kernel, in the order of the places.
    taps: Vec<usize>,
    /// The outputs' phase.
    phase: usize,
}

/// A real convolution or transposed convolution with bias, padded by `(kernel - 1) / 2`.
#[derive(Clone, Debug)]
pub(super) struct Convolution<B: Backend> {
    parts: Vec<Part<B>>,
    /// `[1, 1, 1, output]`
    bias: Option<Tensor<B, 4>>,
    input: usize,
    output: usize,
    /// Along time, then frequency: zeros before and after the map.
    padding: [[usize; 2]; 2],
    stride: [usize; 2],
    transposed: bool,
}

/// One product for each tap along time.
#[derive(Clone, Debug)]
struct Part<B: Backend> {
    /// For each tap along time `[1, 1, frequency_taps * input, output]`.
    kernels: Vec<Tensor<B, 4>>,
    time: Window,
    frequency: Window,
}

impl<B: Backend> Convolution<B> {
    /// From a kernel `[output, input, kernel_frequency, kernel_time]` with odd sizes, and `stride` along `[frequency, time]`.
    /// `transposed`: the adjoint's geometry, the kernel's channels in the same order.
    pub(super) fn new(kernel: Tensor<B, 4>, bias: Option<Tensor<B, 1>>, stride: [usize; 2], transposed: bool) -> Self {
        let [output, input, k_f, k_t] = kernel.dims();
        let [s_f, s_t] = stride;
        let windows = if transposed { transposed_windows } else { plain_windows };
        let ((times, t_padding), (frequencies, f_padding)) = (windows(k_t, s_t), windows(k_f, s_f));
        let kernel = kernel.permute([3, 2, 1, 0]); // [k_t, k_f, input, output]
        let pick = |kernel: Tensor<B, 4>, dim: usize, taps: &[usize]| {
            let indices: Vec<i32> = taps.iter().map(|&tap| tap as i32).collect();
            kernel.clone().select(dim, Tensor::from_ints(indices.as_slice(), &kernel.device()))
        };
        let mut parts = Vec::new();
        for time in &times {
            for frequency in &frequencies {
                // A stride wider than the kernel leaves phases that no tap reaches.
                if time.taps.is_empty() || frequency.taps.is_empty() {
                    parts.push(Part { kernels: Vec::new(), time: time.clone(), frequency: frequency.clone() });
                    continue;
                }
                let kernel = pick(pick(kernel.clone(), 0, &time.taps), 1, &frequency.taps);
                let tap =
                    |index| kernel.clone().narrow(0, index, 1).reshape([1, 1, frequency.taps.len() * input, output]);
                parts.push(Part {
                    kernels: (0..time.taps.len()).map(tap).collect(),
                    time: time.clone(),
                    frequency: frequency.clone(),
                });
            }
        }
        Self {
            parts,
            bias: bias.map(|bias| bias.reshape([1, 1, 1, output])),
            input,
            output,
            padding: [t_padding, f_padding],
            stride: [s_t, s_f],
            transposed,
        }
    }

    /// The size, `[time, frequency]`, of the output for an input of that size.
    pub(super) fn output_size(&self, size: [usize; 2]) -> [usize; 2] {
        let axis = |axis: usize| {
            let (size, stride) = (size[axis] - 1, self.stride[axis]);
            1 + if self.transposed { size * stride } else { size / stride }
        };
        [axis(0), axis(1)]
    }

    /// The output for an input of `size`, `[time, frequency]`, given in pieces: one for each phase.
    pub(super) fn forward(&self, pieces: Vec<Piece<B>>, size: [usize; 2]) -> Vec<Piece<B>> {
        let map = assemble(pieces, size, self.input, self.padding);
        let [time, frequency] = self.output_size(size);
        let step = if self.transposed { self.stride } else { [1, 1] };
        let mut outputs = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let start = [part.time.phase, part.frequency.phase];
            if start[0] >= time || start[1] >= frequency {
                continue;
            }
            let counts = [(time - start[0]).div_ceil(step[0]), (frequency - start[1]).div_ceil(step[1])];
            let values = part.forward(&map, counts);
            let nothing = || Tensor::zeros([map.dims()[0], counts[0], counts[1], self.output], &map.device());
            let values = values.unwrap_or_else(nothing);
            let values = match &self.bias {
                Some(bias) => values + bias.clone(),
                None => values,
            };
            outputs.push(Piece { values, start, step, channel: 0 });
        }
        outputs
    }
}

impl<B: Backend> Part<B> {
    /// Nothing where no tap reaches.
    fn forward(&self, map: &Tensor<B, 4>, [count_t, count_f]: [usize; 2]) -> Option<Tensor<B, 4>> {
        let [batch, rows, columns, channels] = map.dims();
        let Window { start, step, taps, .. } = &self.frequency;
        if self.kernels.is_empty() {
            return None;
        }
        let (width, step) = (taps.len() * channels, step * channels);
        let windows: Tensor<B, 4> = map
            .clone()
            .reshape([batch, rows, columns * channels])
            .narrow(2, start * channels, (count_f - 1) * step + width)
            .unfold(2, width, step); // [batch, rows, count_f, width]
        let product = |(tap, kernel): (usize, &Tensor<B, 4>)| {
            let rows = steps(self.time.start + tap, count_t, self.time.step);
            windows.clone().slice([all(), rows, all(), all()]).matmul(kernel.clone())
        };
        self.kernels.iter().enumerate().map(product).reduce(|sum, next| sum + next)
    }
}

/// The windows of a convolution, and its padding before and after.
fn plain_windows(kernel: usize, stride: usize) -> (Vec<Window>, [usize; 2]) {
    let padding = (kernel - 1) / 2;
    (vec![Window { start: 0, step: stride, taps: (0..kernel).collect(), phase: 0 }], [padding; 2])
}

/// The windows of a transposed convolution, one for each phase.
///
/// Input `m` adds its value times tap `n + padding - stride * m` to output `n`. At `n = stride * q + a` those are the inputs
/// `q + j` with `0 <= a + padding - stride * j < kernel`.
fn transposed_windows(kernel: usize, stride: usize) -> (Vec<Window>, [usize; 2]) {
    let padding = (kernel - 1) / 2;
    let after = (stride - 1 + padding) / stride;
    let before = padding / stride;
    let window = |phase: usize| {
        // From the earliest input to the latest.
        let earliest = before - (padding.saturating_sub(phase)) / stride;
        let skipped = if phase > padding { (phase - padding).div_ceil(stride) } else { 0 };
        let latest = before + (phase + padding) / stride;
        let start = earliest + skipped;
        let taps = (start..=latest).map(|place| phase + padding + stride * before - stride * place).collect();
        Window { start, step: 1, taps, phase }
    };
    ((0..stride).map(window).collect(), [before, after])
}
