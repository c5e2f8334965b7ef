//! The report: the rows it reads, its sentences and verdicts, its pictures.

use std::path::Path;
use std::process::Command;

#[path = "../examples/bench/mod.rs"]
mod bench;
#[path = "../examples/cli/mod.rs"]
mod cli;
mod common;

use bench::claims::{self, Says};
use bench::csv::{self, Latency, Throughput, What};
use bench::plot::{Axis, Chart, Line};
use bench::words;
use common::{TempDir, example, run};

#[test]
fn rounds_that_differ_are_warned_of() {
    assert_eq!(words::unsteady("unix", "block", &[2e3, 1e3, 1.5e3]), None);
    let warning = words::unsteady("tcp", "spin", &[9.87e3, 4e3, 5e3]).unwrap();
    assert!(warning.starts_with("tcp, spin: one way took 4.00 to 9.87 µs over the rounds: "));
}

fn what(network: &str, wait: &str, size: usize) -> What {
    What {
        benchmark: "pingpong".into(),
        network: network.into(),
        wait: wait.into(),
        size,
        count: 10,
        rounds: 3,
    }
}

fn latency(network: &str, size: usize, oneway: f64) -> Latency {
    Latency {
        what: what(network, "block", size),
        oneway,
        min: 1,
        p50: 2,
        p90: 3,
        p99: 4,
        p999: 5,
        max: 6,
        round_trips_per_s: 7.5,
        cpu: None,
    }
}

fn throughput(network: &str, size: usize, mb_per_s: f64) -> Throughput {
    let what = What { benchmark: "bandwidth".into(), ..what(network, "block", size) };
    let msgs_per_s = mb_per_s * 1e6 / size as f64;
    Throughput {
        what,
        mb_per_s,
        mb_per_s_min: mb_per_s * 0.9,
        mb_per_s_max: mb_per_s * 1.1,
        msgs_per_s,
        cpu_s_per_gb: Some(0.25),
    }
}

#[test]
fn rows_read_as_they_print() {
    let rows =
        [latency("unix", 128, 4560.5), Latency { cpu: Some(9010.0), ..latency("tcp", 1, 0.5) }];
    let text = format!("{}\n{}\n{}\n", Latency::HEADER, rows[0], rows[1]);
    assert!(text.contains("\npingpong,unix,block,128,10,3,4560.5,1,2,3,4,5,6,7.5,\n"), "{text}");
    assert_eq!(csv::parse::<Latency>(Latency::HEADER, &text).unwrap(), rows);

    let rows = [throughput("unix", 65_536, 4321.5)];
    let text = format!("{}\n{}\n", Throughput::HEADER, rows[0]);
    let parsed: Vec<Throughput> = csv::parse(Throughput::HEADER, &text).unwrap();
    assert_eq!(parsed[0].what, rows[0].what);
    assert_eq!((parsed[0].mb_per_s, parsed[0].cpu_s_per_gb), (4321.5, Some(0.25)));

    let columns = [Latency::HEADER, Throughput::HEADER].map(|header| header.split(',').count());
    assert_eq!(columns, [15, 11]);
}

#[test]
fn a_wrong_row_is_named() {
    let parse = |text: &str| csv::parse::<Throughput>(Throughput::HEADER, text).unwrap_err();
    assert!(parse("").contains("does not begin with"));
    assert!(parse("benchmark\n").contains("does not begin with"));
    let good = throughput("unix", 64, 1.0).to_string();
    for bad in ["", "x", &good[1..good.len() - 7].replace("64", "?"), &format!("{good},1")] {
        let why = parse(&format!("{}\n{good}\n{bad}\n", Throughput::HEADER));
        assert!(why.starts_with("line 3 is not a row"), "{bad:?}: {why}");
    }
}

#[test]
fn verdicts_in_words() {
    use Says::*;
    for (says, ratio, expected) in [
        (UnixAhead, 1.57, "confirmed"),
        (UnixAhead, 1.05, "not here: a tie"),
        (UnixAhead, 0.95, "not here: a tie"),
        (UnixAhead, 0.94, "reversed: TCP is ahead"),
        (UnixAheadBy(2.0), 2.0, "confirmed"),
        (UnixAheadBy(2.0), 1.99, "not here: Unix is ahead, but by less"),
        (UnixAheadBy(2.0), 1.0, "not here: a tie"),
        (UnixAheadBy(2.0), 0.5, "reversed: TCP is ahead"),
        (Tie, 1.0, "confirmed"),
        (Tie, 1.06, "not here: Unix is ahead"),
        (Tie, 0.94, "not here: TCP is ahead"),
        (TcpAhead, 0.9, "confirmed"),
        (TcpAhead, 1.0, "not here: a tie"),
        (TcpAhead, 1.1, "reversed: Unix is ahead"),
    ] {
        assert_eq!(claims::verdict(says, ratio), expected, "{says:?} at {ratio}");
    }
}

#[test]
fn findings_in_sentences() {
    let spin = |row: Latency| Latency {
        what: What { wait: "spin".into(), ..row.what },
        cpu: Some(6000.0),
        ..row
    };
    let block = |row: Latency| Latency { cpu: Some(24_000.0), ..row };
    let rows = [
        block(latency("unix", 128, 20_000.0)),
        block(latency("tcp", 128, 30_000.0)),
        spin(latency("unix", 128, 4000.0)),
        spin(latency("tcp", 128, 4100.0)),
    ];
    let text = words::latency_findings(&rows);
    for sentence in [
        "Blocking, a message over TCP takes 1.50 times as long as over Unix.",
        "Polling, Unix and TCP take as long, within 5 %.",
        "Over Unix, ends that sleep take 5.00 times as long as ends that poll;\n\
         polling, a round trip costs 6.00 µs of CPU time, 0.25 times as much as blocking.",
    ] {
        assert!(text.contains(sentence), "{text}");
    }
    let text = words::latency_findings(&[latency("unix", 1, 3.0), latency("tcp", 1, 2.0)]);
    assert!(text.contains("Blocking, a message over Unix takes 1.50 times as long as over TCP."));

    let moved = |unix, tcp| {
        words::throughput_findings(&[
            throughput("unix", 65_536, unix),
            throughput("tcp", 65_536, tcp),
        ])
    };
    assert!(moved(3000.0, 2000.0).contains("64K, blocking: Unix moves 1.50 times as much as TCP."));
    assert!(moved(2000.0, 3000.0).contains("64K, blocking: TCP moves 1.50 times as much as Unix."));
    assert!(
        moved(2000.0, 2100.0).contains("64K, blocking: Unix and TCP move as much, within 5 %.")
    );
    assert!(moved(2160.0, 2000.0).contains("1.08 times as much as TCP, but the rounds overlap."));
    assert!(moved(2000.0, 2160.0).contains("1.08 times as much as Unix, but the rounds overlap."));
}

#[test]
fn claims_are_judged_by_the_rows_of_their_size() {
    let pings =
        [latency("unix", 128, 4000.0), latency("tcp", 128, 6000.0), latency("tcp", 64, 1.0)];
    let mut moved = vec![throughput("unix", 64, 60.0), throughput("tcp", 64, 20.0)];
    for size in [64 << 10, 16 << 20, 32 << 20] {
        moved.extend([throughput("unix", size, 3000.0), throughput("tcp", size, 3000.0)]);
    }
    let claims = claims::claims(&pings, &moved);
    let judged: Vec<_> =
        claims.iter().map(|c| (c.here.as_ref().map(|h| h.ratio), c.verdict())).collect();
    let expected = [
        (Some(1.5), "confirmed"),
        (None, "not measured"),
        (None, "not measured"),
        (Some(1.0), "confirmed"),
        (Some(1.0), "not here: a tie"),
        (Some(3.0), "confirmed"),
    ];
    assert_eq!(judged, expected.map(|(ratio, verdict)| (ratio, verdict.to_string())));
    assert_eq!(claims[0].here.as_ref().unwrap().figures, "TCP 6.00 µs, Unix 4.00 µs");
}

#[test]
fn a_verdict_tells_that_rounds_overlap() {
    let verdict = |unix: &Throughput, tcp: &Throughput| {
        claims::claims(&[], &[unix.clone(), tcp.clone()])[2].verdict()
    };
    let (unix, tcp) = (throughput("unix", 512 << 10, 2160.0), throughput("tcp", 512 << 10, 2000.0));
    let (high, low) = (
        Throughput { mb_per_s_min: 2100.0, ..unix.clone() },
        Throughput { mb_per_s_max: 2100.0, ..tcp.clone() },
    );
    for (unix, tcp) in [(&unix, &tcp), (&high, &tcp), (&unix, &low)] {
        assert_eq!(verdict(unix, tcp), "confirmed, but the rounds overlap");
    }
    assert_eq!(verdict(&high, &low), "confirmed");
}

#[test]
fn a_chart_has_its_ticks_and_keeps_labels_apart() {
    let axis = |steps| Axis { base: 10.0, steps, label: |value| format!("<{value}>") };
    let line = |label: &str, y| Line {
        label: label.into(),
        color: "#000",
        dashes: "none",
        points: vec![(1.0, 3.0), (100.0, y)],
    };
    let chart = Chart {
        title: "a < b",
        x_title: "x & y",
        x: axis(&[1.0]),
        y: axis(&[1.0, 2.0, 5.0]),
        lines: vec![line("one", 30.0), line("two", 30.1)],
    };
    let svg = chart.to_svg().unwrap();
    for tick in [
        "&lt;1&gt;",
        "&lt;10&gt;",
        "&lt;100&gt;",
        "&lt;2&gt;",
        "&lt;5&gt;",
        "&lt;20&gt;",
        "&lt;50&gt;",
    ] {
        assert!(svg.contains(&format!(">{tick}<")), "{tick} is missing: {svg}");
    }
    assert!(!svg.contains("&lt;1000&gt;") && svg.contains("a &lt; b") && svg.contains("x &amp; y"));
    let place = |label: &str| -> f64 {
        let line = svg.lines().find(|line| line.contains(&format!(">{label}<"))).unwrap();
        line.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    assert!((place("one") - place("two")).abs() >= 15.0, "{svg}");
    assert!(Chart { lines: Vec::new(), ..chart }.to_svg().is_none());
}

#[test]
fn a_report_of_two_files() {
    let dir = TempDir::new();
    let [pingpong, bandwidth, out] = ["p.csv", "b.csv", "a/b"].map(|name| dir.join(name));
    let rows = format!(
        "{}\n{}\n{}\n",
        Latency::HEADER,
        latency("unix", 128, 4000.0),
        latency("tcp", 128, 6000.0)
    );
    std::fs::write(&pingpong, rows).unwrap();
    let rows =
        [throughput("unix", 64, 60.0), throughput("tcp", 64, 20.0)].map(|row| row.to_string());
    std::fs::write(&bandwidth, format!("{}\n{}\n", Throughput::HEADER, rows.join("\n"))).unwrap();

    let report = || {
        let mut command = Command::new(example("report"));
        command.args([&pingpong, &bandwidth, &out]);
        run(&mut command)
    };
    let (code, stdout, stderr) = report();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(out.join("report.md")).unwrap(), stdout);
    assert!(stdout.contains("| TCP 6.00 µs, Unix 4.00 µs | 1.50 | confirmed |"), "{stdout}");
    assert!(stdout.contains(" round trips in each of "), "{stdout}");
    // A container may hide it.
    let known = Path::new("/proc/sys/net/core/wmem_default").exists();
    assert_eq!(stdout.contains("Socket buffers, in bytes"), known);
    for picture in ["latency.svg", "throughput.svg"] {
        let svg = std::fs::read_to_string(out.join(picture)).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(stdout.contains(&format!("]({picture})")));
    }

    std::fs::write(&bandwidth, "no csv\n").unwrap();
    let (code, _, stderr) = report();
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with(&format!("report: {}: it does not begin with", bandwidth.display()))
    );
}
