//! A take as a page of its own: sound, pictures and scores in one file that needs no network, no server and no engine.

use exhibit::axis::time_text;
use exhibit::{Exhibit, player};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::protocol::TrackScores;

const STYLE: &str = include_str!("style.css");

/// A take as a page of its own.
pub struct SavedPage {
    /// The stretch that it holds, under the recording's name.
    pub exhibit: Exhibit,
    /// How each voice of the exhibit compares with the clean recording.
    pub scores: Vec<Option<TrackScores>>,
    /// The networks that worked on it.
    pub networks: Vec<String>,
    /// The noise that was made, as JSON.
    pub noise: Option<String>,
    /// Where the page is that made it.
    pub address: String,
}

impl SavedPage {
    /// The file. A policy in it allows nothing from elsewhere.
    pub fn to_html(&self) -> String {
        let policy =
            "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
        let Exhibit { name, sample_rate_hz, window: [from, to], .. } = &self.exhibit;
        let (from, to) = (*from, *to);
        let minutes = to > 60.0;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="color-scheme" content="light dark";
                    title { (name) " without noise" }
                    style { (PreEscaped(STYLE)) (PreEscaped(player::STYLE)) }
                }
                body {
                    main {
                        h1 { (name) }
                        p {
                            (time_text(from, 1, minutes)) " to " (time_text(to, 1, minutes)) " s, "
                            (sample_rate_hz) " Hz; by " (self.networks.join(", ")) "."
                        }
                        (self.exhibit.html())
                        @if self.scores.iter().any(Option::is_some) { (self.table()) }
                        @if let Some(noise) = &self.noise {
                            h2 { "The noise" }
                            pre { (noise) }
                        }
                        footer {
                            "Made by " a href=(self.address) rel="noopener" { "a page that removes noise in the browser" }
                            ". Keys: space plays, numbers choose, arrows move."
                        }
                    }
                    script { (PreEscaped(player::SCRIPT)) }
                }
            }
        };
        page.into_string()
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
                    @for (voice, scores) in self.exhibit.voices.iter().zip(&self.scores) {
                        @if let Some(scores) = scores {
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
    use exhibit::Voice;

    use super::*;

    fn page(name: &str) -> String {
        let voice = |title: &str| Voice {
            title: title.into(),
            note: String::new(),
            sound: "data:audio/wav;base64,UklGRg==".into(),
            waveform: "data:image/png;base64,aaaa".into(),
            spectrogram: "data:image/png;base64,bbbb".into(),
            gain: Some(1.5),
        };
        let scores = TrackScores { snr_db: Some(12.34), si_sdr_db: None, wsdr: Some(0.98765), stoi: Some(0.9) };
        SavedPage {
            exhibit: Exhibit {
                id: "take".into(),
                name: name.into(),
                sample_rate_hz: 16_000,
                window: [0.0, 4.0],
                loudest: "the loudest of the recording".into(),
                voices: vec![voice("Before"), voice("After")],
            },
            scores: vec![None, Some(scores)],
            networks: vec!["dcunet".into()],
            noise: Some("[{\"kind\": \"white\"}]".into()),
            address: "https://example.org/?network=dcunet".into(),
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
