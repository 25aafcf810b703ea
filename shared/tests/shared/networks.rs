//! What the networks promise: lengths, sizes, reach, and bounds.

use crate::common::*;
use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module};
use shared::Weights;
use shared::nn::{
    AutoencoderConfig, DcunetConfig, Estimate, Network, NetworkConfig, NetworkShape, TrainableNetwork, Wavenet,
    WavenetConfig,
};

#[test]
fn output_is_as_long_as_input() {
    let primes = [71, 127, 257, 509, 1_021, 2_039, 4_093, 4_999];
    for config in NetworkConfig::tiny() {
        let network = network::<Flex>(&config, 1);
        for len in (1..=67).chain(primes).chain([1_023, 1_024, 1_025, 5_000]) {
            let output = forward(&network, &hiss(len, len as u64));
            assert!(output.iter().all(|sample| sample.is_finite()), "{config:?} at {len}");
        }
    }
}

#[test]
fn presets_run_on_short_signals() {
    // The largest only where a page or a laptop would run them.
    for name in ["autoencoder", "wavenet-small-blend", "dcunet-medium", "dcunet-10"] {
        let config = NetworkConfig::preset(name).expect("listed");
        let network = network::<Flex>(&config, 2);
        for len in [1, config.alignment() + 1] {
            let output = forward(&network, &hiss(len, 3));
            assert!(output.iter().all(|sample| sample.is_finite()), "{name} at {len}");
        }
    }
}

#[test]
fn batches_are_independent() {
    for config in NetworkConfig::tiny() {
        let network = network::<Flex>(&config, 4);
        let (a, b) = (hiss(99, 1), hiss(99, 2));
        let both = values(network.forward(tensor(&[a.clone(), b.clone()].concat(), [2, 1, 99])));
        assert_close(&both, &[forward(&network, &a), forward(&network, &b)].concat(), 1e-6);
    }
}

#[test]
fn parameters_are_counted_without_making_the_network() {
    for config in
        NetworkConfig::tiny().into_iter().chain(NetworkConfig::presets().into_iter().map(|(_, config)| config))
    {
        config.validate().expect("a preset");
        if config.parameters() > 5_000_000 {
            continue; // half a minute of random numbers
        }
        let network = config.init::<Flex>(&device::<Flex>());
        // Burn counts running statistics too, as many as there are learned numbers in normalisation layers.
        let snapshots = burn_store::ModuleSnapshot::collect(&network, None, None, false);
        let is_statistic = |path: &str| path.contains("running_");
        let learned = snapshots.iter().filter(|snapshot| !is_statistic(&snapshot.full_path()));
        let learned: usize = learned.map(|snapshot| snapshot.shape.num_elements()).sum();
        assert_eq!(config.parameters(), learned as u64, "{config:?}");
    }
    let report = NetworkConfig::preset("autoencoder").expect("listed");
    assert_eq!(report.init::<Flex>(&device::<Flex>()).num_params(), 131_105);
}

/// Where the gradient of one output sample with respect to the input is not 0, over a few networks.
fn support(config: &NetworkConfig, len: usize, output: usize) -> Vec<bool> {
    type B = Autodiff<Flex>;
    let mut reached = vec![false; len];
    for seed in 0..4 {
        let network = network::<B>(config, seed);
        let input = tensor::<B, 3>(&hiss(len, seed), [1, 1, len]).require_grad();
        let sample = network.forward(input.clone()).narrow(2, output, 1).sum();
        let gradient = values(input.grad(&sample.backward()).expect("depends on the input"));
        reached.iter_mut().zip(gradient).for_each(|(reached, slope)| *reached |= slope != 0.0);
    }
    reached
}

#[test]
fn the_autoencoder_can_be_the_identity() {
    let config = |channels, kernel_size, stride| AutoencoderConfig { channels, kernel_size, stride };
    for config in [AutoencoderConfig::report(), config(4, 8, 4), config(5, 20, 5), config(1, 2, 1)] {
        let network =
            Network::<Flex>::Autoencoder(config.identity(&device::<Flex>()).expect("as many channels as samples"));
        for len in [10 * config.kernel_size, 10 * config.kernel_size + config.stride / 2] {
            let signal = hiss(len, 3);
            // At the very ends one of two overlapping halves is missing.
            let inside = config.stride..len - config.stride;
            assert_close(&forward(&network, &signal)[inside.clone()], &signal[inside], 1e-5);
        }
    }
    for (config, field) in [(config(3, 16, 4), "channels"), (config(4, 4, 4), "kernel_size")] {
        let error = config.identity::<Flex>(&device::<Flex>()).expect_err("no identity").to_string();
        assert!(error.contains(field), "{error}");
    }
}

#[test]
fn wavenet_sees_its_receptive_field_and_nothing_else() {
    let config = |stacks, blocks_per_stack, kernel_size, frame_length| WavenetConfig {
        stacks,
        blocks_per_stack,
        kernel_size,
        residual_channels: 4,
        skip_channels: 4,
        final_channels: [6, 6],
        frame_length,
        estimate: if frame_length == 1 { Estimate::Speech } else { Estimate::Blend },
    };
    for config in [config(1, 1, 3, 1), config(2, 3, 3, 1), config(1, 3, 5, 1), config(1, 5, 3, 1), config(1, 2, 3, 5)] {
        let field = config.receptive_field().expect("finite");
        // The middle of a frame.
        let (len, middle) = (2 * field + config.frame_length, field + config.frame_length / 2);
        let reached = support(&NetworkConfig::Wavenet(config.clone()), len, middle);
        let first = reached.iter().position(|&reached| reached);
        let last = reached.iter().rposition(|&reached| reached);
        assert_eq!((first, last), (Some(middle - field / 2), Some(middle + field / 2)), "{config:?}");
    }
    assert_eq!(WavenetConfig::paper().receptive_field(), Some(6145));
}

#[test]
fn wavenet_blocks_are_what_the_paper_draws() {
    let of = |kernel_size, frame_length, estimate| WavenetConfig {
        stacks: 1,
        blocks_per_stack: 2,
        kernel_size,
        residual_channels: 3,
        skip_channels: 2,
        final_channels: [4, 5],
        frame_length,
        estimate,
    };
    for config in [of(3, 1, Estimate::Speech), of(5, 1, Estimate::Speech), of(3, 4, Estimate::Blend)] {
        check_wavenet(&config);
    }
}

#[test]
fn a_blend_begins_as_what_it_was_made_of() {
    let config = WavenetConfig::tiny();
    let speech = NetworkConfig::Wavenet(WavenetConfig { estimate: Estimate::Speech, ..config.clone() });
    let network = network::<Flex>(&speech, 4);
    let signal = hiss(200, 4);
    let before = forward(&network, &signal);
    let Network::Wavenet(wavenet) = network else { panic!("no WaveNet") };
    let blend = Network::Wavenet(wavenet.into_blend());
    let trust = 1.0 / (1.0 + 3f32.exp());
    let expected: Vec<f32> = before.iter().zip(&signal).map(|(r, x)| r + trust * (x - r)).collect();
    assert_close(&forward(&blend, &signal), &expected, 1e-6);
    // It is the network of that shape, and stays what it is.
    let weights = Weights::of(&blend).expect("readable");
    weights.network::<Flex>(&NetworkConfig::Wavenet(config), &device::<Flex>()).expect("its weights");
    let Network::Wavenet(wavenet) = blend else { panic!("no WaveNet") };
    assert_close(&forward(&Network::Wavenet(wavenet.into_blend()), &signal), &expected, 1e-6);
}

/// Two blocks with three residual and two skip channels, by the definition of a convolution. The last frame is not full.
fn check_wavenet(config: &WavenetConfig) {
    let network: Wavenet<Flex> = config.init(&device::<Flex>());
    let (samples, frame_length) = (50_usize, config.frame_length);
    let len = samples.div_ceil(frame_length);
    let waveform = hiss(samples, 5);
    // A row for each channel.
    type Rows = Vec<Vec<f64>>;
    let convolution = |path: &str, x: &Rows, dilation: usize| -> Rows {
        let (weights, bias) = (weight(&network, &format!("{path}.weight")), weight(&network, &format!("{path}.bias")));
        let taps = weights.len() / bias.len() / x.len();
        let value = |output: usize, n: usize| {
            let mut sum = f64::from(bias[output]);
            for (input, row) in x.iter().enumerate() {
                for tap in 0..taps {
                    let position = (n + tap * dilation).checked_sub(taps / 2 * dilation);
                    let sample = position.and_then(|position| row.get(position)).unwrap_or(&0.0);
                    sum += f64::from(weights[(output * x.len() + input) * taps + tap]) * sample;
                }
            }
            sum
        };
        (0..bias.len()).map(|output| (0..len).map(|n| value(output, n)).collect()).collect()
    };
    let relu = |x: &Rows| -> Rows { x.iter().map(|row| row.iter().map(|x| x.max(0.0)).collect()).collect() };
    let add = |a: &Rows, b: &[Vec<f64>]| -> Rows {
        a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect()
    };

    let at = |index: usize| waveform.get(index).map_or(0.0, |&sample| f64::from(sample));
    let frames = (0..frame_length).map(|offset| (0..len).map(|n| at(n * frame_length + offset)).collect());
    let x0 = convolution("input", &frames.collect(), 1);
    let gated = |path: &str, x: &Rows, dilation: usize| -> Rows {
        let both = convolution(path, x, dilation);
        let gate = |(filter, gate): (&f64, &f64)| filter.tanh() / (1.0 + (-gate).exp());
        (0..3).map(|channel| both[channel].iter().zip(&both[3 + channel]).map(gate).collect()).collect()
    };
    let outputs = convolution("blocks.0.outputs", &gated("blocks.0.dilated", &x0, 1), 1);
    let x1 = add(&x0, &outputs[..3]);
    let skips = outputs[3..].to_vec();
    let last = convolution("blocks.1.outputs", &gated("blocks.1.dilated", &x1, 2), 1);
    let sum = add(&skips, &last);
    let x = convolution("final_1", &relu(&sum), 1);
    let x = convolution("final_2", &relu(&x), 1);
    let output = convolution("output", &relu(&x), 1);
    let expected = |index: usize| {
        let (offset, n) = (index % frame_length, index / frame_length);
        let trust = match config.estimate {
            Estimate::Speech => 0.0,
            Estimate::Blend => 1.0 / (1.0 + (-output[frame_length][n]).exp()),
        };
        (trust * at(index) + (1.0 - trust) * output[offset][n]) as f32
    };
    let expected: Vec<f32> = (0..samples).map(expected).collect();
    assert_close(&values(network.forward(tensor(&waveform, [1, 1, samples]))), &expected, 1e-6);
}

/// A change of one sample may show only within half the receptive field. The WaveNet has its own test above: what its far ends
/// contribute is too little to be seen here.
#[test]
fn a_change_stays_within_the_receptive_field() {
    let mut coarse = DcunetConfig::tiny();
    coarse.layers[1].kernel_size = [3, 5];
    coarse.layers[1].stride = [2, 2];
    let tiny = NetworkConfig::tiny().into_iter().filter(|config| config.kind() != "wavenet");
    for config in tiny.chain([NetworkConfig::Dcunet(coarse)]) {
        let Some(field) = config.receptive_field() else { continue };
        let len = 3 * field;
        let network = network::<Flex>(&config, 6);
        let signal = hiss(len, 7);
        let before = forward(&network, &signal);
        let mut widest = 0;
        for position in len / 2..len / 2 + config.alignment() {
            let mut changed = signal.clone();
            changed[position] += 1.0;
            let after = forward(&network, &changed);
            let moved = |index: &usize| (after[*index] - before[*index]).abs() > 1e-7;
            for index in (0..len).filter(moved) {
                widest = widest.max(index.abs_diff(position));
            }
        }
        assert!(widest <= field / 2, "{config:?}: {widest} of {}", field / 2);
        assert!(widest >= field / 3, "{config:?}: {widest} of {}, the field is given too wide", field / 2);
    }
}

#[test]
fn a_shift_by_the_alignment_shifts_the_output() {
    for config in NetworkConfig::tiny() {
        let Some(field) = config.receptive_field() else { continue };
        let shift = config.alignment();
        let network = network::<Flex>(&config, 8);
        let signal = hiss(4 * field, 9);
        let whole = forward(&network, &signal);
        let shifted = forward(&network, &signal[shift..]);
        let inner = field..signal.len() - field;
        assert_close(&shifted[inner.start - shift..inner.end - shift], &whole[inner], 1e-6);
    }
}

/// The recurrent networks: whatever comes later than a frame changes nothing, and what comes after it hears it for long.
#[test]
fn a_change_is_heard_from_a_frame_before_it_on() {
    let tiny: Vec<_> = NetworkConfig::tiny().into_iter().filter(|config| config.receptive_field().is_none()).collect();
    assert!(!tiny.is_empty());
    for config in tiny {
        let (latency, len) = (config.latency(), 60 * config.alignment());
        let network = loud_network::<Flex>(&config, 6, 2.0);
        let signal = hiss(len, 7);
        let before = forward(&network, &signal);
        for position in [len / 3, len / 3 + config.alignment() / 2 + 1] {
            let mut changed = signal.clone();
            changed[position] += 1.0;
            let after = forward(&network, &changed);
            let moved: Vec<usize> = (0..len).filter(|&index| after[index] != before[index]).collect();
            let (first, last) = (moved[0], moved[moved.len() - 1]);
            assert!(position - first < latency, "{config:?}: {first} for {position}");
            assert!(last > position + 4 * latency, "{config:?}: {last} for {position}");
        }
    }
}

#[test]
fn a_grown_unet_computes_what_it_did_until_it_is_trained() {
    let small = DcunetConfig::tiny();
    let mut large = small.clone();
    large.layers.iter_mut().enumerate().for_each(|(depth, layer)| layer.channels += depth + 1);
    let signal = hiss(4 * small.receptive_field().expect("finite"), 12);
    // Having heard something, its normalisation has statistics of its own.
    let network = network::<Autodiff<Flex>>(&NetworkConfig::Dcunet(small.clone()), 11);
    forward(&network, &signal);
    let network = network.valid();
    let before = forward(&network, &signal);
    let Network::Dcunet(dcunet) = network else { panic!("no U-Net") };
    let grown = Network::Dcunet(dcunet.grown(&large));
    assert_close(&forward(&grown, &signal), &before, 1e-6);
    Weights::of(&grown)
        .expect("readable")
        .network::<Flex>(&NetworkConfig::Dcunet(large.clone()), &device::<Flex>())
        .expect("its weights");

    let mut other = large.clone();
    other.layers[0].kernel_size[0] += 2;
    assert!(small.grows_to(&large) && small.grows_to(&small));
    assert!(!large.grows_to(&small) && !small.grows_to(&other));
    assert!(DcunetConfig::small().grows_to(&DcunetConfig::medium()));
    assert!(small.grows_to(&DcunetConfig { mask_exponent: 0.5, ..large.clone() }));
}

/// With weights this large the mask is at its bound nearly everywhere; one without a bound would amplify a thousandfold.
#[test]
fn the_mask_of_the_complex_unet_adds_no_energy() {
    let small = NetworkConfig::preset("dcunet-small").expect("listed");
    let tiny = tiny("dcunet");
    for (config, gain) in [(&tiny, 1.0), (&tiny, 100.0), (&small, 10.0)] {
        let signal = hiss(20 * config.alignment(), 10);
        let energy = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let mut largest: f64 = 0.0;
        for seed in 0..2 {
            let output = forward(&loud_network::<Flex>(config, seed, gain), &signal);
            largest = largest.max(energy(&output) / energy(&signal));
        }
        assert!(largest > 0.0 && largest < 1.02, "{largest}");
    }
}
