//! What the article claims, and whether it is so here.

use super::text::{self, Table};
use crate::args::Options;
use crate::machine::Cpus;
use crate::measure::blocks::{self, Benchmark, Comparison, Run, Series};
use crate::measure::transport::Network;
use crate::stats::Verdict;

pub const ARTICLE: &str = "https://eli.thegreenplace.net/2019/unix-domain-sockets-in-go/";

/// What it says of a Unix socket, compared with TCP.
#[derive(Clone, Copy)]
enum Says {
    Ahead,
    MoreThanTwice,
    Equal,
    /// For some sizes, such as this.
    Behind,
}

struct Claim {
    claim: &'static str,
    there: &'static str,
    says: Says,
    benchmark: Benchmark,
    size: usize,
}

const CLAIMS: [Claim; 6] = [
    Claim {
        claim: "one way, 128 bytes",
        there: "TCP 3.6 µs, Unix 2.3 µs: 1.57",
        says: Says::Ahead,
        benchmark: Benchmark::Latency,
        size: 128,
    },
    Claim {
        claim: "very small messages, 64 bytes",
        there: "Unix moves more than twice as many",
        says: Says::MoreThanTwice,
        benchmark: Benchmark::Throughput,
        size: 64,
    },
    Claim {
        claim: "throughput, 64K",
        there: "TCP is ahead, for some sizes",
        says: Says::Behind,
        benchmark: Benchmark::Throughput,
        size: 64 << 10,
    },
    Claim {
        claim: "throughput, 512K",
        there: "TCP 9.4 GB/s, Unix 10 GB/s: 1.06",
        says: Says::Ahead,
        benchmark: Benchmark::Throughput,
        size: 512 << 10,
    },
    Claim {
        claim: "throughput, 16M",
        there: "both about 13 GB/s: 1.0",
        says: Says::Equal,
        benchmark: Benchmark::Throughput,
        size: 16 << 20,
    },
    Claim {
        claim: "throughput, 32M",
        there: "the same",
        says: Says::Equal,
        benchmark: Benchmark::Throughput,
        size: 32 << 20,
    },
];

/// What it takes to judge them, with the sizes between for the pictures; a comparison of Unix with
/// itself, to see what chance does; and data in blocks that are twice as long, to see whether their
/// length decides.
pub fn plan(options: &Options, cpus: &[Cpus]) -> Vec<(Series, Series)> {
    let (messages, pieces): (&[usize], &[usize]) = match options.quick {
        true => (&[16, 128, 4 << 10], &[64, 4 << 10, 64 << 10, 512 << 10, 16 << 20, 32 << 20]),
        false => (
            &[1, 16, 128, 1 << 10, 4 << 10, 16 << 10, 64 << 10],
            &[
                64,
                256,
                1 << 10,
                4 << 10,
                16 << 10,
                64 << 10,
                256 << 10,
                512 << 10,
                1 << 20,
                4 << 20,
                16 << 20,
                32 << 20,
            ],
        ),
    };
    let pairs = |benchmark, size| blocks::pairs(options, benchmark, size, cpus);
    let mut plan = Vec::new();
    plan.extend(messages.iter().flat_map(|size| pairs(Benchmark::Latency, *size)));
    plan.extend(pieces.iter().flat_map(|size| pairs(Benchmark::Throughput, *size)));
    plan.extend(pairs(Benchmark::Connect, 128));
    plan.extend(pairs(Benchmark::Latency, 128).into_iter().map(|(unix, _)| (unix, unix)));
    let twice = |series: Series| Series { length: 2 * series.length, ..series };
    for size in [64 << 10, 512 << 10] {
        plan.extend(
            pairs(Benchmark::Throughput, size)
                .into_iter()
                .map(|(unix, tcp)| (twice(unix), twice(tcp))),
        );
    }
    plan
}

/// Unix and TCP in blocks of the ordinary length.
pub fn is_plain(one: &Comparison) -> bool {
    !one.is_null()
        && one.b.series.network == Network::Tcp
        && one.a.series.length == one.a.series.benchmark.length()
}

/// The claims beside what was measured. One is called true or false without naming the CPUs only where
/// that is so in every placement.
pub fn table(run: &Run) -> Table {
    let mut places: Vec<Cpus> = run.comparisons.iter().map(|one| one.a.series.cpus).collect();
    places.dedup();
    places = [Cpus::Same, Cpus::Apart, Cpus::Free]
        .into_iter()
        .filter(|one| places.contains(one))
        .collect();
    let mut titles = vec!["claim", "there"];
    titles.extend(places.iter().map(|cpus| text::short(*cpus)));
    titles.extend(["here", "as in the article?"]);
    let mut table = Table::new(titles);
    for Claim { claim, there, says, benchmark, size } in CLAIMS {
        let of = |cpus: &Cpus| {
            run.comparisons.iter().find(|one| {
                let series = one.a.series;
                is_plain(one)
                    && (series.benchmark, series.size, series.cpus) == (benchmark, size, *cpus)
            })
        };
        let found: Vec<_> = places.iter().map(of).collect();
        let mut cells = vec![claim.to_string(), there.to_string()];
        cells.extend(found.iter().map(|one| one.map_or("-".into(), measured)));
        cells.push(each(&found, here));
        cells.push(each(&found, |one| as_in_the_article(says, one)));
        table.add(cells);
    }
    table
}

/// `Unix 3.7 µs, TCP 5.8 µs: 1.57 (1.54 to 1.60)`
fn measured(one: &Comparison) -> String {
    let figure = |side: &blocks::Measured| match side.series.benchmark {
        Benchmark::Latency => format!("{} µs", text::micros(side.mid() / 2.0)),
        _ => text::rate(side.mid()),
    };
    let ratio = one.ratio.mid().map_or("-".into(), |ratio| format!("{ratio:.2}"));
    format!("TCP {}, Unix {}: {ratio} ({})", figure(&one.b), figure(&one.a), text::interval(one))
}

/// What holds everywhere, or what holds where.
fn each(found: &[Option<&Comparison>], say: impl Fn(&Comparison) -> &'static str) -> String {
    let said: Vec<(Cpus, &str)> =
        found.iter().flatten().map(|one| (one.a.series.cpus, say(one))).collect();
    match said.as_slice() {
        [] => "not measured".to_string(),
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => {
            first.to_string()
        }
        _ => {
            let each = said.iter().map(|(cpus, said)| format!("{} {said}", text::short(*cpus)));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

fn here(one: &Comparison) -> &'static str {
    match one.verdict() {
        Verdict::Ahead => "Unix is ahead",
        Verdict::Behind => "TCP is ahead",
        Verdict::Equal => "equal",
        Verdict::Open => "open",
    }
}

/// By the interval: the claim must hold in all of it, or in none.
fn as_in_the_article(says: Says, one: &Comparison) -> &'static str {
    let yes = match (says, one.verdict()) {
        (Says::MoreThanTwice, _) => match one.ratio.interval {
            Some((lo, _)) if lo > 2.0 => true,
            Some((_, hi)) if hi < 2.0 => false,
            _ => return "open",
        },
        (_, Verdict::Open) => return "open",
        (Says::Ahead, verdict) => verdict == Verdict::Ahead,
        (Says::Behind, verdict) => verdict == Verdict::Behind,
        (Says::Equal, verdict) => verdict == Verdict::Equal,
    };
    if yes { "yes" } else { "no" }
}
