//! The page: what there is to say about a run, from the headline to the plan.

use anyhow::Result;
use exhibit::player;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};

use super::chart::{Chart, Series};
use super::examples::ReportExample;
use super::tables;
use crate::run::{LogEntry, Scored};
use crate::scores::{MeanScores, SpeechScores};

/// Nothing may be loaded from anywhere, whatever is in the page.
const POLICY: &str = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; \
                      script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// All that is known of a run.
pub struct Report {
    /// Name of the run's folder.
    pub folder_name: String,
    /// The lines of its log, by steps.
    pub entries: Vec<LogEntry>,
    /// The plan, if there is one.
    pub plan: Option<Map<String, Value>>,
    /// The recipe, if there is one.
    pub recipe: Option<String>,
    /// Scores of the best network on each item, if there are any yet.
    pub scores: Option<Vec<Scored>>,
    /// Examples, perhaps none.
    pub examples: Vec<ReportExample>,
}

/// A validation of the run.
struct ValidationPoint<'a> {
    step: usize,
    all: &'a MeanScores,
}

impl Report {
    /// The page.
    pub fn html(&self) -> Result<Markup> {
        let name = self.planned("name").and_then(Value::as_str).unwrap_or(&self.folder_name);
        Ok(html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (name) " · training run" }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(include_str!("style.css"))) (PreEscaped(player::STYLE)) }
                }
                body {
                    header { h1 { (name) } (self.headline()) }
                    main {
                        section { h2 { "Course of training" } (self.charts()?) }
                        section { h2 { "Scores" } (tables::html(self.scores.as_deref())) }
                        section { h2 { "Examples" } (self.examples()) }
                        section { h2 { "Plan" } (self.plan()) }
                    }
                    footer { "Written by trainer " (env!("CARGO_PKG_VERSION")) ". This page loads nothing." }
                    script { (PreEscaped(player::SCRIPT)) }
                }
            }
        })
    }

    fn planned(&self, key: &str) -> Option<&Value> {
        self.plan.as_ref()?.get(key)
    }

    fn validations(&self) -> Vec<ValidationPoint<'_>> {
        let validation = |entry| match entry {
            &LogEntry::Validation { step, ref all, .. } => Some(ValidationPoint { step, all }),
            LogEntry::Training { .. } | LogEntry::Resumed { .. } => None,
        };
        self.entries.iter().filter_map(validation).collect()
    }

    /// Step and scores of the best network: those of its validation, or later ones on other data.
    fn best(&self) -> Option<(usize, &MeanScores)> {
        self.entries.iter().rev().find_map(|entry| match entry {
            LogEntry::Validation { step, all, best: true, .. } => Some((*step, all)),
            LogEntry::Resumed { best: Some(best), .. } => Some((best.step, &best.all)),
            _ => None,
        })
    }

    fn last_step(&self) -> usize {
        self.entries.last().map_or(0, LogEntry::step)
    }

    fn headline(&self) -> Markup {
        let best = self.best();
        let done = self.last_step();
        let planned = self.planned("steps").and_then(Value::as_u64);
        let last_skipped = |entry: &LogEntry| match entry {
            &LogEntry::Training { skipped, .. } => Some(skipped),
            LogEntry::Validation { .. } | LogEntry::Resumed { .. } => None,
        };
        let skipped = self.entries.iter().rev().find_map(last_skipped).unwrap_or_default();
        html! {
            dl.figures {
                @if let Some((step, MeanScores { before, after, .. })) = best {
                    @let (before, after) = (before.si_sdr_db, after.si_sdr_db);
                    div {
                        dt { "Best validation SI-SDR" }
                        dd { (format!("{before:.2} → {after:.2} dB")) small { (format!("{:+.2} dB", after - before)) } }
                    }
                    div { dt { "Best at step" } dd { (step) } }
                }
                div {
                    dt { "Steps done" }
                    dd { (done) @if let Some(planned) = planned { small { "of " (planned) } } }
                }
                @if skipped > 0 {
                    div { dt { "Steps skipped" } dd { (skipped) small { "loss or gradient not finite" } } }
                }
            }
            @if best.is_none() { p.missing { "No validation yet." } }
            p.note { "As the run’s folder was when this page was written; whether the run still goes on is not known." }
        }
    }

    fn charts(&self) -> Result<Markup> {
        if self.entries.is_empty() {
            return Ok(html! { p.missing { "Nothing logged yet." } });
        }
        let training = |title, unit, value: fn(&LogEntry) -> Option<f64>| {
            let points = self.entries.iter().filter_map(|entry| Some((entry.step(), value(entry)?))).collect();
            Chart { title, unit, from_zero: true, series: vec![Series { name: "", points }], best: None }
        };
        let validations = self.validations();
        let validation = |title, unit, value: fn(&SpeechScores) -> Option<f64>| {
            let scored = |of: fn(&MeanScores) -> &SpeechScores| -> Vec<_> {
                validations.iter().filter_map(|entry| Some((entry.step, value(of(entry.all))?))).collect()
            };
            let (after, before) = (scored(|group| &group.after), scored(|group| &group.before));
            // A score on other data than the curve's is no point of it.
            let of_curve = |all: &MeanScores| validations.iter().any(|validation| std::ptr::eq(validation.all, all));
            let best = self.best().filter(|(_, all)| of_curve(all)).map(|(step, _)| step);
            let series = vec![Series { name: "after", points: after }, Series { name: "before", points: before }];
            Chart { title, unit, from_zero: false, series, best }
        };
        let loss = training("Training loss", "loss", |entry| match entry {
            LogEntry::Training { loss, .. } => *loss,
            LogEntry::Validation { .. } | LogEntry::Resumed { .. } => None,
        });
        let charts = [
            // Of a loss the last digits count.
            Chart { from_zero: false, ..loss },
            validation("Validation SI-SDR", "SI-SDR, dB", |scores| Some(scores.si_sdr_db)),
            validation("Validation STOI", "STOI, 0 to 1", |scores| scores.stoi),
            training("Learning rate", "learning rate", |entry| match entry {
                LogEntry::Training { learning_rate, .. } => Some(*learning_rate),
                LogEntry::Validation { .. } | LogEntry::Resumed { .. } => None,
            }),
            training("Gradient norm before clipping", "norm", |entry| match entry {
                LogEntry::Training { gradient_norm, .. } => *gradient_norm,
                LogEntry::Validation { .. } | LogEntry::Resumed { .. } => None,
            }),
            training("Speed", "steps a second", |entry| match entry {
                LogEntry::Training { steps_per_second, .. } => Some(*steps_per_second),
                LogEntry::Validation { .. } | LogEntry::Resumed { .. } => None,
            }),
            training("Waiting for data", "% of the time", |entry| match entry {
                LogEntry::Training { waiting, .. } => Some(100.0 * waiting),
                LogEntry::Validation { .. } | LogEntry::Resumed { .. } => None,
            }),
        ];
        let figures = charts.into_iter().map(|chart| chart.figure(self.last_step())).collect::<Result<Vec<_>>>()?;
        let changed = self.entries.iter().filter_map(|entry| match entry {
            LogEntry::Resumed { step, changes, .. } if !changes.is_empty() => Some((step, changes.join("; "))),
            _ => None,
        });
        Ok(html! {
            div.charts { @for figure in &figures { (figure) } }
            @for (step, changes) in changed {
                p.note {
                    "The data changed after step " (step) ": " (changes) ". Validations before and after it may not be comparable."
                }
            }
        })
    }

    fn examples(&self) -> Markup {
        if self.examples.is_empty() {
            return html! { p.missing { "No examples yet: the first validation writes them." } };
        }
        html! {
            p {
                "Items of the validation set through the best network. The three recordings of an example play together, "
                "and one of them is heard. A click on a picture goes to that moment. Keys act on the example used last: "
                kbd { "space" } " plays and pauses, " kbd { "1" } ", " kbd { "2" } " and " kbd { "3" } " choose clean, "
                "noisy or denoised, and arrows go back or on by a second."
            }
            @for (number, example) in self.examples.iter().enumerate() {
                article.example { h3 { "Example " (number) } (example.exhibit(number).html()) }
            }
        }
    }

    fn plan(&self) -> Markup {
        html! {
            @match &self.plan {
                Some(plan) => {
                    div.scroll role="region" aria-label="Plan" tabindex="0" {
                        table.plan {
                            tbody {
                                @for (key, value) in flatten(plan) { tr { th scope="row" { (key) } td { (value) } } }
                            }
                        }
                    }
                }
                None => p.missing { "There is no plan.json." },
            }
            @match &self.recipe {
                Some(recipe) => details { summary { "Recipe (recipe.toml)" } pre { code { (recipe) } } },
                None => p.missing { "There is no recipe.toml." },
            }
        }
    }
}

/// The entries of an object: those of objects inside as `outer.inner`, lists of plain values as such, others as JSON.
fn flatten(object: &Map<String, Value>) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for (key, value) in object {
        match value {
            Value::Object(inner) => {
                rows.extend(flatten(inner).into_iter().map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
            Value::Array(list) if !list.iter().any(|value| value.is_array() || value.is_object()) => {
                rows.push((key.clone(), list.iter().map(plain).collect::<Vec<_>>().join(", ")));
            }
            other => rows.push((key.clone(), plain(other))),
        }
    }
    rows
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plans_are_flattened() {
        let plan =
            json!({"a": 1, "b": {"c": "x", "d": {"e": [1, "two"]}}, "f": null, "g": [{"h": 2}], "i": {}, "j": []});
        let rows = flatten(plan.as_object().expect("an object"));
        let rows: Vec<_> = rows.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(rows, [("a", "1"), ("b.c", "x"), ("b.d.e", "1, two"), ("f", "–"), ("g", r#"[{"h":2}]"#), ("j", "")]);
    }
}
