//! What the article says, as ratios of Unix to TCP, and whether it is so here. The article's programs
//! block, and so do the rows that judge it.

use super::csv::{Latency, Throughput};
use super::stats;

/// What a claim says of the ratio: over 1, Unix is ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Says {
    UnixAhead,
    /// Ahead by at least so much.
    UnixAheadBy(f64),
    Tie,
    TcpAhead,
}

pub struct Claim {
    pub what: &'static str,
    /// The article's figures, and their ratio.
    pub there: &'static str,
    pub says: Says,
    /// `None` where it was not measured.
    pub here: Option<Here>,
}

/// What was measured here.
#[derive(Clone, Debug, PartialEq)]
pub struct Here {
    pub figures: String,
    pub ratio: f64,
    /// Whether the rounds of the two networks overlap, where the rows tell.
    pub overlap: bool,
}

impl Claim {
    pub fn verdict(&self) -> String {
        let Some(here) = &self.here else { return "not measured".into() };
        let verdict = verdict(self.says, here.ratio);
        if here.overlap && !stats::is_tie(here.ratio) {
            return format!("{verdict}, but the rounds overlap");
        }
        verdict.into()
    }
}

pub fn verdict(says: Says, ratio: f64) -> &'static str {
    let ahead = !stats::is_tie(ratio) && ratio > 1.0;
    match says {
        _ if stats::is_tie(ratio) && says != Says::Tie => "not here: a tie",
        Says::UnixAheadBy(least) if ratio >= least => "confirmed",
        Says::UnixAheadBy(_) if ahead => "not here: Unix is ahead, but by less",
        Says::UnixAhead if ahead => "confirmed",
        Says::UnixAhead | Says::UnixAheadBy(_) => "reversed: TCP is ahead",
        Says::TcpAhead if ahead => "reversed: Unix is ahead",
        Says::TcpAhead => "confirmed",
        Says::Tie if ahead => "not here: Unix is ahead",
        Says::Tie if ratio < 1.0 && !stats::is_tie(ratio) => "not here: TCP is ahead",
        Says::Tie => "confirmed",
    }
}

/// The five claims beside what was measured; the first of them twice, as on several CPUs the
/// scheduler may keep the ends of one network together and those of the other apart.
pub fn claims(latency: &[Latency], throughput: &[Throughput]) -> [Claim; 6] {
    let smallest = throughput.iter().map(|row| row.what.size).min().unwrap_or(0);
    let large: Vec<Here> =
        [16 << 20, 32 << 20].iter().filter_map(|size| moved(throughput, *size)).collect();
    let large = (!large.is_empty()).then(|| Here {
        figures: large.iter().map(|here| &*here.figures).collect::<Vec<_>>().join("; "),
        ratio: stats::median(&large.iter().map(|here| here.ratio).collect::<Vec<_>>()),
        overlap: large.iter().any(|here| here.overlap),
    });
    [
        Claim {
            what: "one way, 128 bytes",
            there: "TCP 3.6 µs, Unix 2.3 µs: 1.57",
            says: Says::UnixAhead,
            here: one_way(latency, "pingpong", 128),
        },
        Claim {
            what: "the same, both ends on one CPU",
            there: "as above",
            says: Says::UnixAhead,
            here: one_way(latency, "pingpong-1cpu", 128),
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
            here: large,
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
            says: Says::UnixAheadBy(2.0),
            here: messages(throughput, smallest),
        },
    ]
}

fn one_way(rows: &[Latency], benchmark: &str, size: usize) -> Option<Here> {
    let of = |network: &str| {
        let mut rows = rows.iter().filter(|row| row.what.is(benchmark, network, "block"));
        rows.find(|row| row.what.size == size).map(|row| row.oneway)
    };
    let (unix, tcp) = (of("unix")?, of("tcp")?);
    let figures = format!("TCP {} µs, Unix {} µs", stats::micros(tcp), stats::micros(unix));
    Some(Here { figures, ratio: tcp / unix, overlap: false })
}

fn pair(rows: &[Throughput], size: usize) -> Option<(&Throughput, &Throughput)> {
    let of = |network: &str| {
        let mut rows = rows.iter().filter(|row| row.what.is("bandwidth", network, "block"));
        rows.find(|row| row.what.size == size)
    };
    Some((of("unix")?, of("tcp")?))
}

fn moved(rows: &[Throughput], size: usize) -> Option<Here> {
    let (unix, tcp) = pair(rows, size)?;
    let [of_unix, of_tcp] = [unix, tcp].map(|row| stats::throughput(row.mb_per_s));
    let figures = format!("Unix {of_unix}, TCP {of_tcp}");
    Some(Here { figures, ratio: unix.mb_per_s / tcp.mb_per_s, overlap: unix.overlaps(tcp) })
}

fn messages(rows: &[Throughput], size: usize) -> Option<Here> {
    let (unix, tcp) = pair(rows, size)?;
    let [of_unix, of_tcp] = [unix, tcp].map(|row| stats::thousands(row.msgs_per_s));
    let figures = format!("{} bytes: Unix {of_unix}, TCP {of_tcp}", stats::size(size));
    Some(Here { figures, ratio: unix.msgs_per_s / tcp.msgs_per_s, overlap: unix.overlaps(tcp) })
}
