//! What is said to a person: tables, and in sentences what they show. A comparison that another run
//! might turn around says so itself.

use std::fmt::Write;

use crate::figures::{bytes, digits, micros, thousands, throughput as rate};
use crate::rows::{Latency, QUANTILE_NAMES, Row, Throughput};
use crate::series::{Network, Series, Wait};
use crate::stats::{self, Ratio, Spread};

/// Behind a figure that is not sure, in every table.
pub const MARK: &str = " ?";

pub const ONE_THREAD: &str = "\
One thread, no wake-up: a thread that writes at one end of a pair of Unix sockets and reads at the
other. This is no lower bound: two ends that poll on two CPUs overlap what it does in turn.";

/// What `latency` prints.
pub fn latency(notes: &[String], rows: &[Latency]) -> String {
    let mut text = notes.join("\n") + "\n";
    for rows in rows.chunk_by(|a, b| a.what.size == b.what.size) {
        let size = bytes(rows[0].what.size);
        let _ = write!(
            text,
            "\nLatency of {size}, in µs; lower is better. One way is half of p50, the median round trip.\n\n\
             {:25}one way  round trip{:43}CPU time,   p50 of the rounds,\n{:34}",
            "", "", ""
        );
        for name in QUANTILE_NAMES {
            let _ = write!(text, "{name:>8}");
        }
        text += "  both ends    lowest to highest\n";
        for row in rows {
            let p50 = row.spread();
            let _ =
                write!(text, "{:23}{}", row.what.series, right(9, &figure(p50.times(0.5), micros)));
            for ns in row.quantiles {
                let _ = write!(text, "{:>8}", micros(ns));
            }
            let cpu = row.cpu.map_or("-".to_string(), micros);
            let _ = writeln!(text, "{cpu:>11}{:>21}", range(p50, micros));
        }
        text += &legend(rows);
        text += "\n";
        text += &latency_findings(rows);
    }
    if rows.iter().any(|row| row.what.series == Series::ONE_THREAD) {
        let _ = writeln!(text, "\n{ONE_THREAD}");
    }
    text
}

/// What `throughput` prints.
pub fn throughput(notes: &[String], rows: &[Throughput]) -> String {
    let mut text = notes.join("\n")
        + "\n\nThroughput, one way; higher is better.\n\n\
           message                     median     lowest to highest round   messages/s   CPU seconds per GB,\n\
           \x20                                                                                    both ends\n";
    for row in rows {
        let _ = writeln!(
            text,
            "{:11} {:12}{}{:>24}{:>13}{:>13}",
            bytes(row.what.size),
            row.what.series,
            right(11, &figure(row.mb_per_s, rate)),
            range(row.mb_per_s, rate),
            thousands(row.msgs_per_s()),
            row.cpu_s_per_gb.map_or("-".to_string(), digits),
        );
    }
    text + &legend(rows) + "\n" + &throughput_findings(rows)
}

/// To the right in a column, with the mark behind it.
fn right(width: usize, figure: &str) -> String {
    let (figure, mark) =
        figure.split_once(MARK).map_or((figure, "  "), |(figure, _)| (figure, MARK));
    format!("{figure:>width$}{mark}")
}

/// What the mark means, if it is there.
fn legend<R: Row>(rows: &[R]) -> String {
    let marked = rows.iter().any(|row| row.spread().is_twofold());
    let means = "?  the rounds of this row differ twofold: the next run may say something else\n";
    if marked { means.into() } else { String::new() }
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
pub fn latency_findings(rows: &[Latency]) -> String {
    let find = |network, wait| {
        let series = Series { network, wait };
        rows.iter().find(|row| row.what.series == series)
    };
    let unix = Network::Unix;
    let takes = Words { verb: "take", much: "long", figure: "p50 ", show: micros, unit: " µs" };
    let mut text = String::new();
    let mut say = |about: &str, a: (&str, Option<&Latency>), b: (&str, Option<&Latency>)| {
        let (Some(first), Some(second)) = (a.1, b.1) else { return };
        let (a, b) = ((a.0, first.spread()), (b.0, second.spread()));
        let _ = writeln!(text, "{}", compare(about, a, b, &takes));
    };
    for (wait, about) in [(Wait::Block, "Blocking"), (Wait::Spin, "Polling")] {
        say(about, ("TCP", find(Network::Tcp, wait)), ("Unix", find(unix, wait)));
        say(about, ("a pipe", find(Network::Pipe, wait)), ("Unix", find(unix, wait)));
    }
    for (network, about) in [(unix, "Unix"), (Network::Tcp, "TCP")] {
        let (block, spin) = (find(network, Wait::Block), find(network, Wait::Spin));
        say(about, ("blocking", block), ("polling", spin));
    }
    let one_thread = find(Network::OneThread, Wait::Never);
    say("Unix", ("polling", find(unix, Wait::Spin)), ("one thread", one_thread));
    text
}

/// What there is to learn from the rows of each size, a line each.
pub fn throughput_findings(rows: &[Throughput]) -> String {
    let moves = Words { verb: "move", much: "much", figure: "", show: rate, unit: "" };
    let mut text = String::new();
    for unix in rows.iter().filter(|row| row.what.series.network == Network::Unix) {
        let waiting = if unix.what.series.wait == Wait::Spin { "polling" } else { "blocking" };
        let about = format!("{}, {waiting}", bytes(unix.what.size));
        for (network, name) in [(Network::Tcp, "TCP"), (Network::Pipe, "a pipe")] {
            let series = Series { network, ..unix.what.series };
            let same =
                |row: &&Throughput| row.what.series == series && row.what.size == unix.what.size;
            let Some(other) = rows.iter().find(same) else { continue };
            let (a, b) = (("Unix", unix.mb_per_s), (name, other.mb_per_s));
            let _ = writeln!(text, "{}", compare(&about, a, b, &moves));
        }
    }
    text
}

/// `take`, `long`: takes 1.5 times as long as; and how a figure is shown.
struct Words {
    verb: &'static str,
    much: &'static str,
    figure: &'static str,
    show: fn(f64) -> String,
    unit: &'static str,
}

/// One sentence: how many times the lesser of two figures the greater is, and whether that is sure.
fn compare(about: &str, a: (&str, Spread), b: (&str, Spread), words: &Words) -> String {
    let Words { verb, much, figure, show, unit } = words;
    let (more, less) = if a.1.mid >= b.1.mid { (a, b) } else { (b, a) };
    let ratio = Ratio::of(more.1, less.1);
    let said = if stats::is_tie(ratio.mid) {
        format!("{} and {} {verb} as {much}, within 5 %", more.0, less.0)
    } else {
        format!("{} {verb}s {:.2} times as {much} as {}", more.0, ratio.mid, less.0)
    };
    let [more, less] = [more.1, less.1];
    match ratio.doubt() {
        None => {
            format!("{about}: {said} ({figure}{} and {}{unit}).", show(more.mid), show(less.mid))
        }
        Some(doubt) => {
            let ranges = format!("{figure}{}; {}{unit}", range(more, *show), range(less, *show));
            format!("{about}, unsure: {said}, but the {doubt} ({ranges}).")
        }
    }
}
