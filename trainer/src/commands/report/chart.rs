//! Line charts over the steps of a run, as SVG inside the page.

use std::ops::Range;

use anyhow::{Context, Result};
use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Drawn at twice the usual size, because plotters rounds coordinates to whole units.
const SIZE: (u32, u32) = (1040, 560);
const FONT_SIZE: u32 = 36;

// The page's style finds these colours and replaces them by those of the light or dark scheme.
const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const SERIES: [RGBColor; 2] = [RGBColor(0x00, 0x72, 0xb2), RGBColor(0xd5, 0x5e, 0x00)];

/// Up to as many points are also drawn one by one.
const MAX_DOTS: usize = 40;

/// A figure, or two, against the steps done.
pub struct Chart {
    /// What it is.
    pub title: &'static str,
    /// What the vertical axis measures, with the unit.
    pub unit: &'static str,
    /// Whether the axis begins at 0 or below.
    pub from_zero: bool,
    /// One or two lines.
    pub series: Vec<Series>,
    /// The step at which the first line is to be marked as the best.
    pub best: Option<usize>,
}

/// A line.
pub struct Series {
    /// What it is, where there are two.
    pub name: &'static str,
    /// Steps and values, by steps.
    pub points: Vec<(usize, f64)>,
}

impl Chart {
    /// The chart with its title, the horizontal axis from 0 to `steps`; in its place a sentence if there are no points.
    pub fn figure(mut self, steps: usize) -> Result<Markup> {
        for series in &mut self.series {
            // Nobody can read more off a chart, and arithmetic on axes must not overflow.
            series.points.retain(|(_, value)| value.abs() < 1e30);
        }
        self.series.retain(|series| !series.points.is_empty());
        let svg = match self.series.is_empty() {
            true => html! { p.missing { "No figures yet." } },
            false => self.svg(steps).with_context(|| format!("cannot draw {}", self.title))?,
        };
        Ok(html! {
            figure {
                figcaption {
                    strong { (self.title) }
                    @if self.series.len() > 1 {
                        @for (index, series) in self.series.iter().enumerate() {
                            span.key.{ "series-" (index) } { (series.name) }
                        }
                    }
                }
                (svg)
            }
        })
    }

    fn svg(&self, steps: usize) -> Result<Markup> {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let text = |colour: &RGBColor| ("sans-serif", FONT_SIZE).into_font().color(colour);
        let mut chart = ChartBuilder::on(&area)
            .margin(16)
            .margin_right(48)
            .x_label_area_size(96)
            .y_label_area_size(164)
            .build_cartesian_2d(0.0..steps.max(1) as f64, self.range())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.stroke_width(2))
            .light_line_style(TRANSPARENT)
            .axis_style(INK.stroke_width(2))
            .label_style(text(&INK))
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|value| short(*value))
            .y_label_formatter(&|value| short(*value))
            .x_desc("steps")
            .y_desc(self.unit)
            .draw()?;
        // The first line lies on top.
        for (series, colour) in self.series.iter().zip(&SERIES).rev() {
            let points = series.points.iter().map(|&(step, value)| (step as f64, value));
            chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(4)))?;
            if series.points.len() <= MAX_DOTS {
                chart.draw_series(points.map(|point| Circle::new(point, 6, colour.filled())))?;
            }
        }
        let best = self.series[0].points.iter().find(|(step, _)| Some(*step) == self.best);
        if let Some(&(step, value)) = best {
            let point = (step as f64, value);
            let side = if step * 2 > steps { HPos::Right } else { HPos::Left };
            let style = text(&INK).pos(Pos::new(side, VPos::Bottom));
            chart.draw_series([Circle::new(point, 13, INK.stroke_width(4))])?;
            let label = format!("best: {}", short(value));
            chart.draw_series([EmptyElement::at(point) + Text::new(label, (0, -20), style)])?;
        }
        area.present()?;
        drop(chart);
        drop(area);

        // Inside a page an SVG needs neither namespace nor size, but a name for those who cannot see it.
        let drawing = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>"));
        let (drawing, _) = drawing.context("an SVG begins and ends with its tag")?;
        let (width, height) = SIZE;
        Ok(html! {
            svg.chart viewBox=(format!("0 0 {width} {height}")) role="img" aria-label=(self.in_words()) {
                (PreEscaped(drawing))
            }
        })
    }

    /// What the chart shows, for those who cannot see it.
    fn in_words(&self) -> String {
        let mut words = format!("{} against steps", self.title);
        for Series { name, points } in &self.series {
            if let [(first, from), .., (last, to)] = points.as_slice() {
                let named = format!("{name} {}", short(*from));
                words += &format!("; {} at step {first}, {} at step {last}", named.trim_start(), short(*to));
            }
        }
        words
    }

    /// The values with some room around them.
    fn range(&self) -> Range<f64> {
        let values = self.series.iter().flat_map(|series| &series.points).map(|&(_, value)| value);
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let size = low.abs().max(high.abs());
        // An axis of no length has no ticks.
        let room = if high - low > 1e-6 * size { 0.08 * (high - low) } else { (0.1 * size).max(1e-3) };
        // What is never negative gets no axis below 0.
        let bottom = if low >= 0.0 { (low - room).max(0.0) } else { low - room };
        // The best lies under its label.
        let top = high + if self.best.is_some() { 2.0 * room } else { room };
        if self.from_zero { bottom.min(0.0)..top } else { bottom..top }
    }
}

/// A figure with four digits, as short as it can be written.
pub fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match rounded.abs() {
        // Also for -0.
        0.0 => "0".to_owned(),
        1e-4..1e6 => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(usize, f64)>) -> String {
        let steps = points.last().map_or(0, |(step, _)| *step);
        let best = points.first().map(|(step, _)| *step);
        let series = vec![Series { name: "after", points }];
        Chart { title: "SI-SDR", unit: "dB", from_zero: false, series, best }
            .figure(steps)
            .expect("drawn")
            .into_string()
    }

    #[test]
    fn figures_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (12.345_678, "12.35"),
            (0.1 + 0.2, "0.3"),
            (160_000.0, "160000"),
            (-2e-7, "-2e-7"),
            (0.000_5, "0.0005"),
        ] {
            assert_eq!(short(value), expected);
        }
    }

    #[test]
    fn any_values_can_be_drawn() {
        for values in [
            vec![],
            vec![0.0],
            vec![7.0; 3],
            vec![1.0, 1.0 + 1e-15],
            vec![1e17, 1e17 + 16.0],
            vec![-1e300, f64::MAX],
            vec![1e-300, 2e-300],
            vec![-1e29, 1e29],
            vec![-0.0, 3.0],
        ] {
            let drawn = chart(values.iter().enumerate().map(|(index, value)| (10 * index, *value)).collect());
            let empty = !values.iter().any(|value| value.abs() < 1e30);
            assert_eq!(drawn.contains("No figures yet"), empty, "{values:?}");
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{values:?}: {drawn}");
        }
    }

    #[test]
    fn a_chart_has_axes_a_name_and_its_best() {
        let drawn = chart(vec![(10, 9.5), (20, 8.25)]);
        for part in ["after 9.5 at step 10, 8.25 at step 20", "best: 9.5", ">\nsteps\n<", ">\ndB\n<", "polyline"] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
    }
}
