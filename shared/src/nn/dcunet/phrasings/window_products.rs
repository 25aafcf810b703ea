//! Two-dimensional convolutions, plain and transposed, as matrix products over overlapping views.
//!
//! A feature map is `[batch, time, frequency, channels]`. In a padded map the taps of a kernel along frequency are neighbours in
//! memory, so all windows of a row together are one matrix of overlapping rows: a view. A convolution is then the sum over the
//! taps along time of one product each, with every `stride`-th row of the map, and nothing is gathered.
//!
//! A transposed convolution with stride `s` is `s²` ordinary ones without stride: the outputs at `s q + a`, for each phase `a`
//! of either axis, see only every `s`-th tap (Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution Using an
//! Efficient Sub-Pixel Convolutional Neural Network"). No zero is multiplied and nothing is scattered. Where there are only a few
//! output channels, all phases are computed at once nevertheless: a vector register has room for them.

use burn::prelude::*;
use burn::tensor::Slice;

/// Values that lie at every `step`-th place of a larger map, from `start` on; both `[time, frequency]`.
#[derive(Clone, Debug)]
pub(super) struct MapPart<B: Backend> {
    /// `[batch, time, frequency, channels]`
    pub(super) values: Tensor<B, 4>,
    pub(super) start: [usize; 2],
    pub(super) step: [usize; 2],
    /// Where its channels start in the larger map.
    pub(super) channel: usize,
}

impl<B: Backend> MapPart<B> {
    /// A map that has no gaps.
    pub(super) fn whole(values: Tensor<B, 4>) -> Self {
        Self { values, start: [0, 0], step: [1, 1], channel: 0 }
    }
}

/// A map of `size`, `[time, frequency]`, from pieces, with zeros before and after.
pub(super) fn assemble<B: Backend>(
    pieces: Vec<MapPart<B>>,
    [time, frequency]: [usize; 2],
    channels: usize,
    padding: [[usize; 2]; 2],
) -> Tensor<B, 4> {
    let [[t_before, t_after], [f_before, f_after]] = padding;
    let [batch, ..] = pieces[0].values.dims();
    let (rows, columns) = (t_before + time + t_after, f_before + frequency + f_after);
    let mut map = Tensor::zeros([batch, rows, columns, channels], &pieces[0].values.device());
    for MapPart { values, start: [t, f], step, channel } in pieces {
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
pub(super) struct WindowConvolution<B: Backend> {
    parts: Vec<KernelPart<B>>,
    /// `[1, 1, 1, output]`
    bias: Option<Tensor<B, 4>>,
    input: usize,
    output: usize,
    /// Along time, then frequency: zeros before and after the map.
    padding: [[usize; 2]; 2],
    stride: [usize; 2],
    transposed: bool,
    /// Phases along time and frequency whose channels lie side by side in one part's output.
    merged: [usize; 2],
}

/// Output channels of all phases up to which they are computed together, many of them on zeros.
const MERGED_CHANNELS: usize = 16;

/// One product for each tap along time.
#[derive(Clone, Debug)]
struct KernelPart<B: Backend> {
    /// For each tap along time `[1, 1, frequency_taps * input, output]`; one for all where those are gathered.
    kernels: Vec<Tensor<B, 4>>,
    time: Window,
    frequency: Window,
    /// Whether the taps along time are gathered as channels first, because copying them is cheaper than adding products up.
    gathered: bool,
}

impl<B: Backend> WindowConvolution<B> {
    /// From a kernel `[output, input, kernel_frequency, kernel_time]` with odd sizes, and `stride` along `[frequency, time]`.
    /// `transposed`: the adjoint's geometry, the kernel's channels in the same order.
    pub(super) fn new(kernel: Tensor<B, 4>, bias: Option<Tensor<B, 1>>, stride: [usize; 2], transposed: bool) -> Self {
        let [output, input, k_f, k_t] = kernel.dims();
        let [s_f, s_t] = stride;
        let windows = if transposed { transposed_windows } else { plain_windows };
        let ((times, t_padding), (frequencies, f_padding)) = (windows(k_t, s_t), windows(k_f, s_f));
        let kernel = kernel.permute([3, 2, 1, 0]); // [k_t, k_f, input, output]
        let mut merged = [times.len(), frequencies.len()];
        let parts = if merged != [1, 1] && output * times.len() * frequencies.len() <= MERGED_CHANNELS {
            vec![KernelPart::merged(&kernel, (&times, t_padding), (&frequencies, f_padding))]
        } else {
            merged = [1, 1];
            let pairs = times.iter().flat_map(|time| frequencies.iter().map(move |frequency| (time, frequency)));
            pairs.map(|(time, frequency)| KernelPart::new(&kernel, time, frequency)).collect()
        };
        Self {
            parts,
            bias: bias.map(|bias| bias.reshape([1, 1, 1, output])),
            input,
            output,
            padding: [t_padding, f_padding],
            stride: [s_t, s_f],
            transposed,
            merged,
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
    pub(super) fn forward(&self, pieces: Vec<MapPart<B>>, size: [usize; 2]) -> Vec<MapPart<B>> {
        let map = assemble(pieces, size, self.input, self.padding);
        let [time, frequency] = self.output_size(size);
        let step = if self.transposed { self.stride } else { [1, 1] };
        let batch = map.dims()[0];
        let count = |axis: usize, phase: usize| {
            let size = [time, frequency][axis];
            size.saturating_sub(phase).div_ceil(step[axis])
        };
        let mut outputs = Vec::new();
        for part in &self.parts {
            let first = [part.time.phase, part.frequency.phase];
            let counts = [count(0, first[0]), count(1, first[1])];
            if counts.contains(&0) {
                continue;
            }
            let nothing = || Tensor::zeros([batch, counts[0], counts[1], self.output], &map.device());
            let values = part.forward(&map, counts).unwrap_or_else(nothing);
            for t in 0..self.merged[0] {
                for f in 0..self.merged[1] {
                    let start = [first[0] + t, first[1] + f];
                    let [count_t, count_f] = [count(0, start[0]), count(1, start[1])];
                    if count_t * count_f == 0 {
                        continue;
                    }
                    let channel = (t * self.merged[1] + f) * self.output;
                    let mut values = values.clone();
                    if self.merged != [1, 1] {
                        values = values.narrow(1, 0, count_t).narrow(2, 0, count_f).narrow(3, channel, self.output);
                    }
                    if let Some(bias) = &self.bias {
                        values = values + bias.clone();
                    }
                    outputs.push(MapPart { values, start, step, channel: 0 });
                }
            }
        }
        outputs
    }
}

impl<B: Backend> KernelPart<B> {
    /// From a kernel `[k_t, k_f, input, output]`.
    fn new(kernel: &Tensor<B, 4>, time: &Window, frequency: &Window) -> Self {
        let [.., input, output] = kernel.dims();
        let (count_t, count_f) = (time.taps.len(), frequency.taps.len());
        let (time, frequency) = (time.clone(), frequency.clone());
        // A stride wider than the kernel leaves phases that no tap reaches.
        if count_t * count_f == 0 {
            return Self { kernels: Vec::new(), time, frequency, gathered: false };
        }
        let kernel = pick(pick(kernel.clone(), 0, &time.taps), 1, &frequency.taps);
        let gathered = frequency.step * count_t * input < (count_t - 1) * output;
        let kernels = if gathered {
            vec![kernel.swap_dims(0, 1).reshape([1, 1, count_f * count_t * input, output])]
        } else {
            let tap = |index| kernel.clone().narrow(0, index, 1).reshape([1, 1, count_f * input, output]);
            (0..count_t).map(tap).collect()
        };
        Self { kernels, time, frequency, gathered }
    }

    /// All phases at once, each with zeros for the places that its taps do not reach.
    fn merged(
        kernel: &Tensor<B, 4>,
        (times, t_padding): (&[Window], [usize; 2]),
        (frequencies, f_padding): (&[Window], [usize; 2]),
    ) -> Self {
        let [.., input, output] = kernel.dims();
        let whole =
            |padding: [usize; 2]| Window { start: 0, step: 1, taps: (0..=padding[0] + padding[1]).collect(), phase: 0 };
        let (time, frequency) = (whole(t_padding), whole(f_padding));
        let spread = |kernel: Tensor<B, 4>, dim: usize, window: &Window, places: usize| {
            let mut dims = kernel.dims();
            dims[dim] = places;
            let zeros = Tensor::zeros(dims, &kernel.device());
            if window.taps.is_empty() {
                return zeros;
            }
            let mut slices = [all(); 4];
            slices[dim] = steps(window.start, window.taps.len(), 1);
            zeros.slice_assign(slices, pick(kernel, dim, &window.taps))
        };
        let mut phases = Vec::new();
        for t in times {
            for f in frequencies {
                let kernel = spread(kernel.clone(), 0, t, time.taps.len());
                phases.push(spread(kernel, 1, f, frequency.taps.len()));
            }
        }
        let count = phases.len();
        let kernel = Tensor::cat(phases, 3);
        let tap =
            |index| kernel.clone().narrow(0, index, 1).reshape([1, 1, frequency.taps.len() * input, count * output]);
        Self { kernels: (0..time.taps.len()).map(tap).collect(), time, frequency, gathered: false }
    }

    /// Nothing where no tap reaches.
    fn forward(&self, map: &Tensor<B, 4>, [count_t, count_f]: [usize; 2]) -> Option<Tensor<B, 4>> {
        if self.kernels.is_empty() {
            return None;
        }
        let rows = |tap: usize| steps(self.time.start + tap, count_t, self.time.step);
        let map = if self.gathered {
            let tap = |tap: usize| map.clone().slice([all(), rows(tap), all(), all()]);
            Tensor::cat((0..self.time.taps.len()).map(tap).collect(), 3)
        } else {
            map.clone()
        };
        let [batch, height, columns, channels] = map.dims();
        let Window { start, step, taps, .. } = &self.frequency;
        let (width, step) = (taps.len() * channels, step * channels);
        let windows: Tensor<B, 4> = map
            .reshape([batch, height, columns * channels])
            .narrow(2, start * channels, (count_f - 1) * step + width)
            .unfold(2, width, step); // [batch, height, count_f, width]
        if self.gathered {
            return Some(windows.matmul(self.kernels[0].clone()));
        }
        let product = |(tap, kernel): (usize, &Tensor<B, 4>)| {
            windows.clone().slice([all(), rows(tap), all(), all()]).matmul(kernel.clone())
        };
        self.kernels.iter().enumerate().map(product).reduce(|sum, next| sum + next)
    }
}

/// The entries of a kernel at `taps` along `dim`.
fn pick<B: Backend>(kernel: Tensor<B, 4>, dim: usize, taps: &[usize]) -> Tensor<B, 4> {
    let indices: Vec<i32> = taps.iter().map(|&tap| tap as i32).collect();
    let indices = Tensor::from_ints(indices.as_slice(), &kernel.device());
    kernel.select(dim, indices)
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
    let after = padding.div_ceil(stride);
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
