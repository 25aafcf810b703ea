//! The exhibit: all voices play on one clock, and one is heard.
//!
//! Without JavaScript every voice keeps the browser's own controls.

use maud::{Markup, html};

use crate::axis::{frequency_marks, time_marks};
use crate::colours::css_gradient;
use crate::spectrogram::RANGE_DB;

/// One version of the recording. Sound and pictures are addresses, such as those of [`crate::inline`].
pub struct Voice {
    /// What the version is called, such as "Denoised".
    pub title: String,
    /// A remark beside the title, or nothing.
    pub note: String,
    /// Address of a sound file that browsers play.
    pub sound: String,
    /// Address of the picture of its waveform, as wide as the exhibit's window.
    pub waveform: String,
    /// Address of the picture of its spectrogram, as wide as the window and as high as half the sampling rate.
    pub spectrogram: String,
    /// The factor that makes it as loud as the first, if loudness can be evened out.
    pub gain: Option<f32>,
}

/// Versions of one recording to compare.
pub struct Exhibit {
    /// Distinguishes exhibits of one page: letters, digits and hyphens.
    pub id: String,
    /// Name of the recording, for people who do not see where on the page it is.
    pub name: String,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// First and last moment of all pictures and sounds, in seconds of the recording.
    pub window: [f64; 2],
    /// What has the brightest colour, which is marked with 0 dB, such as "the loudest of the three".
    pub loudest: String,
    /// The versions, at least one, in the order of their number keys. The second is heard first.
    pub voices: Vec<Voice>,
}

/// What a page needs once for all its exhibits, to stand in a `style` element.
///
/// The page defines the colours `--ground`, `--ink`, `--faint`, `--line` and `--accent`. It may define `--voice-width`,
/// the least width of a voice, for voices side by side.
pub const STYLE: &str = include_str!("style.css");

/// What a page needs once for all its exhibits, to stand in a `script` element after the last of them.
///
/// Only one exhibit sounds at a time. Keys (space, digits, left and right arrow) act on the one used last, or on the
/// only one.
pub const SCRIPT: &str = include_str!("script.js");

impl Exhibit {
    /// The exhibit as an element of a page.
    pub fn html(&self) -> Markup {
        html! {
            section.exhibit id=(self.id) role="group" aria-label=(self.name) {
                (self.controls())
                div.voices { @for voice in &self.voices { (self.figure(voice)) } }
                (self.colour_bar())
            }
        }
    }

    /// Hidden until the script runs, because they do nothing without it.
    fn controls(&self) -> Markup {
        let heard = self.voices.len().min(2) - 1;
        html! {
            div.controls hidden {
                button.play type="button" { "Play" }
                fieldset {
                    legend { "Hear" }
                    @for (index, voice) in self.voices.iter().enumerate() {
                        label {
                            input type="radio" name={ (self.id) "-voice" } value=(index) checked[index == heard];
                            (voice.title) " " kbd { (index + 1) }
                        }
                    }
                }
                @if self.voices.iter().any(|voice| voice.gain.is_some()) {
                    label { input.matched type="checkbox" checked; "Equally loud" }
                }
            }
        }
    }

    fn figure(&self, voice: &Voice) -> Markup {
        let Self { name, sample_rate_hz, window, .. } = self;
        let percent = |at: f64| format!("{:.2}%", 100.0 * at);
        html! {
            figure.voice {
                figcaption { (voice.title) @if !voice.note.is_empty() { " " span.note { (voice.note) } } }
                div.plot {
                    div.hertz aria-hidden="true" {
                        @for mark in frequency_marks(*sample_rate_hz, 4) {
                            span style={ "bottom:" (percent(mark.at)) } { (mark.text) }
                        }
                    }
                    div.picture {
                        img.waveform src=(voice.waveform) alt={ "Waveform: " (name) ", " (voice.title) };
                        img.spectrogram src=(voice.spectrogram) alt={ "Spectrogram: " (name) ", " (voice.title) };
                        div.head {}
                    }
                    div.times aria-hidden="true" {
                        @for mark in time_marks(*window, 5) {
                            span style={ "left:" (percent(mark.at)) } { (mark.text) }
                        }
                    }
                    div.unit aria-hidden="true" { @if window[1] > 60.0 { "time, min:s" } @else { "time, s" } }
                }
                audio controls preload="auto" aria-label={ (name) ", " (voice.title) } src=(voice.sound)
                    data-gain=[voice.gain] {}
            }
        }
    }

    /// What the colours of the spectrograms mean.
    fn colour_bar(&self) -> Markup {
        let label = format!("Colours from dark at -{RANGE_DB} dB to bright at 0 dB");
        html! {
            figure.levels {
                div.scale role="img" aria-label=(label) style={ "background:" (css_gradient()) } {}
                div.marks aria-hidden="true" {
                    @for part in 0..=4u8 { span { (RANGE_DB * (f32::from(part) / 4.0 - 1.0)) } }
                }
                figcaption.note { "Level in dB; 0 is " (self.loudest) "." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exhibit(id: &str, gain: Option<f32>) -> Exhibit {
        let voice = |title: &str| Voice {
            title: title.into(),
            note: format!("note on {title}"),
            sound: "data:audio/wav;base64,UklGRg==".into(),
            waveform: "data:image/png;base64,aaaa".into(),
            spectrogram: "data:image/png;base64,bbbb".into(),
            gain,
        };
        Exhibit {
            id: id.into(),
            name: "<talk>".into(),
            sample_rate_hz: 16_000,
            window: [0.0, 4.0],
            loudest: "the loudest".into(),
            voices: vec![voice("Before"), voice("After & later")],
        }
    }

    #[test]
    fn every_voice_has_pictures_axes_and_a_player_of_its_own() {
        let page = exhibit("one", None).html().into_string();
        assert_eq!(page.matches("<audio controls").count(), 2);
        assert_eq!(page.matches("<img").count(), 4);
        assert_eq!(page.matches(">2 kHz</span>").count(), 2);
        assert_eq!(page.matches("time, s").count(), 2);
        for name in ["alt=\"Spectrogram: &lt;talk&gt;, Before\"", "aria-label=\"&lt;talk&gt;, After &amp; later\""] {
            assert_eq!(page.matches(name).count(), 1, "{name}");
        }
        assert_eq!(page.matches(" checked").count(), 1);
        assert!(page.contains(">-80</span>") && page.contains("0 is the loudest."));
    }

    #[test]
    fn loudness_is_evened_out_where_gains_are_known() {
        assert!(!exhibit("one", None).html().into_string().contains("Equally loud"));
        let page = exhibit("one", Some(1.5)).html().into_string();
        assert!(page.contains("Equally loud") && page.matches("data-gain=\"1.5\"").count() == 2);
    }

    #[test]
    fn exhibits_of_a_page_do_not_share_choices() {
        let page = html! { (exhibit("one", None).html()) (exhibit("two", None).html()) }.into_string();
        assert_eq!(page.matches("name=\"one-voice\"").count(), 2);
        assert_eq!(page.matches("name=\"two-voice\"").count(), 2);
    }

    #[test]
    fn nothing_is_fetched() {
        let page = exhibit("one", Some(1.0)).html().into_string() + STYLE + SCRIPT;
        for outside in ["http:", "https:", "url(", "@import", "fetch("] {
            assert!(!page.contains(outside), "{outside}");
        }
        for source in page.split("src=\"").skip(1) {
            assert!(source.starts_with("data:"));
        }
    }
}
