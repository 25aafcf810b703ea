//! Examples to see and hear: clean, noisy and denoised.

use std::fs;
use std::path::Path;

use crate::run::read;
use crate::scores::SpeechScores;
use anyhow::{Context, Result, ensure};
use cli::recording;
use exhibit::inline::{data_address, png_address};
use exhibit::spectrogram::{self, Grid};
use exhibit::{Exhibit, Voice, waveform};

/// Columns of a picture, and rows of a spectrogram and a waveform; the browser scales them.
const WIDTH: usize = 600;
const SPECTROGRAM_HEIGHT: usize = 256;
const WAVEFORM_HEIGHT: usize = 128;

/// An example in memory.
pub struct ReportExample {
    clean: ExampleSide,
    noisy: ExampleSide,
    denoised: ExampleSide,
}

struct ExampleSide {
    bytes: Vec<u8>,
    samples: Vec<f32>,
    sample_rate_hz: u32,
}

impl ExampleSide {
    fn read(path: &Path) -> Result<Self> {
        let context = || format!("cannot read {}", path.display());
        let bytes = fs::read(path).with_context(context)?;
        let audio = recording::read(path)?.intact()?;
        Ok(Self { bytes, samples: audio.to_mono(), sample_rate_hz: audio.sample_rate_hz() })
    }

    fn shape(&self) -> String {
        format!("{} samples at {} Hz", self.samples.len(), self.sample_rate_hz)
    }

    fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate_hz)
    }

    fn spectrogram(&self) -> Grid {
        let n_fft = spectrogram::n_fft(self.sample_rate_hz);
        let margin = vec![0.0; n_fft / 2];
        Grid::of_samples(&[&margin, &*self.samples, &margin].concat(), n_fft / 2, n_fft, WIDTH)
    }
}

impl ReportExample {
    /// Reads the three recordings, which must have one length and rate.
    pub fn read(files: &read::ExampleFiles) -> Result<Self> {
        let clean = ExampleSide::read(&files.clean)?;
        let like_clean = |path: &Path| {
            let recording = ExampleSide::read(path)?;
            let (expected, got) = (clean.shape(), recording.shape());
            ensure!(expected == got, "{}: expected {expected} like the clean one, got {got}", path.display());
            Ok(recording)
        };
        let (noisy, denoised) = (like_clean(&files.noisy)?, like_clean(&files.denoised)?);
        Ok(Self { clean, noisy, denoised })
    }

    /// The three recordings to see and hear, with scores.
    pub fn exhibit(&self, number: usize) -> Exhibit {
        let Self { clean, noisy, denoised } = self;
        let scores = |estimate: &ExampleSide| match SpeechScores::of(
            &noisy.samples,
            &clean.samples,
            &estimate.samples,
            clean.sample_rate_hz,
        ) {
            Ok(SpeechScores { si_sdr_db, stoi, .. }) => {
                let stoi = stoi.map_or(String::new(), |stoi| format!(", STOI {stoi:.3}"));
                format!("SI-SDR {si_sdr_db:.2} dB{stoi}")
            }
            Err(reason) => format!("no scores: {reason}"),
        };
        let recordings = [
            ("Clean", "the original".to_owned(), clean),
            ("Noisy", scores(noisy), noisy),
            ("Denoised", scores(denoised), denoised),
        ];
        let grids = [clean, noisy, denoised].map(ExampleSide::spectrogram);
        let top_db = spectrogram::top_db(grids.iter().map(Grid::peak_db));
        let voice = |((title, note, recording), grid): ((&str, String, &ExampleSide), &Grid)| Voice {
            title: title.to_owned(),
            note,
            sound: data_address("audio/wav", &recording.bytes),
            waveform: png_address(
                WIDTH,
                &waveform::pixels(&waveform::extremes(&recording.samples, WIDTH), WAVEFORM_HEIGHT),
            ),
            spectrogram: png_address(WIDTH, &grid.pixels(SPECTROGRAM_HEIGHT, top_db, |_, _| false)),
            gain: None,
        };
        Exhibit {
            id: format!("example-{number}"),
            name: format!("Example {number}"),
            sample_rate_hz: clean.sample_rate_hz,
            window: [0.0, clean.seconds()],
            loudest: "the loudest of the three".to_owned(),
            voices: recordings.into_iter().zip(&grids).map(voice).collect(),
        }
    }
}
