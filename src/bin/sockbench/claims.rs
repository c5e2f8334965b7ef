//! What the article says, as ratios of Unix to TCP, and whether it is so here. The article's programs
//! block, and so do the rows that judge it.

use crate::figures::{bytes, micros, thousands, throughput as rate};
use crate::rows::{Row, find};
use crate::series::{TCP, UNIX};
use crate::stats::{self, Ratio};
use crate::table::Table;

pub const ARTICLE: &str = "https://eli.thegreenplace.net/2019/unix-domain-sockets-in-go/";

/// What a claim says of the ratio: over 1, Unix is ahead.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    UnixAhead,
    UnixTwiceAhead,
    Tie,
    TcpAhead,
}

/// The five claims beside what was measured. The first stands there twice, as on several CPUs the
/// scheduler may keep the ends of one network together and those of the other apart.
pub fn table(rows: &[Row]) -> Table {
    let throughputs = rows.iter().filter(|row| row.benchmark == "throughput");
    let smallest = throughputs.map(|row| row.size).min().unwrap_or(0);
    let very_small = format!("messages a second, {}", bytes(smallest));
    let one_way = |row: &Row| format!("{} µs", micros(row.figure.mid / 2.0));
    let moved = |row: &Row| rate(row.figure.mid);
    let messages = |row: &Row| thousands(row.per_s);
    type Show = fn(&Row) -> String;
    let claims: [(&str, &str, Says, &str, usize, Show); 7] = [
        (
            "one way, 128 bytes",
            "TCP 3.6 µs, Unix 2.3 µs: 1.57",
            Says::UnixAhead,
            "latency",
            128,
            one_way,
        ),
        (
            "the same, both ends on one CPU",
            "as above",
            Says::UnixAhead,
            "latency-1cpu",
            128,
            one_way,
        ),
        (
            "throughput, 512K",
            "Unix 10 GB/s, TCP 9.4 GB/s: 1.06",
            Says::UnixAhead,
            "throughput",
            512 << 10,
            moved,
        ),
        ("throughput, 16M", "both about 13 GB/s: 1.0", Says::Tie, "throughput", 16 << 20, moved),
        ("throughput, 32M", "the same", Says::Tie, "throughput", 32 << 20, moved),
        (
            "throughput, 64K",
            "TCP sometimes ahead: below 1",
            Says::TcpAhead,
            "throughput",
            64 << 10,
            moved,
        ),
        (
            &very_small,
            "Unix more than twice TCP: over 2",
            Says::UnixTwiceAhead,
            "throughput",
            smallest,
            messages,
        ),
    ];
    let mut table = Table::new(["claim", "there", "here", "ratio here", "verdict"]);
    for (claim, there, says, benchmark, size, show) in claims {
        let of = |series| find(rows, benchmark, series, size);
        let cells = match of(UNIX).zip(of(TCP)) {
            None => ["-".into(), "-".into(), "not measured".into()],
            Some((unix, tcp)) => {
                let ratio = match benchmark {
                    "throughput" => Ratio::of(unix.figure, tcp.figure),
                    _ => Ratio::of(tcp.figure, unix.figure),
                };
                let range = format!("{ratio} ({:.2} to {:.2})", ratio.lo, ratio.hi);
                [format!("TCP {}, Unix {}", show(tcp), show(unix)), range, verdict(says, ratio)]
            }
        };
        table.add([claim.into(), there.into()].into_iter().chain(cells).collect());
    }
    table
}

/// By the medians; and if not every round says the same, that they do not.
fn verdict(says: Says, ratio: Ratio) -> String {
    let [mid, lo, hi] = [ratio.mid, ratio.lo, ratio.hi].map(|ratio| flatly(says, ratio));
    let apart = (lo != mid || hi != mid).then_some("the rounds do not agree");
    match ratio.doubt().or(apart) {
        None => mid.into(),
        Some(doubt) => format!("unsure: {mid} by the medians, but {doubt}"),
    }
}

fn flatly(says: Says, ratio: f64) -> &'static str {
    let tie = stats::is_tie(ratio);
    match says {
        Says::Tie if tie => "confirmed",
        _ if tie => "not here: a tie",
        Says::UnixTwiceAhead if ratio >= 2.0 => "confirmed",
        Says::UnixTwiceAhead if ratio > 1.0 => "not here: Unix is ahead, but by less",
        Says::UnixAhead if ratio > 1.0 => "confirmed",
        Says::TcpAhead if ratio < 1.0 => "confirmed",
        Says::UnixAhead | Says::UnixTwiceAhead => "reversed: TCP is ahead",
        Says::TcpAhead => "reversed: Unix is ahead",
        Says::Tie if ratio > 1.0 => "not here: Unix is ahead",
        Says::Tie => "not here: TCP is ahead",
    }
}
