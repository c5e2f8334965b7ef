//! The two pictures of a report: latency and throughput, each by the size of the message.

use crate::figures;
use crate::plot::{Axis, Chart, Line};
use crate::rows::{Benchmark, Latency, Row, Throughput};
use crate::series::{Named, Wait};

const BLOCK: (&str, &str) = ("block", "none");
const ONE_CPU: (&str, &str) = ("block, on one CPU", "2 4");
const SPIN: (&str, &str) = ("spin", "10 5");

pub fn latency(rows: &[Latency]) -> String {
    let chart = Chart {
        title: "Latency",
        x: sizes(),
        y: Axis {
            title: "one way, half of the median round trip (log scale): lower is better",
            base: 10.0,
            steps: &[1.0, 2.0, 5.0],
            label: |ns| format!("{} µs", ns / 1e3),
        },
        dashes: vec![BLOCK, ONE_CPU, SPIN],
        lines: lines(rows, 0.5),
    };
    chart.to_svg()
}

pub fn throughput(rows: &[Throughput]) -> String {
    let chart = Chart {
        title: "Throughput",
        x: sizes(),
        y: Axis {
            title: "bytes a second, one way (log scale): higher is better",
            base: 10.0,
            steps: &[1.0, 2.0, 5.0],
            label: |mb_per_s| match mb_per_s {
                mb if mb < 1000.0 => format!("{mb} MB/s"),
                mb => format!("{} GB/s", mb / 1e3),
            },
        },
        dashes: vec![BLOCK, SPIN],
        lines: lines(rows, 1.0),
    };
    chart.to_svg()
}

fn sizes() -> Axis {
    Axis {
        title: "bytes in a message (log scale)",
        base: 4.0,
        steps: &[1.0],
        label: |bytes| figures::size(bytes.round() as usize),
    }
}

/// A line for each series, in the order in which they first appear: colour tells the network, dashes
/// tell how the ends wait.
fn lines<R: Row>(rows: &[R], scale: f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let (what, spread) = (row.what(), row.spread().times(scale));
        let (label, (_, dashes)) = match (what.benchmark, what.series.wait) {
            (Benchmark::LatencyOneCpu, _) => {
                (format!("{}, one CPU", what.series.network.title()), ONE_CPU)
            }
            (_, Wait::Spin) => (what.series.to_string(), SPIN),
            (_, Wait::Never) => ("one thread".to_string(), ("", "1 3")),
            (_, Wait::Block) => (what.series.to_string(), BLOCK),
        };
        let point = (what.size as f64, spread);
        match lines.iter_mut().find(|line| line.label == label) {
            Some(line) => line.points.push(point),
            None => {
                let color = what.series.network.name();
                lines.push(Line { label, color, dashes, points: vec![point] });
            }
        }
    }
    lines
}
