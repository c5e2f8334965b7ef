//! The CSV files of a run in, a report with two pictures out: what was measured here, beside what the
//! article says.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::claims::{ARTICLE, claims};
use crate::figures::{bytes, digits, micros, size, thousands, throughput as rate};
use crate::rows::{self, Benchmark, Latency, QUANTILE_NAMES, Row, Throughput};
use crate::series::{Network, Series, Wait};
use crate::stats::{Ratio, Spread};
use crate::words::{self, MARK, figure, range};
use crate::{Error, charts, failed, print};

pub fn run(operands: &[OsString]) -> Result<(), Error> {
    let (latency_notes, latency) = read::<Latency>(&operands[0])?;
    let (throughput_notes, throughput) = read::<Throughput>(&operands[1])?;
    let mut notes = latency_notes;
    notes.extend(throughput_notes);
    let report = report(&notes, &latency, &throughput);

    let dir = Path::new(&operands[2]);
    fs::create_dir_all(dir).map_err(|e| failed(dir.display(), e))?;
    let files = [
        ("latency.svg", charts::latency(&latency)),
        ("throughput.svg", charts::throughput(&throughput)),
        ("report.md", report.clone()),
    ];
    for (name, text) in files {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|e| failed(path.display(), e))?;
    }
    print(&report)
}

fn read<R: Row>(path: &OsString) -> Result<(Vec<String>, Vec<R>), Error> {
    let shown = Path::new(path).display();
    let file = fs::read(path).map_err(|e| failed(&shown, e))?;
    // What is no text becomes a line that is no row.
    rows::read(&String::from_utf8_lossy(&file))
        .map_err(|why| Error::Failed(format!("{shown}: {why}")))
}

const BLOCK: [Series; 3] = [
    Series { network: Network::Unix, wait: Wait::Block },
    Series { network: Network::Tcp, wait: Wait::Block },
    Series { network: Network::Pipe, wait: Wait::Block },
];
const SPIN: [Series; 2] = [
    Series { network: Network::Unix, wait: Wait::Spin },
    Series { network: Network::Tcp, wait: Wait::Spin },
];

/// The article's size of a message for latency, and its smaller ones for throughput.
const SMALL: usize = 128;
const LARGE: [usize; 2] = [64 << 10, 512 << 10];

fn report(notes: &[String], latency: &[Latency], throughput: &[Throughput]) -> String {
    let mut text = String::from("# Unix sockets, TCP loopback and pipes, measured\n\n");
    let mut known: Vec<&String> = Vec::new();
    for note in notes {
        if !known.contains(&note) {
            known.push(note);
            let _ = writeln!(text, "- {note}");
        }
    }
    let _ = write!(
        text,
        "\nEach figure is the median of its rounds, with the lowest and the highest of them in brackets. A **?** \
         stands\nwhere the rounds of one row differ twofold, or where those of the two that are compared overlap: \
         the next\nrun may come out otherwise.\n\n\
         ## The article's claims\n\n\
         *There* is [the article]({ARTICLE}).\n\
         Its programs block, and so do the rows that judge it here. The ratio says how far Unix is ahead: TCP's \
         time\nover Unix', Unix' throughput over TCP's. Within 5 % is a tie.\n\n{}",
        claims_table(latency, throughput),
    );
    text += "\n## Latency\n\n![One way by size](latency.svg)\n\n\
        One way, in µs: half of the median round trip. Lower is better.\n\n";
    let everywhere = points(latency, Benchmark::Latency);
    let one_thread = [Column::Figure(Series::ONE_THREAD)];
    let columns: Vec<Column> =
        compared(&BLOCK, 1).into_iter().chain(compared(&SPIN, 1)).chain(one_thread).collect();
    text += &by_size(&everywhere, &columns, |rtt| micros(rtt / 2.0));
    let _ = write!(text, "\n{}\n", words::ONE_THREAD);
    let small: Vec<Latency> = latency
        .iter()
        .filter(|row| row.what.size == SMALL && row.what.benchmark == Benchmark::Latency)
        .cloned()
        .collect();
    if !small.is_empty() {
        let _ = write!(
            text,
            "\nThe whole round trip of {}, in µs:\n\n{}\n",
            bytes(SMALL),
            quantiles(&small)
        );
        text += &list(&words::latency_findings(&small));
    }
    let one_cpu = points(latency, Benchmark::LatencyOneCpu);
    if !one_cpu.is_empty() {
        text += "\nBoth ends on one CPU (`taskset`), where nobody is woken up on another; one way, in µs. With more \
            CPUs the\nscheduler chooses where the ends run, and may choose otherwise for Unix than for TCP, and from \
            one size to\nthe next: for ends that block, these rows are the fairer comparison.\n\n";
        text += &by_size(&one_cpu, &compared(&BLOCK, 1), |rtt| micros(rtt / 2.0));
    }
    text += "\n## Throughput\n\n![Throughput by size](throughput.svg)\n\n\
        MB a second (1 MB is 1,000,000 bytes), one way. Higher is better.\n\n";
    let columns: Vec<Column> =
        compared(&BLOCK, -1).into_iter().chain(compared(&SPIN, -1)).collect();
    text += &by_size(&points(throughput, Benchmark::Throughput), &columns, digits);
    let large: Vec<Throughput> =
        throughput.iter().filter(|row| LARGE.contains(&row.what.size)).cloned().collect();
    if !large.is_empty() {
        let _ = write!(text, "\nWhat it costs:\n\n{}\n", costs(&large));
        text += &list(&words::throughput_findings(&large));
    }
    text
}

fn list(lines: &str) -> String {
    lines.lines().map(|line| format!("- {line}\n")).collect()
}

fn claims_table(latency: &[Latency], throughput: &[Throughput]) -> String {
    let mut text = String::from(
        "| claim | there | here | ratio here | verdict |\n| --- | --- | --- | ---: | --- |\n",
    );
    for claim in claims(latency, throughput) {
        let verdict = claim.verdict();
        let (here, ratio) = match claim.here {
            Some((figures, ratio)) => {
                let range = format!(" ({:.2}-{:.2})", ratio.lo, ratio.hi);
                (figures, ratio_cell(ratio) + &range)
            }
            None => ("-".into(), "-".into()),
        };
        let _ =
            writeln!(text, "| {} | {} | {here} | {ratio} | {verdict} |", claim.what, claim.there);
    }
    text
}

/// A column of a table that has a row for each size.
enum Column {
    Figure(Series),
    /// The one over the other.
    Ratio(Series, Series),
}

/// The series, each with its ratio to the first: over it (1), or it over the series (-1).
fn compared(series: &[Series], power: i32) -> Vec<Column> {
    let first = series[0];
    let mut columns = vec![Column::Figure(first)];
    for &other in &series[1..] {
        let ratio =
            if power == 1 { Column::Ratio(other, first) } else { Column::Ratio(first, other) };
        columns.extend([Column::Figure(other), ratio]);
    }
    columns
}

type Point = (Series, usize, Spread);

fn points<R: Row>(rows: &[R], benchmark: Benchmark) -> Vec<Point> {
    let rows = rows.iter().filter(|row| row.what().benchmark == benchmark);
    rows.map(|row| (row.what().series, row.what().size, row.spread())).collect()
}

fn by_size(points: &[Point], columns: &[Column], show: fn(f64) -> String) -> String {
    let mut text = String::from("| bytes |");
    for column in columns {
        let _ = match column {
            Column::Figure(series) => write!(text, " {series} |"),
            Column::Ratio(a, b) => write!(text, " {} / {} |", a.network.title(), b.network.title()),
        };
    }
    text += &format!("\n|{}\n", " ---: |".repeat(columns.len() + 1));
    let mut sizes: Vec<usize> = points.iter().map(|point| point.1).collect();
    sizes.dedup(); // they are in order
    for bytes in sizes {
        let find = |series: &Series| {
            points.iter().find(|point| point.0 == *series && point.1 == bytes).map(|point| point.2)
        };
        let _ = write!(text, "| {} |", size(bytes));
        for column in columns {
            let cell = match column {
                Column::Figure(series) => find(series)
                    .map(|spread| format!("{} ({})", figure(spread, show), range(spread, show))),
                Column::Ratio(a, b) => {
                    find(a).zip(find(b)).map(|(a, b)| ratio_cell(Ratio::of(a, b)))
                }
            };
            let _ = write!(text, " {} |", cell.unwrap_or("-".into()));
        }
        text += "\n";
    }
    text
}

/// A ratio, marked if it is not sure.
fn ratio_cell(ratio: Ratio) -> String {
    let mark = if ratio.doubt().is_some() { MARK } else { "" };
    format!("{:.2}{mark}", ratio.mid)
}

fn quantiles(rows: &[Latency]) -> String {
    let names = QUANTILE_NAMES.join(" | ");
    let mut text = format!("| | {names} | p50 of each round | CPU time, both ends |\n| --- |");
    text += &format!("{}\n", " ---: |".repeat(QUANTILE_NAMES.len() + 2));
    for row in rows {
        let quantiles = row.quantiles.map(micros).join(" | ");
        let mark = if row.spread().is_twofold() { MARK } else { "" };
        let rounds = range(row.spread(), micros);
        let cpu = row.cpu.map_or("-".into(), micros);
        let _ = writeln!(text, "| {} | {quantiles} | {rounds}{mark} | {cpu} |", row.what.series);
    }
    text
}

fn costs(rows: &[Throughput]) -> String {
    let mut text = String::from(
        "| | message | throughput | messages/s | CPU seconds per GB, both ends |\n| --- | ---: | ---: | ---: | ---: |\n",
    );
    for row in rows {
        let (bytes, moved) = (bytes(row.what.size), figure(row.mb_per_s, rate));
        let messages = thousands(row.msgs_per_s());
        let cpu = row.cpu_s_per_gb.map_or("-".into(), digits);
        let _ = writeln!(text, "| {} | {bytes} | {moved} | {messages} | {cpu} |", row.what.series);
    }
    text
}
