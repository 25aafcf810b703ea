//! Examples to see and hear: clean, noisy and denoised.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cli::recording;
use maud::{Markup, html};

use super::chart::short;
use super::data_uri;
use super::spectrogram::{self, RANGE_DB, Spectrogram};
use crate::run::read;
use crate::scores::SpeechScores;

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

    /// The example, as it is numbered.
    pub fn html(&self, number: usize) -> Result<Markup> {
        let Self { clean, noisy, denoised } = self;
        let note = |estimate: &ExampleSide| match SpeechScores::of(
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
            ("Noisy", note(noisy), noisy),
            ("Denoised", note(denoised), denoised),
        ];
        let spectrograms = [clean, noisy, denoised].map(|recording| Spectrogram::of(&recording.samples));
        let top_db = spectrograms.iter().map(Spectrogram::peak_db).fold(f32::NEG_INFINITY, f32::max);
        let mut figures = Vec::new();
        for ((name, note, recording), spectrogram) in recordings.into_iter().zip(&spectrograms) {
            let picture = data_uri("image/png", &spectrogram.png(top_db)?);
            let label = format!("Spectrogram of example {number}, {name}");
            figures.push(html! {
                figure {
                    figcaption { strong { (name) } " " span.note { (note) } }
                    (axes(&picture, &label, recording.seconds(), recording.sample_rate_hz))
                    audio controls preload="metadata" aria-label={ "Example " (number) ", " (name) }
                        src=(data_uri("audio/wav", &recording.bytes)) {}
                }
            });
        }
        Ok(html! {
            article.example {
                h3 { "Example " (number) }
                div.three { @for figure in &figures { (figure) } }
                (colour_bar()?)
            }
        })
    }
}

/// A picture between an axis of time and one of frequency.
fn axes(picture: &str, label: &str, seconds: f64, sample_rate_hz: u32) -> Markup {
    let (left, top, width, height) = (54.0, 8.0, 300.0, 160.0);
    let (bottom, nyquist_hz) = (top + height, f64::from(sample_rate_hz) / 2.0);
    let second = ticks(seconds).map(|value| (value, left + width * value / seconds));
    let hertz = ticks(nyquist_hz).map(|value| (value, bottom - height * value / nyquist_hz));
    html! {
        svg.axes viewBox="0 0 368 206" role="img" aria-label=(label) {
            image x=(left) y=(top) width=(width) height=(height) preserveAspectRatio="none" href=(picture) {}
            @for (value, x) in second {
                line x1=(x) x2=(x) y1=(bottom) y2=(bottom + 4.0) {}
                text x=(x) y=(bottom + 17.0) text-anchor="middle" { (short(value)) }
            }
            @for (value, y) in hertz {
                line x1=(left - 4.0) x2=(left) y1=(y) y2=(y) {}
                text x=(left - 7.0) y=(y + 4.0) text-anchor="end" { (short(value)) }
            }
            text x=(left + width / 2.0) y=(bottom + 34.0) text-anchor="middle" { "time, s" }
            text text-anchor="middle" transform={ "translate(10 " (top + height / 2.0) ") rotate(-90)" } { "frequency, Hz" }
        }
    }
}

/// Round figures from 0 to `end`, four to eight steps of them.
fn ticks(end: f64) -> impl Iterator<Item = f64> {
    let decade = 10f64.powf((end / 4.0).log10().floor());
    let step = [5.0, 2.0, 1.0].map(|factor| factor * decade).into_iter().find(|step| 4.0 * step <= end).unwrap_or(end);
    (0..).map(move |index| f64::from(index) * step).take_while(move |value| *value <= end * (1.0 + 1e-9))
}

/// What the colours mean.
fn colour_bar() -> Result<Markup> {
    let scale = data_uri("image/png", &spectrogram::scale()?);
    let label = format!("Colours from dark at -{RANGE_DB} dB to bright at 0 dB");
    Ok(html! {
        figure.colours {
            svg.axes viewBox="0 0 368 36" role="img" aria-label=(label) {
                image x="54" y="2" width="300" height="12" preserveAspectRatio="none" href=(scale) {}
                @for part in 0..=4u8 {
                    text x=(54.0 + 300.0 * f64::from(part) / 4.0) y="30" text-anchor="middle" {
                        (RANGE_DB * (f32::from(part) / 4.0 - 1.0))
                    }
                }
            }
            figcaption.note { "Level in dB, 0 for the loudest of the three." }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        for (end, expected) in [
            (4.0, vec![0.0, 1.0, 2.0, 3.0, 4.0]),
            (8_000.0, vec![0.0, 2_000.0, 4_000.0, 6_000.0, 8_000.0]),
            (24_000.0, vec![0.0, 5_000.0, 10_000.0, 15_000.0, 20_000.0]),
            (7.5, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]),
        ] {
            assert_eq!(ticks(end).collect::<Vec<_>>(), expected);
        }
    }
}
