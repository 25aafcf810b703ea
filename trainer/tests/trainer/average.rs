//! Weights between those of several models.

use std::fs;
use std::path::Path;

use burn::backend::Flex;
use shared::{Bundle, Weights};
use tempfile::tempdir;

use crate::common::{fail, succeed};

fn bundle(path: &Path) -> Bundle {
    Bundle::from_bytes(&fs::read(path).unwrap()).unwrap()
}

fn weights(bundle: &Bundle) -> Weights {
    Weights::of(&bundle.network::<Flex>(&Default::default()).unwrap()).unwrap()
}

/// The built-in autoencoder with all weights times a factor, as a bundle in single precision.
fn scaled(folder: &Path, name: &str, factor: f32) {
    succeed(folder, "export autoencoder -o autoencoder.safetensors --overwrite");
    let (all, notes) = Weights::from_safetensors(&fs::read(folder.join("autoencoder.safetensors")).unwrap()).unwrap();
    let mut changed = Weights::default();
    for (name, weight) in all.iter() {
        let values = weight.values.iter().map(|value| factor * value).collect();
        changed.insert(name, weight.shape.clone(), values).unwrap();
    }
    fs::write(folder.join(format!("{name}.safetensors")), changed.to_safetensors(&notes).unwrap()).unwrap();
    succeed(folder, &format!("import {name}.safetensors -o {name}.zip"));
}

#[test]
fn an_average_has_the_weights_between_and_the_data_of_all() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    for (name, factor) in [("one", 1.0), ("two", 2.0), ("six", 6.0)] {
        scaled(folder, name, factor);
    }
    let one = weights(&bundle(&folder.join("one.zip")));
    for (arguments, factor) in [
        ("one.zip two.zip", 1.5),
        ("one.zip two.zip --weight 0.25", 1.25),
        ("one.zip two.zip --weight 0", 1.0),
        ("one.zip two.zip six.zip", 3.0),
    ] {
        succeed(folder, &format!("average {arguments} -o out.zip --overwrite"));
        let average = bundle(&folder.join("out.zip"));
        for (name, weight) in weights(&average).iter() {
            let expected = &one.get(name).unwrap().values;
            let error = weight.values.iter().zip(expected).map(|(a, b)| (a - factor * b).abs()).fold(0.0, f32::max);
            assert!(error < 1e-5, "{arguments}: {name} is off by {error}");
        }
        assert!(average.card.scores.is_empty() && !average.card.data.is_empty());
        assert!(average.card.training.began_with.contains("of one.zip + "), "{}", average.card.training.began_with);
    }
    // Half precision stays half precision.
    succeed(folder, "average dcunet dcunet -o same.zip");
    assert_eq!(
        weights(&bundle(&folder.join("same.zip"))),
        weights(&bundle(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/dcunet.zip"))))
    );
}

#[test]
fn what_cannot_be_averaged_is_refused() {
    let folder = tempdir().unwrap();
    for (arguments, expected) in [
        ("dcunet -o out.zip", "2"),
        ("dcunet autoencoder -o out.zip", "expected a network of the same shape as that of dcunet"),
        ("dcunet nothing -o out.zip", "nothing"),
        ("dcunet dcunet --weight 1.5 -o out.zip", "expected 0 to 1, got 1.5"),
        ("dcunet dcunet dcunet --weight 0.5 -o out.zip", "expected two models, got 3"),
    ] {
        let message = fail(folder.path(), &format!("average {arguments}"));
        assert!(message.contains(expected), "{arguments}: {message}");
        assert!(!folder.path().join("out.zip").exists());
    }
    succeed(folder.path(), "average dcunet dcunet -o out.zip");
    assert!(fail(folder.path(), "average dcunet dcunet -o out.zip").contains("out.zip"));
}
