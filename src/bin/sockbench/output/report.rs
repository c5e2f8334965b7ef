//! The report: the answer, the article's claims, and pictures and tables by size.

use super::article::{self, ARTICLE};
use super::svg::{Line, Panel, Picture, Point};
use super::text;
use crate::args::Options;
use crate::machine::{CPUS, Cpus};
use crate::measure::blocks::{Benchmark, Comparison, Measured, Run};
use crate::stats::sign_interval;

pub fn report(options: &Options, run: &Run) -> String {
    let is_asked = |one: &&Comparison| {
        one.is_plain() && one.a.series.benchmark.sizes().contains(&one.a.series.size)
    };
    let asked: Vec<Comparison> = run.comparisons.iter().filter(is_asked).cloned().collect();
    let of = |benchmark: Benchmark| {
        let plain = run.comparisons.iter().filter(|one| one.is_plain());
        text::comparison_table(plain.filter(|one| one.a.series.benchmark == benchmark))
    };
    let nulls = run.comparisons.iter().filter(|one| one.is_null());
    let long = run.comparisons.iter().filter(|one| !one.is_plain() && !one.is_null());
    let notes = text::notes(options, run);
    let notes: String = notes.iter().map(|note| text::wrap(&format!("- {note}"), "  ")).collect();
    let parts = [
        ("{answer}", text::answer(run, &asked)),
        ("{article}", ARTICLE.to_string()),
        ("{claims}", article::table(run)),
        ("{latency}", of(Benchmark::Latency)),
        ("{throughput}", of(Benchmark::Throughput)),
        ("{connect}", of(Benchmark::Connect)),
        ("{nulls}", text::comparison_table(nulls)),
        ("{long}", text::comparison_table(long)),
        ("{notes}", notes),
    ];
    let template = include_str!("report.txt").to_string();
    parts.iter().fold(template, |report, (name, part)| report.replace(name, part))
}

/// The pictures, and what their files are called.
pub fn pictures(run: &Run) -> [(&'static str, String); 3] {
    let ratio = Picture {
        title: "How many times as fast a Unix socket is as TCP",
        subtitle: "above the line at 1, Unix is faster; bands: where the ratio lies, with 95 % confidence",
        label: |ratio| format!("{}", (100.0 * ratio).round() / 100.0),
        panels: vec![
            ratios(run, "round trips", Benchmark::Latency),
            ratios(run, "data, one way", Benchmark::Throughput),
        ],
        level: Some(1.0),
    };
    let latency = Picture {
        title: "Latency",
        subtitle: "one way, half of the median round trip: lower is better; bars: where the median lies",
        label: |ns| format!("{} µs", ns / 1e3),
        panels: figures(run, Benchmark::Latency, 0.5),
        level: None,
    };
    let throughput = Picture {
        title: "Throughput",
        subtitle: "bytes a second, one way: higher is better; bars: where the median lies",
        label: |bytes| match bytes / 1e6 {
            mb if mb < 999.0 => format!("{mb:.0} MB/s"),
            mb => format!("{:.0} GB/s", mb / 1e3),
        },
        panels: figures(run, Benchmark::Throughput, 1.0),
        level: None,
    };
    [
        ("ratio.svg", ratio.to_svg()),
        ("latency.svg", latency.to_svg()),
        ("throughput.svg", throughput.to_svg()),
    ]
}

fn plain(run: &Run, benchmark: Benchmark, cpus: Cpus) -> impl Iterator<Item = &Comparison> {
    run.comparisons.iter().filter(move |one| {
        one.is_plain() && (one.a.series.benchmark, one.a.series.cpus) == (benchmark, cpus)
    })
}

/// A panel with a line for each placement.
fn ratios(run: &Run, title: &'static str, benchmark: Benchmark) -> Panel {
    let line = |(_, cpus): (&str, Cpus)| {
        let points = plain(run, benchmark, cpus).filter_map(|one| {
            let mid = one.ratio.mid()?;
            let (lo, hi) = one.ratio.interval.unwrap_or((mid, mid));
            Some(Point { size: one.a.series.size, mid, lo, hi })
        });
        let label = cpus.in_words().trim_start_matches("on ");
        Line { label, class: cpus.name(), points: points.collect() }
    };
    let lines = CPUS.into_iter().map(line).filter(|line| !line.points.is_empty());
    Panel { title, lines: lines.collect() }
}

/// A panel for each placement, with a line for each network.
fn figures(run: &Run, benchmark: Benchmark, scale: f64) -> Vec<Panel> {
    let measured = |one: &&Measured| !one.blocks.is_empty();
    let panel = |(_, cpus): (&str, Cpus)| {
        let line = |label, class, side: fn(&Comparison) -> &Measured| {
            let points = plain(run, benchmark, cpus).map(side).filter(measured).map(|one| {
                let (lo, hi) = sign_interval(&one.blocks, 0.05).unwrap_or((one.mid(), one.mid()));
                let [mid, lo, hi] = [one.mid(), lo, hi].map(|value| value * scale);
                Point { size: one.series.size, mid, lo, hi }
            });
            Line { label, class, points: points.collect() }
        };
        let mut lines = vec![line("Unix", "unix", |one| &one.a), line("TCP", "tcp", |one| &one.b)];
        lines.retain(|line| !line.points.is_empty());
        Panel { title: cpus.in_words(), lines }
    };
    CPUS.into_iter().map(panel).filter(|panel| !panel.lines.is_empty()).collect()
}
