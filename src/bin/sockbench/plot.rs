//! A line chart with two logarithmic axes, as SVG.
//!
//! It follows the page from light to dark (`prefers-color-scheme`), and tells its lines apart by colour
//! (near Okabe and Ito's palette, for eyes that see fewer), by dashes and by labels. Every colour is a
//! class of the style sheet, and what is drawn takes it as `currentColor`.

use std::fmt::Write;

use crate::stats::Spread;

pub struct Chart {
    pub title: &'static str,
    pub x: Axis,
    pub y: Axis,
    /// What the dashes mean, and which they are.
    pub dashes: Vec<(&'static str, &'static str)>,
    pub lines: Vec<Line>,
}

pub struct Axis {
    pub title: &'static str,
    /// A tick at each power of this,
    pub base: f64,
    /// times each of these.
    pub steps: &'static [f64],
    pub label: fn(f64) -> String,
}

pub struct Line {
    pub label: String,
    /// A class of the style sheet.
    pub color: &'static str,
    /// As in `stroke-dasharray`; "none" for a line without gaps.
    pub dashes: &'static str,
    pub points: Vec<(f64, Spread)>,
}

const STYLE: &str = "\
svg{color:#1f2328} .paper{color:#fff} .frame{color:#d1d9e0} .grid{color:#e6e9ec}
.unix{color:#0072b2} .tcp{color:#c25100} .pipe{color:#007d5b} .one-thread{color:#6e7781}
@media (prefers-color-scheme:dark){
svg{color:#d1d7e0} .paper{color:#0d1117} .frame{color:#3d444d} .grid{color:#262c36}
.unix{color:#58b4f0} .tcp{color:#ff9b57} .pipe{color:#35c795} .one-thread{color:#9198a1}
}";

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 500.0;
const LEFT: f64 = 100.0;
const RIGHT: f64 = 706.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 430.0;

impl Chart {
    /// The picture; without a point, an empty one.
    pub fn to_svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = Scale::new(points().map(|point| point.0), &self.x, LEFT, RIGHT);
        let ends = points().flat_map(|point| [point.1.lo, point.1.hi]);
        let y = Scale::new(ends, &self.y, BOTTOM, TOP);

        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"15\">\n<title>{0}</title>\n<style>\n{STYLE}\n</style>\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" class=\"paper\" fill=\"currentColor\"/>\n\
             <text x=\"20\" y=\"32\" font-size=\"18\" font-weight=\"bold\" fill=\"currentColor\">{0}</text>\n",
            escape(self.title)
        );
        for &value in &x.ticks {
            let at = x.place(value);
            path(&mut svg, &format!("M{at:.1} {TOP}V{BOTTOM}"), "grid", "");
            text(&mut svg, (at, BOTTOM + 22.0), "middle", "", &(self.x.label)(value));
        }
        for &value in &y.ticks {
            let at = y.place(value);
            path(&mut svg, &format!("M{LEFT} {at:.1}H{RIGHT}"), "grid", "");
            text(&mut svg, (LEFT - 8.0, at + 5.0), "end", "", &(self.y.label)(value));
        }
        path(&mut svg, &format!("M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"), "frame", "");
        text(&mut svg, ((LEFT + RIGHT) / 2.0, HEIGHT - 18.0), "middle", "", self.x.title);
        text(&mut svg, (LEFT, TOP - 14.0), "start", "", self.y.title);
        self.legend(&mut svg);
        for line in &self.lines {
            line.draw(&mut svg, &x, &y);
        }
        let ends: Vec<f64> = self
            .lines
            .iter()
            .map(|line| y.place(line.points[line.points.len() - 1].1.mid))
            .collect();
        for (line, at) in self.lines.iter().zip(spread(ends)) {
            text(&mut svg, (RIGHT + 10.0, at + 5.0), "start", line.color, &line.label);
        }
        svg + "</svg>\n"
    }

    /// Right of the title.
    fn legend(&self, svg: &mut String) {
        let mut x = RIGHT;
        for (meaning, dashes) in self.dashes.iter().rev() {
            text(svg, (x, 32.0), "end", "", meaning);
            x -= 8.0 * meaning.chars().count() as f64;
            let style = format!(" stroke-width=\"2.5\" stroke-dasharray=\"{dashes}\"");
            path(svg, &format!("M{:.1} 27h44", x - 52.0), "", &style);
            x -= 78.0;
        }
    }
}

impl Line {
    /// The medians, and through each a bar from the lowest round to the highest.
    fn draw(&self, svg: &mut String, x: &Scale, y: &Scale) {
        let (mut along, mut bars) = (String::new(), String::new());
        for (i, &(at, Spread { mid, lo, hi, .. })) in self.points.iter().enumerate() {
            let at = x.place(at);
            let _ = write!(along, "{}{at:.1} {:.1}", if i == 0 { "M" } else { "L" }, y.place(mid));
            let _ = write!(bars, "M{at:.1} {:.1}V{:.1}", y.place(lo), y.place(hi));
        }
        path(svg, &bars, self.color, " stroke-width=\"4\" stroke-opacity=\"0.35\"");
        let style = format!(
            " stroke-width=\"2.5\" stroke-linejoin=\"round\" stroke-dasharray=\"{}\"",
            self.dashes
        );
        path(svg, &along, self.color, &style);
    }
}

fn path(svg: &mut String, d: &str, color: &str, style: &str) {
    let _ = writeln!(
        svg,
        "<path class=\"{color}\" d=\"{d}\" fill=\"none\" stroke=\"currentColor\"{style}/>"
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, color: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text class=\"{color}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" \
         fill=\"currentColor\">{}</text>",
        escape(text)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
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

/// A logarithmic axis that begins and ends on a tick.
struct Scale {
    ticks: Vec<f64>,
    from: f64,
    to: f64,
}

impl Scale {
    fn new(values: impl Iterator<Item = f64>, axis: &Axis, from: f64, to: f64) -> Scale {
        let (least, most) = values
            .fold((f64::INFINITY, 0.0), |(least, most), value| (value.min(least), value.max(most)));
        let (least, most) = if most == 0.0 { (1.0, 1.0) } else { (least, most) };
        let exponents =
            least.log(axis.base).floor() as i32 - 1..=most.log(axis.base).ceil() as i32 + 1;
        let all: Vec<f64> = exponents
            .flat_map(|exponent| axis.steps.iter().map(move |step| step * axis.base.powi(exponent)))
            .collect();
        // A hair's breadth for what the powers have lost.
        let first = all.iter().rposition(|tick| *tick <= least * 1.000001).unwrap_or(0);
        let last = all.iter().position(|tick| *tick >= most / 1.000001).unwrap_or(all.len() - 1);
        Scale { ticks: all[first..=last.max(first + 1)].to_vec(), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let (first, last) = (self.ticks[0].ln(), self.ticks[self.ticks.len() - 1].ln());
        self.from + (value.ln() - first) / (last - first) * (self.to - self.from)
    }
}
