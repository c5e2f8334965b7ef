//! A line chart with two logarithmic axes, as SVG.
//!
//! It brings its own light background, so that it reads the same on a dark page, and tells its lines
//! apart by colour (of Okabe and Ito's palette, for eyes that see fewer), by dashes and by labels.

use std::fmt::Write;

pub struct Chart<'a> {
    pub title: &'a str,
    pub x_title: &'a str,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
}

/// Which values get a tick, and how they are written.
pub struct Axis {
    /// A tick at each power of this,
    pub base: f64,
    /// times each of these.
    pub steps: &'static [f64],
    pub label: fn(f64) -> String,
}

pub struct Line {
    pub label: String,
    pub color: &'static str,
    /// As in `stroke-dasharray`; "none" for a line without gaps.
    pub dashes: &'static str,
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 820.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 86.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 400.0;

impl Chart<'_> {
    /// The picture, or `None` when there is no point to draw.
    pub fn to_svg(&self) -> Option<String> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = Scale::new(points().map(|point| point.0), &self.x, LEFT, RIGHT)?;
        let y = Scale::new(points().map(|point| point.1), &self.y, BOTTOM, TOP)?;

        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"14\" fill=\"#333\">\n\
             <title>{0}</title>\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\" fill=\"#fff\" stroke=\"#ccc\"/>\n\
             <text x=\"{LEFT}\" y=\"32\" font-size=\"17\" font-weight=\"bold\">{0}</text>\n",
            escape(self.title)
        );
        for &value in &x.ticks {
            let at = x.place(value);
            let _ = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{BOTTOM}\" stroke=\"#e4e4e4\"/>");
            let label = escape(&(self.x.label)(value));
            let _ = text(&mut svg, at, BOTTOM + 22.0, "middle", "#333", &label);
        }
        for &value in &y.ticks {
            let at = y.place(value);
            let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#e4e4e4\"/>");
            let label = escape(&(self.y.label)(value));
            let _ = text(&mut svg, LEFT - 8.0, at + 5.0, "end", "#333", &label);
        }
        let middle = (LEFT + RIGHT) / 2.0;
        let _ = text(&mut svg, middle, HEIGHT - 14.0, "middle", "#555", &escape(self.x_title));
        for Line { color, dashes, points, .. } in &self.lines {
            let places: Vec<(f64, f64)> =
                points.iter().map(|point| (x.place(point.0), y.place(point.1))).collect();
            let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
            let _ = writeln!(
                svg,
                "<path d=\"M{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2.5\" \
                 stroke-linejoin=\"round\" stroke-dasharray=\"{dashes}\"/>",
                path.join("L"),
            );
            for (x, y) in places {
                let _ =
                    writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>");
            }
        }
        for (line, at) in self.lines.iter().zip(spread(self.label_places(&y))) {
            let _ =
                text(&mut svg, RIGHT + 10.0, at + 5.0, "start", line.color, &escape(&line.label));
        }
        svg.push_str("</svg>\n");
        Some(svg)
    }

    /// Where each line ends.
    fn label_places(&self, y: &Scale) -> Vec<f64> {
        let ends = self.lines.iter().map(|line| line.points.last().map_or(1.0, |point| point.1));
        ends.map(|value| y.place(value)).collect()
    }
}

/// Moves places apart that are closer than a line of text, and keeps their order.
fn spread(places: Vec<f64>) -> Vec<f64> {
    const APART: f64 = 19.0;
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
    let mut moved = places.clone();
    for pair in order.windows(2) {
        moved[pair[1]] = moved[pair[1]].max(moved[pair[0]] + APART);
    }
    // What was pushed too far down pushes back.
    let mut limit = BOTTOM;
    for &i in order.iter().rev() {
        moved[i] = moved[i].min(limit);
        limit = moved[i] - APART;
    }
    moved
}

fn text(
    svg: &mut String,
    x: f64,
    y: f64,
    anchor: &str,
    color: &str,
    text: &str,
) -> std::fmt::Result {
    writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{text}</text>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A logarithmic axis that begins and ends on a tick.
struct Scale {
    ticks: Vec<f64>,
    from: f64,
    to: f64,
}

impl Scale {
    fn new(values: impl Iterator<Item = f64>, axis: &Axis, from: f64, to: f64) -> Option<Scale> {
        let (least, most) = values
            .filter(|value| *value > 0.0 && value.is_finite())
            .fold((f64::INFINITY, 0.0), |(least, most), value| (value.min(least), value.max(most)));
        if most == 0.0 {
            return None;
        }
        let exponents =
            least.log(axis.base).floor() as i32 - 1..=most.log(axis.base).ceil() as i32 + 1;
        let all: Vec<f64> = exponents
            .flat_map(|exponent| axis.steps.iter().map(move |step| step * axis.base.powi(exponent)))
            .collect();
        // A hair's breadth for what the powers have lost.
        let first = all.iter().rposition(|tick| *tick <= least * 1.000001)?;
        let last = all.iter().position(|tick| *tick >= most / 1.000001)?.max(first + 1);
        Some(Scale { ticks: all[first..=last].to_vec(), from, to })
    }

    fn place(&self, value: f64) -> f64 {
        let (first, last) = (self.ticks[0].ln(), self.ticks[self.ticks.len() - 1].ln());
        self.from + (value.ln() - first) / (last - first) * (self.to - self.from)
    }
}
