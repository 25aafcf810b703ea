//! Any bytes as a bundle, and as the parts of one: they are refused, or what they hold is a network that 10 ms of sound go through,
//! in bounded time and memory.
#![no_main]

use std::io::{Cursor, Write};

use burn::backend::Flex;
use burn::prelude::*;
use libfuzzer_sys::fuzz_target;
use shared::bundle::Card;
use shared::nn::{Network, Phrasing, Precision};
use shared::{Audio, Bundle, Denoiser};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const CONFIG: &[u8] = br#"{"version": 1, "sample_rate_hz": 16000, "precision": "f32",
    "network": {"network": "autoencoder", "channels": 1, "kernel_size": 2, "stride": 1}}"#;
const CARD: &[u8] = br#"{"name": "", "summary": "", "parameters": 6, "data": [], "scores": [], "limits": [], "training":
    {"command": "", "seed": 1, "steps": 0, "hours_seen": 0, "loss": "", "noise": "", "device": "", "date": ""}}"#;
/// Weights in bytes up to which a configuration is given some: as large as the bundles that fuzzing makes.
const MAX_WEIGHTS: u64 = 1 << 18;

/// An archive of these parts with right checksums, which random changes to its bytes would never have.
fn archive(config: &[u8], card: &[u8], weights: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in [("config.json", config), ("card.json", card), ("weights.bpk", weights)] {
        archive.start_file(name, options).expect("a valid name");
        archive.write_all(content).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

fn load(bytes: &[u8]) {
    if let Ok(bundle) = Bundle::from_bytes(bytes)
        && let Ok(network) = bundle.network::<Flex>(&Default::default())
    {
        run(&bundle, network);
    }
}

/// A bundle of this configuration with random weights, if they are few.
fn load_random(config: &[u8]) {
    let Ok(Bundle { config, .. }) = Bundle::from_bytes(&archive(config, CARD, &[])) else { return };
    if config.network.weight_bytes(Precision::F32) > MAX_WEIGHTS {
        return;
    }
    let network = config.network.init::<Flex>(&Default::default());
    let bundle = Bundle::pack(&network, config.network, config.sample_rate_hz, config.precision, Card::default());
    load(&bundle.expect("a valid configuration").to_bytes().expect("an archive"));
}

/// 10 ms through the network in all its forms, and through all that is around it.
fn run(bundle: &Bundle, network: Network<Flex>) {
    let rate_hz = bundle.config.sample_rate_hz;
    let samples: Vec<f32> = (0..rate_hz / 100).map(|i| 0.1 * (i as f32 * 0.3).sin()).collect();
    let count = samples.len();
    let waveform = Tensor::from_data(TensorData::new(samples.clone(), [1, 1, count]), &Default::default());
    assert_eq!(network.forward(waveform.clone()).dims(), [1, 1, count]);
    let folded = network.clone().for_inference(Phrasing::Convolutions);
    assert_eq!(folded.forward(waveform).dims(), [1, 1, count]);
    let audio = Audio::new(rate_hz, vec![samples]).expect("a recording");
    let denoiser = Denoiser::from_network(network, bundle.config.network.clone(), rate_hz, Phrasing::Products, Default::default());
    // Weights may be so large that the output is not finite.
    if let Ok(denoised) = pollster::block_on(denoiser.denoise(&audio, |_| {})) {
        assert_eq!(denoised.len(), audio.len());
    }
}

fuzz_target!(|data: &[u8]| match data.split_first() {
    Some((0, weights)) => load(&archive(CONFIG, CARD, weights)),
    Some((1, config)) => load_random(config),
    Some((2, card)) => load(&archive(CONFIG, card, &[0; 64])),
    _ => load(data),
});
