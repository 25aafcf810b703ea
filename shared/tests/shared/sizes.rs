//! Counts of the presets against figures worked out by hand, and against the tables of the papers.

use burn::backend::Flex;
use burn_store::ModuleSnapshot;
use shared::nn::needs::{MAX_ALIGNMENT, MAX_LATENCY, MAX_MACS_PER_SECOND, MAX_PIECE_BYTES};
use shared::nn::{NetworkConfig, NetworkShape, WavenetConfig};

fn preset(name: &str) -> NetworkConfig {
    NetworkConfig::preset(name).expect("listed")
}

/// A layer of the paper's tables: complex channels in and out, kernel and stride in `[frequency, time]`.
type Row = (usize, usize, [usize; 2], [usize; 2]);

/// Compares every kernel of a preset with the tables of Choi et al. 2019, appendix B: the encoder's rows as printed, the
/// decoder's with the channels that come in, twice those of the layer before wherever the encoder's are concatenated.
fn assert_table(name: &str, encoder: &[Row], decoder: &[Row]) {
    let config = preset(name);
    let NetworkConfig::Dcunet(unet) = &config else { panic!("{name} is no U-Net") };
    assert_eq!((unet.stft.n_fft, unet.stft.hop_length, unet.compression), (1024, 256, 1.0));
    let strides: Vec<_> = unet.layers.iter().map(|layer| layer.stride).collect();
    assert_eq!(strides, encoder.iter().map(|row| row.3).collect::<Vec<_>>());
    assert_eq!(strides, decoder.iter().rev().map(|row| row.3).collect::<Vec<_>>());

    let network = config.init::<Flex>(&Default::default());
    let mut kernels = 0;
    for snapshot in network.collect(None, None, false) {
        let path = snapshot.full_path();
        let parts: Vec<&str> = path.split('.').collect();
        let [.., side, index, "convolution", "kernel", "real" | "imaginary"] = parts[..] else { continue };
        let index: usize = index.parse().expect("a number");
        let (input, output, [k_f, k_t], _) = if side == "encoder" { encoder[index] } else { decoder[index] };
        // A transposed layer's kernel has its inputs first.
        let channels = if side == "encoder" { [output, input] } else { [input, output] };
        let expected = [channels[0], channels[1], k_f, k_t];
        assert_eq!(snapshot.shape.as_slice(), expected, "{path}");
        kernels += 1;
    }
    assert_eq!(kernels, 2 * (encoder.len() + decoder.len()));
}

#[test]
fn dcunet_10_is_the_papers_table() {
    assert_table(
        "dcunet-10",
        &[
            (1, 32, [7, 5], [2, 2]),
            (32, 64, [7, 5], [2, 2]),
            (64, 64, [5, 3], [2, 2]),
            (64, 64, [5, 3], [2, 2]),
            (64, 64, [5, 3], [2, 1]),
        ],
        &[
            (64, 64, [5, 3], [2, 1]),
            (128, 64, [5, 3], [2, 2]),
            (128, 64, [5, 3], [2, 2]),
            (128, 32, [7, 5], [2, 2]),
            (64, 1, [7, 5], [2, 2]),
        ],
    );
    // Encoder: 35 taps of 1·32 + 32·64 kernels, 15 of 3·64·64, two numbers each: 2 (35 · 2080 + 15 · 12288) = 514240.
    // Decoder: 15 of 64·64 + 2·128·64, 35 of 128·32 + 64·1: 2 (15 · 20480 + 35 · 4160) = 905600.
    // Five numbers for each of 32 + 4·64 + 3·64 + 32 = 512 normalised channels. The paper: 1.4 million.
    assert_eq!(preset("dcunet-10").parameters(), 514_240 + 905_600 + 5 * 512);
}

#[test]
fn dcunet_16_is_the_papers_table() {
    assert_table(
        "dcunet-16",
        &[
            (1, 32, [7, 5], [2, 2]),
            (32, 32, [7, 5], [2, 1]),
            (32, 64, [7, 5], [2, 2]),
            (64, 64, [5, 3], [2, 1]),
            (64, 64, [5, 3], [2, 2]),
            (64, 64, [5, 3], [2, 1]),
            (64, 64, [5, 3], [2, 2]),
            (64, 64, [5, 3], [2, 1]),
        ],
        &[
            (64, 64, [5, 3], [2, 1]),
            (128, 64, [5, 3], [2, 2]),
            (128, 64, [5, 3], [2, 1]),
            (128, 64, [5, 3], [2, 2]),
            (128, 64, [5, 3], [2, 1]),
            (128, 32, [7, 5], [2, 2]),
            (64, 32, [7, 5], [2, 1]),
            (64, 1, [7, 5], [2, 2]),
        ],
    );
    // Encoder: 2 (35 (1·32 + 32·32 + 32·64) + 15 · 5 · 64·64) = 2 (35 · 3104 + 15 · 20480) = 831680.
    // Decoder: 2 (15 (64·64 + 4 · 128·64) + 35 (128·32 + 64·32 + 64)) = 2 (15 · 36864 + 35 · 6208) = 1540480.
    // Normalised: 2·32 + 6·64 in the encoder, 5·64 + 2·32 in the decoder, 832. The paper: 2.3 million.
    assert_eq!(preset("dcunet-16").parameters(), 831_680 + 1_540_480 + 5 * 832);
}

#[test]
fn dcunet_20_is_the_papers_table() {
    assert_table(
        "dcunet-20",
        &[
            (1, 32, [7, 1], [1, 1]),
            (32, 32, [1, 7], [1, 1]),
            (32, 64, [7, 5], [2, 2]),
            (64, 64, [7, 5], [2, 1]),
            (64, 64, [5, 3], [2, 2]),
            (64, 64, [5, 3], [2, 1]),
            (64, 64, [5, 3], [2, 2]),
            (64, 64, [5, 3], [2, 1]),
            (64, 64, [5, 3], [2, 2]),
            (64, 90, [5, 3], [2, 1]),
        ],
        &[
            (90, 64, [5, 3], [2, 1]),
            (128, 64, [5, 3], [2, 2]),
            (128, 64, [5, 3], [2, 1]),
            (128, 64, [5, 3], [2, 2]),
            (128, 64, [5, 3], [2, 1]),
            (128, 64, [5, 3], [2, 2]),
            (128, 64, [7, 5], [2, 1]),
            (128, 32, [7, 5], [2, 2]),
            (64, 32, [1, 7], [1, 1]),
            (64, 1, [7, 1], [1, 1]),
        ],
    );
    // Encoder: 2 (7 (32 + 32·32) + 35 (32·64 + 64·64) + 15 (5 · 64·64 + 64·90)) = 2 (7392 + 215040 + 393600) = 1232064.
    // Decoder: 2 (15 (90·64 + 5 · 128·64) + 35 (128·64 + 128·32) + 7 (64·32 + 64)) = 2 (700800 + 430080 + 14784) = 2291328.
    // Normalised: 2·32 + 7·64 + 90 in the encoder, 7·64 + 2·32 in the decoder, 1114. The paper: 3.5 million.
    assert_eq!(preset("dcunet-20").parameters(), 1_232_064 + 2_291_328 + 5 * 1114);
}

#[test]
fn the_wavenet_has_the_papers_size() {
    // A block: 3·128·256 + 256 for the gates, 128·256 + 256 for residual and skip. The last has no residual: 128·128 + 128 less.
    // Ends: 3·128 + 128, 3·128·2048 + 2048, 3·2048·256 + 256, 256 + 1. The paper's figure is not given; others count 6.3 million.
    let (block, last) = (98_304 + 256 + 32_768 + 256, 16_384 + 128);
    let ends = 512 + 786_432 + 2048 + 1_572_864 + 256 + 257;
    assert_eq!(preset("wavenet").parameters(), 30 * block - last + ends);
    assert_eq!(WavenetConfig::paper().receptive_field(), Some(1 + 3 * 2 * 1023 + 6));
}

#[test]
fn the_rnnformer_has_the_papers_sizes() {
    // Ends: 2 · 2·8·48 + 2. Along frequency 2 · 3·48² + 2 (2 + 3) 48² + 2·48² = 18·48². To bands and back 2·48·36, embedding 24·36.
    // A block: (6 + 1 + 3 + 1) 36² + 6·36. Normalised: 9·48 + 7·36, two numbers each. The paper: 92 thousand.
    let expected = 1_538 + 18 * 2_304 + 3_456 + 864 + 3 * (11 * 1_296 + 216) + 2 * (9 * 48 + 7 * 36);
    assert_eq!(preset("rnnformer").parameters(), expected);
    // 770 + 18·24² + 960 + 320 + 2 (11·20² + 120) + 2 (9·24 + 5·20). The paper: 22 thousand.
    assert_eq!(preset("rnnformer-tiny").parameters(), 770 + 10_368 + 960 + 320 + 2 * 4_520 + 632);
}

#[test]
fn multiplications_are_those_counted_by_hand() {
    let macs = |name: &str| preset(name).macs_per_second(16_000);
    // 500 codes a second, of 32 channels of 2048 samples, twice.
    assert_eq!(macs("autoencoder"), 500.0 * 2.0 * 32.0 * 2048.0);
    // A sample: 30 blocks of 3·128·256 + 128·256, less 128·128 in the last; 3·128 + 3·128·2048 + 3·2048·256 + 256.
    assert_eq!(macs("wavenet"), 16_000.0 * f64::from(30 * 131_072 - 16_384 + 384 + 786_432 + 1_572_864 + 256));
    // A thousand steps: 16 blocks of 3·64·128 + 64·128, less 64·64 in the last; 3·16·64 + 3·64·128 + 3·128·64 + 64·16.
    assert_eq!(macs("wavenet-small"), 1_000.0 * f64::from(16 * 32_768 - 4_096 + 3_072 + 2 * 24_576 + 1_024));
    // 16 frames, 4096 samples: both transforms 2 · 16 · 1024 · 1026. Then for each depth positions of the smaller side, four
    // times the channels outside, the channels inside of encoder and decoder together, and taps.
    let expected = 2 * 16 * 1024 * 1026
        + (257 * 8) * 4 * (32 + 64) * 35
        + (129 * 4) * 4 * 32 * (64 + 128) * 35
        + (65 * 2) * 4 * 64 * (64 + 128) * 15
        + 33 * 4 * 64 * (64 + 128) * 15
        + 17 * 4 * 64 * (64 + 64) * 15;
    assert_eq!(macs("dcunet-10"), f64::from(expected) * 16_000.0 / 4096.0);
    // 62.5 frames a second. Ends 2·64·16·48, along frequency 64·18·48², filters 2·64·24·48 and 2·24·48·36, blocks
    // 3 (24·11·36² + 2·24²·36). The paper: 262 million.
    let expected = 98_304 + 2_654_208 + 147_456 + 82_944 + 3 * 383_616;
    assert_eq!(macs("rnnformer"), 62.5 * f64::from(expected));
    // At another rate, as many more.
    assert_eq!(preset("dcunet-10").macs_per_second(48_000), 3.0 * macs("dcunet-10"));
}

#[test]
fn presets_need_far_less_than_is_allowed() {
    for (name, config) in NetworkConfig::presets() {
        config.validate().expect("a preset");
        let far_inside = |need: f64, limit: f64| assert!(3.0 * need <= limit, "{name}: {need} of {limit}");
        far_inside(config.macs_per_second(16_000), MAX_MACS_PER_SECOND);
        far_inside(config.piece_bytes() as f64, MAX_PIECE_BYTES as f64);
        far_inside(config.latency() as f64, MAX_LATENCY as f64);
        far_inside(config.alignment() as f64, MAX_ALIGNMENT as f64);
    }
}

#[test]
fn memory_of_a_piece_is_that_counted_by_hand() {
    // A piece of 128 000 samples, and 2048 of context on either side: 132 096 samples and 4129 codes.
    assert_eq!(preset("autoencoder").piece_bytes(), 4 * (3 * (132_096 + 2048) + 3 * 32 * 4129));
    // 128 000 samples and twice 3072. Steps take 3 + 128 + 128 for signal, residual and skips, 3 · (2048 + 256) at the end, and
    // 3 · 128 + 1 for taps, which reach 2 · 512 further.
    let steps = 128_000 + 2 * 3072;
    let values = (3 + 128 + 128 + 3 * 2304) * steps + 385 * (steps + 1024);
    assert_eq!(preset("wavenet").piece_bytes(), 4 * values);
}

#[test]
fn latencies_are_those_worked_out_by_hand() {
    let expected = [
        // (2 · 2048 - 1) / 2 = 2047, in strides of 32: 64, and one stride.
        ("autoencoder", 2048 + 32),
        // 6145 / 2, and the sample itself.
        ("wavenet", 3072 + 1),
        // Reach in steps: 2 · 255 + 3 = 513. 16 (1 + 2 · 513) / 2 = 8216, in frames of 16: 514, and one frame.
        ("wavenet-small", 514 * 16 + 16),
        // Reach in frames: 2 (2·1 + 2·2 + 1·4 + 1·8 + 1·16) = 68. Field: 2 (68·256 + 1024) - 1, half of it 18431, in blocks of
        // 16 frames (4096 samples) 5, and one block.
        ("dcunet-10", 5 * 4096 + 4096),
        // One frame.
        ("rnnformer", 512),
    ];
    for (name, latency) in expected {
        assert_eq!(preset(name).latency(), latency, "{name}");
    }
}

#[test]
fn configurations_name_their_kind() {
    for (name, config) in NetworkConfig::presets() {
        let json = serde_json::to_value(&config).expect("JSON");
        assert_eq!(json["network"], config.kind(), "{name}");
    }
    let firsts: Vec<_> = NetworkConfig::first_presets().into_iter().map(|(_, config)| config.kind()).collect();
    let tiny: Vec<_> = NetworkConfig::tiny().iter().map(NetworkConfig::kind).collect();
    assert_eq!(firsts, tiny);
}
