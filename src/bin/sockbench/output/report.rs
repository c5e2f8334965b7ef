//! The report: the answer, the article's claims, and pictures and tables by size.

use std::fmt::Write;

use super::article::{self, ARTICLE, is_plain};
use super::svg::{Line, Panel, Picture, Point, Ticks};
use super::text::{self, Table};
use crate::args::Options;
use crate::machine::{CPUS, Cpus};
use crate::measure::blocks::{Benchmark, Comparison, Measured, Run};
use crate::stats::sign_interval;

pub fn report(options: &Options, run: &Run) -> String {
    let asked = |one: &&Comparison| {
        let size = one.a.series.size;
        is_plain(one)
            && match one.a.series.benchmark {
                Benchmark::Latency | Benchmark::Connect => size == 128,
                Benchmark::Throughput => [64 << 10, 512 << 10].contains(&size),
            }
    };
    let main: Vec<Comparison> = run.comparisons.iter().filter(asked).cloned().collect();
    let mut text = format!(
        "# Unix sockets and TCP loopback, measured\n\n```text\n{}```\n\n## The article's claims\n\n\
         *There* is [the article]({ARTICLE}). Its programs block, and so do these. A ratio says how many \
         times\nas fast Unix is as TCP, and where that lies.\n\n{}\n\
         ![How many times as fast a Unix socket is as TCP, by size](ratio.svg)\n",
        text::answer(run, &main),
        article::table(run)
    );
    for (title, about, benchmark, picture) in [
        (
            "Latency",
            "One way, in µs: half of the median round trip. Lower is better.",
            Benchmark::Latency,
            Some("![One way by size](latency.svg)"),
        ),
        (
            "Throughput",
            "Bytes a second, one way (1 GB is 1,000,000,000 bytes). Higher is better.",
            Benchmark::Throughput,
            Some("![Throughput by size](throughput.svg)"),
        ),
        (
            "New connections",
            "Connections a second, each for one message of 128 bytes there and back.",
            Benchmark::Connect,
            None,
        ),
    ] {
        let of = |one: &&Comparison| is_plain(one) && one.a.series.benchmark == benchmark;
        let picture = picture.map_or(String::new(), |picture| format!("{picture}\n\n"));
        let table = by_size(run.comparisons.iter().filter(of));
        let _ = write!(text, "\n## {title}\n\n{picture}{about}\n\n{table}");
    }
    let _ = write!(
        text,
        "\n## What chance does\n\nUnix against itself, as if it were two: no difference is there, so any \
         that shows is chance.\n\n{}\n## Whether the blocks are long enough\n\nThe same comparisons with \
         blocks twice as long, of {} ms. They *agree* if the intervals overlap.\n\n{}\n\
         ## How it was measured\n\n",
        text::comparison_table(run.comparisons.iter().filter(|one| one.is_null())),
        2 * Benchmark::Throughput.length().as_millis(),
        lengths(run)
    );
    for note in text::notes(options, run) {
        text += &text::wrap(&format!("- {note}"), "  ");
    }
    text
}

/// A row for each size and placement.
fn by_size<'a>(all: impl Iterator<Item = &'a Comparison>) -> Table {
    let titles = ["bytes", "CPUs", "Unix", "TCP", "Unix to TCP", "lies in", "ahead in", "verdict"];
    let mut table = Table::new(titles);
    for one in all {
        let figure = |side: &Measured| match side.series.benchmark {
            Benchmark::Latency => text::micros(side.mid() / 2.0),
            Benchmark::Throughput => text::rate(side.mid()),
            Benchmark::Connect => text::thousands(side.mid()),
        };
        let busy = if one.was_busy() { " [busy]" } else { "" };
        table.add([
            text::size(one.a.series.size),
            text::short(one.a.series.cpus).to_string(),
            figure(&one.a),
            figure(&one.b),
            one.ratio.mid().map_or("-".into(), |ratio| format!("{ratio:.2}")),
            text::interval(one),
            format!("{} of {} turns", one.ratio.ahead(), one.ratio.turns()),
            format!("{}{busy}", one.verdict().name()),
        ]);
    }
    table
}

/// Whether a comparison comes out the same with blocks twice as long.
fn lengths(run: &Run) -> Table {
    let mut table =
        Table::new(["data", "CPUs", "ratio", "lies in", "twice as long", "lies in", "agree"]);
    for long in run.comparisons.iter().filter(|one| !is_plain(one) && !one.is_null()) {
        let series = long.a.series;
        let of = |one: &&Comparison| {
            let other = one.a.series;
            is_plain(one)
                && (other.benchmark, other.size, other.cpus)
                    == (series.benchmark, series.size, series.cpus)
        };
        let Some(short) = run.comparisons.iter().find(of) else { continue };
        let ratio =
            |one: &Comparison| one.ratio.mid().map_or("-".into(), |ratio| format!("{ratio:.2}"));
        let agree = match (short.ratio.interval, long.ratio.interval) {
            (Some((lo, hi)), Some((from, to))) if lo <= to && from <= hi => "yes",
            (Some(_), Some(_)) => "no",
            _ => "-",
        };
        table.add([
            text::bytes(series.size),
            text::short(series.cpus).to_string(),
            ratio(short),
            text::interval(short),
            ratio(long),
            text::interval(long),
            agree.to_string(),
        ]);
    }
    table
}

/// The pictures, and what their files are called.
pub fn pictures(run: &Run) -> [(&'static str, String); 3] {
    let decades = |label| Ticks { base: 10.0, steps: &[1.0, 2.0, 5.0], label };
    let latency = Picture {
        title: "Latency",
        subtitle: "one way, half of the median round trip: lower is better; bars: where the median lies",
        ticks: decades(|ns| format!("{} µs", ns / 1e3)),
        panels: by_placement(run, Benchmark::Latency, 0.5),
        level: None,
    };
    let throughput = Picture {
        title: "Throughput",
        subtitle: "bytes a second, one way: higher is better; bars: where the median lies",
        ticks: decades(|bytes| match bytes / 1e6 {
            mb if mb < 999.0 => format!("{mb:.0} MB/s"),
            mb => format!("{:.0} GB/s", mb / 1e3),
        }),
        panels: by_placement(run, Benchmark::Throughput, 1.0),
        level: None,
    };
    [
        ("ratio.svg", ratio(run).to_svg()),
        ("latency.svg", latency.to_svg()),
        ("throughput.svg", throughput.to_svg()),
    ]
}

/// The picture that answers the question.
fn ratio(run: &Run) -> Picture {
    let panel = |title: &str, benchmark| {
        let line = |(_, cpus): (&str, Cpus)| {
            let of = |one: &&Comparison| {
                is_plain(one) && (one.a.series.benchmark, one.a.series.cpus) == (benchmark, cpus)
            };
            let points = run.comparisons.iter().filter(of).filter_map(|one| {
                let mid = one.ratio.mid()?;
                let (lo, hi) = one.ratio.interval.unwrap_or((mid, mid));
                Some(Point { size: one.a.series.size, mid, lo, hi })
            });
            let label = match cpus {
                Cpus::Same => "one CPU",
                Cpus::Apart => "two CPUs",
                Cpus::Free => "any CPU",
            };
            Line {
                label,
                color: cpus.name(),
                dashed: cpus == Cpus::Apart,
                points: points.collect(),
            }
        };
        let lines = CPUS.into_iter().map(line).filter(|line| !line.points.is_empty());
        Panel { title: title.to_string(), lines: lines.collect() }
    };
    Picture {
        title: "How many times as fast a Unix socket is as TCP",
        subtitle: "above the line at 1, Unix is faster; bands: where the ratio lies, with 95 % confidence",
        ticks: Ticks { base: 2.0, steps: &[1.0], label: |ratio| format!("{ratio}") },
        panels: vec![
            panel("round trips", Benchmark::Latency),
            panel("data, one way", Benchmark::Throughput),
        ],
        level: Some(1.0),
    }
}

/// A panel for each placement, with a line for each network.
fn by_placement(run: &Run, benchmark: Benchmark, scale: f64) -> Vec<Panel> {
    let panel = |(_, cpus): (&str, Cpus)| {
        let of = |one: &&Comparison| {
            is_plain(one) && (one.a.series.benchmark, one.a.series.cpus) == (benchmark, cpus)
        };
        let line = |label, color, side: fn(&Comparison) -> &Measured| {
            let points =
                run.comparisons.iter().filter(of).map(side).filter(|one| !one.blocks.is_empty());
            let point = |one: &Measured| {
                let (lo, hi) = sign_interval(&one.blocks, 0.05).unwrap_or((one.mid(), one.mid()));
                let [mid, lo, hi] = [one.mid(), lo, hi].map(|value| value * scale);
                Point { size: one.series.size, mid, lo, hi }
            };
            Line { label, color, dashed: color == "tcp", points: points.map(point).collect() }
        };
        Panel {
            title: cpus.in_words().to_string(),
            lines: vec![line("Unix", "unix", |one| &one.a), line("TCP", "tcp", |one| &one.b)],
        }
    };
    CPUS.into_iter().map(panel).filter(|panel| !panel.lines[0].points.is_empty()).collect()
}
