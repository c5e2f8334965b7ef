//! What is said to a person: tables, and in sentences what they show. A comparison that another run
//! might turn around says so itself.

use std::fmt::Write;

use crate::figures::{bytes, digits, micros, thousands, throughput as rate};
use crate::rows::{QUANTILES, Row, find};
use crate::series::{ONE_THREAD, PIPE, Series, TCP, TCP_SPIN, UNIX, UNIX_SPIN};
use crate::stats::{self, MARK, Ratio, Spread};
use crate::table::Table;

pub const LATENCY_COLUMNS: &str = "\
In µs; lower is better. `rounds` are the lowest and the highest median of a round. CPU is the CPU time
of both ends in a round trip, also in µs, or - where it is not known.";

pub const ABOUT_ONE_WAY: &str = "One way is half of p50, the median round trip.";

pub const THROUGHPUT_COLUMNS: &str = "\
Throughput, one way; higher is better. `rounds` are the slowest and the fastest round. For the CPU time,
of both ends for a GB, lower is better.";

pub const ABOUT_ONE_THREAD: &str = "\
One thread, no wake-up: a thread that writes at one end of a pair of Unix sockets and reads at the
other. This is no lower bound: two ends that poll on two CPUs overlap what it does in turn.";

/// What `latency` prints. On a schedule a round trip begins when it is due, and half of it is no way.
pub fn latency(notes: &[String], rows: &[Row], on_schedule: bool) -> String {
    let mut text = notes.join("\n") + "\n";
    for rows in rows.chunk_by(|a, b| a.size == b.size) {
        let _ = write!(
            text,
            "\nLatency of {}.\n{LATENCY_COLUMNS}\n{}\n{}\n{}",
            bytes(rows[0].size),
            if on_schedule { String::new() } else { format!("{ABOUT_ONE_WAY}\n") },
            latency_table(rows, !on_schedule),
            latency_findings(rows),
        );
    }
    text + &legend(rows)
}

/// What `throughput` prints.
pub fn throughput(notes: &[String], rows: &[Row]) -> String {
    let (table, findings) = (throughput_table(rows), throughput_findings(rows));
    format!("{}\n\n{THROUGHPUT_COLUMNS}\n\n{table}\n{findings}{}", notes.join("\n"), legend(rows))
}

/// What the tables leave to be explained.
fn legend(rows: &[Row]) -> String {
    let mut text = String::new();
    if rows.iter().any(|row| row.figure.is_twofold()) {
        text += "?  The rounds of this row differ twofold: the next run may say something else.\n";
    }
    if rows.iter().any(|row| row.series == ONE_THREAD) {
        let _ = write!(text, "\n{ABOUT_ONE_THREAD}\n");
    }
    text
}

pub fn latency_table(rows: &[Row], with_one_way: bool) -> Table {
    let quantiles = QUANTILES.map(|(name, _)| name);
    let one_way = if with_one_way { &["one way"][..] } else { &[] };
    let mut table =
        Table::new([&["network, wait"], one_way, &quantiles, &["rounds", "CPU"]].concat());
    for row in rows {
        let mut cells = vec![row.series.to_string()];
        cells.extend(with_one_way.then(|| figure(row.figure.times(0.5), micros)));
        cells.extend(row.quantiles.map(micros));
        cells.extend([range(row.figure, micros), row.cpu.map_or("-".into(), micros)]);
        table.add(cells);
    }
    table
}

pub fn throughput_table(rows: &[Row]) -> Table {
    let titles = ["network, wait", "message", "median", "rounds", "messages/s", "CPU s per GB"];
    let mut table = Table::new(titles);
    for row in rows {
        table.add(vec![
            row.series.to_string(),
            bytes(row.size),
            figure(row.figure, rate),
            range(row.figure, rate),
            thousands(row.per_s),
            row.cpu.map_or("-".into(), digits),
        ]);
    }
    table
}

/// A figure, marked if its rounds differ twofold.
pub fn figure(spread: Spread, show: fn(f64) -> String) -> String {
    show(spread.mid) + if spread.is_twofold() { MARK } else { "" }
}

/// `3.87 to 4.28`, `3.62 to 7.87 GB/s`: from the lowest round to the highest.
pub fn range(spread: Spread, show: fn(f64) -> String) -> String {
    let (lo, hi) = (show(spread.lo), show(spread.hi));
    match (lo.split_once(' '), hi.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} to {hi}"),
        _ => format!("{lo} to {hi}"),
    }
}

/// What there is to learn from the rows of one size, a line each.
pub fn latency_findings(rows: &[Row]) -> String {
    let takes = Words {
        verb: "take",
        much: "long",
        same: "equally long",
        figure: "p50 ",
        show: micros,
        unit: " µs",
    };
    let comparisons = [
        ("Blocking", ("TCP", TCP), ("Unix", UNIX)),
        ("Blocking", ("a pipe", PIPE), ("Unix", UNIX)),
        ("Polling", ("TCP", TCP_SPIN), ("Unix", UNIX_SPIN)),
        ("Unix", ("blocking", UNIX), ("polling", UNIX_SPIN)),
        ("TCP", ("blocking", TCP), ("polling", TCP_SPIN)),
        ("Unix", ("polling", UNIX_SPIN), ("one thread", ONE_THREAD)),
    ];
    comparisons.into_iter().filter_map(|(about, a, b)| compare(rows, about, a, b, &takes)).collect()
}

/// What there is to learn from the rows of each size, a line each.
pub fn throughput_findings(rows: &[Row]) -> String {
    let moves = Words {
        verb: "move",
        much: "much",
        same: "the same amount",
        figure: "",
        show: rate,
        unit: "",
    };
    let mut text = String::new();
    for rows in rows.chunk_by(|a, b| a.size == b.size) {
        for (waits, unix, other) in [
            ("blocking", UNIX, ("TCP", TCP)),
            ("blocking", UNIX, ("a pipe", PIPE)),
            ("polling", UNIX_SPIN, ("TCP", TCP_SPIN)),
        ] {
            let about = format!("{}, {waits}", bytes(rows[0].size));
            text.extend(compare(rows, &about, ("Unix", unix), other, &moves));
        }
    }
    text
}

/// `take`, `long`, `equally long`: takes 1.5 times as long as; and how a figure is shown.
struct Words {
    verb: &'static str,
    much: &'static str,
    same: &'static str,
    figure: &'static str,
    show: fn(f64) -> String,
    unit: &'static str,
}

/// One sentence, if both were measured: how many times the lesser the greater is, and whether that is
/// sure.
fn compare(
    rows: &[Row],
    about: &str,
    a: (&str, Series),
    b: (&str, Series),
    words: &Words,
) -> Option<String> {
    let Words { verb, much, same, figure, show, unit } = words;
    let of = |series| find(rows, rows[0].benchmark, series, rows[0].size).map(|row| row.figure);
    let (a, b) = ((a.0, of(a.1)?), (b.0, of(b.1)?));
    let ((more, most), (less, least)) = if a.1.mid >= b.1.mid { (a, b) } else { (b, a) };
    let ratio = Ratio::of(most, least);
    let said = if stats::is_tie(ratio.mid) {
        format!("{more} and {less} {verb} {same}, within 5 %")
    } else {
        format!("{more} {verb}s {:.2} times as {much} as {less}", ratio.mid)
    };
    Some(match ratio.doubt() {
        None => {
            format!("{about}: {said} ({figure}{} and {}{unit}).\n", show(most.mid), show(least.mid))
        }
        Some(doubt) => {
            let ranges = format!("{figure}{}; {}{unit}", range(most, *show), range(least, *show));
            format!("{about}, unsure: {said}, but {doubt} ({ranges}).\n")
        }
    })
}
