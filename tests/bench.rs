//! The benchmarks as programs: every row, two hosts, and what they do when the other end goes.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use streamsock::{Addr, Listener};

#[path = "../examples/bench/mod.rs"]
mod bench;
#[path = "../examples/cli/mod.rs"]
mod cli;
mod common;

use bench::csv::{self, Latency, Throughput};
use bench::ends::Request;
use common::{Server, example, over_both, run, watchdog};

const PROGRAMS: [(&str, &[&str]); 2] = [
    ("pingpong", &["-s", "1K", "-n", "50", "-r", "2"]),
    ("bandwidth", &["-s", "64,100K", "--total", "1M", "-r", "2"]),
];

#[test]
fn every_cell_is_a_row() {
    let _watchdog = watchdog();
    for threads in [&[][..], &["--threads"]] {
        let mut pingpong = Command::new(example("pingpong"));
        let (code, stdout, stderr) = run(pingpong.args(PROGRAMS[0].1).arg("--csv").args(threads));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let rows: Vec<Latency> = csv::parse(Latency::HEADER, &stdout).unwrap();
        let cells: Vec<_> = rows.iter().map(|row| (&*row.what.network, &*row.what.wait)).collect();
        let expected = [
            ("unix", "block"),
            ("tcp", "block"),
            ("unix", "spin"),
            ("tcp", "spin"),
            ("floor", "none"),
        ];
        assert_eq!(cells, expected);
        for row in &rows {
            assert_eq!((row.what.size, row.what.count, row.what.rounds), (1024, 50, 2));
            assert!(0 < row.min && row.min <= row.p50 && row.p50 <= row.p90 && row.p90 <= row.p99);
            assert!(row.p99 <= row.p999 && row.p999 <= row.max);
            assert!(row.min as f64 <= 2.0 * row.oneway && 2.0 * row.oneway <= row.max as f64);
            assert!((row.round_trips_per_s * row.oneway * 2.0 / 1e9 - 1.0).abs() < 0.01);
            assert_eq!(row.cpu.is_some(), Path::new("/proc/self/schedstat").exists());
        }

        let mut bandwidth = Command::new(example("bandwidth"));
        let (code, stdout, stderr) = run(bandwidth.args(PROGRAMS[1].1).arg("--csv").args(threads));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let rows: Vec<Throughput> = csv::parse(Throughput::HEADER, &stdout).unwrap();
        assert_eq!(rows.len(), 8);
        for row in &rows {
            assert_eq!(row.what.count, (1 << 20) / row.what.size);
            assert!(row.mb_per_s_min <= row.mb_per_s && row.mb_per_s <= row.mb_per_s_max);
            let rate = row.mb_per_s * 1e6 / row.what.size as f64;
            assert!((row.msgs_per_s / rate - 1.0).abs() < 0.05, "{row}");
        }
    }
}

#[test]
fn a_table_and_findings_for_people() {
    let _watchdog = watchdog();
    for (name, args) in PROGRAMS {
        let (code, stdout, stderr) = run(Command::new(example(name)).args(args));
        assert_eq!(code, Some(0));
        // A busy machine may have it warn of rounds that differ.
        assert!(stderr.lines().all(|line| line.contains(" over the rounds: ")), "{stderr}");
        assert!(stdout.contains("CPU"), "{stdout}");
        for (network, wait) in
            [("unix", "block"), ("tcp", "block"), ("unix", "spin"), ("tcp", "spin")]
        {
            let is_row = |line: &&str| {
                let words: Vec<_> = line.split_whitespace().take(3).collect();
                words.windows(2).any(|pair| pair == [network, wait])
            };
            assert!(stdout.lines().any(|line| is_row(&line)), "{network} {wait}: {stdout}");
        }
        assert!(
            stdout.to_lowercase().contains("blocking") && stdout.to_lowercase().contains("polling")
        );
    }
}

#[test]
fn buffers_are_asked_for_and_shown() {
    let _watchdog = watchdog();
    let mut bandwidth = Command::new(example("bandwidth"));
    bandwidth.args(PROGRAMS[1].1).args(["--wait", "block", "--sndbuf", "64K", "--rcvbuf", "32K"]);
    let (code, stdout, stderr) = run(&mut bandwidth);
    if cfg!(feature = "sockopt") {
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        // Linux doubles them.
        let times = if cfg!(target_os = "linux") { 2 } else { 1 };
        for network in ["unix", "tcp"] {
            let (send, recv) = (times * 65_536, times * 32_768);
            let line = format!("{network}: SO_SNDBUF {send} bytes, SO_RCVBUF {recv} bytes\n");
            assert!(stdout.contains(&line), "{stdout}");
        }
    } else {
        assert_eq!(code, Some(2));
        assert!(stderr.contains("need a build with --features sockopt"), "{stderr}");
    }
}

#[test]
fn a_server_elsewhere_serves_clients_until_it_is_killed() {
    over_both(|addr| {
        for (name, args) in PROGRAMS {
            let mut command = Command::new(example(name));
            let mut server = Server::start(command.args(["--serve", &addr.to_string()]), 1);
            let bound = server.addrs[0].to_string();
            for wait in ["block", "spin"] {
                let mut client = Command::new(example(name));
                client.args(["--connect", &bound, "--wait", wait, "--csv"]).args(args);
                let (code, stdout, stderr) = run(&mut client);
                assert_eq!((code, stderr.as_str()), (Some(0), ""), "{name}");
                let row = format!("{name},{},{wait},", addr.network());
                assert!(stdout.lines().skip(1).all(|line| line.starts_with(&row)), "{stdout}");
                assert!(stdout.lines().count() > 1);
            }
            // Not a client of these programs: it is turned away, and the server goes on.
            let mut stranger = server.connect();
            stranger.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let _ = stranger.read(&mut [0; 64]);
            assert!(server.line().contains("does not speak this protocol"));
            assert!(server.child.try_wait().unwrap().is_none());
            drop(server);
            if let Addr::Unix(path) = addr {
                std::fs::remove_file(path).unwrap();
            }
        }
    });
}

/// The listener here is gone at once, or once it has the client's greeting and a bit of a message.
#[test]
fn a_server_that_dies_is_told_of_at_once() {
    over_both(|addr| {
        for ((name, args), read) in PROGRAMS.into_iter().flat_map(|p| [(p, 0), (p, 24 + 10)]) {
            let listener = Listener::bind(addr).unwrap();
            let bound = listener.local_addr().unwrap().to_string();
            let mut client = Command::new(example(name));
            client.args(args).args(["--connect", &bound, "--wait", "block"]);
            client.stdout(Stdio::piped()).stderr(Stdio::piped());
            let client = client.spawn().unwrap();
            let (mut conn, _) = listener.accept().unwrap();
            conn.read_exact(&mut vec![0; read]).unwrap();
            drop((conn, listener));
            let output = client.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let stderr = String::from_utf8(output.stderr).unwrap();
            let expected =
                format!("{name}: {bound}: the server has ended in the middle of a run\n");
            assert_eq!(stderr, expected);
            assert!(output.stdout.is_empty());
        }
    });
}

/// The server that a benchmark starts for itself is killed from outside, mid-run.
#[test]
#[cfg(target_os = "linux")]
fn its_own_server_is_killed() {
    let _watchdog = watchdog();
    let mut program = Command::new(example("pingpong"));
    program.args(["-n", "10000000", "--wait", "block", "--net", "unix"]);
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = program.spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", program.id());
    let child = loop {
        let text = std::fs::read_to_string(&children).unwrap();
        if let Some(child) = text.split_whitespace().next() {
            break child.to_string();
        }
        std::thread::yield_now();
    };
    assert!(
        Command::new("sh").args(["-c", &format!("kill -9 {child}")]).status().unwrap().success()
    );
    let output = program.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.ends_with("the server has ended in the middle of a run\n"), "{stderr}");
}

/// The two ends on two hosts: network namespaces, with a pair of virtual cables.
#[test]
#[ignore = "needs root and ip of iproute2"]
fn between_two_hosts() {
    let _watchdog = watchdog();
    let id = std::process::id();
    let hosts = Hosts::new(&format!("ss{id}a"), &format!("ss{id}b"));
    for (name, args) in PROGRAMS {
        let mut command = hosts.on(0);
        command.arg(example(name)).args(["--serve", "tcp:10.99.0.1:0"]);
        let server = Server::start(&mut command, 1);
        let mut client = hosts.on(1);
        client.arg(example(name)).args(args).args([
            "--connect",
            &server.addrs[0].to_string(),
            "--csv",
        ]);
        let (code, stdout, stderr) = run(&mut client);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{name}");
        assert!(
            stdout.lines().skip(1).all(|line| line.starts_with(&format!("{name},tcp,"))),
            "{stdout}"
        );
    }
}

struct Hosts([String; 2]);

impl Hosts {
    fn new(first: &str, second: &str) -> Hosts {
        let hosts = Hosts([first.into(), second.into()]);
        ip(&["netns", "add", first]);
        ip(&["netns", "add", second]);
        ip(&[
            "-n", first, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns",
            second,
        ]);
        for (host, address) in [(first, "10.99.0.1/24"), (second, "10.99.0.2/24")] {
            ip(&["-n", host, "address", "add", address, "dev", "eth0"]);
            ip(&["-n", host, "link", "set", "eth0", "up"]);
        }
        hosts
    }

    fn on(&self, n: usize) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0[n]]);
        command
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in &self.0 {
            let _ = Command::new("ip").args(["netns", "delete", host]).status();
        }
    }
}

fn ip(args: &[&str]) {
    let (code, _, stderr) = run(Command::new("ip").args(args));
    assert_eq!(code, Some(0), "ip {args:?}: {stderr}");
}

#[test]
fn bench_sh_and_its_options() {
    let bench = |option| run(Command::new("./bench.sh").arg(option));
    let usage = "usage: ./bench.sh [--quick]\n".to_string();
    assert_eq!(bench("--help"), (Some(0), usage.clone(), String::new()));
    let refused = format!("bench.sh: there is no option --fast\n{usage}");
    assert_eq!(bench("--fast"), (Some(2), String::new(), refused));
}

#[test]
#[ignore = "builds in release, and takes half a minute"]
fn bench_sh_from_end_to_end() {
    let (code, stdout, stderr) =
        run(Command::new("./bench.sh").arg("--quick").current_dir(env!("CARGO_MANIFEST_DIR")));
    assert_eq!(code, Some(0), "{stderr}");
    let named = stderr.lines().find_map(|line| line.strip_prefix("written: ")).unwrap();
    let (report, others) = named.split_once(", ").unwrap();
    let report = Path::new(env!("CARGO_MANIFEST_DIR")).join(report);
    assert_eq!(std::fs::read_to_string(&report).unwrap(), stdout);
    for name in others.split(", ") {
        let text = std::fs::read_to_string(report.with_file_name(name)).unwrap();
        match name {
            "pingpong.csv" => {
                assert!(csv::parse::<Latency>(Latency::HEADER, &text).unwrap().len() >= 20)
            }
            "bandwidth.csv" => {
                assert_eq!(csv::parse::<Throughput>(Throughput::HEADER, &text).unwrap().len(), 24);
            }
            _ => assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"), "{name}"),
        }
    }
    assert!(
        !stdout.contains("not measured") || Command::new("taskset").output().is_err(),
        "{stdout}"
    );
    for claim in ["one way, 128 bytes", "512K", "16M to 32M", "64K", "messages a second"] {
        assert!(stdout.contains(claim), "{stdout}");
    }
}

#[test]
fn requests_are_checked() {
    let request = Request { size: 128, count: 10, spin: Duration::from_micros(50) };
    assert_eq!(Request::from_bytes(request.to_bytes()).unwrap(), request);
    for bad in [
        Request { size: 0, ..request },
        Request { size: (64 << 20) + 1, ..request },
        Request { count: 0, ..request },
        Request { count: usize::MAX, ..request },
    ] {
        assert!(Request::from_bytes(bad.to_bytes()).is_err(), "{bad:?}");
    }
    assert!(Request::from_bytes(*b"GET / HTTP/1.1\r\nHost: x\r").is_err());
}
