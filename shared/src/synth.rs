//! Speech-like sound made by code: a glottal pulse train or noise through moving formants, in syllables and pauses.
//!
//! It says nothing, but has what a denoiser must tell from noise: a harmonic comb whose pitch glides, formants, fricatives,
//! onsets and silence. Source and filter in the manner of Klatt 1980, "Software for a cascade/parallel formant synthesizer",
//! much reduced.

use core::f32::consts::{PI, TAU};

use rand::{Rng, RngExt};

/// First four formants in Hz of some vowels, averages over men and women after Peterson and Barney 1952 (F4 assumed).
const VOWELS: [[f32; 4]; 7] = [
    [300.0, 2500.0, 3100.0, 3800.0],
    [450.0, 2150.0, 2800.0, 3700.0],
    [650.0, 1900.0, 2600.0, 3700.0],
    [800.0, 1200.0, 2600.0, 3600.0],
    [600.0, 950.0, 2550.0, 3500.0],
    [450.0, 1100.0, 2400.0, 3500.0],
    [350.0, 900.0, 2400.0, 3500.0],
];

/// Bandwidths of the four formants, in Hz.
const BANDWIDTHS: [f32; 4] = [80.0, 110.0, 160.0, 250.0];

/// A two-pole resonator of unit gain at 0 Hz (as in Klatt 1980) or, for fricatives, used for its peak.
#[derive(Default)]
struct Resonator {
    previous: [f32; 2],
}

impl Resonator {
    fn step(&mut self, input: f32, frequency_hz: f32, bandwidth_hz: f32, rate_hz: f32) -> f32 {
        let radius = (-PI * bandwidth_hz / rate_hz).exp();
        let c = -radius * radius;
        let b = 2.0 * radius * (TAU * frequency_hz / rate_hz).cos();
        let output = (1.0 - b - c) * input + b * self.previous[0] + c * self.previous[1];
        self.previous = [output, self.previous[0]];
        output
    }
}

/// One stretch of sound with constant character.
enum SpeechSound {
    Voiced { from: [f32; 4], to: [f32; 4] },
    Fricative { centre_hz: f32 },
    Pause,
}

/// `len` samples of speech-like sound at `sample_rate_hz` (8 kHz or more), with a peak of 0.5.
pub fn speech(len: usize, sample_rate_hz: u32, rng: &mut impl Rng) -> Vec<f32> {
    let rate = sample_rate_hz as f32;
    // The speaker: pitch, and vocal tract length as a factor on all formants.
    let pitch_hz = rng.random_range(90.0..230.0);
    let tract = rng.random_range(0.9..1.12);
    let vowel = |rng: &mut dyn FnMut() -> usize| VOWELS[rng()].map(|formant| formant * tract);

    let mut signal = Vec::with_capacity(len);
    let mut tract_filters: [Resonator; 4] = Default::default();
    let mut phase = 0.0f32;
    let mut glide = rng.random_range(-0.15..0.15);
    while signal.len() < len {
        let mut pick = || rng.random_range(0..VOWELS.len());
        let (from, to) = (vowel(&mut pick), vowel(&mut pick));
        let (segment, seconds, level) = match rng.random_range(0..10) {
            0..6 => (SpeechSound::Voiced { from, to }, rng.random_range(0.08..0.3), rng.random_range(0.4..1.0)),
            6..8 => {
                let centre_hz = rng.random_range(2500.0..0.45 * rate.min(16_000.0));
                (SpeechSound::Fricative { centre_hz }, rng.random_range(0.04..0.14), rng.random_range(0.05..0.25))
            }
            _ => (SpeechSound::Pause, rng.random_range(0.03..0.35), 0.0),
        };
        let count = (seconds * rate) as usize;
        let mut hiss = Resonator::default();
        for i in 0..count {
            let position = i as f32 / count as f32;
            // Rises in 15 ms or a third of the segment, falls over its last third.
            let attack = (i as f32 / (0.015 * rate)).min(3.0 * position).min(1.0);
            let envelope = level * attack * (3.0 * (1.0 - position)).min(1.0);
            let sample = match &segment {
                SpeechSound::Voiced { from, to } => {
                    phase += pitch_hz * (1.0 + glide * position) / rate;
                    // A short pulse per period, with a trace of breath.
                    let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
                    phase = phase.fract();
                    let source = pulse * rate / 400.0 + rng.random_range(-0.04..0.04);
                    tract_filters.iter_mut().enumerate().fold(source, |x, (k, filter)| {
                        let formant = from[k] + (to[k] - from[k]) * position;
                        filter.step(x, formant, BANDWIDTHS[k], rate)
                    })
                }
                SpeechSound::Fricative { centre_hz } => {
                    // Difference of the source takes the resonator's gain at low frequencies away.
                    hiss.step(rng.random_range(-1.0..1.0), *centre_hz, 900.0, rate) * 2.0
                }
                SpeechSound::Pause => 0.0,
            };
            signal.push(sample * envelope);
        }
        glide = rng.random_range(-0.25..0.2);
    }
    signal.truncate(len);
    let peak = signal.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    if peak > 0.0 {
        signal.iter_mut().for_each(|sample| *sample *= 0.5 / peak);
    }
    signal
}
