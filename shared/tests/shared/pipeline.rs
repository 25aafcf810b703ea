//! Whole recordings through a network: in pieces as in one, at any rate, in any number of channels.

use crate::common::*;
use burn::backend::Flex;
use pollster::block_on;
use shared::bundle::{Bundle, Card, Precision};
use shared::nn::NetworkConfig;
use shared::stream::Options;
use shared::{Audio, Denoiser};

fn denoiser(config: &NetworkConfig, rate_hz: u32) -> Denoiser<Flex> {
    Denoiser::from_network(network(config, 1), config.clone(), rate_hz, device::<Flex>())
}

fn in_pieces(config: &NetworkConfig, piece_length: usize) -> Denoiser<Flex> {
    denoiser(config, 16_000).with_options(Options { piece_length, ..Options::default() })
}

#[test]
fn pieces_join_to_the_whole() {
    for config in tiny() {
        let network = network::<Flex>(&config, 1);
        for len in [1, 2, 79, 640, 1_001, 2_003] {
            let signal = hiss(len, len as u64);
            let whole = forward(&network, &signal);
            for piece_length in [0, 1, 7, 64, 333, 5_000] {
                let denoiser = in_pieces(&config, piece_length);
                let mut shares = Vec::new();
                let pieces = block_on(denoiser.pieces(&signal, |share| shares.push(share))).expect("a healthy device");
                assert_close(&pieces, &whole, 1e-6);
                assert!(shares.is_sorted() && shares[0] > 0.0 && shares.last() == Some(&1.0), "{shares:?}");
            }
        }
    }
}

#[test]
fn pieces_of_the_presets_join_too() {
    for name in ["autoencoder", "wavenet-small", "dcunet-small"] {
        let config = NetworkConfig::preset(name).expect("listed");
        // Two pieces and a half, with context on both sides of the middle one.
        let piece_length = 4_096.max(config.alignment());
        let signal = hiss(5 * piece_length / 2 + 1, 1);
        let whole = forward(&network::<Flex>(&config, 1), &signal);
        let denoiser = in_pieces(&config, piece_length);
        let pieces = block_on(denoiser.pieces(&signal, |_| ())).expect("a healthy device");
        assert_close(&pieces, &whole, 1e-5);
    }
}

#[test]
fn rate_channels_and_length_are_kept() {
    let [config, ..] = tiny();
    let denoiser = in_pieces(&config, 400);
    for rate_hz in [4_000, 8_000, 16_000, 44_100, 48_000, 384_000] {
        for count in [1, 2, 5] {
            for len in [1, 2, 1_000] {
                let channels = (0..count).map(|channel| hiss(len, channel)).collect();
                let audio = Audio::new(rate_hz, channels).expect("valid");
                let mut shares = Vec::new();
                let output = block_on(denoiser.denoise(&audio, |share| shares.push(share))).expect("a healthy device");
                assert_eq!(output.sample_rate_hz(), rate_hz);
                assert_eq!(output.channels().len(), count as usize);
                assert_eq!(output.len(), len);
                assert!(shares.is_sorted(), "{shares:?}");
                assert!((shares.last().expect("reported") - 1.0).abs() < 1e-12, "{shares:?}");
            }
        }
    }
}

#[test]
fn silence_stays_silent_channel_by_channel() {
    for config in tiny() {
        let denoiser = denoiser(&config, 16_000);
        for rate_hz in [16_000, 44_100] {
            let audio = Audio::new(rate_hz, vec![hiss(500, 1), vec![0.0; 500], hiss(500, 2), vec![0.0; 500]]);
            let mut shares = Vec::new();
            let output = block_on(denoiser.denoise(&audio.expect("valid"), |share| shares.push(share)));
            let channels = output.expect("a healthy device").into_channels();
            assert_eq!((&channels[1], &channels[3]), (&vec![0.0; 500], &vec![0.0; 500]));
            assert!(channels[0].iter().any(|&sample| sample != 0.0));
            assert!(channels[2].iter().any(|&sample| sample != 0.0));
            assert!(shares.is_sorted() && shares.last() == Some(&1.0), "{shares:?}");
        }
    }
}

#[test]
fn channels_do_not_leak_and_levels_do_not_matter() {
    for config in tiny() {
        let denoiser = denoiser(&config, 16_000);
        let run = |channels: Vec<Vec<f32>>| {
            let audio = Audio::new(16_000, channels).expect("valid");
            block_on(denoiser.denoise(&audio, |_| ())).expect("a healthy device").into_channels()
        };
        let (a, b) = (hiss(700, 1), hiss(700, 2));
        let alone = run(vec![a.clone()]).remove(0);
        assert_eq!(run(vec![a.clone(), b])[0], alone);
        let peak = alone.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        for scale in [1e-36, 1e-6, 1e-3, 10.0, 1e6, 1e36] {
            let scaled = run(vec![a.iter().map(|x| x * scale).collect()]).remove(0);
            let back: Vec<f32> = scaled.iter().map(|x| x / scale).collect();
            assert_close(&back, &alone, 1e-4 * peak);
        }
        // Not one digit is left here; it must only go through.
        let denormal = run(vec![a.iter().map(|x| x * 1e-42).collect()]).remove(0);
        assert!(denormal.iter().all(|sample| sample.is_finite()));
    }
}

#[test]
fn a_bundle_denoises() {
    let [_, _, config] = tiny();
    let network = network::<Flex>(&config, 1);
    let bundle = Bundle::pack(&network, config.clone(), 8_000, Precision::F32, Card::default()).expect("valid");
    let audio = Audio::mono(8_000, hiss(300, 1)).expect("valid");
    let run = |denoiser: Denoiser<Flex>| block_on(denoiser.denoise(&audio, |_| ())).expect("a healthy device");
    let from_bundle = run(Denoiser::new(&bundle, device::<Flex>()).expect("own weights"));
    assert_eq!(from_bundle, run(denoiser(&config, 8_000)));
}
