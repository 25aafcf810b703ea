//! Any bytes as a bundle, and as the parts of one: they are refused, or what they hold can be loaded as a network or refused.
#![no_main]

use std::io::{Cursor, Write};

use burn::backend::Flex;
use libfuzzer_sys::fuzz_target;
use shared::Bundle;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const CONFIG: &[u8] = br#"{"version": 1, "sample_rate_hz": 16000, "precision": "f32",
    "network": {"network": "autoencoder", "channels": 1, "kernel_size": 2, "stride": 1}}"#;
const CARD: &[u8] = br#"{"name": "", "summary": "", "parameters": 6, "data": [], "scores": [], "limits": [], "training":
    {"command": "", "seed": 1, "steps": 0, "hours_seen": 0, "loss": "", "noise": "", "device": "", "date": ""}}"#;

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
    if let Ok(bundle) = Bundle::from_bytes(bytes) {
        let _ = bundle.network::<Flex>(&Default::default());
    }
}

fuzz_target!(|data: &[u8]| match data.split_first() {
    Some((0, weights)) => load(&archive(CONFIG, CARD, weights)),
    Some((1, config)) => load(&archive(config, CARD, &[0; 1 << 16])),
    Some((2, card)) => load(&archive(CONFIG, card, &[0; 64])),
    _ => load(data),
});
