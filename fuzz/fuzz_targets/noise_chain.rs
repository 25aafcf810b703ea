//! Any text as a chain of noises: it is read or refused, and what is read can be applied to any signal.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use shared::Audio;
use shared::noise::{Chain, NoiseRecipe, Recordings};

/// A recording by every name but one.
struct Any;

impl Recordings for Any {
    fn recording(&self, name: &str, choice: u64, _sample_rate_hz: u32) -> Option<Cow<'_, [f32]>> {
        let sample = |i: u64| ((i + choice % 100) as f32 * 0.7).sin();
        (name != "none").then(|| (0..100 + choice % 1000).map(sample).collect::<Vec<_>>().into())
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = NoiseRecipe::from_json(text);
    let Ok(chain) = Chain::from_json(text) else { return };
    assert_eq!(Chain::from_json(&chain.to_json()).expect("what was written can be read"), chain);
    let ramp: Vec<f32> = (0..300).map(|i| (i % 50) as f32 / 50.0 - 0.5).collect();
    for (rate_hz, channels) in [(4_000, vec![ramp.clone(), vec![0.0; 300]]), (11_025, vec![vec![0.3]])] {
        let audio = Audio::new(rate_hz, channels).expect("a recording");
        match chain.apply(&audio, data.len() as u64, &Any) {
            Ok(noisy) => assert_eq!(noisy.len(), audio.len()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
