//! Chains of noise: what is read, what is refused and how, and that everything is a function of the seed.

use std::borrow::Cow;

use crate::common::*;
use proptest::prelude::*;
use shared::noise::{Chain, ChainStep, NoRecordings, Noise, NoiseRecipe, Recordings, Value};
use shared::{Audio, Error};

/// Two recordings, the second silent.
struct Two;

impl Recordings for Two {
    fn recording(&self, name: &str, choice: u64, _: u32) -> Option<Cow<'_, [f32]>> {
        match name {
            "cafe.wav" => Some(hiss(3_000, 1).into()),
            "*" => Some(hiss(3_000, choice % 5).into()),
            "silent.wav" => Some(vec![0.0; 100].into()),
            _ => None,
        }
    }
}

fn chain(json: &str) -> Chain {
    Chain::from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

#[track_caller]
fn refuse(json: &str) -> String {
    Chain::from_json(json).expect_err(json).to_string()
}

#[test]
fn every_kind_has_defaults_and_survives_a_round_trip() {
    for noise in Noise::kinds() {
        let short = chain(&format!(r#"[{{"kind": "{}"}}]"#, noise.kind()));
        assert_eq!(short.steps(), [ChainStep::from(noise.clone())]);
        assert_eq!(chain(&short.to_json()), short);
        assert!(short.to_json().contains(noise.kind()), "{}", short.to_json());
        assert_eq!(Noise::of_kind(noise.kind()), Some(noise));
    }
    let json = r#"[{"kind": "room", "source_m": [1, [1, 2], 1.5], "rt60_s": [0.2, 0.4], "probability": 0.5},
        {"kind": "recording", "file": "cafe.wav", "snr_db": [0, 10]}, {"kind": "raise-small", "quantile": 0.7}]"#;
    assert_eq!(chain(&chain(json).to_json()), chain(json));
    assert_eq!(chain(json).recordings().collect::<Vec<_>>(), ["cafe.wav"]);
    assert!(chain("[]").steps().is_empty());
    // As part of something else, in any format.
    let embedded: Vec<Chain> = serde_json::from_str(&format!("[{json}]")).expect("a list of chains");
    assert_eq!(embedded, [chain(json)]);
}

#[test]
fn what_cannot_be_used_is_explained() {
    for (json, words) in [
        ("", &["expected a JSON list of steps"][..]),
        ("{}", &["expected a JSON list of steps"]),
        ("[1]", &["step 1", "expected an object", "got 1"]),
        ("[{}]", &["step 1", "expected a field `kind`", "raise-small"]),
        (r#"[{"kind": "white"}, {"kind": "purple"}]"#, &["step 2", "unknown variant `purple`", "`pink`"]),
        (r#"[{"kind": 3}]"#, &["step 1", "expected a field `kind`", "3"]),
        (r#"[{"kind": "white", "amount": 3}]"#, &["step 1", "unknown field `amount`", "`snr_db`"]),
        (r#"[{"kind": "raise-small", "quantil": 0.5}]"#, &["unknown field `quantil`", "`quantile`", "`phase`"]),
        (r#"[{"kind": "white", "snr_db": "loud"}]"#, &["step 1", "white", "snr_db", "a number or a range", "\"loud\""]),
        (r#"[{"kind": "white", "snr_db": [1, 2, 3]}]"#, &["step 1", "snr_db", "a number or a range"]),
        (r#"[{"kind": "white", "snr_db": null}]"#, &["step 1", "snr_db", "a number or a range"]),
        (r#"[{"kind": "clip", "shape": "round"}]"#, &["step 1", "shape", "`round`", "`soft`"]),
        (r#"[{"kind": "babble", "files": "a.wav"}]"#, &["step 1", "files", "expected a sequence"]),
        (r#"[{"kind": "white", "probability": "often"}]"#, &["step 1", "probability"]),
        (r#"[{"kind": "white", "probability": 1.5}]"#, &["step 1 (white), probability", "0 to 1", "1.5"]),
        (
            r#"[{"kind": "pink"}, {"kind": "white", "snr_db": 1e9}]"#,
            &["step 2 (white), snr_db", "-100 to 100", "1000000000"],
        ),
        (r#"[{"kind": "white", "snr_db": [10, 0]}]"#, &["step 1 (white), snr_db", "[10, 0]"]),
        (r#"[{"kind": "white", "snr_db": [0, 200]}]"#, &["step 1 (white), snr_db", "[0, 200]"]),
        (r#"[{"kind": "zero-small", "quantile": 1.5}]"#, &["step 1 (zero-small), quantile", "0 to 1", "1.5"]),
        (r#"[{"kind": "zero-small", "quantile": 0.5, "magnitude": 1}]"#, &["magnitude", "one of quantile", "as well"]),
        (r#"[{"kind": "clip", "level": 0.5, "below_peak_db": 1}]"#, &["below_peak_db", "one of"]),
        (r#"[{"kind": "clip", "level": 0}]"#, &["level", "0.0001 to 10"]),
        (r#"[{"kind": "room", "length_m": 1e6}]"#, &["step 1 (room), length_m", "1 to 50"]),
        (r#"[{"kind": "room", "rt60_s": 1e6}]"#, &["step 1 (room), rt60_s", "0.05 to 4"]),
        (r#"[{"kind": "room", "source_m": [7, 1, 1]}]"#, &["step 1 (room), source_m", "at most 6 m", "7"]),
        (r#"[{"kind": "room", "source_m": [-1, 1, 1]}]"#, &["step 1 (room), source_m"]),
        (r#"[{"kind": "room", "source_m": [1, 1]}]"#, &["step 1", "source_m"]),
        (r#"[{"kind": "band-limit", "low_hz": 4000}]"#, &["step 1 (band-limit), low_hz", "less than high_hz, 3400"]),
        (r#"[{"kind": "band-limit", "low_hz": 0.001}]"#, &["step 1 (band-limit), low_hz", "at least 10 Hz"]),
        (r#"[{"kind": "babble", "talkers": 1e6}]"#, &["step 1 (babble), talkers", "2 to 64"]),
        (r#"[{"kind": "recording", "file": ""}]"#, &["step 1 (recording), file", "name of a recording"]),
        (r#"[{"kind": "babble", "files": [""]}]"#, &["step 1 (babble), files"]),
    ] {
        let message = refuse(json);
        assert!(words.iter().all(|word| message.contains(word)), "{json}: {message}");
    }
    let many = format!("[{}]", vec![r#"{"kind": "white"}"#; 33].join(","));
    assert!(refuse(&many).contains("at most 32 steps, got 33"));
    // What JSON cannot say, code can.
    for value in [Value::Number(f64::NAN), Value::Range([0.0, f64::INFINITY])] {
        let mut noise = Noise::of_kind("white").expect("a kind");
        if let Noise::White(white) = &mut noise {
            white.snr_db = value;
        }
        let error = Chain::new(vec![noise.into()]).expect_err("not a number");
        assert!(matches!(error, Error::Noise { step: 1, kind: "white", .. }), "{error}");
    }
    // Within something else steps are named, too.
    for text in
        [r#"[{"kind": 3}]"#, r#"[{"kind": "room", "rt60_s": [0.1, "x"]}]"#, r#"[{"kind": "white", "snr_db": 1e3}]"#]
    {
        let message = serde_json::from_str::<Chain>(text).expect_err(text).to_string();
        assert!(message.contains("step 1"), "{message}");
    }
}

#[test]
fn missing_and_silent_recordings_are_named() {
    let audio = Audio::mono(8_000, hiss(500, 1)).expect("valid");
    for (name, word) in [("nowhere.wav", "at hand"), ("silent.wav", "silent")] {
        for json in [
            format!(r#"[{{"kind": "pink"}}, {{"kind": "recording", "file": "{name}"}}]"#),
            format!(r#"[{{"kind": "pink"}}, {{"kind": "babble", "files": ["{name}"]}}]"#),
        ] {
            let message = chain(&json).apply(&audio, 1, &Two).expect_err("no such sound").to_string();
            assert!(message.starts_with("step 2") && message.contains(name) && message.contains(word), "{message}");
        }
    }
    chain(r#"[{"kind": "recording", "file": "cafe.wav"}, {"kind": "babble", "files": ["*"]}]"#)
        .apply(&audio, 1, &Two)
        .expect("both are there");
}

#[test]
fn channels_share_what_they_should() {
    let signal = hiss(4_000, 1);
    let audio = Audio::new(8_000, vec![signal.clone(), signal.clone()]).expect("valid");
    for (kind, shared) in [
        ("zero-small", true),
        ("white", false),
        ("brown", false),
        ("hum", true),
        ("clicks", false),
        ("babble", false),
        ("recording", false),
        ("drop-packets", true),
        ("room", true),
        ("gain", true),
    ] {
        let noisy = chain(&format!(r#"[{{"kind": "{kind}"}}]"#)).apply(&audio, 3, &Two).expect("a noise");
        assert_eq!(noisy.channels()[0] == noisy.channels()[1], shared, "{kind}");
    }
    // Numbers are drawn once for all channels.
    let gain = chain(r#"[{"kind": "gain", "gain_db": [-40, 0]}]"#).apply(&audio, 3, &Two).expect("a gain");
    assert_eq!(gain.channels()[0], gain.channels()[1]);
}

#[test]
fn ranges_and_probabilities_are_drawn() {
    let signal = vec![1.0; 10];
    let gains = chain(r#"[{"kind": "gain", "gain_db": [-20, 0], "probability": 0.7}]"#);
    let gain_db = |seed: u64| {
        let output = gains.draw(10, 8_000, 0, seed, &NoRecordings).expect("no recording is needed").apply(&signal);
        20.0 * f64::from(output[0]).log10()
    };
    let drawn: Vec<f64> = (0..2_000).map(gain_db).collect();
    assert_eq!(drawn, (0..2_000).map(gain_db).collect::<Vec<_>>());
    let happened: Vec<f64> = drawn.into_iter().filter(|&db| db != 0.0).collect();
    let share = happened.len() as f64 / 2_000.0;
    assert!((share - 0.7).abs() < 0.04, "{share}");
    assert!(happened.iter().all(|db| (-20.001..=0.0).contains(db)));
    let mean = happened.iter().sum::<f64>() / happened.len() as f64;
    assert!((mean + 10.0).abs() < 0.5, "{mean}");
    // What a step draws does not depend on whether others happen.
    let with = |first: f64| {
        let json = format!(r#"[{{"kind": "pink", "probability": {first}}}, {{"kind": "white"}}]"#);
        chain(&json).draw(10, 8_000, 0, 1, &NoRecordings).expect("no recording is needed")
    };
    assert_eq!(with(0.0).steps()[0], with(1.0).steps()[1]);
}

#[test]
fn the_target_has_the_gains_alone() {
    let clean = hiss(2_000, 1);
    let json = r#"[{"kind": "gain", "gain_db": -6}, {"kind": "room"}, {"kind": "white"}, {"kind": "gain", "gain_db": -14}, {"kind": "clip"}]"#;
    let target = chain(json).draw(2_000, 8_000, 0, 1, &NoRecordings).expect("no recording is needed").target(&clean);
    let expected: Vec<f32> = clean.iter().map(|sample| 0.1 * sample).collect();
    assert_close(&target, &expected, 1e-6);
}

#[test]
fn any_rate_any_length_and_silence() {
    for (rate_hz, lengths) in [(4_000, &[1, 2, 700][..]), (384_000, &[1])] {
        for &len in lengths {
            for signal in [hiss(len, 1), vec![0.0; len], vec![1e-30; len], vec![1e6; len]] {
                let audio = Audio::mono(rate_hz, signal.clone()).expect("valid");
                for noise in Noise::kinds() {
                    let chain = Chain::new(vec![noise.clone().into()]).expect("defaults");
                    let noisy = chain.apply(&audio, 1, &Two).expect("a noise");
                    assert_eq!(noisy.len(), len, "{}", noise.kind());
                    if signal[0] == 0.0 {
                        let silent = noisy.channels()[0].iter().all(|&sample| sample == 0.0);
                        assert!(silent, "{} at {rate_hz} Hz, {len} samples", noise.kind());
                    }
                }
            }
        }
    }
    // Only coefficients of their own magnitude and phases make sound of silence.
    let silence = Audio::mono(8_000, vec![0.0; 5_000]).expect("valid");
    let json = r#"[{"kind": "raise-small", "magnitude": 1, "phase": "random"}]"#;
    let raised = chain(json).apply(&silence, 1, &Two).expect("a noise");
    assert!(raised.channels()[0].iter().any(|&sample| sample != 0.0));
    // A result beyond range is an error, as is a signal without samples or of another rate.
    let loud = Audio::mono(8_000, vec![1e37; 500]).expect("finite");
    let error = chain(r#"[{"kind": "gain", "gain_db": 100}]"#).apply(&loud, 1, &Two).expect_err("infinite");
    assert!(error.to_string().contains("finite"), "{error}");
    for (len, rate_hz) in [(0, 8_000), (100, 3_999), (100, 384_001), (100, 0)] {
        chain(r#"[{"kind": "drop-packets"}]"#).draw(len, rate_hz, 0, 1, &Two).expect_err("no such signal");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in r#"[\[\]{}":,a-z0-9_. -]{0,80}"#) {
        let _ = Chain::from_json(&text);
        let _ = NoiseRecipe::from_json(&text);
    }

    #[test]
    fn what_is_read_can_be_applied(
        kind in 0..Noise::kinds().len(),
        field in 0..8usize,
        low in -1e3f64..1e3,
        width in 0f64..1e3,
        probability in 0f64..=1.0,
        seed: u64,
    ) {
        let noise = &Noise::kinds()[kind];
        let numbers = noise.numbers();
        let name = numbers[field % numbers.len()].name;
        let (from, to) = numbers[field % numbers.len()].range.clone().into_inner();
        // Sometimes within range.
        let clamped = |value: f64| if seed % 4 == 0 { value } else { value.clamp(from, to) };
        let json = format!(
            r#"[{{"kind": "{}", "{name}": [{}, {}], "probability": {probability}}}]"#,
            noise.kind(), clamped(low), clamped(low + width)
        );
        if let Ok(chain) = Chain::from_json(&json) {
            let noisy = chain.apply(&Audio::mono(4_000, hiss(300, seed)).expect("valid"), seed, &Two);
            prop_assert!(noisy.is_ok(), "{json}: {noisy:?}");
        }
    }
}

#[test]
fn recipes_pick_by_weight() {
    let json = r#"[{"weight": 1, "chain": [{"kind": "pink"}]}, {"weight": 0, "chain": [{"kind": "room"}]},
        {"weight": 3, "chain": []}]"#;
    let recipe = NoiseRecipe::from_json(json).expect("a recipe");
    let mut random = rng(1);
    let picks = 4_000;
    let pink = (0..picks).filter(|_| !recipe.pick(&mut random).steps().is_empty()).count() as f64 / f64::from(picks);
    assert!((pink - 0.25).abs() < 0.03, "{pink}");
    assert!((0..picks).all(|_| recipe.pick(&mut random) != &recipe.chains()[1].chain));
    assert_eq!(recipe.summary(), "25.0 % pink, 0.0 % room, 75.0 % nothing");
    let json = serde_json::to_string(&recipe).expect("JSON");
    assert_eq!(NoiseRecipe::from_json(&json).expect("its own"), recipe);
    assert_eq!(serde_json::from_str::<NoiseRecipe>(&json).expect("its own"), recipe);
    for (json, words) in [
        ("[]", &["1 to 256 chains, got 0"][..]),
        (r#"[{"weight": -1, "chain": []}]"#, &["chain 1", "weight", "-1"]),
        (r#"[{"weight": 0, "chain": []}]"#, &["weight above 0"]),
        (r#"[{"weight": 1}]"#, &["missing field `chain`"]),
        (r#"[{"weight": 1, "chain": [], "name": "x"}]"#, &["unknown field `name`"]),
        (
            r#"[{"weight": 1, "chain": [{"kind": "white", "snr_db": 500}]}]"#,
            &["chain 1", "step 1 (white), snr_db", "500"],
        ),
    ] {
        let message = NoiseRecipe::from_json(json).expect_err(json).to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{json}: {message}");
    }
}
