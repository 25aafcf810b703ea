//! The chirp of `fixtures/README.md`, and recordings read whole.

use std::f64::consts::TAU;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use media::{Encoding, Error, Reader, Spec, WholeRecording};

/// Reads a recording whole, as `media::decode` does, and holds its blocks to their promises.
pub fn try_read(bytes: impl Into<Vec<u8>>) -> Result<WholeRecording, Error> {
    let mut reader = Reader::new(Cursor::new(bytes.into()))?;
    let mut channels = vec![Vec::new(); reader.format().channels];
    while let Some(block) = reader.read()? {
        assert!(!block[0].is_empty(), "an empty block is not the end");
        assert_eq!(block.len(), channels.len());
        for (channel, samples) in channels.iter_mut().zip(&block) {
            assert_eq!(samples.len(), block[0].len());
            channel.extend(samples);
        }
    }
    Ok(WholeRecording { format: reader.format().clone(), damage: reader.damage().to_vec(), channels })
}

/// Reads a recording that can be read.
pub fn read(bytes: impl Into<Vec<u8>>) -> WholeRecording {
    try_read(bytes).unwrap()
}

/// A file of `fixtures`.
pub fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// The chirp at a rate, `length` samples of it from `start` on.
pub fn chirp(sample_rate_hz: u32, start: usize, length: usize) -> Vec<f32> {
    let sample = |index: usize| {
        let t = (start + index) as f64 / f64::from(sample_rate_hz);
        (0.4 * (TAU * (150.0 * t + 500.0 * t * t)).sin()) as f32
    };
    (0..length).map(sample).collect()
}

/// How much two signals are alike, -1 to 1; 1 for equal except for their level. Both are of one length.
pub fn likeness(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

/// Holds a stretch of a signal to the chirp at the same place. Lossy codecs shift phases a little; a shift by a millisecond is seen at one place or another.
#[track_caller]
pub fn assert_chirp(signal: &[f32], sample_rate_hz: u32, range: std::ops::Range<usize>) {
    let expected = chirp(sample_rate_hz, range.start, range.len());
    let likeness = likeness(&signal[range.clone()], &expected);
    assert!(likeness > 0.8, "a likeness of {likeness} in {range:?}");
}

/// A WAV file of the writer's.
pub fn encode(channels: &[Vec<f32>], sample_rate_hz: u32, channel_mask: Option<u32>, encoding: Encoding) -> Vec<u8> {
    let spec = Spec { sample_rate_hz, channels: channels.len(), channel_mask, encoding, metadata: Default::default() };
    media::encode(channels, &spec).unwrap()
}
