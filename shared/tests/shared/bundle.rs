//! Bundles: what goes in comes out, and nothing that comes in from outside breaks anything.

use std::io::{Cursor, Read, Write};

use crate::common::*;
use burn::backend::Flex;
use burn_store::{BurnpackWriter, ModuleSnapshot, TensorSnapshot};
use rand::RngExt;
use serde_json::{Value, json};
use shared::bundle::{BundleConfig, Card, DataSource, Score, VERSION};
use shared::nn::{AutoencoderConfig, NetworkConfig, Precision};
use shared::{Bundle, Error, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

fn card() -> Card {
    Card {
        name: "test".into(),
        summary: "For tests.".into(),
        parameters: 42,
        data: vec![DataSource { name: "speech".into(), licence: "none".into(), attribution: "nobody".into() }],
        scores: vec![Score { set: "test".into(), metric: "SNR in dB".into(), before: 1.0, after: 2.5 }],
        limits: vec!["everything".into()],
        ..Card::default()
    }
}

fn pack(config: &NetworkConfig, precision: Precision) -> Bundle {
    let network = network::<Flex>(config, 1);
    Bundle::pack(&network, config.clone(), 16_000, precision, card()).expect("a valid network")
}

fn smallest() -> NetworkConfig {
    NetworkConfig::Autoencoder(AutoencoderConfig { channels: 1, kernel_size: 4, stride: 2 })
}

/// All the way from bytes to sound.
fn use_file(bytes: &[u8]) -> Result<Vec<f32>> {
    let network = Bundle::from_bytes(bytes)?.network::<Flex>(&device::<Flex>())?;
    Ok(forward(&network, &hiss(40, 1)))
}

type Entries = Vec<(String, Vec<u8>)>;

fn unzip(bytes: &[u8]) -> Entries {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut entry = |index| {
        let mut file = archive.by_index(index).expect("listed");
        let name = file.name().expect("text").into_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("whole");
        (name, content)
    };
    (0..4).map(&mut entry).collect()
}

fn zip(entries: &Entries) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(name.as_str(), options).expect("a new name");
        archive.write_all(content).expect("fits");
    }
    archive.finish().expect("fits").into_inner()
}

/// The file with one entry changed.
fn with_entry(bytes: &[u8], name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut entries = unzip(bytes);
    let entry = entries.iter_mut().find(|(entry, _)| entry == name).expect("in every bundle");
    change(&mut entry.1);
    zip(&entries)
}

fn with_config(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    with_entry(bytes, "config.json", |content| {
        let mut config = serde_json::from_slice(content).expect("JSON");
        change(&mut config);
        *content = serde_json::to_vec(&config).expect("JSON");
    })
}

fn weights_of(bytes: &[u8]) -> Vec<u8> {
    unzip(bytes).into_iter().find(|(name, _)| name == "weights.bpk").expect("in every bundle").1
}

#[track_caller]
fn assert_refused(bytes: &[u8], word: &str) {
    let error = use_file(bytes).expect_err("should be refused");
    assert!(matches!(error, Error::Bundle(_) | Error::BundleVersion { .. } | Error::Config { .. }), "{error:?}");
    assert!(error.to_string().contains(word), "`{error}` does not mention `{word}`");
}

#[test]
fn a_bundle_gives_the_network_back() {
    for config in NetworkConfig::tiny() {
        let original = network::<Flex>(&config, 1);
        let signal = hiss(200, 2);
        let expected = forward(&original, &signal);
        let loudest = expected.iter().fold(0.0f32, |loudest, sample| loudest.max(sample.abs()));

        for (precision, tolerance) in [(Precision::F32, 0.0), (Precision::F16, 2e-3 * loudest)] {
            let packed = pack(&config, precision);
            let bytes = packed.to_bytes().expect("fits");
            assert_eq!(bytes, packed.to_bytes().expect("fits"));
            let bundle = Bundle::from_bytes(&bytes).expect("own file");
            assert_eq!((&bundle.config, &bundle.card), (&packed.config, &packed.card));
            assert_eq!(bundle.to_bytes().expect("fits"), bytes);
            let loaded = bundle.network::<Flex>(&device::<Flex>()).expect("own weights");
            assert_close(&forward(&loaded, &signal), &expected, tolerance);
        }
    }
}

#[test]
fn half_precision_halves_the_file() {
    for name in ["autoencoder", "wavenet-small", "dcunet-small"] {
        let config = NetworkConfig::preset(name).expect("listed");
        let size = |precision| pack(&config, precision).to_bytes().expect("fits").len() as f64;
        let ratio = size(Precision::F16) / size(Precision::F32);
        assert!((0.48..0.56).contains(&ratio), "{name}: {ratio}");
    }
}

#[test]
fn published_cards_are_written_as_they_are() {
    for name in ["autoencoder", "dcunet", "wavenet"] {
        let path = format!("{}/../models/{name}.zip", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(&path).expect("published");
        let written = Bundle::from_bytes(&bytes).expect("a bundle").to_bytes().expect("fits");
        // The third entry is the card for people.
        let [expected, got] = [bytes, written].map(|bytes| String::from_utf8(unzip(&bytes).remove(2).1).expect("text"));
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn a_file_can_be_looked_into() {
    let bytes = pack(&smallest(), Precision::F32).to_bytes().expect("fits");
    let entries = unzip(&bytes);
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["config.json", "card.json", "card.md", "weights.bpk"]);
    let config: Value = serde_json::from_slice(&entries[0].1).expect("JSON");
    assert_eq!(
        config,
        json!({
            "version": 1,
            "sample_rate_hz": 16_000,
            "precision": "f32",
            "network": {"network": "autoencoder", "channels": 1, "kernel_size": 4, "stride": 2},
        })
    );
    let text = String::from_utf8(entries[2].1.clone()).expect("text");
    for word in
        ["# test", "For tests.", "42", "32 bits", "16000 Hz", "| speech | none | nobody |", "2.50", "- everything"]
    {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn a_cut_file_is_refused() {
    let bytes = pack(&smallest(), Precision::F32).to_bytes().expect("fits");
    for len in 0..bytes.len() {
        assert_refused(&bytes[..len], "");
    }
    assert_refused(b"RIFF, but not a bundle", "");
}

#[test]
fn a_flipped_byte_is_refused_or_harmless() {
    let bytes = pack(&smallest(), Precision::F32).to_bytes().expect("fits");
    let expected = use_file(&bytes).expect("own file");
    for position in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut broken = bytes.clone();
            broken[position] ^= flip;
            match use_file(&broken) {
                Ok(output) => assert_eq!(output, expected, "byte {position}"),
                Err(error) => assert!(
                    matches!(error, Error::Bundle(_) | Error::BundleVersion { .. } | Error::Config { .. }),
                    "{error:?}"
                ),
            }
        }
    }
}

#[test]
fn an_entry_that_is_missing_is_named() {
    let bytes = pack(&smallest(), Precision::F32).to_bytes().expect("fits");
    for name in ["config.json", "card.json", "weights.bpk"] {
        let entries = unzip(&bytes).into_iter().filter(|(entry, _)| entry != name).collect();
        assert_refused(&zip(&entries), name);
    }
    // The readable card is for people.
    use_file(&zip(&unzip(&bytes).into_iter().filter(|(entry, _)| entry != "card.md").collect())).expect("complete");
    for name in ["config.json", "card.json"] {
        for content in [b"".as_slice(), b"{", b"null", b"[]", b"{}", b"\xff\xfe", &[b'['; 100_000], &[b' '; 2_000_000]]
        {
            assert_refused(&with_entry(&bytes, name, |entry| *entry = content.to_vec()), name);
        }
    }
}

#[test]
fn another_version_is_called_that() {
    let bytes = pack(&smallest(), Precision::F32).to_bytes().expect("fits");
    assert_refused(&with_config(&bytes, |config| config["version"] = json!(2)), "expected version 1, got 2");
    // Even where nothing else is as it was.
    assert_refused(&with_config(&bytes, |config| *config = json!({"version": 7, "x": 1})), "expected version 1, got 7");
    assert_refused(&with_config(&bytes, |config| config["version"] = json!(-1)), "config.json");
}

#[test]
fn configurations_out_of_range_are_refused() {
    for tiny in NetworkConfig::tiny() {
        let bytes = pack(&tiny, Precision::F32).to_bytes().expect("fits");
        let config: Value = serde_json::from_slice(&unzip(&bytes)[0].1).expect("JSON");
        let mut paths = Vec::new();
        list(&config, String::new(), &mut paths);
        assert!(paths.len() >= 6, "{paths:?}");
        for path in paths {
            let wrong =
                [json!(0), json!(-1), json!(u64::MAX), json!(1e300), json!("x"), json!(null), json!([]), json!({})];
            for value in wrong {
                let broken = with_config(&bytes, |config| *config.pointer_mut(&path).expect("listed") = value.clone());
                let error = use_file(&broken).expect_err(&format!("{path} = {value}"));
                assert!(
                    matches!(error, Error::Bundle(_) | Error::BundleVersion { .. } | Error::Config { .. }),
                    "{path} = {value}: {error:?}"
                );
            }
            // Absent, and present under another name.
            let (parent, name) = path.rsplit_once('/').expect("a path");
            for renamed in [false, true] {
                let broken = with_config(&bytes, |config| {
                    if let Some(object) = config.pointer_mut(parent).and_then(Value::as_object_mut) {
                        let value = object.remove(name).expect("listed");
                        if renamed {
                            object.insert(format!("{name}_"), value);
                        }
                    } else if let Some(list) = config.pointer_mut(parent).and_then(Value::as_array_mut) {
                        list.remove(name.parse().expect("an index"));
                    }
                });
                // The one field that may be left out.
                if renamed || name != "mask_exponent" {
                    assert_refused(&broken, "");
                } else {
                    use_file(&broken).expect("as in the paper");
                }
            }
        }
        // A name that nothing knows, beside all that are known.
        for parent in ["", "/network", "/network/stft", "/network/layers/0"] {
            let broken = with_config(&bytes, |config| {
                if let Some(object) = config.pointer_mut(parent).and_then(Value::as_object_mut) {
                    object.insert("surprise".into(), json!(1));
                } else {
                    *config = Value::Null;
                }
            });
            assert_refused(&broken, "config.json");
        }
        assert_refused(
            &with_config(&bytes, |config| config["network"]["network"] = json!("transformer")),
            "transformer",
        );
        assert_refused(&with_config(&bytes, |config| config["sample_rate_hz"] = json!(7_999)), "sample_rate_hz");
        assert_refused(&with_config(&bytes, |config| config["sample_rate_hz"] = json!(48_001)), "sample_rate_hz");
        assert_refused(&with_config(&bytes, |config| config["precision"] = json!("f64")), "f64");
    }
}

/// Pointers to everything in a document but its root.
fn list(value: &Value, path: String, paths: &mut Vec<String>) {
    let mut visit = |name: String, child: &Value| {
        let path = format!("{path}/{name}");
        paths.push(path.clone());
        list(child, path, paths);
    };
    match value {
        Value::Object(children) => children.iter().for_each(|(name, child)| visit(name.clone(), child)),
        Value::Array(children) => {
            children.iter().enumerate().for_each(|(index, child)| visit(index.to_string(), child))
        }
        _ => {}
    }
}

/// Configurations that are in range, but whose network would take gigabytes: a file this small cannot hold its weights.
#[test]
fn a_small_file_makes_no_huge_network() {
    let huge = [
        json!({"network": "autoencoder", "channels": 1024, "kernel_size": 16_384, "stride": 4096}),
        json!({"network": "wavenet", "stacks": 2, "blocks_per_stack": 4, "kernel_size": 9,
            "residual_channels": 1024, "skip_channels": 1024, "final_channels": [4096, 4096],
            "frame_length": 256, "estimate": "speech"}),
        json!({"network": "dcunet", "stft": {"n_fft": 4096, "hop_length": 1024}, "compression": 1.0,
            "layers": vec![json!({"channels": 512, "kernel_size": [3, 3], "stride": [4, 2]}); 4]}),
    ];
    let bytes = pack(&smallest(), Precision::F16).to_bytes().expect("fits");
    for network in huge {
        assert_refused(&with_config(&bytes, |config| config["network"] = network), "too few bytes");
    }
    // Bases of the transform grow with the square of this, whatever the weights.
    let unet = tiny("dcunet");
    let bytes = pack(&unet, Precision::F32).to_bytes().expect("fits");
    assert_refused(&with_config(&bytes, |config| config["network"]["stft"]["n_fft"] = json!(65_536)), "n_fft");
}

/// Few weights, every field in range, and yet more memory or time than there is.
#[test]
fn networks_that_need_too_much_are_refused() {
    let layers = |count: usize, channels: usize, kernel_size: [usize; 2], stride: [usize; 2]| {
        vec![json!({"channels": channels, "kernel_size": kernel_size, "stride": stride}); count]
    };
    let unet = |n_fft: usize, hop_length: usize, layers: Vec<Value>| {
        json!({"network": "dcunet", "stft": {"n_fft": n_fft, "hop_length": hop_length}, "compression": 1.0,
            "layers": layers})
    };
    let wavenet = |stacks: usize, blocks_per_stack: usize, residual: usize, last: usize, frame_length: usize| {
        json!({"network": "wavenet", "stacks": stacks, "blocks_per_stack": blocks_per_stack, "kernel_size": 3,
            "residual_channels": residual, "skip_channels": 1, "final_channels": [last, 1],
            "frame_length": frame_length, "estimate": "speech"})
    };
    let memory = ["memory for one piece: expected at most 16.0 GiB", "GiB"];
    let macs = ["multiply-accumulates per second of audio: expected at most 500 billion", "at 16000 Hz"];
    let context = ["context and alignment: expected at most 131072 samples", "smaller kernels"];
    let alignment = ["alignment: expected at most 16384 samples", "smaller strides"];
    let hostile = [
        // A frame for every sample.
        (unet(4096, 1, layers(1, 512, [1, 1], [1, 1])), memory),
        (unet(2048, 1, layers(1, 16, [1, 1], [1, 1])), memory),
        // Taps of a transposed convolution, for a single channel.
        (unet(512, 4, layers(1, 1, [31, 31], [1, 1])), memory),
        // Wide layers at every sample.
        (wavenet(1, 5, 1024, 1, 1), macs),
        (json!({"network": "autoencoder", "channels": 1024, "kernel_size": 16_384, "stride": 1}), macs),
        // Context of hours around every piece.
        (wavenet(16, 14, 1, 1, 256), context),
        (unet(4096, 1024, layers(4, 1, [1, 31], [1, 2])), context),
        (unet(4096, 1024, layers(5, 1, [1, 1], [1, 4])), alignment),
    ];
    let bytes = pack(&smallest(), Precision::F16).to_bytes().expect("fits");
    for (network, words) in hostile {
        for word in words {
            assert_refused(&with_config(&bytes, |config| config["network"] = network.clone()), word);
        }
    }
    // The same network at three times the rate takes three times as long.
    let at = |sample_rate_hz: u32| {
        with_config(&bytes, |config| {
            config["network"] = wavenet(1, 3, 1024, 1, 1);
            config["sample_rate_hz"] = json!(sample_rate_hz);
        })
    };
    assert_refused(&at(16_000), "too few bytes");
    assert_refused(&at(48_000), "at 48000 Hz");
}

#[test]
fn entries_that_would_grow_are_refused() {
    let bytes = pack(&smallest(), Precision::F32).to_bytes().expect("fits");
    // Called deflated in the archive's directory and at the entry itself.
    let mut deflated = bytes.clone();
    for (signature, offset, name) in [(b"PK\x03\x04", 8, 30), (b"PK\x01\x02", 10, 46)] {
        let start = (0..bytes.len() - 60)
            .find(|&at| bytes[at..].starts_with(signature) && bytes[at + name..].starts_with(b"weights.bpk"))
            .expect("an entry");
        deflated[start + offset] = 8;
    }
    assert_refused(&deflated, "weights.bpk");
    // A card that is shown as a whole.
    for list in ["data", "scores", "limits"] {
        let crowded = with_entry(&bytes, "card.json", |content| {
            let mut card: Value = serde_json::from_slice(content).expect("JSON");
            let entry = card[list][0].clone();
            card[list] = json!(vec![entry; 1001]);
            *content = serde_json::to_vec(&card).expect("JSON");
        });
        assert_refused(&crowded, &format!("{list}: expected at most 1000 entries, got 1001"));
    }
}

#[test]
fn weights_of_another_network_are_refused() {
    let wider = NetworkConfig::Autoencoder(AutoencoderConfig { channels: 2, kernel_size: 4, stride: 2 });
    let flatter = NetworkConfig::Autoencoder(AutoencoderConfig { channels: 1, kernel_size: 8, stride: 2 });
    let own = pack(&smallest(), Precision::F32).to_bytes().expect("fits");
    let of_its_kind = |config: &NetworkConfig| if config.kind() == "autoencoder" { "shape" } else { "missing" };
    for other in NetworkConfig::tiny().iter().chain([&wider, &flatter]) {
        let word = of_its_kind(other);
        let weights = weights_of(&pack(other, Precision::F32).to_bytes().expect("fits"));
        assert_refused(&with_entry(&own, "weights.bpk", |content| *content = weights), word);
    }
}

#[test]
fn weights_of_another_precision_are_refused() {
    for config in NetworkConfig::tiny() {
        let [single, half] = [Precision::F32, Precision::F16].map(|p| pack(&config, p).to_bytes().expect("fits"));
        let swapped = with_entry(&single, "weights.bpk", |content| *content = weights_of(&half));
        assert_refused(&swapped, "F16");
        let swapped = with_entry(&half, "weights.bpk", |content| *content = weights_of(&single));
        assert_refused(&swapped, "F32");
    }
}

#[test]
fn missing_and_extra_tensors_are_refused() {
    for config in NetworkConfig::tiny() {
        let bytes = pack(&config, Precision::F32).to_bytes().expect("fits");
        let tensors = network::<Flex>(&config, 1).collect(None, None, false);
        let save = |tensors: Vec<TensorSnapshot>| {
            let weights = BurnpackWriter::new(tensors).to_bytes().expect("fits").to_vec();
            with_entry(&bytes, "weights.bpk", |content| *content = weights)
        };
        use_file(&save(tensors.clone())).expect("all that is needed");
        for index in 0..tensors.len() {
            let mut fewer = tensors.clone();
            let missing = fewer.remove(index).full_path();
            assert_refused(&save(fewer), &missing);
        }
        let mut more = tensors.clone();
        let data = tensors[0].to_data().expect("readable");
        more.push(TensorSnapshot::from_data(data, vec!["extra".into()], Vec::new(), Default::default()));
        assert_refused(&save(more), &format!("{} tensors expected", tensors.len()));
        assert_refused(&save(Vec::new()), "weights");
    }
}

#[test]
fn weights_that_are_not_numbers_are_refused() {
    let config = smallest();
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for precision in [Precision::F32, Precision::F16] {
            let mut network = network::<Flex>(&config, 1);
            network = burn::module::Module::map(network, &mut Poison(poison));
            let bundle = Bundle::pack(&network, config.clone(), 16_000, precision, card()).expect("not looked at");
            assert_refused(&bundle.to_bytes().expect("fits"), "not finite");
        }
    }
}

/// Puts one value into every bias.
struct Poison(f32);

impl<B: burn::prelude::Backend> burn::module::ModuleMapper<B> for Poison {
    fn map_float<const D: usize>(
        &mut self,
        param: burn::module::Param<burn::Tensor<B, D>>,
    ) -> burn::module::Param<burn::Tensor<B, D>> {
        param.map(|old| if D == 1 { old.full_like(self.0) } else { old })
    }
}

/// Bytes before the tensors' data: magic number, version, size of the description, and the description.
fn header_len(weights: &[u8]) -> usize {
    let size = u32::from_le_bytes(weights[6..10].try_into().expect("4 bytes"));
    10 + size as usize
}

#[test]
fn broken_weights_never_panic() {
    let unet = tiny("dcunet");
    for config in [smallest(), unet] {
        for precision in [Precision::F32, Precision::F16] {
            let bytes = pack(&config, precision).to_bytes().expect("fits");
            let weights = weights_of(&bytes);
            let header = header_len(&weights);
            let try_weights = |weights: Vec<u8>| {
                let result = use_file(&with_entry(&bytes, "weights.bpk", |content| *content = weights));
                if let Err(error) = &result {
                    assert!(matches!(error, Error::Bundle(_)), "{error:?}");
                }
                result.is_err()
            };

            // Cut anywhere: the last tensor ends where the file does.
            let step = weights.len().div_ceil(800);
            for len in (0..weights.len()).step_by(step).chain([weights.len() - 1]) {
                assert!(try_weights(weights[..len].to_vec()), "{len} of {}", weights.len());
            }
            // The description, byte by byte for the smallest network.
            let step = header.div_ceil(600);
            let mut refused = 0;
            let mut tried = 0;
            for position in (0..10).chain((10..header).step_by(step)) {
                for value in [0x00, 0x01, 0x1b, 0x5f, 0x7f, 0x80, 0x9f, 0xbf, 0xff, weights[position] ^ 1] {
                    let mut broken = weights.clone();
                    broken[position] = value;
                    refused += usize::from(try_weights(broken));
                    tried += 1;
                }
            }
            assert!(refused > tried / 2, "{refused} of {tried}");
            // Several at once, anywhere.
            let mut random = rng(11);
            for _ in 0..200 {
                let mut broken = weights.clone();
                for _ in 0..random.random_range(1..20) {
                    let position = random.random_range(0..header);
                    broken[position] = random.random();
                }
                try_weights(broken);
            }
            for _ in 0..100 {
                let mut broken = weights.clone();
                let position = random.random_range(header..weights.len());
                broken[position] ^= 1 << random.random_range(0..8);
                try_weights(broken);
            }
            assert!(try_weights(Vec::new()));
            assert!(try_weights(vec![0; weights.len()]));
            assert!(try_weights((0..weights.len()).map(|_| random.random()).collect()));
        }
    }
}

/// What fuzzing of bundles starts from (`fuzz/fuzz_targets/bundle.rs`), the first byte telling which part it is:
/// `cargo test --workspace --test shared bundle -- --ignored`
#[test]
#[ignore = "writes files into the source tree"]
fn fuzz_seeds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/bundle");
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, content: &[u8]| std::fs::write(folder.join(name), content).expect("a file");
    let part = |kind: u8, content: &[u8]| [&[kind], content].concat();
    let config = NetworkConfig::Autoencoder(AutoencoderConfig { channels: 1, kernel_size: 2, stride: 1 });
    let network = network::<Flex>(&config, 1);
    let bundle = Bundle::pack(&network, config, 16_000, Precision::F32, Card::default()).expect("valid");
    let bytes = bundle.to_bytes().expect("an archive");
    write("archive.seed", &bytes);
    // The weights are the last entry, stored as they are; the archive's directory follows.
    let find = |needle: &[u8]| bytes.windows(needle.len()).position(|window| window == needle).expect("an entry");
    write("weights.seed", &part(0, &bytes[find(b"weights.bpk") + 11..find(b"PK\x01\x02")]));
    for network in NetworkConfig::tiny() {
        let name = network.kind();
        let config = BundleConfig { version: VERSION, sample_rate_hz: 16_000, precision: Precision::F16, network };
        write(&format!("{name}.seed"), &part(1, &serde_json::to_vec(&config).expect("JSON")));
    }
    write("card.seed", &part(2, &serde_json::to_vec(&Card::default()).expect("JSON")));
}
