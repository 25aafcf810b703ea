//! Scores in tables: what was, what is, and a bar for the change.

use maud::{Markup, html};

use crate::run::Scored;
use crate::scores::{MeanScores, SpeechScores};

/// A score of which more is better.
struct Column {
    name: &'static str,
    decimals: usize,
    score: fn(&SpeechScores) -> Option<f64>,
}

const COLUMNS: [Column; 5] = [
    Column { name: "SI-SDR, dB", decimals: 2, score: |scores| Some(scores.si_sdr_db) },
    Column { name: "SNR, dB", decimals: 2, score: |scores| Some(scores.snr_db) },
    Column { name: "wSDR", decimals: 3, score: |scores| Some(scores.wsdr) },
    Column { name: "STOI", decimals: 3, score: |scores| scores.stoi },
    Column { name: "ESTOI", decimals: 3, score: |scores| scores.estoi },
];

impl Column {
    fn change(&self, group: &MeanScores) -> Option<f64> {
        Some((self.score)(&group.after)? - (self.score)(&group.before)?)
    }

    /// Before and after, and the change as a bar, as long as the cell for `largest`.
    fn cell(&self, group: &MeanScores, largest: f64) -> Markup {
        let decimals = self.decimals;
        let (before, after) = ((self.score)(&group.before), (self.score)(&group.after));
        html! {
            td {
                @if let (Some(before), Some(after)) = (before, after) {
                    @let change = after - before;
                    @let width = 100.0 * (change.abs() / largest.max(f64::MIN_POSITIVE)).min(1.0);
                    (format!("{before:.decimals$} → {after:.decimals$}"))
                    span.change { (format!("{change:+.decimals$}")) }
                    span.bar.better[change > 0.0].worse[change < 0.0] style=(format!("width: {width:.0}%")) {}
                } @else {
                    abbr title="too little speech to measure it" { "–" }
                }
            }
        }
    }
}

/// Tables by kind of noise and by signal-to-noise ratio; a sentence if there are no scores.
pub fn html(scores: Option<&[Scored]>) -> Markup {
    let Some(scores) = scores.filter(|scores| !scores.is_empty()) else {
        return html! { p.missing { "No scores yet: the first validation writes them." } };
    };
    let all = MeanScores::of("all", &scores.iter().collect::<Vec<_>>());
    html! {
        p {
            "Means over the validation set, noisy input → output of the best network. More is better everywhere: STOI "
            "and ESTOI go from 0 to 1, wSDR from -1 to 1."
        }
        (table("By kind of noise", "noise", MeanScores::by_kind(scores), all.as_ref()))
        (table("By the input’s SNR", "SNR", MeanScores::by_snr(scores), all.as_ref()))
    }
}

fn table(caption: &str, what: &str, groups: Vec<MeanScores>, all: Option<&MeanScores>) -> Markup {
    let rows = || groups.iter().chain(all);
    let largest = COLUMNS.map(|column| {
        rows().filter_map(|group| column.change(group)).fold(0.0, |largest: f64, change| largest.max(change.abs()))
    });
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { (what) }
                        th scope="col" { "items" }
                        @for column in &COLUMNS { th scope="col" { (column.name) } }
                    }
                }
                tbody {
                    @for group in rows() {
                        tr.all[group.name == "all"] {
                            th scope="row" { (group.name) }
                            td { (group.items) }
                            @for (column, largest) in COLUMNS.iter().zip(largest) { (column.cell(group, largest)) }
                        }
                    }
                }
            }
        }
    }
}
