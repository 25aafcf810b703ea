//! Fast code against slow code: everything here is computed a second time by its definition, in double precision.

use core::f64::consts::{FRAC_1_SQRT_2, TAU};

use crate::common::*;
use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::module::{conv_transpose1d, conv1d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode, PaddedConvOptions};
use rand::RngExt;
use shared::dsp::StftConfig;
use shared::dsp::spectrum::SpectrumPlan;
use shared::loss::Loss;
use shared::nn::complex::{ComplexBatchNorm, ComplexConv2d, ComplexConvTranspose2d};
use shared::nn::{AutoencoderConfig, DcunetConfig, NetworkConfig};

const SIZES: [StftConfig; 4] = [
    StftConfig { n_fft: 4, hop_length: 1 },
    StftConfig { n_fft: 16, hop_length: 4 },
    StftConfig { n_fft: 30, hop_length: 5 },
    StftConfig { n_fft: 64, hop_length: 8 },
];

/// The windowed DFT by its definition: `[part][bin][frame]`, flat.
fn naive_stft(signal: &[f32], StftConfig { n_fft, hop_length }: StftConfig) -> Vec<f64> {
    let frames = signal.len().div_ceil(hop_length) + 1;
    let (n, half) = (n_fft as f64, (n_fft / 2) as isize);
    let mut parts = Vec::new();
    for part in [f64::cos as fn(f64) -> f64, |angle: f64| -angle.sin()] {
        for bin in 0..=n_fft / 2 {
            for frame in 0..frames {
                let term = |i: usize| {
                    let index = (frame * hop_length + i) as isize - half;
                    let sample =
                        usize::try_from(index).ok().and_then(|index| signal.get(index)).copied().unwrap_or(0.0);
                    let window = 0.5 - 0.5 * (TAU * i as f64 / n).cos();
                    f64::from(sample) * window * part(TAU * (bin * i) as f64 / n)
                };
                parts.push((0..n_fft).map(term).sum());
            }
        }
    }
    parts
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

#[test]
fn both_transforms_are_the_windowed_dft() {
    for config in SIZES {
        let StftConfig { n_fft, hop_length } = config;
        let (plan, stft) = (SpectrumPlan::new(config), config.init::<Flex>(&device::<Flex>()));
        for len in [1, 2, hop_length.max(2) - 1, hop_length, hop_length + 1, n_fft - 1, n_fft, n_fft + 1, 203] {
            let signal = hiss(len, len as u64);
            let expected = single(&naive_stft(&signal, config));

            let tensor_code = stft.forward(tensor(&signal, [1, len]));
            let [_, _, bins, frames] = tensor_code.dims();
            assert_eq!([bins, frames], [config.bins(), config.frames(len)]);
            assert_close(&values(tensor_code), &expected, 1e-5);

            let spectrum = plan.forward(&signal);
            assert_eq!(spectrum.frames().len(), frames);
            let mut by_fft = vec![0.0; 2 * bins * frames];
            for (frame, coefficients) in spectrum.frames().enumerate() {
                for (bin, coefficient) in coefficients.iter().enumerate() {
                    by_fft[bin * frames + frame] = coefficient.re;
                    by_fft[(bins + bin) * frames + frame] = coefficient.im;
                }
            }
            assert_close(&by_fft, &expected, 1e-5);
        }
    }
}

/// Both inverses on a spectrum that no signal has: they must agree on which signal is nearest.
#[test]
fn both_inverses_agree_on_any_spectrum() {
    for config in SIZES {
        let (len, bins) = (101, config.bins());
        let frames = config.frames(len);
        let random = hiss(2 * bins * frames, 7);
        let plan = SpectrumPlan::new(config);
        let mut spectrum = plan.forward(&vec![0.0; len]);
        for (index, coefficient) in spectrum.coefficients.iter_mut().enumerate() {
            let (frame, bin) = (index / bins, index % bins);
            coefficient.re = random[bin * frames + frame];
            coefficient.im = random[(bins + bin) * frames + frame];
        }
        let stft = config.init::<Flex>(&device::<Flex>());
        let by_matrix = values(stft.inverse(tensor(&random, [1, 2, bins, frames]), len));
        assert_close(&by_matrix, &plan.inverse(&spectrum, len), 1e-6);
    }
}

/// The report's layers as Burn has them, on a signal padded to a length that they map onto itself.
#[test]
fn autoencoder_is_a_convolution_and_its_transpose() {
    let config = AutoencoderConfig::report();
    let network = network::<Flex>(&NetworkConfig::Autoencoder(config.clone()), 1);
    let AutoencoderConfig { channels, kernel_size, stride } = config;
    let padding = kernel_size / 2 - 1;
    assert_eq!((kernel_size, stride, padding), (2048, 32, 1023));
    let kernel = |path: &str| tensor::<Flex, 3>(&weight(&network, path), [channels, 1, kernel_size]);
    let (encoder, decoder) = (kernel("encoder_weight"), kernel("decoder_weight"));
    let encoder_bias = tensor::<Flex, 1>(&weight(&network, "encoder_bias"), [channels]);
    let decoder_bias = tensor::<Flex, 1>(&weight(&network, "decoder_bias"), [1]);

    for samples in [1, 2, 3, 33, 34, 35, 1_026, 3_001] {
        let waveform = tensor::<Flex, 3>(&hiss(2 * samples, samples as u64), [2, 1, samples]);
        let full = samples.max(2).saturating_sub(2).next_multiple_of(stride) + 2;
        let padded = waveform.clone().pad([(0, 0), (0, 0), (0, full - samples)], PadMode::Constant(0.0));
        let options = PaddedConvOptions::from(ConvOptions::new([stride], [padding], [1], 1));
        let code = conv1d(padded, encoder.clone(), Some(encoder_bias.clone()), options);
        let options = ConvTransposeOptions::new([stride], [padding], [0], [1], 1);
        let expected = conv_transpose1d(code, decoder.clone(), Some(decoder_bias.clone()), options);
        assert_eq!(expected.dims(), [2, 1, full]);
        let output = network.forward(waveform);
        assert_close(&values(output), &values(expected.narrow(2, 0, samples)), 1e-6);
    }
}

/// A complex feature map: real parts of all channels, then imaginary parts; `[part][channel][frequency][time]`.
struct Map {
    shape: [usize; 3],
    values: Vec<f64>,
}

impl Map {
    fn zeros(shape: [usize; 3]) -> Self {
        Self { shape, values: vec![0.0; 2 * shape.iter().product::<usize>()] }
    }

    fn at(&self, part: usize, [channel, frequency, time]: [usize; 3]) -> usize {
        let [channels, frequencies, times] = self.shape;
        (((part * channels) + channel) * frequencies + frequency) * times + time
    }

    fn get(&self, position: [usize; 3]) -> [f64; 2] {
        [0, 1].map(|part| self.values[self.at(part, position)])
    }

    fn add(&mut self, position: [usize; 3], value: [f64; 2]) {
        for (part, value) in value.into_iter().enumerate() {
            let index = self.at(part, position);
            self.values[index] += value;
        }
    }
}

fn product([a, b]: [f64; 2], [c, d]: [f64; 2]) -> [f64; 2] {
    [a * c - b * d, a * d + b * c]
}

/// Every pair of a small and a large position that one tap of a padded, strided kernel joins.
fn joined(small: usize, large: usize, kernel: usize, stride: usize) -> Vec<[usize; 3]> {
    let padding = (kernel - 1) / 2;
    let positions = (0..small).flat_map(|s| (0..kernel).map(move |tap| [s, s * stride + tap, tap]));
    positions.filter_map(|[s, l, tap]| l.checked_sub(padding).filter(|&l| l < large).map(|l| [s, l, tap])).collect()
}

/// A complex kernel with its parts, `[first][second][frequency][time]` flat.
struct Kernel {
    real: Vec<f32>,
    imaginary: Vec<f32>,
    channels: [usize; 2],
    size: [usize; 2],
    stride: [usize; 2],
}

impl Kernel {
    fn of<B: Backend>(
        module: &impl burn_store::ModuleSnapshot<B>,
        path: &str,
        channels: [usize; 2],
        size: [usize; 2],
        stride: [usize; 2],
    ) -> Self {
        let part = |part: &str| weight(module, &format!("{path}kernel.{part}"));
        Self { real: part("real"), imaginary: part("imaginary"), channels, size, stride }
    }

    fn at(&self, [first, second]: [usize; 2], [f, t]: [usize; 2]) -> [f64; 2] {
        let index = ((self.channels[1] * first + second) * self.size[0] + f) * self.size[1] + t;
        [f64::from(self.real[index]), f64::from(self.imaginary[index])]
    }

    fn channel_pairs(&self) -> impl Iterator<Item = [usize; 2]> {
        let [first, second] = self.channels;
        (0..first).flat_map(move |a| (0..second).map(move |b| [a, b]))
    }

    /// The convolution, on a kernel `[output][input]`.
    fn shrink(&self, x: &Map) -> Map {
        let [_, f_large, t_large] = x.shape;
        let [f_small, t_small] = [(f_large - 1) / self.stride[0] + 1, (t_large - 1) / self.stride[1] + 1];
        let mut y = Map::zeros([self.channels[0], f_small, t_small]);
        for [f_s, f_l, f] in joined(f_small, f_large, self.size[0], self.stride[0]) {
            for [t_s, t_l, t] in joined(t_small, t_large, self.size[1], self.stride[1]) {
                for [output, input] in self.channel_pairs() {
                    y.add([output, f_s, t_s], product(self.at([output, input], [f, t]), x.get([input, f_l, t_l])));
                }
            }
        }
        y
    }

    /// The transposed convolution, on a kernel `[input][output]`.
    fn grow(&self, x: &Map) -> Map {
        let [_, f_small, t_small] = x.shape;
        let [f_large, t_large] = [(f_small - 1) * self.stride[0] + 1, (t_small - 1) * self.stride[1] + 1];
        let mut y = Map::zeros([self.channels[1], f_large, t_large]);
        for [f_s, f_l, f] in joined(f_small, f_large, self.size[0], self.stride[0]) {
            for [t_s, t_l, t] in joined(t_small, t_large, self.size[1], self.stride[1]) {
                for [input, output] in self.channel_pairs() {
                    y.add([output, f_l, t_l], product(self.at([input, output], [f, t]), x.get([input, f_s, t_s])));
                }
            }
        }
        y
    }
}

#[test]
fn complex_convolutions_are_sums_of_complex_products() {
    let (few, many) = (2, 3);
    for (size, stride) in [([3, 3], [1, 1]), ([7, 5], [2, 2]), ([5, 3], [2, 1]), ([1, 7], [1, 3])] {
        let device = device::<Flex>();
        let down = ComplexConv2d::<Flex>::new([few, many], size, stride, &device);
        let up = ComplexConvTranspose2d::<Flex>::new([many, few], size, stride, &device);
        let check =
            |input: [usize; 3], expected: &dyn Fn(&Map) -> Map, layer: &dyn Fn(Tensor<Flex, 4>) -> Tensor<Flex, 4>| {
                let [channels, frequency, time] = input;
                let x = hiss(2 * channels * frequency * time, 3);
                let expected = expected(&Map { shape: input, values: x.iter().map(|&x| f64::from(x)).collect() });
                let output = layer(tensor(&x, [1, 2 * channels, frequency, time]));
                let [channels, frequency, time] = expected.shape;
                assert_eq!(output.dims(), [1, 2 * channels, frequency, time]);
                assert_close(&values(output), &single(&expected.values), 1e-6);
            };
        let kernel = Kernel::of(&down, "", [many, few], size, stride);
        check([few, 9, 13], &|x| kernel.shrink(x), &|x| down.forward(x));
        let kernel = Kernel::of(&up, "", [many, few], size, stride);
        check([many, 5, 7], &|x| kernel.grow(x), &|x| up.forward(x));
    }
}

/// The whole complex U-Net, element by element, with normalisation layers as they start.
#[test]
fn complex_unet_is_what_the_paper_draws() {
    let [_, _, config] = tiny();
    let network = loud_network::<Flex>(&config, 3, 2.0);
    let NetworkConfig::Dcunet(DcunetConfig { stft, layers, compression, mask_exponent }) = config else {
        panic!("the third is the U-Net");
    };
    let waveform = hiss(93, 4);
    let mut padded = waveform.clone();
    padded.resize(96, 0.0);
    let (bins, frames) = (stft.bins(), stft.frames(96));
    let spectrum = Map { shape: [1, bins, frames], values: naive_stft(&padded, stft) };

    let scaled = |x: &Map, factor: &dyn Fn(f64) -> f64| {
        let half = x.values.len() / 2;
        let power = |index: usize| x.values[index % half].powi(2) + x.values[half + index % half].powi(2) + 1e-8;
        let values = x.values.iter().enumerate().map(|(index, value)| value * factor(power(index).sqrt())).collect();
        Map { shape: x.shape, values }
    };
    let activate = |x: Map| {
        let normalised = x.values.iter().map(|x| x * FRAC_1_SQRT_2 / (0.5f64 + 1e-5).sqrt());
        Map { shape: x.shape, values: normalised.map(|x| if x > 0.0 { x } else { 0.01 * x }).collect() }
    };
    let kernel = |path: &str, channels: [usize; 2], layer: usize| {
        Kernel::of(&network, &format!("{path}.convolution."), channels, layers[layer].kernel_size, layers[layer].stride)
    };
    let [outer, inner] = [layers[0].channels, layers[1].channels];
    let input = scaled(&spectrum, &|magnitude| magnitude.powf(compression - 1.0));
    let first = activate(kernel("encoder.0", [outer, 1], 0).shrink(&input));
    let second = activate(kernel("encoder.1", [inner, outer], 1).shrink(&first));
    let back = activate(kernel("decoder.0", [inner, outer], 1).grow(&second));
    assert_eq!(back.shape, first.shape);
    let mut both = Map::zeros([2 * outer, back.shape[1], back.shape[2]]);
    for (offset, map) in [(0, &back), (outer, &first)] {
        for channel in 0..outer {
            for (f, t) in (0..map.shape[1]).flat_map(|f| (0..map.shape[2]).map(move |t| (f, t))) {
                both.add([offset + channel, f, t], map.get([channel, f, t]));
            }
        }
    }
    let output = kernel("decoder.1", [2 * outer, 1], 0).grow(&both);
    let mask = scaled(&output, &|magnitude| magnitude.tanh().powf(mask_exponent) / magnitude);
    assert_eq!(mask.shape, spectrum.shape);

    let plan = SpectrumPlan::new(stft);
    let mut masked = plan.forward(&padded);
    let mut largest: f64 = 0.0;
    for (index, coefficient) in masked.coefficients.iter_mut().enumerate() {
        let position = [0, index % bins, index / bins];
        let [re, im] = product(mask.get(position), spectrum.get(position));
        (coefficient.re, coefficient.im) = (re as f32, im as f32);
        let [re, im] = mask.get(position);
        largest = largest.max(re.hypot(im));
    }
    assert!(largest > 0.1 && largest <= 1.0, "a mask of up to {largest}");
    assert_close(&forward(&network, &waveform), &plan.inverse(&masked, 93), 1e-6);
}

const NORM_SHAPE: [usize; 4] = [3, 4, 5, 7];

/// Batches of two complex channels, their parts correlated, off centre, and of different size.
fn correlated(seed: u64) -> Vec<f32> {
    let [batch, rows, frequency, time] = NORM_SHAPE;
    let (channels, positions) = (rows / 2, frequency * time);
    let white = shared::noise::white(batch * rows * positions, &mut rng(seed));
    let mut mixed = vec![0.0; white.len()];
    for item in 0..batch {
        for channel in 0..channels {
            for position in 0..positions {
                let at = |part: usize| (item * rows + part * channels + channel) * positions + position;
                let (a, b) = (white[at(0)], white[at(1)]);
                mixed[at(0)] = 3.0 * a + channel as f32 - 2.0;
                mixed[at(1)] = 1.5 * a - 0.5 * b + 0.25;
            }
        }
    }
    mixed
}

/// Mean `[r, i]` and covariance `[rr, ii, ri]` of every channel.
fn moments(x: &[f32]) -> Vec<([f64; 2], [f64; 3])> {
    let [batch, rows, frequency, time] = NORM_SHAPE;
    let (channels, positions) = (rows / 2, frequency * time);
    let part = |channel: usize, part: usize| -> Vec<f64> {
        let start = |item: usize| (item * rows + part * channels + channel) * positions;
        (0..batch).flat_map(|item| &x[start(item)..start(item) + positions]).map(|&x| f64::from(x)).collect()
    };
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let of = |channel: usize| {
        let parts = [part(channel, 0), part(channel, 1)];
        let means = [mean(&parts[0]), mean(&parts[1])];
        let covariance = |a: usize, b: usize| {
            let products: Vec<f64> =
                parts[a].iter().zip(&parts[b]).map(|(x, y)| (x - means[a]) * (y - means[b])).collect();
            mean(&products)
        };
        (means, [covariance(0, 0), covariance(1, 1), covariance(0, 1)])
    };
    (0..channels).map(of).collect()
}

/// The inverse square root of `[[rr, ri], [ri, ii]]` by its eigenvectors: another way than the layer's.
fn inverse_root([rr, ii, ri]: [f64; 3]) -> [[f64; 2]; 2] {
    let angle = 0.5 * (2.0 * ri).atan2(rr - ii);
    let (sin, cos) = angle.sin_cos();
    let first = rr * cos * cos + 2.0 * ri * sin * cos + ii * sin * sin;
    let second = rr * sin * sin - 2.0 * ri * sin * cos + ii * cos * cos;
    let (a, b) = (1.0 / first.sqrt(), 1.0 / second.sqrt());
    let cross = (a - b) * sin * cos;
    [[a * cos * cos + b * sin * sin, cross], [cross, a * sin * sin + b * cos * cos]]
}

/// Sets γ and β to the given values, flat.
struct SetNorm(Vec<(String, Vec<f32>)>, Vec<String>);

impl<B: Backend> ModuleMapper<B> for SetNorm {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.1.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.1.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let Some((_, values)) = self.0.iter().find(|(name, _)| Some(name) == self.1.last()) else {
            return param;
        };
        param.map(|old| Tensor::from_data(TensorData::new(values.clone(), old.shape()), &old.device()))
    }
}

#[test]
fn complex_batch_norm_whitens_and_scales() {
    let device = device::<Autodiff<Flex>>();
    // γ of each channel as rr, ii, ri and β as r, i; both stored by row, not by channel.
    let (gamma, beta) = ([[0.9, 0.4], [0.6, 1.1], [0.2, -0.3]], [[0.5, -1.0], [2.0, 0.0]]);
    let plain = ComplexBatchNorm::<Autodiff<Flex>>::new(2, &device);
    let learned = ComplexBatchNorm::<Autodiff<Flex>>::new(2, &device)
        .map(&mut SetNorm(vec![("gamma".into(), gamma.concat()), ("beta".into(), beta.concat())], Vec::new()));

    let x = correlated(5);
    let statistics = moments(&x);
    let expected = |gamma: [[f32; 2]; 3], beta: [[f32; 2]; 2]| {
        let [batch, rows, frequency, time] = NORM_SHAPE;
        let (channels, positions) = (rows / 2, frequency * time);
        let mut y = vec![0.0; x.len()];
        for item in 0..batch {
            for (channel, &(mean, [rr, ii, ri])) in statistics.iter().enumerate() {
                let w = inverse_root([rr + 1e-5, ii + 1e-5, ri]);
                let [g_rr, g_ii, g_ri] = [0, 1, 2].map(|row| f64::from(gamma[row][channel]));
                for position in 0..positions {
                    let at = |part: usize| (item * rows + part * channels + channel) * positions + position;
                    let c = [0, 1].map(|part| f64::from(x[at(part)]) - mean[part]);
                    let n = [0, 1].map(|part| w[part][0] * c[0] + w[part][1] * c[1]);
                    y[at(0)] = (g_rr * n[0] + g_ri * n[1]) as f32 + beta[0][channel];
                    y[at(1)] = (g_ri * n[0] + g_ii * n[1]) as f32 + beta[1][channel];
                }
            }
        }
        y
    };

    let output = values(plain.forward(tensor(&x, NORM_SHAPE)));
    let half = FRAC_1_SQRT_2 as f32;
    assert_close(&output, &expected([[half; 2], [half; 2], [0.0; 2]], [[0.0; 2]; 2]), 1e-4);
    for (mean, [rr, ii, ri]) in moments(&output) {
        assert!(mean[0].abs().max(mean[1].abs()) < 1e-5, "{mean:?}");
        assert!((rr - 0.5).abs().max((ii - 0.5).abs()).max(ri.abs()) < 1e-4, "{rr} {ii} {ri}");
    }

    let output = values(learned.forward(tensor(&x, NORM_SHAPE)));
    assert_close(&output, &expected(gamma, beta), 2e-4);
}

#[test]
fn complex_batch_norm_evaluates_with_running_statistics() {
    let device = device::<Autodiff<Flex>>();
    let norm = ComplexBatchNorm::<Autodiff<Flex>>::new(2, &device);
    let x = correlated(6);
    // One batch moves the statistics a tenth of the way.
    let mut trained = norm.forward(tensor(&x, NORM_SHAPE));
    let after_one = weight(&norm.valid(), "running_mean");
    let (mean, _) = moments(&x)[0];
    assert!((f64::from(after_one[0]) - 0.1 * mean[0]).abs() < 1e-5);
    assert!((f64::from(after_one[2]) - 0.1 * mean[1]).abs() < 1e-5);

    for _ in 0..150 {
        trained = norm.forward(tensor(&x, NORM_SHAPE));
    }
    let evaluated = norm.valid().forward(tensor(&x, NORM_SHAPE));
    assert_close(&values(evaluated), &values(trained), 1e-4);
    let stored = weight(&norm.valid(), "running_covariance");
    for (channel, (_, covariance)) in moments(&x).into_iter().enumerate() {
        for (row, expected) in covariance.into_iter().enumerate() {
            assert!((f64::from(stored[2 * row + channel]) - expected).abs() < 1e-4 * expected.abs().max(1.0));
        }
    }
    // Evaluation looks at nothing but the value itself.
    let evaluated = |x: &[f32]| values(norm.valid().forward(tensor(x, NORM_SHAPE)));
    let mut changed = x.clone();
    *changed.last_mut().expect("not empty") += 100.0;
    assert_close(&evaluated(&x)[..35], &evaluated(&changed)[..35], 0.0);
}

const LOSS_SHAPE: [usize; 3] = [3, 1, 400];

fn triple(seed: u64) -> [Vec<f32>; 3] {
    let len = LOSS_SHAPE.iter().product();
    let [clean, noise, error] = [0, 1, 2].map(|part| hiss(len, 3 * seed + part));
    let noisy = clean.iter().zip(&noise).map(|(clean, noise)| clean + 0.5 * noise).collect();
    let estimate = clean.iter().zip(&error).map(|(clean, error)| 0.8 * clean + 0.3 * error).collect();
    [noisy, clean, estimate]
}

fn naive_wsdr(noisy: &[f32], clean: &[f32], estimate: &[f32]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let double = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| f64::from(x)).collect() };
    let (x, y, e) = (double(noisy), double(clean), double(estimate));
    let minus = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    let (z, z_e) = (minus(&x, &y), minus(&x, &e));
    let cosine = |a: &[f64], b: &[f64]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    let alpha = dot(&y, &y) / (dot(&y, &y) + dot(&z, &z));
    -alpha * cosine(&y, &e) - (1.0 - alpha) * cosine(&z, &z_e)
}

#[test]
fn losses_are_their_formulas() {
    let scalar = |loss: Tensor<Flex, 1>| f64::from(values(loss)[0]);
    for seed in 0..5 {
        let [noisy, clean, estimate] = triple(seed);
        let [x, y, e] = [&noisy, &clean, &estimate].map(|values| tensor::<Flex, 3>(values, LOSS_SHAPE));
        let errors: Vec<f64> = clean.iter().zip(&estimate).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
        let count = errors.len() as f64;
        let absolute = errors.iter().map(|error| error.abs()).sum::<f64>() / count;
        let squared = errors.iter().map(|error| error * error).sum::<f64>() / count;
        let of = |loss: Loss| scalar(loss.forward(x.clone(), y.clone(), e.clone()));
        assert!((of(Loss::L1) - absolute).abs() < 1e-6);
        assert!((of(Loss::Mse) - squared).abs() < 1e-7);

        let items = |x: &[f32]| -> Vec<Vec<f32>> { x.chunks(LOSS_SHAPE[2]).map(<[f32]>::to_vec).collect() };
        let (x_items, y_items, e_items) = (items(&noisy), items(&clean), items(&estimate));
        let each: Vec<f64> = (0..3).map(|i| naive_wsdr(&x_items[i], &y_items[i], &e_items[i])).collect();
        let expected = each.iter().sum::<f64>() / 3.0;
        assert!((of(Loss::Wsdr) - expected).abs() < 1e-5);
        for (i, expected) in each.iter().enumerate() {
            let metric = shared::metric::wsdr(&x_items[i], &y_items[i], &e_items[i]);
            assert!((metric + expected).abs() < 1e-6, "{metric} against {expected}");
        }
    }
}

/// By its definition, of one item. Silence is left to other tests.
fn naive_compressed_spectrum(clean: &[f32], estimate: &[f32]) -> f64 {
    let power = clean.iter().map(|&y| f64::from(y).powi(2)).sum::<f64>() / clean.len() as f64;
    let compressed = |signal: &[f32]| -> Vec<(f64, f64)> {
        let spectrum = naive_stft(signal, StftConfig { n_fft: 512, hop_length: 128 });
        let (real, imaginary) = spectrum.split_at(spectrum.len() / 2);
        let polar = |(re, im): (&f64, &f64)| ((re.hypot(*im) / power.sqrt()).powf(0.3), im.atan2(*re));
        real.iter().zip(imaginary).map(polar).collect()
    };
    let (s, s_hat) = (compressed(clean), compressed(estimate));
    let distance = |((a, phase), (a_hat, phase_hat)): (&(f64, f64), &(f64, f64))| {
        // The law of cosines.
        let complex = a * a + a_hat * a_hat - 2.0 * a * a_hat * (phase - phase_hat).cos();
        (a - a_hat).powi(2) + 0.5 * complex
    };
    s.iter().zip(&s_hat).map(distance).sum::<f64>() / s.len() as f64
}

#[test]
fn the_compressed_spectrum_is_its_formula() {
    let [noisy, clean, estimate] = triple(7);
    let [x, y, e] = [&noisy, &clean, &estimate].map(|values| tensor::<Flex, 3>(values, LOSS_SHAPE));
    let got = values(Loss::CompressedSpectrum.per_item(x, y, e, None));
    for (item, got) in got.into_iter().enumerate() {
        let stretch = item * LOSS_SHAPE[2]..(item + 1) * LOSS_SHAPE[2];
        let expected = naive_compressed_spectrum(&clean[stretch.clone()], &estimate[stretch]);
        assert!((f64::from(got) - expected).abs() < 1e-4 * expected, "{got} against {expected}");
    }
}

#[test]
fn losses_and_their_gradients_are_finite_in_silence() {
    type B = Autodiff<Flex>;
    let sound = hiss(LOSS_SHAPE.iter().product(), 9);
    let silence = vec![0.0; sound.len()];
    for (noisy, clean, estimate) in [
        (&silence, &silence, &silence),
        (&sound, &silence, &silence),
        (&sound, &sound, &sound),
        (&sound, &sound, &silence),
        (&silence, &silence, &sound),
        (&sound, &silence, &sound),
    ] {
        for loss in Loss::ALL {
            let estimate = tensor::<B, 3>(estimate, LOSS_SHAPE).require_grad();
            let value = loss.forward(tensor(noisy, LOSS_SHAPE), tensor(clean, LOSS_SHAPE), estimate.clone());
            let gradient = estimate.grad(&value.backward()).expect("the loss depends on the estimate");
            assert!(values(value)[0].is_finite(), "{loss:?}");
            assert!(values(gradient).iter().all(|slope| slope.is_finite()), "{loss:?}");
        }
    }
}

/// Gradients of the transform and its inverse against finite differences of the slow one's values.
#[test]
fn gradients_flow_through_the_transform_and_back() {
    type B = Autodiff<Flex>;
    let config = StftConfig { n_fft: 16, hop_length: 4 };
    let stft = config.init::<B>(&device::<B>());
    let (len, bins) = (37, config.bins());
    let frames = config.frames(len);
    let (signal, weights) = (hiss(len, 1), hiss(len, 2));
    // Not linear, and not the identity: halve some bins, and square on the way.
    let gains: Vec<f32> = (0..bins * frames).map(|i| 0.5 + (i % 3) as f32 * 0.4).collect();
    let objective = |signal: Tensor<B, 2>| {
        let spectrum = stft.forward(signal);
        let changed = spectrum.clone() * tensor(&gains, [1, 1, bins, frames]) + spectrum.square() * 0.1;
        (stft.inverse(changed, len) * tensor(&weights, [1, len])).sum()
    };
    let input = tensor::<B, 2>(&signal, [1, len]).require_grad();
    let gradient = values(input.grad(&objective(input.clone()).backward()).expect("depends on the signal"));

    let mut pick = rng(4);
    for index in [0, len - 1].into_iter().chain((0..8).map(|_| pick.random_range(0..len))) {
        let moved = |step: f32| {
            let mut signal = signal.clone();
            signal[index] += step;
            f64::from(values(objective(tensor(&signal, [1, len])))[0])
        };
        // Quadratic, so that the central difference is exact but for rounding.
        let slope = (moved(0.25) - moved(-0.25)) / 0.5;
        assert!((slope - f64::from(gradient[index])).abs() < 2e-5, "{index}: {slope} against {}", gradient[index]);
    }
}
