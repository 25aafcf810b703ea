//! Weights by name: the names are documented, and nothing but the right weights makes a network.

use std::collections::BTreeMap;

use crate::common::*;
use burn::backend::Flex;
use shared::Weights;
use shared::nn::NetworkConfig;

/// Names and shapes of docs/weights.md, written out for the tiny networks.
#[test]
fn names_and_shapes_are_those_documented() {
    let [autoencoder, wavenet, dcunet, rnnformer] = ["autoencoder", "wavenet", "dcunet", "rnnformer"]
        .map(|kind| Weights::of(&network::<Flex>(&tiny(kind), 1)).expect("readable"));
    let listed = |weights: &Weights| -> BTreeMap<String, Vec<usize>> {
        weights.iter().map(|(name, weight)| (name.to_owned(), weight.shape.clone())).collect()
    };
    let mut expected: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut expect = |name: &str, shape: &[usize]| expected.insert(name.to_owned(), shape.to_vec());
    expect("encoder_weight", &[3, 1, 16]);
    expect("encoder_bias", &[3]);
    expect("decoder_weight", &[3, 1, 16]);
    expect("decoder_bias", &[1]);
    assert_eq!(listed(&autoencoder), expected);

    let mut expected: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut expect = |name: &str, [output, input, taps]: [usize; 3]| {
        expected.insert(format!("{name}.weight"), vec![output, input, taps]);
        expected.insert(format!("{name}.bias"), vec![output]);
    };
    expect("input", [4, 2, 3]);
    for block in 0..6 {
        expect(&format!("blocks.{block}.dilated"), [8, 4, 3]);
        expect(&format!("blocks.{block}.outputs"), [if block == 5 { 4 } else { 8 }, 4, 1]);
    }
    expect("final_1", [6, 4, 3]);
    expect("final_2", [5, 6, 3]);
    expect("output", [3, 5, 1]);
    assert_eq!(listed(&wavenet), expected);

    let mut expected: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut expect = |layer: &str, first: usize, second: usize, normalised: Option<usize>| {
        for part in ["real", "imaginary"] {
            expected.insert(format!("{layer}.convolution.kernel.{part}"), vec![first, second, 3, 3]);
        }
        let rows = [("gamma", 3), ("beta", 2), ("running_mean", 2), ("running_covariance", 3)];
        for (channels, (name, rows)) in normalised.into_iter().flat_map(|channels| rows.map(|row| (channels, row))) {
            expected.insert(format!("{layer}.norm.{name}"), vec![rows, channels]);
        }
    };
    expect("encoder.0", 2, 1, Some(2));
    expect("encoder.1", 3, 2, Some(3));
    expect("decoder.0", 3, 2, Some(2));
    expect("decoder.1", 4, 1, None);
    assert_eq!(listed(&dcunet), expected);

    let mut expected: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut expect = |name: &str, shape: &[usize]| expected.insert(name.to_owned(), shape.to_vec());
    expect("input.weight", &[3, 2, 8]);
    expect("embedding", &[3, 4]);
    for layer in 0..2 {
        expect(&format!("encoder.{layer}.convolution.weight"), &[3, 3, 3]);
        expect(&format!("decoder.{layer}.join.linear.weight"), &[3, 6]);
        expect(&format!("decoder.{layer}.convolution.weight"), &[3, 3, 3]);
    }
    expect("down.linear.weight", &[4, 3]);
    expect("up.linear.weight", &[3, 4]);
    for block in 0..2 {
        for (name, shape) in [
            ("gru.weight_ih_l0", &[12usize, 4] as &[usize]),
            ("gru.weight_hh_l0", &[12, 4]),
            ("gru.bias_ih_l0", &[12]),
            ("gru.bias_hh_l0", &[12]),
            ("gru_linear.weight", &[4, 4]),
            ("qkv.weight", &[12, 4]),
            ("attention_linear.weight", &[4, 4]),
        ] {
            expect(&format!("blocks.{block}.{name}"), shape);
        }
    }
    expect("join.linear.weight", &[3, 6]);
    expect("output.weight", &[3, 2, 8]);
    expect("output.bias", &[2]);
    let wide = ["input_norm", "encoder.0.norm", "encoder.1.norm", "up.norm", "decoder.0.join.norm", "decoder.0.norm"];
    let wide = wide.into_iter().chain(["decoder.1.join.norm", "decoder.1.norm", "join.norm"]).map(|norm| (norm, 3));
    let inner = ["down.norm", "blocks.0.gru_norm", "blocks.0.attention_norm", "blocks.1.gru_norm"];
    let inner = inner.into_iter().chain(["blocks.1.attention_norm"]).map(|norm| (norm, 4));
    for (norm, channels) in wide.chain(inner) {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            expect(&format!("{norm}.{part}"), &[channels]);
        }
    }
    assert_eq!(listed(&rnnformer), expected);
}

#[test]
fn documented_shapes_can_be_used() {
    let document = include_str!("../../../docs/weights.md");
    let shapes = document.split("```json").skip(1).map(|rest| rest.split("```").next().expect("closed"));
    let configs: Vec<NetworkConfig> =
        shapes.map(|json| serde_json::from_str(json).expect("a network's shape")).collect();
    assert_eq!(configs.len(), 4);
    configs.iter().for_each(|config| config.validate().expect("within range"));
}

#[test]
fn safetensors_hold_weights_and_notes() {
    let notes = BTreeMap::from([("config".to_owned(), "{\"é\": 1}".to_owned()), ("card".to_owned(), String::new())]);
    for config in NetworkConfig::tiny() {
        let before = network::<Flex>(&config, 2);
        let weights = Weights::of(&before).expect("readable");
        let bytes = weights.to_safetensors(&notes).expect("writable");
        let (read, read_notes) = Weights::from_safetensors(&bytes).expect("readable");
        assert_eq!((&read, &read_notes), (&weights, &notes));
        let after = read.network::<Flex>(&config, &device::<Flex>()).expect("the same network");
        let signal = hiss(100, 3);
        assert_eq!(forward(&before, &signal), forward(&after, &signal));

        for length in 0..bytes.len() {
            assert!(Weights::from_safetensors(&bytes[..length]).is_err(), "cut after {length} bytes");
        }
    }
}

#[test]
fn values_must_be_finite_and_as_many_as_the_shape_says() {
    let mut weights = Weights::default();
    let mut message = |name: &str, shape: &[usize], values: &[f32]| {
        weights.insert(name, shape.to_vec(), values.to_vec()).expect_err("refused").to_string()
    };
    assert!(message("a", &[2, 2], &[0.0; 3]).contains("a: expected values for the shape [2, 2], got 3"));
    assert!(message("a", &[usize::MAX, 2], &[]).contains("got 0"));
    assert!(message("a", &[2], &[0.0, f32::INFINITY]).contains("a: expected finite values, got inf"));
    weights.insert("a", vec![1], vec![0.0]).expect("once");
    assert!(weights.insert("a", vec![1], vec![0.0]).is_err());
}
