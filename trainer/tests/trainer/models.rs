//! What people feed a denoiser that is no noisy speech, through every trained model.
//!
//! `cargo test --workspace --test trainer models -- --nocapture` prints the figures that docs/networks.md has.

use std::f32::consts::TAU;
use std::fs;
use std::path::Path;

use burn::backend::Flex;
use shared::audio::{db_to_amplitude, rms};
use shared::metric::si_sdr;
use shared::noise::channel::{ClipShape, Limit, clip};
use shared::{Audio, Bundle, Denoiser};

use crate::common::{rng, speech};

const SECONDS: f64 = 4.0;
const SILENCE_DBFS: f32 = -80.0;

/// A model and what clean speech, and speech of which the loudest parts are clipped, must keep through it: SI-SDR in dB.
///
/// The autoencoder is one linear filter, which takes the same away from all that it is given.
const MODELS: [(&str, f64, f64); 3] = [("dcunet", 28.0, 9.0), ("wavenet", 26.0, 9.0), ("autoencoder", 16.0, 8.0)];

struct Model {
    name: &'static str,
    denoiser: Denoiser<Flex>,
}

impl Model {
    fn load(name: &'static str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../models/{name}.zip"));
        let bundle = Bundle::from_bytes(&fs::read(path).unwrap()).unwrap();
        Self { name, denoiser: Denoiser::new(&bundle, Default::default()).unwrap() }
    }

    /// The output, which is as long as the input, finite, and not louder than it by more than 1 dB.
    fn denoise(&self, what: &str, samples: &[f32]) -> Vec<f32> {
        let audio = Audio::mono(16_000, samples.to_vec()).unwrap();
        let denoised = pollster::block_on(self.denoiser.denoise(&audio, |_| ())).unwrap().to_mono();
        assert_eq!(denoised.len(), samples.len());
        assert!(denoised.iter().all(|sample| sample.is_finite()), "{what} through {}", self.name);
        let change_db = level_dbfs(&denoised) - level_dbfs(samples);
        println!("{:12} {what:20} {change_db:7.2} dB of its level", self.name);
        assert!(
            level_dbfs(&denoised) < SILENCE_DBFS || change_db < 1.0,
            "{what} through {}: {change_db} dB",
            self.name
        );
        denoised
    }
}

fn level_dbfs(samples: &[f32]) -> f32 {
    20.0 * rms(samples).max(1e-10).log10()
}

fn length() -> usize {
    (SECONDS * 16_000.0) as usize
}

fn tone(hz: f32) -> Vec<f32> {
    (0..length()).map(|i| 0.1 * (TAU * hz * i as f32 / 16_000.0).sin()).collect()
}

/// Chords of plucked strings, four a second.
fn music() -> Vec<f32> {
    let string = |hz: f32, seconds: f32| {
        (1..6)
            .map(|n| (TAU * hz * n as f32 * seconds).sin() * (-3.0 * n as f32 * seconds).exp() / n as f32)
            .sum::<f32>()
    };
    let sample = |i: usize| {
        let (beat, seconds) = (i / 4_000, (i % 4_000) as f32 / 16_000.0);
        let root = [220.0, 246.9, 196.0, 261.6][beat % 4];
        0.1 * [1.0, 1.26, 1.5].into_iter().map(|interval| string(root * interval, seconds)).sum::<f32>()
    };
    (0..length()).map(sample).collect()
}

#[test]
fn speech_that_needs_no_denoising_stays_what_it_was() {
    let clean = speech(1, SECONDS);
    let clipped = clip(&clean, Limit::OfPeak(0.25), ClipShape::Hard);
    for (name, keeps, keeps_clipped) in MODELS {
        let model = Model::load(name);
        for (what, input, least) in [("clean speech", &clean, keeps), ("clipped speech", &clipped, keeps_clipped)] {
            let (before, after) = (si_sdr(&clean, input), si_sdr(&clean, &model.denoise(what, input)));
            println!("{name:12} {what:20} {before:.1} -> {after:.1} dB SI-SDR");
            assert!(after > least, "{what} through {name}: {before} -> {after} dB");
        }
        // A level at which 16 bits have a few steps left.
        let gain = db_to_amplitude(-60.0);
        let quiet: Vec<f32> = clean.iter().map(|sample| gain * sample).collect();
        let after = si_sdr(&clean, &model.denoise("very quiet speech", &quiet));
        assert!(after > keeps, "quiet speech through {name}: {after} dB");
    }
}

#[test]
fn what_is_no_speech_gets_no_louder_and_silence_stays_silent() {
    let hiss: Vec<f32> = shared::noise::white(length(), &mut rng(1)).iter().map(|x| 0.05 * x).collect();
    for (name, ..) in MODELS {
        let model = Model::load(name);
        for (what, input) in
            [("music", music()), ("a tone", tone(1_000.0)), ("a low tone", tone(50.0)), ("hiss", hiss.clone())]
        {
            model.denoise(what, &input);
        }
        // Digital silence, and the last bit of 16 flickering.
        let flicker: Vec<f32> = hiss.iter().map(|x| x.signum() / 65_536.0).collect();
        for (what, input) in [("silence", vec![0.0; length()]), ("the last bit", flicker)] {
            let level = level_dbfs(&model.denoise(what, &input));
            assert!(level < SILENCE_DBFS, "{what} through {name}: {level} dBFS");
        }
    }
}
