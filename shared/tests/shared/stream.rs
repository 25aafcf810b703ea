//! A recording that comes bit by bit: the blocks, the rate, the level and the channels beside it do not matter.

use crate::common::*;
use burn::backend::Flex;
use pollster::block_on;
use proptest::prelude::*;
use rand::RngExt;
use shared::audio::rms;
use shared::bundle::Bundle;
use shared::dsp::StftConfig;
use shared::dsp::spectrum::SpectrumPlan;
use shared::nn::{NetworkConfig, Phrasing};
use shared::stream::{Stream, StreamOptions};
use shared::weights::Weight;
use shared::{Audio, Denoiser, Weights, metric, noise, synth};

/// All of a test recording in one piece.
fn whole_piece() -> StreamOptions {
    StreamOptions::default().with_piece_length(1 << 24)
}

fn denoiser(config: &NetworkConfig, options: StreamOptions) -> Denoiser<Flex> {
    Denoiser::from_network(network(config, 1), config.clone(), 16_000, Phrasing::Products, device::<Flex>())
        .with_options(options)
}

/// One channel in blocks of the given lengths, used in turn, and what is held back on the way, at most.
fn stream_in_blocks(stream: &mut Stream<Flex>, signal: &[f32], lengths: &[usize]) -> (Vec<f32>, usize) {
    let (mut output, mut rest, mut held_back) = (Vec::new(), signal, 0);
    for length in lengths.iter().cycle() {
        let (block, next) = rest.split_at((*length).min(rest.len()));
        output.extend(block_on(stream.push(&[block])).expect("a healthy device").remove(0));
        rest = next;
        held_back = held_back.max(signal.len() - rest.len() - output.len());
        if rest.is_empty() {
            break;
        }
    }
    output.extend(block_on(stream.flush()).expect("a healthy device").remove(0));
    (output, held_back)
}

fn whole(denoiser: &Denoiser<Flex>, rate_hz: u32, channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let audio = Audio::new(rate_hz, channels.to_vec()).expect("valid");
    block_on(denoiser.denoise(&audio, |_| ())).expect("a healthy device").into_channels()
}

/// Hiss whose level rises and falls by 40 dB, with silence in it.
fn uneven(len: usize, seed: u64) -> Vec<f32> {
    let mut signal = hiss(len, seed);
    for (i, sample) in signal.iter_mut().enumerate() {
        let position = i as f32 / len as f32;
        *sample *= 10f32.powf(-2.0 * (7.0 * position).sin().powi(2));
        if (0.3..0.5).contains(&position) {
            *sample = 0.0;
        }
    }
    signal
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_and_pieces_join_to_the_whole(
        config in prop::sample::select(NetworkConfig::tiny()),
        rate_hz in prop::sample::select(vec![8_000u32, 16_000, 22_050, 44_100, 48_000]),
        len in prop_oneof![Just(1usize), 2usize..50, 5_000usize..30_000],
        piece_length in prop_oneof![Just(1_000usize), Just(4_099), 500usize..9_000],
        lengths in prop::collection::vec(prop_oneof![Just(1usize), Just(0), Just(2_003), 3usize..5_000], 1..5),
        low_latency in any::<bool>(),
        seed in 0u64..100,
    ) {
        // Something must come, or it never ends; and single samples alone take long.
        prop_assume!(lengths.iter().sum::<usize>() > 100);
        let signal = uneven(len, seed);
        let options = whole_piece().with_low_latency(low_latency);
        let expected = whole(&denoiser(&config, options), rate_hz, std::slice::from_ref(&signal)).remove(0);
        let denoiser = denoiser(&config, options.with_piece_length(piece_length));
        let mut stream = denoiser.stream(rate_hz, 1).expect("a valid rate");
        let (output, held_back) = stream_in_blocks(&mut stream, &signal, &lengths);
        prop_assert_eq!(output.len(), len);
        let error = output.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        prop_assert!(error < 1e-4, "{error}");
        prop_assert!(held_back <= stream.latency(), "{held_back} held back, {} announced", stream.latency());
    }
}

#[test]
fn single_samples_and_primes_join_to_the_whole() {
    for config in NetworkConfig::tiny() {
        for rate_hz in [16_000, 44_100] {
            let signal = uneven(20_011, 3);
            let expected = whole(&denoiser(&config, whole_piece()), rate_hz, std::slice::from_ref(&signal)).remove(0);
            let options = whole_piece().with_piece_length(700).with_lookahead_seconds(0.1);
            let mut stream = denoiser(&config, options).stream(rate_hz, 1).expect("a valid rate");
            let (first, held_back) = stream_in_blocks(&mut stream, &signal, &[1]);
            // A live stream does come along, and the same again after a flush.
            assert!(held_back < 20_011, "{held_back}");
            for lengths in [[1, 1], [2, 3], [7, 1_009], [4_001, 13]] {
                assert_eq!(stream_in_blocks(&mut stream, &signal, &lengths).0, first);
            }
            // Its levels differ from those seen 4 s ahead, so it isn't `expected`; with the same look-ahead it is.
            let mut stream = denoiser(&config, whole_piece().with_piece_length(700)).stream(rate_hz, 1).expect("valid");
            assert_close(&stream_in_blocks(&mut stream, &signal, &[1, 4_001]).0, &expected, 1e-4);
        }
    }
}

#[test]
fn presets_join_to_what_the_network_makes_of_the_whole() {
    for name in ["autoencoder", "wavenet-small", "dcunet-small", "rnnformer"] {
        let config = NetworkConfig::preset(name).expect("listed");
        let signal = hiss(40_000, 1);
        // Short enough for one level and one offset: the network's own output is the reference.
        let (mean, level) = (signal.iter().sum::<f32>() / 40_000.0, 0.1);
        let centred: Vec<f32> = signal.iter().map(|x| x - mean).collect();
        let gain = level / rms(&centred);
        let levelled: Vec<f32> = centred.iter().map(|x| x * gain).collect();
        let expected: Vec<f32> = forward(&network::<Flex>(&config, 1), &levelled).iter().map(|x| x / gain).collect();
        let denoiser = denoiser(&config, whole_piece().with_piece_length(12_000));
        let mut stream = denoiser.stream(16_000, 1).expect("a valid rate");
        assert_close(&stream_in_blocks(&mut stream, &signal, &[1_009]).0, &expected, 1e-4);
    }
}

/// An `rnnformer` whose mask is 1: what goes in comes out.
fn transparent(options: StreamOptions) -> Denoiser<Flex> {
    let config = NetworkConfig::preset("rnnformer").expect("listed");
    let mut weights = Weights::default();
    for (name, Weight { shape, values }) in Weights::of(&network::<Flex>(&config, 1)).expect("readable").iter() {
        let values = match name {
            "output.weight" => vec![0.0; values.len()],
            "output.bias" => vec![1.0, 0.0],
            _ => values.clone(),
        };
        weights.insert(name, shape.clone(), values).expect("once");
    }
    let network = weights.network(&config, &device::<Flex>()).expect("its weights");
    Denoiser::from_network(network, config, 16_000, Phrasing::Products, device::<Flex>()).with_options(options)
}

/// Impulses, on hiss for there to be a level.
#[test]
fn a_live_impulse_comes_out_where_it_was_and_as_late_as_is_said() {
    for (rate_hz, limit_ms) in
        [(8_000u32, 42.0), (16_000, 35.0), (44_100, 45.0), (48_000, 45.0), (96_000, 45.0), (192_000, 45.0)]
    {
        let len = rate_hz as usize;
        let mut signal: Vec<f32> = hiss(len, 1).iter().map(|x| 1e-2 * x).collect();
        let impulses: Vec<usize> = (1..7).map(|index| index * len / 7 + 37 * index).collect();
        impulses.iter().for_each(|&position| signal[position] = 0.5);
        let mut stream = transparent(StreamOptions::live()).stream(rate_hz, 1).expect("a valid rate");
        let announced = stream.latency();
        let (mut output, mut longest) = (Vec::new(), 0);
        for (index, block) in signal.chunks(16).enumerate() {
            let before = output.len();
            output.extend(block_on(stream.push(&[block])).expect("a healthy device").remove(0));
            let received = 16 * index + block.len();
            for &position in impulses.iter().filter(|position| (before..output.len()).contains(position)) {
                longest = longest.max(received - position);
            }
            assert!(received - output.len() <= announced, "{rate_hz} Hz: {} at {received}", output.len());
        }
        output.extend(block_on(stream.flush()).expect("a healthy device").remove(0));
        let ms = |samples: usize| 1e3 * samples as f64 / f64::from(rate_hz);
        println!("{rate_hz} Hz: {:.1} ms announced, impulses {:.1} ms late at most", ms(announced), ms(longest));
        assert!(ms(announced) <= limit_ms, "{rate_hz} Hz: {} ms", ms(announced));
        assert!(longest <= announced + 16 && ms(announced - longest.min(announced)) < 12.0, "{longest} of {announced}");
        for &position in &impulses {
            let found = (position - 200..position + 200).max_by(|&a, &b| output[a].abs().total_cmp(&output[b].abs()));
            assert_eq!(found, Some(position), "{rate_hz} Hz");
        }
        assert_eq!(output.len(), len);
    }
}

#[test]
fn live_sound_does_not_depend_on_its_blocks() {
    let config = tiny("rnnformer");
    for rate_hz in [8_000, 16_000, 48_000] {
        let signal = uneven(20_011, 3);
        let mut stream = denoiser(&config, StreamOptions::live()).stream(rate_hz, 1).expect("a valid rate");
        let (first, held_back) = stream_in_blocks(&mut stream, &signal, &[128]);
        assert!(held_back <= stream.latency() && first.len() == signal.len());
        for lengths in [[1, 1], [2, 3], [7, 1_009], [4_001, 13]] {
            assert_eq!(stream_in_blocks(&mut stream, &signal, &lengths).0, first);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let presets = ["autoencoder", "wavenet-small", "dcunet-small", "rnnformer"];
    let presets = presets.map(|name| NetworkConfig::preset(name).expect("listed"));
    let short =
        StreamOptions::default().with_attenuation_limit_db(20.0).with_piece_length(700).with_lookahead_seconds(0.1);
    let long = short.with_piece_length(12_000);
    for (config, options) in
        NetworkConfig::tiny().iter().map(|config| (config, short)).chain(presets.iter().map(|c| (c, long)))
    {
        for (rate_hz, len) in [(8_000, 3), (22_050, 40_011)] {
            let signals = [1, 2, 3].map(|seed| uneven(len, seed));
            let denoiser = denoiser(config, options);
            let expected = whole(&denoiser, rate_hz, &signals);
            for threads in [1, 2, 5] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                let output = pool.install(|| {
                    let mut stream = denoiser.parallel_stream(rate_hz, 3).expect("valid");
                    let mut output = vec![Vec::new(); 3];
                    let mut append = |blocks: Vec<Vec<f32>>| {
                        output.iter_mut().zip(blocks).for_each(|(output, block)| output.extend(block));
                    };
                    for start in (0..len).step_by(1_009) {
                        let block =
                            signals.iter().map(|signal| signal[start..len.min(start + 1_009)].to_vec()).collect();
                        append(stream.push(block).expect("a healthy device"));
                    }
                    append(stream.flush().expect("a healthy device"));
                    output
                });
                assert!(output == expected, "{rate_hz} Hz, {threads} threads");
            }
        }
    }
}

#[test]
fn a_limit_of_0_leaves_the_recording_and_limits_in_between_mix() {
    let config = tiny("autoencoder");
    for rate_hz in [8_000, 16_000, 48_000] {
        let signal = [uneven(9_000, 1)];
        let limited = |attenuation_limit_db: f32| {
            let options = StreamOptions::default().with_attenuation_limit_db(attenuation_limit_db);
            whole(&denoiser(&config, options), rate_hz, &signal).remove(0)
        };
        assert_close(&limited(0.0), &signal[0], 1e-6);
        let all = limited(100.0);
        let mixed: Vec<f32> = all.iter().zip(&signal[0]).map(|(y, x)| y + 0.1 * (x - y)).collect();
        assert_close(&limited(20.0), &mixed, 1e-6);
    }
}

#[test]
fn offsets_go_and_change_nothing_else() {
    for config in NetworkConfig::tiny() {
        let denoiser = denoiser(&config, StreamOptions::default());
        let signal = hiss(30_000, 4);
        let expected = whole(&denoiser, 16_000, std::slice::from_ref(&signal)).remove(0);
        for offset in [-0.3, 0.05, 2.0] {
            let shifted: Vec<f32> = signal.iter().map(|x| x + offset).collect();
            assert_close(&whole(&denoiser, 16_000, &[shifted]).remove(0), &expected, 2e-5);
        }
    }
}

#[test]
fn silence_within_a_recording_stays_digital_silence() {
    for config in NetworkConfig::tiny() {
        let mut signal = hiss(60_000, 5);
        signal[20_000..40_000].fill(0.0);
        let output = whole(&denoiser(&config, StreamOptions::default()), 16_000, &[signal]).remove(0);
        // 0.11 s after it began, up to where it ends.
        assert!(output[21_760..40_000].iter().all(|&sample| sample == 0.0));
        assert!(rms(&output[..20_000]) > 0.0 && rms(&output[40_100..]) > 0.0);
    }
}

#[test]
fn what_cannot_be_denoised_is_refused_and_harms_nothing() {
    let config = tiny("autoencoder");
    let denoiser = denoiser(&config, StreamOptions::default());
    for (rate_hz, channels, expected) in
        [(0, 1, "4000 to"), (3_999, 1, "4000 to"), (384_001, 1, "to 384000"), (16_000, 0, "at least 1")]
    {
        let Err(error) = denoiser.stream(rate_hz, channels) else { panic!("{rate_hz} Hz, {channels} channels") };
        assert!(error.to_string().contains(expected), "{error}");
    }
    for options in [
        StreamOptions::default().with_attenuation_limit_db(-1.0),
        StreamOptions::default().with_attenuation_limit_db(f32::NAN),
        StreamOptions::default().with_lookahead_seconds(1e9),
    ] {
        assert!(denoiser.clone().with_options(options).stream(16_000, 1).is_err());
    }

    let signal = hiss(5_000, 6);
    let expected = whole(&denoiser, 16_000, &[signal.clone(), signal.clone()]).remove(0);
    let mut stream = denoiser.stream(16_000, 2).expect("valid");
    let mut output = Vec::new();
    for block in signal.chunks(1_000) {
        let mut broken = block.to_vec();
        broken[700] = f32::NAN;
        let refused = |blocks: &[&[f32]], stream: &mut Stream<Flex>| {
            block_on(stream.push(blocks)).expect_err("should be refused").to_string()
        };
        assert!(refused(&[block], &mut stream).starts_with("channels: expected 2, got 1"));
        assert!(refused(&[block, &block[1..]], &mut stream).contains("1000 samples in each, got 999"));
        assert!(refused(&[block, &broken], &mut stream).contains("finite numbers, got NaN"));
        output.extend(block_on(stream.push(&[block, block])).expect("valid").remove(0));
    }
    output.extend(block_on(stream.flush()).expect("a healthy device").remove(0));
    assert_eq!(output, expected);
    // Nothing at all is nothing, not an error.
    assert_eq!(block_on(stream.flush()).expect("a healthy device"), [[0.0; 0], [0.0; 0]]);
}

/// The default network as it is shipped.
fn shipped() -> Denoiser<Flex> {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/dcunet.zip")).expect("shipped");
    Denoiser::new(&Bundle::from_bytes(&bytes).expect("a bundle"), Phrasing::Products, device::<Flex>())
        .expect("its weights")
}

fn speech_and_hiss(seconds: usize, rate_hz: u32, snr_db: f32) -> (Vec<f32>, Vec<f32>) {
    let len = seconds * rate_hz as usize;
    let clean = synth::speech(len, rate_hz, &mut rng(11));
    let noisy = noise::mix(&clean, &noise::white(len, &mut rng(12)), snr_db).expect("both sound");
    (clean, noisy)
}

/// Energy between two frequencies, frame by frame, in dB.
fn band_levels(signal: &[f32], rate_hz: u32, low_hz: f32, high_hz: f32) -> Vec<f32> {
    let plan = SpectrumPlan::new(StftConfig { n_fft: 1024, hop_length: 256 });
    let bin = |hz: f32| (hz / rate_hz as f32 * 1024.0) as usize;
    let level = |frame: &[realfft::num_complex::Complex32]| {
        10.0 * (frame[bin(low_hz)..bin(high_hz)].iter().map(|c| c.norm_sqr()).sum::<f32>() + 1e-12).log10()
    };
    plan.forward(signal).frames().map(level).collect()
}

#[test]
fn above_the_networks_band_hiss_goes_and_sibilants_stay() {
    const RATE_HZ: u32 = 48_000;
    // Hiss throughout, and from time to time a sibilant that reaches from 3 kHz far above the network's band.
    let (_, mut noisy) = speech_and_hiss(6, RATE_HZ, 15.0);
    let mut sibilants = vec![0.0f32; noisy.len()];
    let mut generator = rng(13);
    let mut previous = [0.0f32; 2];
    for (i, sample) in sibilants.iter_mut().enumerate() {
        // A differentiated noise, for a tenth of a second out of one.
        let white: f32 = generator.random_range(-1.0..1.0);
        let sharp = white - 1.2 * previous[0] + 0.5 * previous[1];
        previous = [white, previous[0]];
        let phase = i % RATE_HZ as usize;
        if (20_000..25_000).contains(&phase) {
            *sample = 0.1 * sharp;
        }
    }
    noisy.iter_mut().zip(&sibilants).for_each(|(sample, sibilant)| *sample += sibilant);
    let denoised = whole(&shipped(), RATE_HZ, std::slice::from_ref(&noisy)).remove(0);
    let phase = |frame: usize| frame * 256 % RATE_HZ as usize;
    // By how much hiss and sibilants fall between two frequencies, in dB.
    let drops = |low_hz: f32, high_hz: f32| {
        let [before, after] = [&noisy, &denoised].map(|signal| band_levels(signal, RATE_HZ, low_hz, high_hz));
        let mean = |chosen: &dyn Fn(usize) -> bool| {
            let frames = (0..before.len()).filter(|&frame| chosen(phase(frame)));
            let drops: Vec<f32> = frames.map(|frame| before[frame] - after[frame]).collect();
            drops.iter().sum::<f32>() / drops.len() as f32
        };
        [mean(&|phase| !(18_000..27_000).contains(&phase)), mean(&|phase| (21_000..24_000).contains(&phase))]
    };
    let ([hiss, sibilants], [_, below]) = (drops(9_000.0, 20_000.0), drops(4_000.0, 8_000.0));
    println!(
        "upper band: {hiss:.1} dB less hiss, {sibilants:.1} dB less sibilant, which the network lowers by {below:.1}"
    );
    // How much of a burst of noise is left is the network's taste; above it, as much must be left as below.
    assert!(hiss > 10.0 && hiss > sibilants + 10.0, "hiss falls by {hiss} dB, sibilants by {sibilants} dB");
    assert!((sibilants - below).abs() < 3.0, "sibilants fall by {sibilants} dB above, by {below} dB below");
}

#[test]
fn level_offset_and_clipping_leave_the_quality_as_it_was() {
    let (clean, noisy) = speech_and_hiss(6, 16_000, 5.0);
    let denoiser = shipped();
    let quality = |input: &[f32]| metric::si_sdr(&clean, &whole(&denoiser, 16_000, &[input.to_vec()])[0]);
    let change = |what: &str, change: &dyn Fn(f32) -> f32| {
        let input: Vec<f32> = noisy.iter().map(|&x| change(x)).collect();
        let (before, after) = (metric::si_sdr(&clean, &input), quality(&input));
        println!("{what}: {after:.2} dB from {before:.2}");
        [after, after - before]
    };
    let [reference, gain] = change("as it is", &|x| x);
    let quiet = 1e-3 / rms(&noisy);
    for (what, [after, _]) in [
        ("-60 dBFS", change("-60 dBFS", &|x| x * quiet)),
        ("20 dB louder", change("20 dB louder", &|x| x * 10.0)),
        ("offset", change("offset", &|x| x + 0.3)),
    ] {
        assert!((after - reference).abs() < 0.05, "{what} changes the result from {reference} to {after} dB");
    }
    // Half a per cent of samples is cut off; that much of the signal is gone, but no more than that.
    let mut peaks: Vec<f32> = noisy.iter().map(|x| x.abs()).collect();
    peaks.sort_by(f32::total_cmp);
    let limit = peaks[peaks.len() * 995 / 1000];
    let [_, clipped] = change("clipped", &|x| x.clamp(-limit, limit));
    assert!(clipped > gain - 0.5, "{gain} dB are gained, and {clipped} dB where it is clipped");
}
