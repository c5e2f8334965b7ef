//! The two pictures of a report: latency and throughput, each by the size of the message.

use super::csv::{Latency, Throughput};
use super::plot::{Axis, Chart, Line};
use super::{stats, words};

pub fn latency(rows: &[Latency]) -> Chart<'static> {
    let points = |network: &str, wait: &str| {
        let (benchmark, wait) = match wait {
            "one CPU" => ("pingpong-1cpu", "block"),
            wait => ("pingpong", wait),
        };
        let rows = rows.iter().filter(|row| row.what.is(benchmark, network, wait));
        rows.map(|row| (row.what.size as f64, row.oneway / 1e3)).collect()
    };
    Chart {
        title: "One way, by size of the message",
        x_title: "bytes in a message",
        x: SIZES,
        y: Axis { base: 10.0, steps: &[1.0, 2.0, 5.0], label: |us| format!("{us} µs") },
        lines: lines(points, &[("block", "none"), ("one CPU", "2 4"), ("spin", "9 5")]),
    }
}

pub fn throughput(rows: &[Throughput]) -> Chart<'static> {
    let points = |network: &str, wait: &str| {
        let rows = rows.iter().filter(|row| row.what.is("bandwidth", network, wait));
        rows.map(|row| (row.what.size as f64, row.mb_per_s)).collect()
    };
    Chart {
        title: "Throughput, by size of the message",
        x_title: "bytes in a message",
        x: SIZES,
        y: Axis {
            base: 10.0,
            steps: &[1.0, 2.0, 5.0],
            label: |mb_per_s| match mb_per_s {
                mb if mb < 1000.0 => format!("{mb} MB/s"),
                mb => format!("{} GB/s", mb / 1e3),
            },
        },
        lines: lines(points, &[("block", "none"), ("spin", "9 5")]),
    }
}

const SIZES: Axis =
    Axis { base: 4.0, steps: &[1.0], label: |bytes| stats::size(bytes.round() as usize) };

/// The lines of both pictures: colour tells the network, dashes tell how the ends wait.
fn lines(
    points: impl Fn(&str, &str) -> Vec<(f64, f64)>,
    waits: &[(&str, &'static str)],
) -> Vec<Line> {
    let mut lines = Vec::new();
    for (wait, dashes) in waits {
        for (network, color) in [("unix", "#0072b2"), ("tcp", "#c25100")] {
            let line = Line {
                label: words::series(network, wait),
                color,
                dashes,
                points: points(network, wait),
            };
            lines.push(line);
        }
    }
    lines.retain(|line| !line.points.is_empty());
    lines
}
