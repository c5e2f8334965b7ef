//! `sockbench` as a program: every series, another host, arguments, and what it does when the other end
//! goes.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Listener};

mod common;

use common::{Server, TempDir, over_both, run, watchdog};

const COMMANDS: [&[&str]; 2] = [
    &["latency", "-s", "1K", "-n", "50", "-r", "3"],
    &["throughput", "-s", "64,100K", "--total", "1M", "-r", "2"],
];

/// How many bytes the first message of a client has.
const REQUEST: usize = 32;

fn sockbench(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockbench"));
    command.args(args);
    command
}

/// What a run prints with `--csv`: the notes, and the fields of each row by the names of the columns.
struct Csv {
    notes: Vec<String>,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    fn of(command: &mut Command) -> Csv {
        let (code, stdout, stderr) = run(command.arg("--csv"));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let (notes, lines): (Vec<_>, Vec<_>) =
            stdout.lines().map(str::to_string).partition(|line| line.starts_with("# "));
        let mut lines = lines.iter().map(|line| line.split(',').map(str::to_string).collect());
        let columns: Vec<String> = lines.next().unwrap();
        let rows: Vec<Vec<String>> = lines.collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == columns.len()), "{stdout}");
        Csv { notes, columns, rows }
    }

    fn text<'a>(&self, row: &'a [String], column: &str) -> &'a str {
        &row[self.columns.iter().position(|name| name == column).unwrap()]
    }

    fn number(&self, row: &[String], column: &str) -> f64 {
        self.text(row, column).parse().unwrap()
    }

    /// Network and wait of each row.
    fn series(&self) -> Vec<String> {
        let name = |row: &Vec<String>| format!("{} {}", row[1], row[2]);
        self.rows.iter().map(name).collect()
    }
}

const SERIES: [&str; 5] = ["unix block", "tcp block", "pipe block", "unix spin", "tcp spin"];

#[test]
fn every_series_has_a_row() {
    let _watchdog = watchdog();
    let schedstat = Path::new("/proc/self/schedstat").exists();
    let csv = Csv::of(&mut sockbench(COMMANDS[0]));
    assert_eq!(csv.series(), [&SERIES[..], &["one-thread none"]].concat());
    for row in &csv.rows {
        let number = |column| csv.number(row, column);
        assert_eq!(csv.text(row, "benchmark"), "latency");
        assert_eq!(["size", "count", "rounds"].map(number), [1024.0, 50.0, 3.0]);
        let quantiles = ["min", "p50", "p90", "p99", "p999", "max"];
        let quantiles = quantiles.map(|name| csv.number(row, &format!("rtt_{name}_ns")));
        assert!(quantiles[0] > 0.0 && quantiles.is_sorted(), "{row:?}");
        assert!(number("rtt_p50_lo_ns") <= quantiles[1] && quantiles[1] <= number("rtt_p50_hi_ns"));
        let round_trip = 2.0 * number("oneway_ns");
        assert!(quantiles[0] <= round_trip && round_trip <= quantiles[5], "{row:?}");
        assert!((number("round_trips_per_s") * round_trip / 1e9 - 1.0).abs() < 0.01, "{row:?}");
        let cpu = csv.text(row, "cpu_ns_per_round_trip");
        let is_plausible = |ns: f64| 0.0 < ns && ns < 100.0 * round_trip;
        assert_eq!(cpu.parse().is_ok_and(is_plausible), schedstat, "{row:?}");
    }

    let csv = Csv::of(&mut sockbench(COMMANDS[1]));
    assert_eq!(csv.series(), [SERIES, SERIES].concat());
    for row in &csv.rows {
        let number = |column| csv.number(row, column);
        assert_eq!(csv.text(row, "benchmark"), "throughput");
        assert_eq!(number("count"), ((1 << 20) as f64 / number("size")).floor());
        assert!(number("mb_per_s_min") <= number("mb_per_s"));
        assert!(number("mb_per_s") <= number("mb_per_s_max"));
        let rate = number("mb_per_s") * 1e6 / number("size");
        assert!((number("msgs_per_s") / rate - 1.0).abs() < 0.01, "{row:?}");
        let cpu = csv.text(row, "cpu_s_per_gb");
        assert_eq!(cpu.parse().is_ok_and(|s: f64| s > 0.0), schedstat, "{row:?}");
    }
}

/// Without a command: two tables, and sentences about them.
#[test]
fn the_default_run_is_for_people() {
    let _watchdog = watchdog();
    let (code, stdout, stderr) = run(&mut sockbench(&["--net", "unix,tcp,pipe", "--wait=block"]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for wanted in [
        "\nLatency of 128 bytes.\nIn µs; lower is better. ",
        "\nOne way is half of p50, ",
        "\nThroughput, one way; higher is better.",
        "\n| pipe, block   |     64K |",
        "\n| TCP, block    |    512K |",
        "\n| one thread, no wake-up |",
        "\nOne thread, no wake-up: ",
    ] {
        assert!(stdout.contains(wanted), "{wanted}: {stdout}");
    }
    for (sentences, about) in [(2, "Blocking"), (2, "64K, blocking"), (2, "512K, blocking")] {
        let starts = [format!("{about}: "), format!("{about}, unsure: ")];
        let is_one = |line: &&str| starts.iter().any(|start| line.starts_with(start));
        assert_eq!(stdout.lines().filter(is_one).count(), sentences, "{about}: {stdout}");
    }
    let row = stdout.lines().find(|line| line.starts_with("| Unix, block ")).unwrap();
    let cells: Vec<f64> =
        row.split('|').filter_map(|cell| cell.replace('?', "").trim().parse().ok()).collect();
    assert!((2.0 * cells[0] / cells[2] - 1.0).abs() < 0.02, "half of p50: {row}");
    let machine = stdout.lines().next().unwrap();
    assert!(machine.contains(" CPU") && machine.contains("rustc 1."), "{machine}");
    assert_eq!(stdout.matches(machine).count(), 1, "{stdout}");
    assert!(!stdout.contains("spin"), "nobody polled: {stdout}");
}

/// One message in the second, counted round stalls for half a second. In a closed loop that is one of
/// a thousand. On a schedule of 1,000 a second, half of the messages are due during the stall, and a
/// tenth of them within its first 100 ms.
#[test]
fn on_a_schedule_a_stall_counts_for_all_who_would_have_waited() {
    let stall = Duration::from_millis(500);
    over_both(|addr| {
        let p90 = [&[][..], &["--rate", "1000"]].map(|rate| {
            let listener = Listener::bind(addr).unwrap();
            let bound = listener.local_addr().unwrap().to_string();
            let server = thread::spawn(move || {
                let (mut conn, _) = listener.accept().unwrap();
                conn.read_exact(&mut [0; REQUEST]).unwrap();
                let mut message = [0; 128];
                for number in 0..2000 {
                    conn.read_exact(&mut message).unwrap();
                    if number == 1100 {
                        thread::sleep(stall); // the stall that is measured
                    }
                    conn.write_all(&message).unwrap();
                }
            });
            let mut client = sockbench(&["latency", "-n", "1000", "-r", "1", "--wait", "block"]);
            let csv = Csv::of(client.args(["--connect", &bound]).args(rate));
            server.join().unwrap();
            assert_eq!(csv.rows.len(), 1);
            let row = &csv.rows[0];
            assert!(csv.number(row, "rtt_max_ns") >= 500e6, "{row:?}");
            let notes = csv.notes.join("\n");
            assert_eq!(
                notes.contains("the client itself was late by "),
                !rate.is_empty(),
                "{notes}"
            );
            assert_eq!(notes.contains("a closed loop"), rate.is_empty(), "{notes}");
            csv.number(row, "rtt_p90_ns")
        });
        let [closed_loop, on_schedule] = p90;
        assert!(on_schedule >= 400e6, "{on_schedule}");
        assert!(closed_loop < 400e6, "{closed_loop}");
    });
}

/// What was sent may still lie in a buffer: the clock stops when the server says that it has it all.
/// In the round that counts, the second, it does so after a fifth of a second.
#[test]
fn throughput_counts_until_the_server_has_it_all() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (mut conn, _) = listener.accept().unwrap();
            conn.read_exact(&mut [0; REQUEST]).unwrap();
            for stall in [Duration::ZERO, Duration::from_millis(200)] {
                conn.read_exact(&mut vec![0; 1 << 20]).unwrap();
                thread::sleep(stall); // the stall that is measured
                conn.write_all(&(1_u64 << 20).to_le_bytes()).unwrap();
            }
        });
        let mut client = sockbench(&["throughput", "-s=1M", "--total=1M", "-r=1", "--wait=block"]);
        let csv = Csv::of(client.args(["--connect", &bound]));
        server.join().unwrap();
        let most = csv.number(&csv.rows[0], "mb_per_s_max");
        assert!(most <= 1.048_576 / 0.2, "{most}");
    });
}

#[test]
fn buffers_are_asked_for_and_shown() {
    let _watchdog = watchdog();
    let mut command = sockbench(COMMANDS[1]);
    command.args(["--wait", "block", "--sndbuf", "64K", "--rcvbuf", "32K"]);
    let (code, stdout, stderr) = run(&mut command);
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
        let mut server = Server::start(&mut sockbench(&["serve", &addr.to_string()]), 1);
        let bound = server.addrs[0].to_string();
        for args in COMMANDS {
            for wait in ["block", "spin"] {
                let csv = Csv::of(sockbench(args).args(["--connect", &bound, "--wait", wait]));
                let expected = format!("{} {wait}", addr.network());
                assert!(
                    csv.series().iter().all(|series| *series == expected),
                    "{:?}",
                    csv.series()
                );
                assert!(csv.notes.join("\n").contains(&format!("the server is at {bound}")));
                // Half of the CPU time is another process'.
                let cpu = csv.columns.iter().find(|name| name.starts_with("cpu_")).unwrap();
                assert!(csv.rows.iter().all(|row| csv.text(row, cpu).is_empty()), "{:?}", csv.rows);
            }
        }
        // Not clients of this program, or of a kind that it refuses; and one that loses a message.
        let request = |tag: &[u8], size: u64, count: u64| {
            [tag, &size.to_le_bytes(), &count.to_le_bytes(), &[0; 8]].concat()
        };
        let lost = [request(b"one way\n", 2, 3), b"\0.\x02.\x03.".to_vec()].concat();
        let stranger = "does not speak sockbench's protocol";
        for (bytes, why) in [
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), stranger),
            (request(b"latency\n", 0, 1), stranger),
            (request(b"latency\n", (64 << 20) + 1, 1), stranger),
            (request(b"one way\n", 1, 0), stranger),
            (request(b"one way\n", 1, u64::MAX), stranger),
            (lost, "a message is missing"),
        ] {
            let mut client = server.connect();
            client.write_all(&bytes).unwrap();
            let _ = client.read(&mut [0; 64]);
            let line = server.line();
            assert!(line.contains(why), "{line}");
        }
        assert!(server.child.try_wait().unwrap().is_none());
        drop(server);
        if let Addr::Unix(path) = addr {
            fs::remove_file(path).unwrap();
        }
    });
}

#[test]
fn one_server_has_many_addresses() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s").display().to_string();
    let server = Server::start(&mut sockbench(&["serve", "tcp:127.0.0.1:0", &path]), 2);
    for addr in &server.addrs {
        Csv::of(sockbench(COMMANDS[0]).args(["--connect", &addr.to_string()]));
    }
}

/// The listener here is gone at once, or once it has the client's request and a bit of a message.
#[test]
fn a_server_that_dies_is_reported_at_once() {
    over_both(|addr| {
        for (args, read) in COMMANDS.into_iter().flat_map(|p| [(p, 0), (p, REQUEST + 10)]) {
            let listener = Listener::bind(addr).unwrap();
            let bound = listener.local_addr().unwrap().to_string();
            let mut client = sockbench(args);
            client.args(["--connect", &bound, "--wait", "block"]);
            client.stdout(Stdio::piped()).stderr(Stdio::piped());
            let client = client.spawn().unwrap();
            let (mut conn, _) = listener.accept().unwrap();
            conn.read_exact(&mut vec![0; read]).unwrap();
            drop((conn, listener));
            let output = client.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let stderr = String::from_utf8(output.stderr).unwrap();
            let why = "the server has ended in the middle of a run";
            assert_eq!(stderr, format!("sockbench: {bound}: {why}\n"));
            assert!(output.stdout.is_empty());
        }
    });
}

/// Each end checks what comes: here the answer to the first message is wrong in its first byte.
#[test]
fn a_wrong_answer_is_an_error() {
    over_both(|addr| {
        for (args, answer, why) in [
            (["latency", "-s", "8"], &[1, 0, 0, 0, 0, 0, 0, 0], "another message came back"),
            (
                ["throughput", "--total=8", "-s=8"],
                &[9, 0, 0, 0, 0, 0, 0, 0],
                "not all that was sent",
            ),
        ] {
            let listener = Listener::bind(addr).unwrap();
            let bound = listener.local_addr().unwrap().to_string();
            let server = thread::spawn(move || {
                let (mut conn, _) = listener.accept().unwrap();
                conn.read_exact(&mut [0; REQUEST + 8]).unwrap();
                conn.write_all(answer).unwrap();
                conn.read(&mut [0]).unwrap_or(0)
            });
            let mut client = sockbench(&args);
            let (code, stdout, stderr) = run(client.args(["--connect", &bound, "--wait", "block"]));
            assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
            assert!(stderr.starts_with(&format!("sockbench: {bound}: {why}")), "{stderr}");
            assert_eq!(stderr.lines().count(), 1, "{stderr}");
            server.join().unwrap();
        }
    });
}

/// The server that it starts for itself is killed from outside, in the middle of a run.
#[test]
#[cfg(target_os = "linux")]
fn its_own_server_is_killed() {
    let _watchdog = watchdog();
    for network in ["unix", "tcp", "pipe"] {
        let mut program = sockbench(&["latency", "-n", "5000000", "-r", "1", "--wait", "block"]);
        program.args(["--net", network]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", program.id());
        let child = loop {
            let text = fs::read_to_string(&children).unwrap();
            if let Some(child) = text.split_whitespace().next() {
                break child.to_string();
            }
            assert_eq!(program.try_wait().unwrap(), None);
            thread::yield_now();
        };
        let kill = format!("kill -9 {child}");
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let output = program.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        let why = "the server has ended in the middle of a run";
        assert_eq!(stderr, format!("sockbench: {network}, block: {why}\n"));
    }
}

/// When it is killed itself, its server ends without a word, which would fall between a shell's lines.
#[test]
#[cfg(target_os = "linux")]
fn its_server_ends_quietly_when_it_is_killed() {
    let _watchdog = watchdog();
    let dir = TempDir::new(); // its socket's file may stay
    for network in ["unix", "tcp", "pipe"] {
        let mut program = sockbench(&["latency", "-n", "5000000", "-r", "1", "--wait", "block"]);
        program.args(["--net", network]).env("TMPDIR", dir.path()).stderr(Stdio::piped());
        let mut program = program.spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", program.id());
        common::wait_until(|| !fs::read_to_string(&children).unwrap().is_empty());
        program.kill().unwrap();
        program.wait().unwrap();
        // The server holds the other end of the pipe until it ends.
        assert_eq!(common::read_all(program.stderr.take().unwrap()), b"", "{network}");
    }
}

#[test]
fn an_overloaded_server_is_named_and_half_of_a_wait_is_no_way() {
    let _watchdog = watchdog();
    let args = ["latency", "-n", "500", "-r", "2", "--net", "unix", "--wait", "block"];
    let (code, stdout, _) = run(sockbench(&args).args(["--rate", "1000000"]));
    assert_eq!(code, Some(0));
    assert!(stdout.contains("\nUnix, block: did not keep up: "), "{stdout}");
    assert!(!stdout.to_lowercase().contains("one way"), "{stdout}");
}

/// A socket's path has about a hundred bytes.
#[test]
fn a_long_directory_for_temporary_files_is_no_obstacle() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let deep = dir.join(&"d".repeat(120));
    fs::create_dir(&deep).unwrap();
    let csv = Csv::of(sockbench(COMMANDS[0]).args(["--net", "unix"]).env("TMPDIR", &deep));
    assert!(csv.series().contains(&"unix block".to_string()));
    assert_eq!(fs::read_dir(deep).unwrap().count(), 0);
}

/// What the help says of the sizes, the counts and the rounds that nobody asks for.
#[test]
fn what_is_not_asked_for_is_as_the_help_says() {
    let _watchdog = watchdog();
    let unix = ["--net", "unix", "--wait", "block"];
    for (args, size, count, rounds, note) in [
        (&["latency", "-n", "10"][..], 128, 10, 5, "latency: 10 round trips in each of 5 rounds, "),
        (&["latency", "-r=1"], 128, 10_000, 1, "latency: 10,000 round trips in 1 round, after one"),
        (
            &["throughput", "--total=1m", "-r=1"],
            256 << 10,
            4,
            1,
            "throughput: up to 1M or 200,000 ",
        ),
        (
            &["throughput", "-s=1", "-r=1"],
            1,
            200_000,
            1,
            "up to 1G or 200,000 messages in 1 round, ",
        ),
        (&["throughput", "--total=1", "-s=64m", "-r=1"], 64 << 20, 1, 1, "throughput: up to 1 or "),
    ] {
        let csv = Csv::of(sockbench(args).args(unix));
        let row = csv.rows.iter().find(|row| row[1] == "unix").unwrap();
        let numbers = ["size", "count", "rounds"].map(|name| csv.number(row, name) as usize);
        assert_eq!(numbers, [size, count, rounds], "{args:?}");
        assert!(csv.notes.iter().any(|line| line.contains(note)), "{note}: {:?}", csv.notes);
    }
    let csv = Csv::of(&mut sockbench(&["latency", "-n=1", "-r=1", "--net=tcp"]));
    let spin = "; block: an end that waits sleeps in read(2); spin: an end that waits polls for 50 µs first";
    assert!(csv.notes.iter().any(|line| line.contains(spin)), "{:?}", csv.notes);
    let buffers =
        csv.notes.iter().any(|line| line.starts_with("# socket buffers: the system's (Unix "));
    assert_eq!(buffers, cfg!(target_os = "linux"), "{:?}", csv.notes);
    // On a schedule the client watches the clock, which would count as CPU time.
    let csv = Csv::of(&mut sockbench(&["latency", "-n=1", "-r=1", "--net=tcp", "--rate=1000"]));
    assert_eq!(csv.series(), ["tcp block", "tcp spin"]);
    assert!(csv.rows.iter().all(|row| csv.text(row, "cpu_ns_per_round_trip").is_empty()));
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    let _watchdog = watchdog();
    for args in [COMMANDS[0], COMMANDS[1], &["--help"]] {
        let mut command = sockbench(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        // The help may be in the pipe before it is closed: that is as quiet.
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn closed_standard_descriptors_harm_nothing() {
    let _watchdog = watchdog();
    let sockbench = env!("CARGO_BIN_EXE_sockbench");
    for closed in ["<&-", "2>&-", "<&- 2>&-"] {
        let run_it = format!("{sockbench} latency -n 10 -r 1 --csv {closed} | grep -c ^latency,");
        let (_, stdout, _) = run(Command::new("sh").args(["-c", &run_it]));
        assert_eq!(stdout, "6\n", "{closed}");
    }
    // Nowhere to say it, but the status says it.
    let fails = format!("{sockbench} --colour 2>&-");
    assert_eq!(run(Command::new("sh").args(["-c", &fails])).0, Some(2));
}

/// The two ends on two hosts: network namespaces, with a pair of virtual cables.
#[test]
#[ignore = "needs root and ip of iproute2"]
fn between_two_hosts() {
    let _watchdog = watchdog();
    let id = std::process::id();
    let hosts = Hosts::new(&format!("ss{id}a"), &format!("ss{id}b"));
    let mut command = hosts.on(0);
    command.args([env!("CARGO_BIN_EXE_sockbench"), "serve", "tcp:10.99.0.1:0"]);
    let server = Server::start(&mut command, 1);
    for args in COMMANDS {
        let mut client = hosts.on(1);
        client.arg(env!("CARGO_BIN_EXE_sockbench")).args(args);
        let csv = Csv::of(client.args(["--connect", &server.addrs[0].to_string()]));
        assert!(csv.series().iter().all(|series| series.starts_with("tcp ")));
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, stdout, stderr) = run(Command::new("./bench.sh").arg("--quick").current_dir(root));
    assert_eq!(code, Some(0), "{stderr}");
    let named = stderr.lines().find_map(|line| line.strip_prefix("written: ")).unwrap();
    let (report, others) = named.split_once(", ").unwrap();
    let report = root.join(report);
    assert_eq!(fs::read_to_string(&report).unwrap(), stdout);
    for name in others.split(", ") {
        let text = fs::read_to_string(report.with_file_name(name)).unwrap();
        match name {
            "latency.csv" => assert!(text.matches("\nlatency,").count() == 4 * 6, "{text}"),
            "throughput.csv" => assert!(text.matches("\nthroughput,").count() == 6 * 5, "{text}"),
            _ => assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"), "{name}"),
        }
    }
    let taskset = Command::new("taskset").output().is_ok();
    assert!(!stdout.contains("not measured") || !taskset, "{stdout}");
    for claim in [
        "one way, 128 bytes",
        "throughput, 512K",
        "throughput, 16M",
        "throughput, 32M",
        "throughput, 64K",
        "messages a second",
    ] {
        assert!(stdout.contains(&format!("| {claim}")), "no {claim:?} in {stdout}");
    }
}
