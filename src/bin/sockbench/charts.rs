//! The two pictures of a report: latency and throughput, each by the size of the message.

use crate::figures;
use crate::plot::{Axis, Chart, Line};
use crate::rows::Row;
use crate::series::ONE_THREAD;

pub fn latency(rows: &[Row]) -> String {
    let title =
        "one way, half of the median round trip (log scale): lower is better; bars: all rounds";
    let y =
        Axis {
            title, base: 10.0, steps: &[1.0, 2.0, 5.0], label: |ns| format!("{} µs", ns / 1e3)
        };
    let dashes = vec![BLOCK, ONE_CPU, SPIN];
    let lines = lines(rows.iter().filter(|row| row.benchmark != "throughput"), 0.5);
    Chart { title: "Latency", x: SIZES, y, dashes, lines }.to_svg()
}

pub fn throughput(rows: &[Row]) -> String {
    let title = "bytes a second, one way (log scale): higher is better; bars: all rounds";
    let label = |mb_per_s: f64| match mb_per_s {
        mb if mb < 1000.0 => format!("{mb} MB/s"),
        mb => format!("{} GB/s", mb / 1e3),
    };
    let y = Axis { title, base: 10.0, steps: &[1.0, 2.0, 5.0], label };
    let lines = lines(rows.iter().filter(|row| row.benchmark == "throughput"), 1.0);
    Chart { title: "Throughput", x: SIZES, y, dashes: vec![BLOCK, SPIN], lines }.to_svg()
}

const SIZES: Axis = Axis {
    title: "bytes in a message (log scale)",
    base: 4.0,
    steps: &[1.0],
    label: |bytes| figures::size(bytes.round() as usize),
};

const BLOCK: (&str, &str) = ("block", "none");
const ONE_CPU: (&str, &str) = ("block, on one CPU", "2 4");
const SPIN: (&str, &str) = ("spin", "10 5");

/// A line for each series, in the order in which they first appear: colour tells the network, dashes
/// tell how the ends wait.
fn lines<'a>(rows: impl Iterator<Item = &'a Row>, scale: f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let one_cpu = row.benchmark == "latency-1cpu";
        let (label, dashes) = match row.series {
            ONE_THREAD if one_cpu => continue, // it is on one CPU anyway
            ONE_THREAD => ("one thread".to_string(), "1 3"),
            series if one_cpu => (format!("{}, one CPU", series.network_title()), ONE_CPU.1),
            series => (series.to_string(), if series.spins() { SPIN.1 } else { BLOCK.1 }),
        };
        let point = (row.size as f64, row.figure.times(scale));
        match lines.iter_mut().find(|line| line.label == label) {
            Some(line) => line.points.push(point),
            None => {
                lines.push(Line { label, color: row.series.network, dashes, points: vec![point] })
            }
        }
    }
    lines
}
