//! What the article says, as ratios of Unix to TCP, and whether it is so here. The article's programs
//! block, and so do the rows that judge it.

use crate::figures::{bytes, micros, thousands, throughput as rate};
use crate::rows::{Benchmark, Latency, Row, Throughput};
use crate::series::{Network, Series, Wait};
use crate::stats::{self, Ratio};

pub const ARTICLE: &str = "https://eli.thegreenplace.net/2019/unix-domain-sockets-in-go/";

/// What a claim says of the ratio: over 1, Unix is ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    UnixAhead,
    UnixTwiceAhead,
    Tie,
    TcpAhead,
}

pub struct Claim {
    pub what: &'static str,
    /// The article's figures, and their ratio.
    pub there: &'static str,
    says: Says,
    /// The figures here, and their ratio; `None` where it was not measured.
    pub here: Option<(String, Ratio)>,
}

impl Claim {
    /// By the medians; and if not every round says the same, that they do not.
    pub fn verdict(&self) -> String {
        let Some((_, ratio)) = &self.here else { return "not measured".into() };
        let [mid, lo, hi] = [ratio.mid, ratio.lo, ratio.hi].map(|ratio| verdict(self.says, ratio));
        let apart = (lo != mid || hi != mid).then_some("rounds do not agree");
        match ratio.doubt().or(apart) {
            None => mid.into(),
            Some(doubt) => format!("unsure: {mid} by the medians, but the {doubt}"),
        }
    }
}

fn verdict(says: Says, ratio: f64) -> &'static str {
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

/// The five claims beside what was measured; the first of them twice, as on several CPUs the
/// scheduler may keep the ends of one network together and those of the other apart.
pub fn claims(latency: &[Latency], throughput: &[Throughput]) -> [Claim; 6] {
    let smallest = throughput.iter().map(|row| row.what.size).min().unwrap_or(0);
    let large: Vec<_> =
        [16 << 20, 32 << 20].iter().filter_map(|size| moved(throughput, *size)).collect();
    let (figures, ratios): (Vec<_>, Vec<_>) = large.into_iter().unzip();
    [
        Claim {
            what: "one way, 128 bytes",
            there: "TCP 3.6 µs, Unix 2.3 µs: 1.57",
            says: Says::UnixAhead,
            here: one_way(latency, Benchmark::Latency),
        },
        Claim {
            what: "the same, both ends on one CPU",
            there: "as above",
            says: Says::UnixAhead,
            here: one_way(latency, Benchmark::LatencyOneCpu),
        },
        Claim {
            what: "throughput, 512K messages",
            there: "Unix 10 GB/s, TCP 9.4 GB/s: 1.06",
            says: Says::UnixAhead,
            here: moved(throughput, 512 << 10),
        },
        Claim {
            what: "throughput, 16M to 32M",
            there: "both about 13 GB/s: 1.0",
            says: Says::Tie,
            here: Ratio::pool(&ratios).map(|ratio| (figures.join("; "), ratio)),
        },
        Claim {
            what: "throughput, 64K",
            there: "TCP sometimes ahead: below 1",
            says: Says::TcpAhead,
            here: moved(throughput, 64 << 10),
        },
        Claim {
            what: "messages a second, very small",
            there: "Unix more than twice TCP: over 2",
            says: Says::UnixTwiceAhead,
            here: messages(throughput, smallest),
        },
    ]
}

/// The rows of Unix and of TCP, blocking.
fn pair<R: Row>(rows: &[R], benchmark: Benchmark, size: usize) -> Option<[&R; 2]> {
    let of = |network| {
        let series = Series { network, wait: Wait::Block };
        rows.iter().find(|row| {
            let what = row.what();
            what.benchmark == benchmark && what.series == series && what.size == size
        })
    };
    Some([of(Network::Unix)?, of(Network::Tcp)?])
}

fn one_way(rows: &[Latency], benchmark: Benchmark) -> Option<(String, Ratio)> {
    let [unix, tcp] = pair(rows, benchmark, 128)?.map(|row| row.spread().times(0.5));
    let figures = format!("TCP {} µs, Unix {} µs", micros(tcp.mid), micros(unix.mid));
    Some((figures, Ratio::of(tcp, unix)))
}

fn moved(rows: &[Throughput], size: usize) -> Option<(String, Ratio)> {
    let [unix, tcp] = pair(rows, Benchmark::Throughput, size)?.map(|row| row.mb_per_s);
    let figures = format!("Unix {}, TCP {}", rate(unix.mid), rate(tcp.mid));
    Some((figures, Ratio::of(unix, tcp)))
}

fn messages(rows: &[Throughput], size: usize) -> Option<(String, Ratio)> {
    let [unix, tcp] = pair(rows, Benchmark::Throughput, size)?;
    let [of_unix, of_tcp] = [unix, tcp].map(|row| thousands(row.msgs_per_s()));
    let figures = format!("{}: Unix {of_unix}, TCP {of_tcp}", bytes(size));
    Some((figures, Ratio::of(unix.mb_per_s, tcp.mb_per_s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_in_words() {
        for (says, ratio, expected) in [
            (Says::UnixAhead, 1.57, "confirmed"),
            (Says::UnixAhead, 1.05, "not here: a tie"),
            (Says::UnixAhead, 0.95, "not here: a tie"),
            (Says::UnixAhead, 0.94, "reversed: TCP is ahead"),
            (Says::UnixTwiceAhead, 2.0, "confirmed"),
            (Says::UnixTwiceAhead, 1.99, "not here: Unix is ahead, but by less"),
            (Says::UnixTwiceAhead, 1.0, "not here: a tie"),
            (Says::UnixTwiceAhead, 0.5, "reversed: TCP is ahead"),
            (Says::Tie, 1.0, "confirmed"),
            (Says::Tie, 1.06, "not here: Unix is ahead"),
            (Says::Tie, 0.94, "not here: TCP is ahead"),
            (Says::TcpAhead, 0.9, "confirmed"),
            (Says::TcpAhead, 1.0, "not here: a tie"),
            (Says::TcpAhead, 1.1, "reversed: Unix is ahead"),
        ] {
            assert_eq!(verdict(says, ratio), expected, "{says:?} at {ratio}");
        }
    }
}
