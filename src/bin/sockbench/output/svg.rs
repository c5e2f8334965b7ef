//! Pictures: two panels side by side, each with lines over the size of a message, as SVG.
//!
//! They follow the page from light to dark (`prefers-color-scheme`), and tell their lines apart by colour
//! (near Okabe and Ito's palette, for eyes that see fewer), by dashes and by labels. How each class of
//! things looks stands in the style sheet.

use std::fmt::Write;

use super::text::size;

pub struct Picture {
    pub title: &'static str,
    /// What the vertical axis shows.
    pub subtitle: &'static str,
    /// What stands beside a tick of it.
    pub label: fn(f64) -> String,
    pub panels: Vec<Panel>,
    /// Where there is no difference: a line across.
    pub level: Option<f64>,
}

pub struct Panel {
    pub title: &'static str,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub label: &'static str,
    /// A class of the style sheet, which gives it its colour and its dashes.
    pub class: &'static str,
    pub points: Vec<Point>,
}

/// A median and where it lies, for a size.
pub struct Point {
    pub size: usize,
    pub mid: f64,
    pub lo: f64,
    pub hi: f64,
}

const STYLE: &str = include_str!("style.css");

const PANEL: f64 = 480.0;
const HEIGHT: f64 = 440.0;
/// The plot within a panel.
const LEFT: f64 = 78.0;
const RIGHT: f64 = 396.0;
const TOP: f64 = 104.0;
const BOTTOM: f64 = 376.0;

impl Picture {
    pub fn to_svg(&self) -> String {
        let width = PANEL * self.panels.len() as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n",
            self.title
        );
        path(&mut svg, "paper", &format!("M0 0H{width}V{HEIGHT}H0Z"));
        text(&mut svg, (20.0, 32.0), "title", self.title);
        text(&mut svg, (20.0, 55.0), "", self.subtitle);
        let points =
            || self.panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
        let values = points().flat_map(|point| [point.lo, point.hi]).chain(self.level);
        let y = Scale::new(values.collect());
        for (n, panel) in self.panels.iter().enumerate() {
            let _ = writeln!(svg, "<g transform=\"translate({})\">", PANEL * n as f64);
            self.draw(panel, &y, &mut svg);
            svg += "</g>\n";
        }
        svg + "</svg>\n"
    }

    fn draw(&self, panel: &Panel, y: &Scale, svg: &mut String) {
        text(svg, (LEFT, TOP - 14.0), "heading", panel.title);
        for &value in &y.ticks {
            let at = y.place(value);
            path(svg, "grid", &format!("M{LEFT} {at:.1}H{RIGHT}"));
            text(svg, (LEFT - 8.0, at + 5.0), "left", &(self.label)(value));
        }
        let sizes = || panel.lines.iter().flat_map(|line| &line.points).map(|point| point.size);
        let (least, most) = (sizes().min().unwrap_or(1), sizes().max().unwrap_or(1));
        let x = |size: usize| {
            let share =
                (size as f64 / least as f64).ln() / (most as f64 / least as f64).ln().max(1.0);
            LEFT + 10.0 + share * (RIGHT - LEFT - 20.0)
        };
        for tick in (0..).map(|n| 1 << (4 * n)).take_while(|tick| *tick <= most) {
            if tick >= least {
                let at = x(tick);
                path(svg, "grid", &format!("M{at:.1} {TOP}V{BOTTOM}"));
                text(svg, (at, BOTTOM + 20.0), "below", &size(tick));
            }
        }
        path(svg, "frame", &format!("M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"));
        text(svg, ((LEFT + RIGHT) / 2.0, BOTTOM + 44.0), "below", "bytes in a message");
        if let Some(value) = self.level {
            path(svg, "level", &format!("M{LEFT} {:.1}H{RIGHT}", y.place(value)));
        }
        for (n, line) in panel.lines.iter().enumerate() {
            // Bars stand beside each other.
            let aside = 3.0 * (2.0 * n as f64 - (panel.lines.len() - 1) as f64);
            line.draw(svg, x, aside, y, self.level.is_some());
        }
        let last = |line: &Line| line.points.last().map_or(BOTTOM, |point| y.place(point.mid));
        let ends = spread(panel.lines.iter().map(last).collect());
        for (line, at) in panel.lines.iter().zip(ends) {
            text(svg, (RIGHT + 6.0, at + 5.0), line.class, line.label);
        }
    }
}

impl Line {
    /// The medians, and around them where they lie: as a band or as bars.
    fn draw(&self, svg: &mut String, x: impl Fn(usize) -> f64, aside: f64, y: &Scale, band: bool) {
        let class = self.class;
        let places = |value: fn(&Point) -> f64| -> Vec<String> {
            let place =
                |point: &Point| format!("{:.1} {:.1}", x(point.size), y.place(value(point)));
            self.points.iter().map(place).collect()
        };
        if band {
            let mut around = places(|point| point.hi);
            around.extend(places(|point| point.lo).into_iter().rev());
            path(svg, &format!("band {class}"), &format!("M{}Z", around.join(" ")));
        } else {
            let bar = |point: &Point| {
                let (at, from, to) = (x(point.size) + aside, y.place(point.lo), y.place(point.hi));
                format!("M{at:.1} {from:.1}V{to:.1}")
            };
            let bars: String = self.points.iter().map(bar).collect();
            path(svg, &format!("bar {class}"), &bars);
        }
        let along = places(|point| point.mid);
        path(svg, &format!("line {class}"), &format!("M{}", along.join(" ")));
    }
}

fn path(svg: &mut String, class: &str, d: &str) {
    let _ = writeln!(svg, "<path class=\"{class}\" d=\"{d}\"/>");
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}

/// Moves places apart that are closer than a line of text, each as little as its neighbours allow, so
/// that a label still meets its line.
fn spread(mut places: Vec<f64>) -> Vec<f64> {
    const APART: f64 = 17.0;
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
    for pair in order.windows(2) {
        let overlap = APART - (places[pair[1]] - places[pair[0]]);
        if overlap > 0.0 {
            places[pair[0]] -= overlap / 2.0;
            places[pair[1]] += overlap / 2.0;
        }
    }
    places
}

/// The vertical axis: logarithmic, from a tick to a tick.
struct Scale {
    ticks: Vec<f64>,
}

impl Scale {
    fn new(values: Vec<f64>) -> Scale {
        let least = values.iter().copied().fold(f64::MAX, f64::min);
        let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let all: Vec<f64> =
            (-3..12).flat_map(|n| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(n))).collect();
        // A hair's breadth for what the powers have lost.
        let first = all.iter().rposition(|tick| *tick <= least * 1.000001).unwrap_or(0);
        let last = all.iter().position(|tick| *tick >= most / 1.000001).unwrap_or(all.len() - 1);
        let first = first.min(all.len() - 2);
        Scale { ticks: all[first..=last.max(first + 1)].to_vec() }
    }

    fn place(&self, value: f64) -> f64 {
        let (first, last) = (self.ticks[0].ln(), self.ticks[self.ticks.len() - 1].ln());
        BOTTOM + (value.ln() - first) / (last - first) * (TOP - BOTTOM)
    }
}

#[cfg(test)]
#[test]
fn labels_and_ticks() {
    assert_eq!(spread(vec![100.0, 200.0]), [100.0, 200.0]);
    assert_eq!(spread(vec![110.0, 100.0]), [113.5, 96.5]);
    let scale = Scale::new(vec![3.0, 40.0]);
    assert_eq!(
        scale.ticks.iter().map(|tick| tick.round()).collect::<Vec<_>>(),
        [2.0, 5.0, 10.0, 20.0, 50.0]
    );
    assert_eq!([scale.place(2.0), scale.place(scale.ticks[4])], [BOTTOM, TOP]);
    assert_eq!(Scale::new(vec![1.0]).ticks.len(), 2, "one value needs room, too");
    assert!(Scale::new(vec![]).ticks.len() >= 2);
}
