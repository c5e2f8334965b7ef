//! The CSV files of a run in, a report with two pictures out: what was measured here, beside what the
//! article says.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::claims::{self, ARTICLE};
use crate::figures::{bytes, digits, micros, size};
use crate::rows::{self, LATENCY, Row, THROUGHPUT, find};
use crate::series::{ONE_THREAD, PIPE, Series, TCP, TCP_SPIN, UNIX, UNIX_SPIN};
use crate::stats::Ratio;
use crate::table::Table;
use crate::words::{
    self, ABOUT_ONE_THREAD, ABOUT_ONE_WAY, LATENCY_COLUMNS, THROUGHPUT_COLUMNS, figure, range,
};
use crate::{Error, charts, failed, print};

pub fn run(operands: &[OsString]) -> Result<(), Error> {
    let (mut notes, mut rows) = read(LATENCY, &operands[0])?;
    let more = read(THROUGHPUT, &operands[1])?;
    notes.extend(more.0);
    rows.extend(more.1);

    let dir = Path::new(&operands[2]);
    fs::create_dir_all(dir).map_err(|e| failed(dir.display(), e))?;
    let report = report(&notes, &rows);
    let files = [
        ("latency.svg", charts::latency(&rows)),
        ("throughput.svg", charts::throughput(&rows)),
        ("report.md", report.clone()),
    ];
    for (name, text) in files {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|e| failed(path.display(), e))?;
    }
    print(&report)
}

fn read(header: &str, path: &OsString) -> Result<(Vec<String>, Vec<Row>), Error> {
    let shown = Path::new(path).display();
    let file = fs::read(path).map_err(|e| failed(&shown, e))?;
    // What is no text becomes a line that is no row.
    let read = rows::read(header, &String::from_utf8_lossy(&file));
    read.map_err(|why| Error::Failed(format!("{shown}: {why}")))
}

/// The article's size of a message for latency, and its smaller ones for throughput.
const SMALL: usize = 128;
const LARGE: [usize; 2] = [64 << 10, 512 << 10];

fn report(notes: &[String], rows: &[Row]) -> String {
    let mut text = String::from("# Unix sockets, TCP loopback and pipes, measured\n\n");
    for (n, note) in notes.iter().enumerate() {
        if !notes[..n].contains(note) {
            let _ = writeln!(text, "- {note}");
        }
    }
    let _ = write!(
        text,
        "
Each figure is a median, with the lowest and the highest round in brackets. A **?** stands where the
rounds of a row differ twofold, or those of two that are compared overlap, or where there was only one:
the next run may come out otherwise.

## The article's claims

*There* is [the article]({ARTICLE}).
Its programs block, and so do the rows that judge it here. The ratio says how far Unix is ahead: TCP's
time over Unix's, Unix's throughput over TCP's. Within 5 % is a tie.

{claims}
## Latency

![One way by size](latency.svg)

One way, in µs: half of the median round trip. Lower is better.

{latency}{about}",
        claims = claims::table(rows),
        latency = by_size(rows, "latency", micros),
        about = if rows.iter().any(|row| row.series == ONE_THREAD) {
            format!("\n{ABOUT_ONE_THREAD}\n")
        } else {
            String::new()
        },
    );
    let of = |benchmark: &str, sizes: &[usize]| -> Vec<Row> {
        let rows = rows.iter().filter(|row| row.benchmark == benchmark);
        rows.filter(|row| sizes.contains(&row.size)).cloned().collect()
    };
    let small = of("latency", &[SMALL]);
    if !small.is_empty() {
        let table = words::latency_table(&small, true);
        let _ = write!(
            text,
            "\nThe whole round trip of {}. {LATENCY_COLUMNS}\n{ABOUT_ONE_WAY}\n\n{table}\n",
            bytes(SMALL)
        );
        text += &list(&words::latency_findings(&small));
    }
    if rows.iter().any(|row| row.benchmark == "latency-1cpu") {
        let table = by_size(rows, "latency-1cpu", micros);
        let _ = write!(
            text,
            "
Both ends on one CPU (`taskset`), where nobody is woken up on another; one way, in µs. With more CPUs
the scheduler chooses where the ends run, and may choose otherwise for Unix than for TCP, and from one
size to the next: for ends that block, these rows are the fairer comparison.

{table}"
        );
    }
    let _ = write!(
        text,
        "
## Throughput

![Throughput by size](throughput.svg)

MB a second (1 MB is 1,000,000 bytes), one way. Higher is better.

{}",
        by_size(rows, "throughput", digits),
    );
    let large = of("throughput", &LARGE);
    if !large.is_empty() {
        let _ = write!(
            text,
            "\nThe article's sizes, and what they cost. {THROUGHPUT_COLUMNS}\n\n{}\n",
            words::throughput_table(&large)
        );
        text += &list(&words::throughput_findings(&large));
    }
    text
}

fn list(lines: &str) -> String {
    lines.lines().map(|line| format!("- {line}\n")).collect()
}

/// A row for each size: each series, and beside those of TCP and pipes how far Unix is ahead.
fn by_size(rows: &[Row], benchmark: &str, show: fn(f64) -> String) -> Table {
    let is_latency = benchmark != "throughput";
    let scale = if is_latency { 0.5 } else { 1.0 };
    let columns = [UNIX, TCP, PIPE, UNIX_SPIN, TCP_SPIN, ONE_THREAD];
    let measured = |series: &Series| {
        rows.iter().any(|row| row.benchmark == benchmark && row.series == *series)
    };
    let mut titles = vec!["bytes".to_string()];
    let mut pairs = Vec::new();
    for series in columns.into_iter().filter(measured) {
        titles.push(series.to_string());
        let unix = Series::find("unix", series.wait).filter(|unix| *unix != series);
        if let Some(unix) = unix {
            let [one, other] = if is_latency { [series, unix] } else { [unix, series] };
            titles.push(format!("{} / {}", one.network_title(), other.network_title()));
        }
        pairs.push((series, unix));
    }
    let mut table = Table::new(titles);
    let mut sizes: Vec<usize> =
        rows.iter().filter(|row| row.benchmark == benchmark).map(|row| row.size).collect();
    sizes.dedup(); // they are in order
    for bytes in sizes {
        let of = |series| find(rows, benchmark, series, bytes).map(|row| row.figure.times(scale));
        let mut cells = vec![size(bytes)];
        for &(series, unix) in &pairs {
            let cell = of(series).map(|of| format!("{} ({})", figure(of, show), range(of, show)));
            cells.push(cell.unwrap_or("-".into()));
            let Some(unix) = unix else { continue };
            let ratio = of(series).zip(of(unix)).map(|(series, unix)| match is_latency {
                true => Ratio::of(series, unix).to_string(),
                false => Ratio::of(unix, series).to_string(),
            });
            cells.push(ratio.unwrap_or("-".into()));
        }
        table.add(cells);
    }
    table
}
