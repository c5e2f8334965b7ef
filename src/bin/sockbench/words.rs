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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{LATENCY, THROUGHPUT, read};

    const TWOFOLD: &str = "\n?  The rounds of this row differ twofold: ";
    const ONE_THREAD: &str = "\nOne thread, no wake-up: ";

    #[test]
    fn latency_in_words() {
        let rows = "\
latency,unix,block,64,9,3,5000,7000,8000,9000,10000,11000,12000,100000,2500,7500,8500
latency,tcp,block,64,9,3,6000,8000,12000,13000,14000,15000,16000,90000,,7000,15000
latency,unix,spin,64,9,3,500,700,800,900,1000,1100,1200,1000000,2500,750,850
latency,one-thread,none,64,9,3,500,700,820,900,1000,1100,1200,1000000,2500,800,840
latency,unix,block,1,9,3,5000,7000,8000,9000,10000,11000,12000,100000,2500,7500,8500
";
        let (notes, rows) = read(LATENCY, &format!("# a note\n{LATENCY}\n{rows}")).unwrap();
        let text = latency(&notes, &rows, false);
        for wanted in [
            "a note\n\nLatency of 1 byte.\n",
            "\n\nLatency of 64 bytes.\n",
            "
| network, wait          | one way |  min |  p50 |  p90 |  p99 | p99.9 |  max |       rounds |  CPU |
| ---------------------- | ------: | ---: | ---: | ---: | ---: | ----: | ---: | -----------: | ---: |
| Unix, block            |    4.00 | 7.00 | 8.00 | 9.00 | 10.0 |  11.0 | 12.0 | 7.50 to 8.50 | 2.50 |
| TCP, block             |  6.00 ? | 8.00 | 12.0 | 13.0 | 14.0 |  15.0 | 16.0 | 7.00 to 15.0 |    - |
| Unix, spin             |    0.40 | 0.70 | 0.80 | 0.90 | 1.00 |  1.10 | 1.20 | 0.75 to 0.85 | 2.50 |
| one thread, no wake-up |    0.41 | 0.70 | 0.82 | 0.90 | 1.00 |  1.10 | 1.20 | 0.80 to 0.84 | 2.50 |

Blocking, unsure: TCP takes 1.50 times as long as Unix, but the rounds differ twofold (p50 7.00 to 15.0; 7.50 to 8.50 µs).
Unix: blocking takes 10.00 times as long as polling (p50 8.00 and 0.80 µs).
Unix, unsure: one thread and polling take equally long, within 5 %, but the rounds overlap (p50 0.80 to 0.84; 0.75 to 0.85 µs).
",
            TWOFOLD,
            ONE_THREAD,
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
        let calm = latency(&notes, &rows[..2], false);
        assert!(!calm.contains(TWOFOLD) && !calm.contains(ONE_THREAD), "{calm}");
    }

    #[test]
    fn throughput_in_words() {
        let rows = "\
throughput,unix,block,65536,9,3,4000,3900,4100,62500,0.25
throughput,tcp,block,65536,9,3,950,900,1900,150000,
throughput,pipe,block,65536,9,3,4100,3000,4200,62500,0.5
throughput,unix,block,1,9,3,1,0.9,1.1,1000000,25
throughput,pipe,block,1,9,3,1.5,1.2,1.6,1500000,25
";
        let (notes, rows) = read(THROUGHPUT, &format!("# a note\n{THROUGHPUT}\n{rows}")).unwrap();
        let text = throughput(&notes, &rows);
        let wanted = "
| network, wait | message |     median |                rounds | messages/s | CPU s per GB |
| ------------- | ------: | ---------: | --------------------: | ---------: | -----------: |
| Unix, block   |  1 byte |  1.00 MB/s |     0.90 to 1.10 MB/s |  1,000,000 |         25.0 |
| pipe, block   |  1 byte |  1.50 MB/s |     1.20 to 1.60 MB/s |  1,500,000 |         25.0 |
| Unix, block   |     64K |  4.00 GB/s |     3.90 to 4.10 GB/s |     62,500 |         0.25 |
| TCP, block    |     64K | 950 MB/s ? | 900 MB/s to 1.90 GB/s |    150,000 |            - |
| pipe, block   |     64K |  4.10 GB/s |     3.00 to 4.20 GB/s |     62,500 |         0.50 |

1 byte, blocking: a pipe moves 1.50 times as much as Unix (1.50 MB/s and 1.00 MB/s).
64K, blocking, unsure: Unix moves 4.21 times as much as TCP, but the rounds differ twofold (3.90 to 4.10 GB/s; 900 MB/s to 1.90 GB/s).
64K, blocking, unsure: a pipe and Unix move the same amount, within 5 %, but the rounds overlap (3.00 to 4.20 GB/s; 3.90 to 4.10 GB/s).
";
        for wanted in ["a note\n\nThroughput, one way", wanted, TWOFOLD] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }
}
