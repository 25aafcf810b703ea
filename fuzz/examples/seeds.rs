//! Writes what fuzzing of bundles starts from: `cargo run --example seeds` in the folder `fuzz`.

use std::fs;
use std::path::Path;

use burn::backend::Flex;
use shared::bundle::{Bundle, Card, Precision};
use shared::nn::{AutoencoderConfig, DcunetConfig, NetworkConfig, WavenetConfig};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/bundle");
    fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, kind: u8, content: &[u8]| {
        fs::write(folder.join(format!("{name}.seed")), [&[kind], content].concat()).expect("a file");
    };
    let config = NetworkConfig::Autoencoder(AutoencoderConfig { channels: 1, kernel_size: 2, stride: 1 });
    let network = config.init::<Flex>(&Default::default());
    let bundle = Bundle::pack(&network, config, 16_000, Precision::F32, Card::default()).expect("a small bundle");
    let bytes = bundle.to_bytes().expect("an archive");
    fs::write(folder.join("archive.seed"), &bytes).expect("a file");
    // The weights are the last entry, stored as they are; their directory follows.
    let start = position(&bytes, b"weights.bpk") + b"weights.bpk".len();
    let end = position(&bytes, b"PK\x01\x02");
    write("weights", 0, &bytes[start..end]);
    for (name, network) in [
        ("autoencoder", NetworkConfig::Autoencoder(AutoencoderConfig { channels: 2, kernel_size: 8, stride: 4 })),
        ("wavenet", NetworkConfig::Wavenet(WavenetConfig::small())),
        ("dcunet", NetworkConfig::Dcunet(DcunetConfig::small())),
    ] {
        let config = shared::bundle::BundleConfig {
            version: shared::bundle::VERSION,
            sample_rate_hz: 16_000,
            precision: Precision::F16,
            network,
        };
        write(name, 1, &serde_json::to_vec(&config).expect("JSON"));
    }
    write("card", 2, &serde_json::to_vec(&Card::default()).expect("JSON"));
}

fn position(bytes: &[u8], needle: &[u8]) -> usize {
    bytes.windows(needle.len()).position(|window| window == needle).expect("an entry of the archive")
}
