//! What the benchmarks tell a person: a table, and in sentences what it says.

use std::fmt::Write;

use super::csv::{Latency, Throughput, What};
use super::{Wait, stats};

/// What a network and a way to wait are called together.
pub fn series(network: &str, wait: &str) -> String {
    match (network, wait) {
        ("unix", wait) => format!("Unix, {wait}"),
        ("tcp", wait) => format!("TCP, {wait}"),
        (other, _) => other.to_string(),
    }
}

/// A row for each network and way to wait.
pub fn latency_table(rows: &[Latency]) -> String {
    let mut text = String::from(
        "\n\
         microseconds         one way   round trip                                            CPU time of\n\
         network    wait         mean      min      p50      p90      p99    p99.9       max    both ends      per s\n",
    );
    for row in rows {
        let _ = write!(text, "{:10} {:6} ", row.what.network, row.what.wait.replace("none", "-"));
        let _ = write!(text, "{:>10}", stats::micros(row.oneway));
        for ns in [row.min, row.p50, row.p90, row.p99, row.p999] {
            let _ = write!(text, " {:>8}", stats::micros(ns as f64));
        }
        let cpu = row.cpu.map_or("-".to_string(), stats::micros);
        let rate = stats::thousands(row.round_trips_per_s);
        let _ = writeln!(text, " {:>9} {cpu:>12} {rate:>10}", stats::micros(row.max as f64));
    }
    text
}

/// A sentence for each thing to be learned from a ping-pong.
pub fn latency_findings(rows: &[Latency]) -> String {
    let find = |network: &str, wait: &str| {
        rows.iter().find(|row| row.what.network == network && row.what.wait == wait)
    };
    let mut text = String::from("\n");
    for (wait, name) in [(Wait::Block, "Blocking"), (Wait::Spin, "Polling")] {
        let wait = wait.to_string();
        let (Some(unix), Some(tcp)) = (find("unix", &wait), find("tcp", &wait)) else { continue };
        let ratio = tcp.oneway / unix.oneway;
        let _ = if stats::is_tie(ratio) {
            writeln!(text, "{name}, Unix and TCP take as long, within 5 %.")
        } else if ratio > 1.0 {
            writeln!(
                text,
                "{name}, a message over TCP takes {ratio:.2} times as long as over Unix."
            )
        } else {
            let ratio = 1.0 / ratio;
            writeln!(
                text,
                "{name}, a message over Unix takes {ratio:.2} times as long as over TCP."
            )
        };
    }
    for (network, name) in [("unix", "Unix"), ("tcp", "TCP")] {
        let (Some(block), Some(spin)) = (find(network, "block"), find(network, "spin")) else {
            continue;
        };
        let ratio = block.oneway / spin.oneway;
        let _ = write!(
            text,
            "Over {name}, ends that sleep take {ratio:.2} times as long as ends that poll"
        );
        let _ = match (block.cpu, spin.cpu) {
            (Some(block), Some(spin)) => writeln!(
                text,
                ";\npolling, a round trip costs {} µs of CPU time, {:.2} times as much as blocking.",
                stats::micros(spin),
                spin / block,
            ),
            _ => writeln!(text, "."),
        };
    }
    if let (Some(spin), Some(floor)) = (find("unix", "spin"), find("floor", "none")) {
        let ratio = spin.oneway / floor.oneway;
        let _ = writeln!(text, "Polling over Unix takes {ratio:.2} times the floor.");
    }
    text
}

/// A warning for whoever would take the median at its word, when one round took over twice as long
/// as another. `oneway` is the mean of each, in nanoseconds.
pub fn unsteady(network: &str, wait: &str, oneway: &[f64]) -> Option<String> {
    let (least, most) = stats::range(oneway);
    (most > 2.0 * least).then(|| {
        let (least, most) = (stats::micros(least), stats::micros(most));
        format!(
            "{network}, {wait}: one way took {least} to {most} µs over the rounds: the machine does \
             something else, or moves the two ends between its CPUs; try more rounds (-r)"
        )
    })
}

/// A row for each size, network and way to wait.
pub fn throughput_table(rows: &[Throughput]) -> String {
    let mut text = String::from(
        "\n   size  network  wait       median    of rounds: min         max    messages/s   CPU s per GB\n",
    );
    for row in rows {
        let What { network, wait, size, .. } = &row.what;
        let _ = writeln!(
            text,
            "{:>7}  {network:7}  {wait:5} {:>12}   {:>12} {:>11}  {:>12}   {:>12}",
            stats::size(*size),
            stats::throughput(row.mb_per_s),
            stats::throughput(row.mb_per_s_min),
            stats::throughput(row.mb_per_s_max),
            stats::thousands(row.msgs_per_s),
            row.cpu_s_per_gb.map_or("-".to_string(), stats::digits),
        );
    }
    text
}

/// A sentence for each size and each way to wait.
pub fn throughput_findings(rows: &[Throughput]) -> String {
    let mut text = String::from("\n");
    for unix in rows.iter().filter(|row| row.what.network == "unix") {
        let of_tcp = What { network: "tcp".into(), ..unix.what.clone() };
        let Some(tcp) = rows.iter().find(|row| row.what == of_tcp) else { continue };
        let size = stats::size(unix.what.size);
        let waiting = if unix.what.wait == Wait::Spin.to_string() { "polling" } else { "blocking" };
        let ratio = unix.mb_per_s / tcp.mb_per_s;
        let but = if unix.overlaps(tcp) { ", but the rounds overlap" } else { "" };
        let _ = if stats::is_tie(ratio) {
            writeln!(text, "{size}, {waiting}: Unix and TCP move as much, within 5 %.")
        } else if ratio > 1.0 {
            writeln!(text, "{size}, {waiting}: Unix moves {ratio:.2} times as much as TCP{but}.")
        } else {
            let ratio = 1.0 / ratio;
            writeln!(text, "{size}, {waiting}: TCP moves {ratio:.2} times as much as Unix{but}.")
        };
    }
    text
}
