//! The rows of the two CSV files: what the measurements print and the report reads.
//!
//! Lines that begin with `# ` are notes on the run. Files may be joined end to end: each keeps its
//! header.

use std::fmt;

use crate::options::MAX_SIZE;
use crate::series::Series;
use crate::stats::Spread;

/// Times are in nanoseconds.
pub const LATENCY: &str = "benchmark,network,wait,size,count,rounds,oneway_ns,rtt_min_ns,rtt_p50_ns,\
    rtt_p90_ns,rtt_p99_ns,rtt_p999_ns,rtt_max_ns,round_trips_per_s,cpu_ns_per_round_trip,\
    rtt_p50_lo_ns,rtt_p50_hi_ns";

/// 1 MB is 10^6 bytes.
pub const THROUGHPUT: &str = "benchmark,network,wait,size,count,rounds,mb_per_s,mb_per_s_min,\
    mb_per_s_max,msgs_per_s,cpu_s_per_gb";

/// A row of either file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// `latency`, `latency-1cpu` (`bench.sh` gives that name to a run on one CPU) or `throughput`.
    pub benchmark: &'static str,
    pub series: Series,
    pub size: usize,
    pub count: usize,
    /// What is compared. Latency: the median of all round trips, and the lowest and the highest median
    /// of a round. Throughput: MB a second, of the rounds.
    pub figure: Spread,
    /// Round trips, or messages.
    pub per_s: f64,
    /// CPU time of both ends, where it could be read: ns for a round trip, or seconds for a GB.
    pub cpu: Option<f64>,
    /// Latency alone: half of the mean round trip.
    pub oneway: f64,
    /// Latency alone: of all round trips, [`QUANTILES`].
    pub quantiles: [f64; 6],
}

pub const QUANTILES: [(&str, f64); 6] =
    [("min", 0.0), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { benchmark, series, size, count, per_s, .. } = self;
        let (network, wait) = (series.network, series.wait);
        let Spread { mid, lo, hi, rounds } = self.figure;
        write!(f, "{benchmark},{network},{wait},{size},{count},{rounds},")?;
        if *benchmark == "throughput" {
            let cpu = self.cpu.map(|cpu| format!("{cpu:.4}")).unwrap_or_default();
            return write!(f, "{mid:.3},{lo:.3},{hi:.3},{per_s:.3},{cpu}");
        }
        let quantiles = self.quantiles.map(|ns| ns.to_string()).join(",");
        let cpu = self.cpu.map(|cpu| format!("{cpu:.1}")).unwrap_or_default();
        write!(f, "{:.1},{quantiles},{per_s:.3},{cpu},{lo},{hi}", self.oneway)
    }
}

impl Row {
    /// `None` for what no run prints: what is done with a row may rely on its bounds.
    fn parse(header: &str, line: &str) -> Option<Row> {
        let fields: Vec<&str> = line.split(',').collect();
        if fields.len() != header.split(',').count() {
            return None;
        }
        let number = |at: usize, max| fields[at].parse().ok().filter(|n| (1..=max).contains(n));
        let figure = |at: usize| fields[at].parse().ok().filter(|f| (1e-3..=1e15).contains(f));
        let cpu = |at: usize| match fields[at] {
            "" => Some(None),
            field => field.parse().ok().filter(|f| (0.0..=1e15).contains(f)).map(Some),
        };
        let rounds = number(5, 1000)?;
        let known =
            if header == LATENCY { &["latency", "latency-1cpu"][..] } else { &["throughput"] };
        let mut row = Row {
            benchmark: known.iter().find(|name| **name == fields[0])?,
            series: Series::find(fields[1], fields[2])?,
            size: number(3, MAX_SIZE)?,
            count: number(4, 10_000_000)?,
            figure: Spread { mid: figure(6)?, lo: figure(7)?, hi: figure(8)?, rounds },
            per_s: figure(9)?,
            cpu: None,
            oneway: figure(6)?,
            quantiles: [0.0; 6],
        };
        if header == LATENCY {
            for (quantile, at) in row.quantiles.iter_mut().zip(7..) {
                *quantile = figure(at)?;
            }
            row.figure = Spread { mid: row.quantiles[1], lo: figure(15)?, hi: figure(16)?, rounds };
            (row.per_s, row.cpu) = (figure(13)?, cpu(14)?);
        } else {
            row.cpu = cpu(10)?;
        }
        let Spread { mid, lo, hi, .. } = row.figure;
        ([lo, mid, hi].is_sorted() && row.quantiles.is_sorted()).then_some(row)
    }
}

pub fn find<'a>(rows: &'a [Row], benchmark: &str, series: Series, size: usize) -> Option<&'a Row> {
    let mut rows = rows.iter().filter(|row| row.series == series && row.size == size);
    rows.find(|row| row.benchmark == benchmark)
}

/// A file: the notes, the header, the rows.
pub fn file(notes: &[String], header: &str, rows: &[Row]) -> String {
    let notes = notes.iter().map(|note| format!("# {note}\n"));
    notes.chain([format!("{header}\n")]).chain(rows.iter().map(|row| format!("{row}\n"))).collect()
}

/// The notes, and the rows in the order of their sizes; or which line is neither.
pub fn read(header: &str, text: &str) -> Result<(Vec<String>, Vec<Row>), String> {
    let (mut notes, mut rows) = (Vec::new(), Vec::new());
    let mut headed = false;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let wrong = |why: &str| {
            let start: String = line.trim_end_matches('\n').chars().take(60).collect();
            Err(format!("line {} {why}: {start:?}", n + 1))
        };
        let Some(line) = line.strip_suffix('\n') else { return wrong("is cut short") };
        if let Some(note) = line.strip_prefix("# ") {
            notes.push(note.to_string());
        } else if line == header {
            headed = true;
        } else if !headed {
            return wrong(&format!("is not the header {header}"));
        } else {
            let Some(row) = Row::parse(header, line) else { return wrong("is not a row") };
            if find(&rows, row.benchmark, row.series, row.size).is_some() {
                return wrong("measures the same as a line before");
            }
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| row.size);
    if rows.is_empty() { Err("there is no row in it".into()) } else { Ok((notes, rows)) }
}
