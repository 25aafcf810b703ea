//! A take as a page of its own: sound, pictures and scores in one file that needs no network, no server and no engine.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::axis::{frequency_marks, time_marks, time_text};
use crate::protocol::TrackScores;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What there is to hear and see of one voice.
pub struct SavedVoice {
    /// Its name.
    pub title: String,
    /// A WAV file as a data address.
    pub sound: String,
    /// A PNG file as a data address.
    pub waveform: String,
    /// Likewise.
    pub spectrogram: String,
    /// The factor that makes it as loud as the first.
    pub gain: f32,
    /// How it compares with the clean recording.
    pub scores: Option<TrackScores>,
}

/// A take as a page of its own.
pub struct SavedPage {
    /// The recording's name.
    pub title: String,
    /// The networks that worked on it.
    pub networks: Vec<String>,
    /// The noise that was made, as JSON.
    pub noise: Option<String>,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// The stretch that it holds, in seconds of the recording.
    pub window: [f64; 2],
    /// Where the page is that made it.
    pub address: String,
    /// What there is to hear and see.
    pub voices: Vec<SavedVoice>,
}

impl SavedPage {
    /// The file. A policy in it allows nothing from elsewhere.
    pub fn to_html(&self) -> String {
        let policy =
            "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
        let [from, to] = self.window;
        let minutes = to > 60.0;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " without noise" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        h1 { (self.title) }
                        p {
                            (time_text(from, 1, minutes)) " to " (time_text(to, 1, minutes)) " s, "
                            (self.sample_rate_hz) " Hz; by " (self.networks.join(", ")) "."
                        }
                        div.bar {
                            button #play type="button" { "Play" }
                            fieldset {
                                legend { "Hear" }
                                @for (index, voice) in self.voices.iter().enumerate() {
                                    label {
                                        input type="radio" name="voice" value=(index) checked[index == 1];
                                        (voice.title) " " kbd { (index + 1) }
                                    }
                                }
                            }
                            label { input #matched type="checkbox" checked; "Equally loud" }
                        }
                        @for (index, voice) in self.voices.iter().enumerate() { (self.figure(index, voice)) }
                        @if self.voices.iter().any(|voice| voice.scores.is_some()) { (self.table()) }
                        @if let Some(noise) = &self.noise {
                            h2 { "The noise" }
                            pre { (noise) }
                        }
                        footer {
                            "Made by " a href=(self.address) rel="noopener" { "a page that removes noise in the browser" }
                            ". Keys: space plays, numbers choose, arrows move."
                        }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }

    fn figure(&self, index: usize, voice: &SavedVoice) -> Markup {
        html! {
            figure data-voice=(index) {
                figcaption { (voice.title) }
                div.picture tabindex="-1" {
                    img.waveform src=(voice.waveform) alt={ "Waveform: " (voice.title) };
                    img.spectrogram src=(voice.spectrogram) alt={ "Spectrogram: " (voice.title) };
                    div.head {}
                    @for mark in frequency_marks(self.sample_rate_hz, 4) {
                        // The script puts it in its place.
                        span class="mark" data-at=(format!("{:.4}", mark.at)) { (mark.text) }
                    }
                }
                div.times {
                    @for mark in time_marks(self.window, 8) {
                        span data-at=(format!("{:.4}", mark.at)) { (mark.text) }
                    }
                }
                audio src=(voice.sound) data-gain=(voice.gain) preload="auto" {}
            }
        }
    }

    fn table(&self) -> Markup {
        let cell =
            |value: Option<f64>, decimals: usize| value.map_or("–".into(), |value| format!("{value:.decimals$}"));
        html! {
            table {
                thead {
                    tr {
                        th scope="col" { "Against the clean recording" }
                        th scope="col" { "SNR, dB" }
                        th scope="col" { "SI-SDR, dB" }
                        th scope="col" { "wSDR" }
                        th scope="col" { "STOI" }
                    }
                }
                tbody {
                    @for voice in &self.voices {
                        @if let Some(scores) = voice.scores {
                            tr {
                                th scope="row" { (voice.title) }
                                td { (cell(scores.snr_db, 1)) }
                                td { (cell(scores.si_sdr_db, 1)) }
                                td { (cell(scores.wsdr, 3)) }
                                td { (cell(scores.stoi, 3)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(title: &str) -> String {
        let voice = |title: &str, scores| SavedVoice {
            title: title.into(),
            sound: "data:audio/wav;base64,UklGRg==".into(),
            waveform: "data:image/png;base64,aaaa".into(),
            spectrogram: "data:image/png;base64,bbbb".into(),
            gain: 1.5,
            scores,
        };
        let scores = TrackScores { snr_db: Some(12.34), si_sdr_db: None, wsdr: Some(0.98765), stoi: Some(0.9) };
        SavedPage {
            title: title.into(),
            networks: vec!["dcunet".into()],
            noise: Some("[{\"kind\": \"white\"}]".into()),
            sample_rate_hz: 16_000,
            window: [0.0, 4.0],
            address: "https://example.org/?network=dcunet".into(),
            voices: vec![voice("Before", None), voice("After", Some(scores))],
        }
        .to_html()
    }

    #[test]
    fn everything_is_inside_and_nothing_is_fetched() {
        let page = page("talk.wav");
        assert_eq!(page.matches("<audio").count(), 2);
        assert!(
            page.contains("default-src 'none'")
                && page.contains("12.3")
                && page.contains("–")
                && page.contains("0.988")
        );
        for source in page.split("src=\"").skip(1) {
            assert!(source.starts_with("data:"), "{}", &source[..20]);
        }
        assert!(!page.contains("@import") && !page.contains("url("));
    }

    #[test]
    fn names_of_files_are_text_and_nothing_else() {
        let page = page("<img src=x onerror=alert(1)>.wav");
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;.wav") && !page.contains("<img src=x"));
    }
}
