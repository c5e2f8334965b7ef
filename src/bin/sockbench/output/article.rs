//! What the article claims, and whether it is so here.

use super::text;
use crate::args::Options;
use crate::machine::Cpus;
use crate::measure::blocks::Benchmark::{self, Connect, Latency, Throughput};
use crate::measure::blocks::{self, Comparison, Measured, Run, Series};
use crate::stats::TIE;

pub const ARTICLE: &str = "https://eli.thegreenplace.net/2019/unix-domain-sockets-in-go/";

const K: usize = 1 << 10;
const M: usize = 1 << 20;

/// How many times as fast as TCP a Unix socket is, if a claim holds: from here to there.
type Range = (f64, f64);

const AHEAD: Range = (TIE, f64::INFINITY);
const MORE_THAN_TWICE: Range = (2.0, f64::INFINITY);
const EQUAL: Range = (1.0 / TIE, TIE);
const BEHIND: Range = (0.0, 1.0 / TIE);

/// The claim, how the article puts it, what that says, and which comparison judges it.
const CLAIMS: [(&str, &str, Range, Benchmark, usize); 6] = [
    ("one way, 128 bytes", "TCP 3.6 µs, Unix 2.3 µs: 1.57", AHEAD, Latency, 128),
    ("messages of 64 bytes", "Unix more than twice TCP", MORE_THAN_TWICE, Throughput, 64),
    ("data, 64K", "TCP ahead, for some sizes", BEHIND, Throughput, 64 * K),
    ("data, 512K", "TCP 9.4, Unix 10 GB/s: 1.06", AHEAD, Throughput, 512 * K),
    ("data, 16M", "both about 13 GB/s", EQUAL, Throughput, 16 * M),
    ("data, 32M", "both about 13 GB/s", EQUAL, Throughput, 32 * M),
];

/// What it takes to judge them, with the sizes between for the pictures; a comparison of Unix with
/// itself, to see what chance does; and data in blocks that are twice as long, to see whether their
/// length decides.
pub fn plan(options: &Options, cpus: &[Cpus]) -> Vec<(Series, Series)> {
    let (messages, pieces) = match options.quick {
        true => (vec![16, 128, 4 * K], vec![64, 4 * K, 64 * K, 512 * K, 16 * M, 32 * M]),
        false => (
            vec![1, 16, 128, K, 4 * K, 16 * K, 64 * K],
            vec![64, 256, K, 4 * K, 16 * K, 64 * K, 256 * K, 512 * K, M, 4 * M, 16 * M, 32 * M],
        ),
    };
    let pairs = |benchmark, size| blocks::pairs(options, benchmark, size, cpus);
    let twice = |series: Series| Series { length: 2 * series.length, ..series };
    let mut plan = Vec::new();
    plan.extend(messages.into_iter().flat_map(|size| pairs(Latency, size)));
    plan.extend(pieces.into_iter().flat_map(|size| pairs(Throughput, size)));
    plan.extend(pairs(Connect, 128));
    plan.extend(pairs(Latency, 128).into_iter().map(|(unix, _)| (unix, unix)));
    let long = [64 * K, 512 * K].into_iter().flat_map(|size| pairs(Throughput, size));
    plan.extend(long.map(|(unix, tcp)| (twice(unix), twice(tcp))));
    plan
}

/// The claims beside what was measured, in each placement.
pub fn table(run: &Run) -> String {
    let titles = "claim|there|CPUs|here|Unix to TCP|Unix is|as in the article?";
    let mut rows = vec![titles.to_string()];
    for (claim, there, says, benchmark, size) in CLAIMS {
        let of =
            |one: &&Comparison| (one.a.series.benchmark, one.a.series.size) == (benchmark, size);
        for one in run.comparisons.iter().filter(|one| one.is_plain()).filter(of) {
            let figure = |side: &Measured| match benchmark {
                Latency => text::figure(Latency, side.mid() / 2.0), // one way
                _ => text::figure(benchmark, side.mid()),
            };
            let range = one.ratio.interval.map_or(String::new(), |(lo, hi)| {
                format!("{:.2} ({lo:.2} to {hi:.2})", one.ratio.mid().unwrap_or(1.0))
            });
            rows.push(format!(
                "{claim}|{there}|{}|TCP {}, Unix {}|{range}|{}|{}",
                one.a.series.cpus.in_words(),
                figure(&one.b),
                figure(&one.a),
                one.ratio.verdict().name(),
                as_in_the_article(says, one.ratio.interval),
            ));
        }
    }
    text::table(&rows)
}

/// The claim must hold in all of the interval, or in none.
fn as_in_the_article((least, most): Range, interval: Option<Range>) -> &'static str {
    match interval {
        Some((lo, hi)) if lo > least && hi < most => "yes",
        Some((lo, hi)) if hi < least || lo > most => "no",
        _ => "open",
    }
}

#[cfg(test)]
#[test]
fn a_claim_holds_in_all_of_the_interval_or_in_none() {
    for (says, lo, hi, expected) in [
        (AHEAD, 1.2, 1.4, "yes"),
        (AHEAD, 0.98, 1.02, "no"),
        (AHEAD, 1.02, 1.4, "open"),
        (BEHIND, 0.5, 0.9, "yes"),
        (BEHIND, 0.9, 1.2, "open"),
        (EQUAL, 0.98, 1.02, "yes"),
        (EQUAL, 1.2, 1.4, "no"),
        (EQUAL, 0.5, 0.9, "no"),
        (MORE_THAN_TWICE, 2.1, 4.0, "yes"),
        (MORE_THAN_TWICE, 1.2, 1.9, "no"),
        (MORE_THAN_TWICE, 1.5, 2.5, "open"),
    ] {
        assert_eq!(as_in_the_article(says, Some((lo, hi))), expected, "{says:?} {lo} {hi}");
    }
    assert_eq!(as_in_the_article(AHEAD, None), "open");
}
