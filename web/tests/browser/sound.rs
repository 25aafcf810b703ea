//! Recordings for the tests, and what native code makes of them.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use media::{Encoding, Spec};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use shared::nn::Phrasing;
use shared::{Audio, Bundle, Denoiser, noise, synth};

/// Speech-like sound, and the same with white noise at 3 dB.
pub fn mixture(sample_rate_hz: u32, len: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let clean = synth::speech(len, sample_rate_hz, &mut rng);
    let noisy = noise::mix(&clean, &noise::white(len, &mut rng), 3.0).unwrap();
    (clean, noisy)
}

/// Noisy speech-like sound of one channel at 16 kHz.
pub fn noisy(len: usize, seed: u64) -> Audio {
    Audio::mono(16_000, mixture(16_000, len, seed).1).unwrap()
}

/// A recording as a WAV file.
pub fn wav(audio: &Audio, encoding: Encoding) -> Vec<u8> {
    let (sample_rate_hz, channels) = (audio.sample_rate_hz(), audio.channels().len());
    let spec = Spec { sample_rate_hz, channels, channel_mask: None, encoding, metadata: Default::default() };
    media::encode(audio.channels(), &spec).unwrap()
}

/// A file as native code reads it, and the encoding that keeps its precision.
pub fn read(bytes: Vec<u8>) -> (Audio, Encoding) {
    let whole = media::decode(Cursor::new(bytes)).unwrap();
    assert_eq!(whole.damage, []);
    (Audio::new(whole.format.sample_rate_hz, whole.channels).unwrap(), whole.format.encoding)
}

/// The file of a network's bundle.
pub fn bundle(network: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../models/{network}.zip"))
}

/// What native code makes of a recording.
pub fn native(network: &str, audio: &Audio) -> Audio {
    let bundle = Bundle::from_bytes(&fs::read(bundle(network)).unwrap()).unwrap();
    let denoiser = Denoiser::<burn::backend::Flex>::new(&bundle, Phrasing::Products, Default::default()).unwrap();
    denoiser.denoise_blocking(audio, |_| ()).unwrap()
}

/// Largest absolute value.
pub fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// Largest difference, as a share of the largest value of `expected`.
pub fn relative_difference(expected: &[f32], got: &[f32]) -> f32 {
    assert_eq!(expected.len(), got.len());
    let difference: Vec<f32> = expected.iter().zip(got).map(|(a, b)| a - b).collect();
    peak(&difference) / peak(expected)
}

/// Fails unless two recordings are the same except for rounding.
pub fn assert_alike(expected: &Audio, got: &Audio, what: &str) {
    assert_eq!(expected.sample_rate_hz(), got.sample_rate_hz(), "{what}");
    assert_eq!(expected.channels().len(), got.channels().len(), "{what}");
    for (expected, got) in expected.channels().iter().zip(got.channels()) {
        let difference = relative_difference(expected, got);
        assert!(difference < 1e-3, "{what}: a difference of {difference:.2e} of the peak");
    }
}
