//! Weights out to other programs and in from them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use shared::nn::Precision;
use shared::{Bundle, Weights};
use tempfile::tempdir;

use crate::common::{fail, succeed};

/// Shapes and values by name.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tests/fixtures").join(name)
}

fn bundle(path: &Path) -> Bundle {
    Bundle::from_bytes(&fs::read(path).unwrap()).unwrap()
}

fn weights(bundle: &Bundle) -> Weights {
    Weights::of(&bundle.network::<Flex>(&Default::default()).unwrap()).unwrap()
}

/// What the bundle's network makes of one channel.
fn output(bundle: &Bundle, signal: &[f32]) -> Vec<f32> {
    let signal = TensorData::new(signal.to_vec(), [1, 1, signal.len()]);
    let network = bundle.network::<Flex>(&Default::default()).unwrap();
    network.forward(Tensor::from_data(signal, &Default::default())).into_data().to_vec().unwrap()
}

#[test]
fn export_and_import_give_the_same_network() {
    let folder = tempdir().unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let signal: Vec<f32> = (0..4_000).map(|i| 0.1 * (0.01 * (i as f32).powf(1.3)).sin()).collect();
    for model in ["autoencoder", "wavenet", "dcunet"] {
        succeed(folder.path(), &format!("export {model} -o {model}.safetensors"));
        let before = bundle(&models.join(format!("{model}.zip")));
        let precision = if before.config.precision == Precision::F16 { "f16" } else { "f32" };
        succeed(folder.path(), &format!("import {model}.safetensors -o {model}.zip --precision {precision}"));
        let after = bundle(&folder.path().join(format!("{model}.zip")));
        assert_eq!(before.config, after.config);
        assert_eq!(before.card, after.card);
        assert_eq!(weights(&before), weights(&after));
        assert_eq!(output(&before, &signal), output(&after, &signal));
    }

    // Half precision through a path and back: what it holds, single precision holds as well.
    succeed(folder.path(), "import autoencoder.safetensors -o half.zip --precision f16");
    succeed(folder.path(), "export half.zip -o half.safetensors");
    succeed(
        folder.path(),
        "import half.safetensors -o again.zip --precision f16 --network autoencoder --sample-rate-hz 8000",
    );
    let (half, again) = (bundle(&folder.path().join("half.zip")), bundle(&folder.path().join("again.zip")));
    assert_eq!(half.config.precision, Precision::F16);
    assert_eq!((half.config.sample_rate_hz, again.config.sample_rate_hz), (16_000, 8_000));
    assert_eq!(weights(&half), weights(&again));
}

#[test]
fn the_same_file_gives_the_same_bytes_again() {
    let folder = tempdir().unwrap();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    for model in ["autoencoder", "dcunet"] {
        succeed(folder.path(), &format!("export {model} -o {model}.safetensors"));
        let exported = read(&format!("{model}.safetensors"));
        // Of two notes, every second order would be right by chance.
        for _ in 0..6 {
            succeed(folder.path(), &format!("export {model} -o again.safetensors --overwrite"));
            assert!(read("again.safetensors") == exported, "{model}");
        }
        for precision in ["f32", "f16"] {
            for name in ["one.zip", "two.zip"] {
                let arguments = format!("import {model}.safetensors -o {name} --precision {precision} --overwrite");
                succeed(folder.path(), &arguments);
            }
            assert!(read("one.zip") == read("two.zip"), "{model}, {precision}");
        }
    }
}

#[test]
fn a_state_dict_of_pytorch_gives_pytorchs_output() {
    let folder = tempdir().unwrap();
    let [state, config] = ["tiny-dcunet.pt", "tiny-dcunet.json"].map(|name| fixture(name).display().to_string());
    succeed(folder.path(), &format!("import {state} --network {config} -o tiny.zip"));
    let bundle = bundle(&folder.path().join("tiny.zip"));
    assert_eq!(bundle.card.name, "tiny-dcunet");
    let (expected, _) = Weights::from_safetensors(&fs::read(fixture("tiny-dcunet.safetensors")).unwrap()).unwrap();
    let got = output(&bundle, &expected.get("noisy").unwrap().values);
    for (got, expected) in got.iter().zip(&expected.get("output").unwrap().values) {
        assert!((got - expected).abs() < 1e-5, "{got}, expected {expected}");
    }
}

#[test]
fn weights_that_do_not_fit_are_named() {
    let folder = tempdir().unwrap();
    let write = |name: &str, change: &dyn Fn(&mut Tensors)| {
        let mut tensors = Tensors::from([
            ("encoder_weight".into(), (vec![1, 1, 4], vec![0.5; 4])),
            ("encoder_bias".into(), (vec![1], vec![0.5])),
            ("decoder_weight".into(), (vec![1, 1, 4], vec![0.5; 4])),
            ("decoder_bias".into(), (vec![1], vec![0.5])),
        ]);
        change(&mut tensors);
        let mut weights = Weights::default();
        for (name, (shape, values)) in tensors {
            weights.insert(&name, shape, values).unwrap();
        }
        fs::write(folder.path().join(name), weights.to_safetensors(&BTreeMap::new()).unwrap()).unwrap();
    };
    fs::write(
        folder.path().join("shape.json"),
        r#"{"network": "autoencoder", "channels": 1, "kernel_size": 4, "stride": 2}"#,
    )
    .unwrap();
    write("right.safetensors", &|_| ());
    write("missing.safetensors", &|tensors| {
        let bias = tensors.remove("encoder_bias").unwrap();
        tensors.insert("encoder.bias".into(), bias);
    });
    write("misshapen.safetensors", &|tensors| {
        tensors.insert("decoder_weight".into(), (vec![1, 4], vec![0.5; 4]));
    });
    write("huge.safetensors", &|tensors| {
        tensors.insert("decoder_bias".into(), (vec![1], vec![1e6]));
    });
    fs::write(folder.path().join("text.safetensors"), "no weights at all").unwrap();
    fs::write(folder.path().join("archive.pt"), b"PK and then nothing").unwrap();
    fs::write(folder.path().join("wrong.json"), r#"{"network": "autoencoder", "channels": 0}"#).unwrap();

    succeed(folder.path(), "import right.safetensors --network shape.json -o right.zip");
    for (arguments, reasons) in [
        ("missing.safetensors --network shape.json", ["missing: encoder_bias [1]", "not expected: encoder.bias [1]"]),
        ("misshapen.safetensors --network shape.json", ["decoder_weight", "expected the shape [1, 1, 4], got [1, 4]"]),
        ("huge.safetensors --network shape.json --precision f16", ["at this precision", "not finite"]),
        ("right.safetensors --network wavenet", ["expected at least", "values for such a network, got 10"]),
        ("right.safetensors", ["right.safetensors", "give --network"]),
        ("right.safetensors --network unet", ["--network", "expected one of autoencoder"]),
        ("right.safetensors --network wrong.json", ["--network: cannot use wrong.json", "missing field"]),
        ("text.safetensors --network shape.json", ["text.safetensors", "expected safetensors, or what torch.save"]),
        ("archive.pt --network shape.json", ["cannot use archive.pt", "archive"]),
        ("none.pt --network shape.json", ["cannot read none.pt", ""]),
    ] {
        let message = fail(folder.path(), &format!("import {arguments} -o out.zip"));
        for reason in reasons {
            assert!(message.contains(reason), "{arguments}: {message}");
        }
        assert!(!folder.path().join("out.zip").exists(), "{arguments}: nothing is written");
    }
}
