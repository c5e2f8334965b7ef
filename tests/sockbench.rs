//! `sockbench` as a program: what it prints and writes, another host, and what it does when the other end
//! goes.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{Server, TempDir, over_both, run, watchdog};

const BENCHMARKS: [&str; 3] = ["latency", "throughput", "connect"];

/// How many bytes the first message of a client has.
const REQUEST: usize = 64;

fn sockbench(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockbench"));
    command.args(args);
    command
}

/// The series and the comparisons of the file of `--json`: an object a line.
struct Json {
    series: Vec<String>,
    comparisons: Vec<String>,
}

impl Json {
    fn read(path: &Path) -> Json {
        let text = fs::read_to_string(path).unwrap();
        let (head, rest) = text.split_once("\"series\": [\n").unwrap();
        let (series, comparisons) = rest.split_once("\n],\n\"comparisons\": [\n").unwrap();
        assert!(
            head.starts_with("{\n\"machine\": {") && head.contains("\n\"options\": {"),
            "{head}"
        );
        let comparisons = comparisons.strip_suffix("\n]\n}\n").unwrap();
        let lines = |text: &str| text.split(",\n").map(str::to_string).collect();
        Json { series: lines(series), comparisons: lines(comparisons) }
    }

    /// That a command writes, when all goes well.
    fn of(command: &mut Command) -> Json {
        let dir = TempDir::new();
        let file = dir.join("data.json");
        let (code, stdout, stderr) = run(command.arg("--json").arg(&file));
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
        Json::read(&file)
    }
}

fn text<'a>(object: &'a str, field: &str) -> &'a str {
    let start = format!("\"{field}\": ");
    let rest = object.split_once(&start).unwrap_or_else(|| panic!("no {field} in {object}")).1;
    rest.split([',', '}']).next().unwrap().trim_matches('"')
}

fn number(object: &str, field: &str) -> f64 {
    text(object, field).parse().unwrap()
}

fn blocks(series: &str) -> Vec<f64> {
    let list = series.split_once("\"blocks\": [").unwrap().1.split_once(']').unwrap().0;
    list.split(", ").filter(|block| !block.is_empty()).map(|block| block.parse().unwrap()).collect()
}

fn has_taskset() -> bool {
    Command::new("taskset").arg("-p").arg(std::process::id().to_string()).output().is_ok()
}

/// Without a command: an answer on the first screen, in sentences, then tables, then the method.
#[test]
fn the_default_run_is_for_people() {
    let _watchdog = watchdog();
    let (code, stdout, stderr) = run(&mut sockbench(&["--time", "4"]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].contains(" CPU"), "{stdout}");
    if cfg!(target_os = "linux") {
        let used = "While this ran, other programs used up to ";
        assert!(lines[1].starts_with(used), "{stdout}");
        let says_busy = lines[1].contains("[busy]");
        assert_eq!(says_busy, lines[2..].iter().any(|line| line.ends_with(" [busy]")), "{stdout}");
    }
    let so = lines.iter().position(|line| line.starts_with("So")).unwrap();
    let end = so + lines[so..].iter().position(|line| line.is_empty()).unwrap();
    assert!(end <= 25, "the answer takes {end} lines: {stdout}");
    for heading in [
        "Messages of 128 bytes, there and back:",
        "Data, 64K at a time:",
        "Data, 512K at a time:",
        "New connections, each for one message of 128 bytes:",
    ] {
        let at = lines.iter().position(|line| *line == heading).unwrap();
        let sentence = lines[at + 1];
        assert!(at < so && sentence.contains("Unix") && sentence.contains("TCP"), "{stdout}");
    }
    let tables = lines.iter().position(|line| line.starts_with("| benchmark ")).unwrap();
    let method = lines.iter().position(|line| *line == "How it was measured:").unwrap();
    assert!(so < tables && tables < method, "{stdout}");
    assert!(!stdout.contains("unsure") && !stdout.contains("NaN"), "{stdout}");
}

#[test]
fn the_json_file_holds_every_block_and_every_comparison() {
    let _watchdog = watchdog();
    for benchmark in BENCHMARKS {
        let args = [benchmark, "--time", "3", "--net", "unix,tcp", "-s", "1K", "--cpus", "free"];
        let json = Json::of(&mut sockbench(&args));
        assert_eq!((json.series.len(), json.comparisons.len()), (2, 1), "{benchmark}");
        let comparison = &json.comparisons[0];
        let turns = number(comparison, "turns");
        for (series, network) in json.series.iter().zip(["unix", "tcp"]) {
            let fields =
                ["benchmark", "network", "wait", "cpus", "size"].map(|name| text(series, name));
            assert_eq!(fields, [benchmark, network, "block", "free", "1024"]);
            let blocks = blocks(series);
            let each = if benchmark == "latency" { 4.0 } else { 1.0 };
            assert_eq!(blocks.len() as f64, each * turns, "{series}");
            assert!(blocks.iter().all(|block| *block > 0.0), "{series}");
        }
        let fields = ["benchmark", "a", "b", "wait", "cpus"].map(|name| text(comparison, name));
        assert_eq!(fields, [benchmark, "unix", "tcp", "block", "free"]);
        assert!(number(comparison, "ahead") <= turns);
        let ratio = number(comparison, "ratio");
        match text(comparison, "verdict") {
            "open" => {}
            "ahead" => assert!(number(comparison, "lo") > 1.05, "{comparison}"),
            "behind" => assert!(number(comparison, "hi") < 1.0 / 1.05, "{comparison}"),
            "equal" => assert!(number(comparison, "hi") <= 1.05, "{comparison}"),
            other => panic!("{other}"),
        }
        if text(comparison, "lo") != "null" {
            let (lo, hi) = (number(comparison, "lo"), number(comparison, "hi"));
            assert!(lo <= ratio && ratio <= hi, "{comparison}");
        }
    }
}

/// Every network and both ways to wait, and one that is compared with itself.
#[test]
fn what_is_asked_for_is_compared() {
    let _watchdog = watchdog();
    let pairs = |args: &[&str]| -> Vec<String> {
        let json = Json::of(sockbench(args).args(["--time", "1", "--cpus", "free"]));
        let name = |one: &String| format!("{} {}", text(one, "a"), text(one, "b"));
        json.comparisons.iter().map(name).collect()
    };
    assert_eq!(pairs(&["latency", "--net", "unix,tcp,pipe"]), ["unix tcp", "unix pipe"]);
    assert_eq!(pairs(&["throughput", "--net=pipe,tcp", "-s=64K"]), ["pipe tcp"]);
    assert_eq!(pairs(&["connect", "--net", "tcp"]), ["tcp tcp"]);
    assert_eq!(
        pairs(&["latency", "--wait", "block,spin"]),
        ["unix tcp", "unix tcp", "unix spin unix block", "tcp spin tcp block"]
    );
    assert_eq!(pairs(&["latency", "--net", "tcp", "--wait", "spin"]), ["tcp tcp"]);
}

/// Each answers with what the listener's clients ask for, in a thread for each.
fn fake_server(listener: &Listener, answer: impl Fn(Conn) + Sync) {
    let answer = &answer;
    thread::scope(|scope| {
        for conn in listener.incoming() {
            let Ok(conn) = conn else { return };
            scope.spawn(move || answer(conn));
        }
    });
}

/// Runs a client of that server, and returns the JSON that it writes.
fn against(addr: &Addr, answer: impl Fn(Conn) + Sync + Send, args: &[&str]) -> Json {
    let listener = Listener::bind(addr).unwrap();
    let bound = listener.local_addr().unwrap().to_string();
    thread::scope(|scope| {
        scope.spawn(|| fake_server(&listener, answer));
        let json = Json::of(sockbench(args).args(["--connect", &bound]));
        listener.shutdown().unwrap();
        json
    })
}

/// The server stalls for 80 ms once in a block. In a closed loop that is one message of a block. On a
/// schedule of 1,000 a second, 80 of the 100 messages of a block are due meanwhile.
#[test]
fn on_a_schedule_a_stall_counts_for_all_who_would_have_waited() {
    let _watchdog = watchdog();
    let answer = |mut conn: Conn| {
        conn.read_exact(&mut [0; REQUEST]).unwrap();
        let mut message = [0; 128];
        for number in 0.. {
            if conn.read_exact(&mut message).is_err() {
                return; // the client has what it wants
            }
            if number == 10 {
                thread::sleep(Duration::from_millis(80)); // the stall that is measured
            }
            let _ = conn.write_all(&message);
        }
    };
    over_both(|addr| {
        let median = |args: &[&str]| {
            let json = against(addr, answer, &[&["latency", "--time", "2"], args].concat());
            let mut blocks = blocks(&json.series[0]);
            blocks.sort_by(f64::total_cmp);
            blocks[blocks.len() / 2]
        };
        let (scheduled, closed_loop) = (median(&["--rate", "1000"]), median(&[]));
        assert!(scheduled >= 20e6, "{scheduled}");
        assert!(closed_loop < 20e6, "{closed_loop}");
    });
}

/// What was sent may still lie in a buffer: the clock stops when the server says that it has it all,
/// which here takes a fifth of a second.
#[test]
fn throughput_counts_until_the_server_has_it_all() {
    let _watchdog = watchdog();
    over_both(|addr| {
        let most = Mutex::new(0);
        let answer = |mut conn: Conn| {
            conn.read_exact(&mut [0; REQUEST]).unwrap();
            conn.write_all(&[0; 8]).unwrap();
            let mut all = Vec::new();
            conn.read_to_end(&mut all).unwrap();
            thread::sleep(Duration::from_millis(200)); // what is measured
            let mut most = most.lock().unwrap();
            *most = all.len().max(*most);
            let _ = conn.write_all(&(all.len() as u64).to_le_bytes());
        };
        let json = against(addr, answer, &["throughput", "--time", "2", "-s", "1M"]);
        let most = *most.lock().unwrap() as f64;
        for block in blocks(&json.series[0]) {
            assert!(block <= most / 0.2, "{block} {most}");
        }
    });
}

#[test]
fn a_server_elsewhere_serves_clients_until_it_is_killed() {
    let _watchdog = watchdog();
    over_both(|addr| {
        let mut server = Server::start(&mut sockbench(&["serve", &addr.to_string()]), 1);
        let bound = server.addrs[0].to_string();
        for benchmark in BENCHMARKS {
            for wait in ["block", "spin"] {
                let args = [benchmark, "--time", "1", "--connect", &bound, "--wait", wait];
                let json = Json::of(&mut sockbench(&args));
                let fields = ["network", "wait", "cpus"].map(|name| text(&json.series[0], name));
                assert_eq!(fields, [addr.network(), wait, "free"]);
                // What another host's CPUs do is not known.
                assert_eq!(text(&json.comparisons[0], "others_cpu"), "null");
            }
        }
        // Not clients of this program, or of a kind that it refuses; and one that loses a message.
        let request = |words: &str| format!("{words:REQUEST$}").into_bytes();
        let sink = |size, messages: &[u8]| {
            [&request(&format!("sockbench 2 Sink {size} 64 0 0 0")), messages].concat()
        };
        let stranger = "does not speak this version of sockbench's protocol";
        for (bytes, why) in [
            (vec![b'G'; REQUEST], stranger),
            (request("sockbench 2 Echo 0 1 0 0 0"), stranger),
            (request("sockbench 2 Echo 67108865 1 0 0 0"), stranger),
            (request("sockbench 2 Sink 1 0 0 0 0"), stranger),
            (request("sockbench 2 Sing 1 1 0 0 0"), stranger),
            (sink(2, b"\0.\x02.\x03."), "a message is missing"),
            (sink(4, b"\0...\x01."), "a message was cut short"),
        ] {
            let mut client = server.connect();
            client.write_all(&bytes).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = client.read_to_end(&mut Vec::new());
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
        Json::of(sockbench(&["latency", "--time", "1"]).args(["--connect", &addr.to_string()]));
    }
}

/// Sixty-four silent clients would keep the next one out for ever; and a client does not wait for ever
/// for a server that is silent. Ten seconds each.
#[test]
fn nobody_waits_for_ever_for_the_first_word() {
    let _watchdog = watchdog();
    let mut server = Server::start(&mut sockbench(&["serve", "tcp:127.0.0.1:0"]), 1);
    let silent = Listener::bind(&"tcp:127.0.0.1:0".parse().unwrap()).unwrap();
    let bound = silent.local_addr().unwrap().to_string();
    let start = Instant::now();
    let client = thread::spawn(move || run(sockbench(&["latency"]).args(["--connect", &bound])));
    let mut conn = server.connect();
    assert_eq!(conn.read(&mut [0]).unwrap(), 0, "it is dropped");
    assert!(start.elapsed() >= Duration::from_secs(9));
    assert!(server.line().contains("it asked for nothing within 10 s"));
    let (code, _, stderr) = client.join().unwrap();
    assert_eq!(code, Some(1));
    assert!(stderr.contains("the server does not answer within 10 s"), "{stderr}");
}

/// It reads the request and a bit of a message, and goes; or it does not read at all.
#[test]
fn a_server_that_dies_is_reported_at_once() {
    let _watchdog = watchdog();
    over_both(|addr| {
        for (benchmark, read) in BENCHMARKS.into_iter().flat_map(|one| [(one, 0), (one, REQUEST)]) {
            let listener = Listener::bind(addr).unwrap();
            let bound = listener.local_addr().unwrap().to_string();
            let mut client = sockbench(&[benchmark, "--connect", &bound]);
            let client = client.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let (mut conn, _) = listener.accept().unwrap();
            conn.read_exact(&mut vec![0; read]).unwrap();
            drop((conn, listener));
            let output = client.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let stderr = String::from_utf8(output.stderr).unwrap();
            let why = "the server has ended in the middle of a run";
            assert_eq!(stderr, format!("sockbench: {bound}: {why}\n"));
        }
    });
}

/// Each end checks what comes: here the second answer is wrong.
#[test]
fn a_wrong_answer_is_an_error() {
    let _watchdog = watchdog();
    over_both(|addr| {
        for (args, why) in [
            (["latency", "-s", "8"], "another message came back"),
            (["throughput", "-s", "8"], "not all that was sent has arrived"),
            (["connect", "-s", "8"], "another message came back"),
        ] {
            let listener = Listener::bind(addr).unwrap();
            let bound = listener.local_addr().unwrap().to_string();
            thread::scope(|scope| {
                let answers = AtomicUsize::new(0);
                let answer = move |mut conn: Conn| {
                    conn.read_exact(&mut [0; REQUEST]).unwrap();
                    let mut message = [0; 8];
                    if args[0] == "throughput" {
                        conn.write_all(&[0; 8]).unwrap();
                        let _ = conn.read_to_end(&mut Vec::new());
                    }
                    loop {
                        let _ = conn.read(&mut message);
                        let answer = if answers.fetch_add(1, Ordering::SeqCst) < 2 {
                            message
                        } else {
                            [7; 8]
                        };
                        if conn.write_all(&answer).is_err() {
                            return;
                        }
                    }
                };
                let server = &listener;
                scope.spawn(move || fake_server(server, answer));
                let (code, _, stderr) = run(sockbench(&args).args(["--connect", &bound]));
                listener.shutdown().unwrap();
                assert_eq!(code, Some(1), "{stderr}");
                assert_eq!(stderr, format!("sockbench: {bound}: {why}\n"));
            });
        }
    });
}

/// The servers that it starts for itself are killed from outside, in the middle of a run.
#[test]
#[cfg(target_os = "linux")]
fn its_own_server_is_killed() {
    let _watchdog = watchdog();
    let dir = TempDir::new(); // the sockets of what is killed stay
    for network in ["unix", "tcp"] {
        let mut program = sockbench(&["latency", "--net", network, "--cpus", "free"]);
        program.env("TMPDIR", dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", program.id());
        // One that is at its end anyway may be hit; a later one is not.
        while program.try_wait().unwrap().is_none() {
            let children = fs::read_to_string(&children).unwrap_or_default();
            let kill = format!("kill -9 {children} 2>/dev/null");
            let _ = Command::new("sh").args(["-c", &kill]).status();
        }
        let output = program.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("\nNot measured: "), "{stdout}");
    }
}

/// When it is killed itself, its server ends without a word, and takes its socket's file along.
#[test]
#[cfg(target_os = "linux")]
fn its_server_ends_quietly_when_it_is_killed() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    for network in ["unix", "tcp", "pipe,unix"] {
        let mut program = sockbench(&["latency", "--net", network, "--cpus", "free"]);
        program.env("TMPDIR", dir.path()).stderr(Stdio::piped());
        let mut program = program.stdout(Stdio::null()).spawn().unwrap();
        common::wait_until(|| !dir.names().is_empty());
        program.kill().unwrap();
        program.wait().unwrap();
        // The server holds the other end of the pipe until it ends.
        assert_eq!(common::read_all(program.stderr.take().unwrap()), b"", "{network}");
        assert_eq!(dir.names(), [""; 0], "{network}");
    }
}

/// What can be measured is, and what cannot is named.
#[test]
fn a_placement_that_is_not_there_is_named_and_the_others_go_on() {
    let _watchdog = watchdog();
    if !has_taskset() {
        return;
    }
    let mut command = Command::new("taskset");
    command.args(["-c", "0", env!("CARGO_BIN_EXE_sockbench"), "latency", "--time", "1"]);
    let (code, stdout, stderr) = run(command.args(["--cpus", "same,apart"]));
    assert_eq!(code, Some(1));
    let why = "on two CPUs: this is not possible: this process may use only CPU 0";
    assert_eq!(stderr, format!("sockbench: {why}\n"));
    assert!(stdout.contains(&format!("\nNot measured: {why}.\n")), "{stdout}");
    assert!(stdout.contains("\n  on one CPU "), "{stdout}");
}

/// Without taskset, and without /proc, the scheduler chooses, and it says so.
#[test]
fn without_taskset_the_scheduler_chooses() {
    let _watchdog = watchdog();
    let (code, stdout, stderr) =
        run(sockbench(&["latency", "--time", "1"]).env("PATH", "/nowhere"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("\n  on any CPU "), "{stdout}");
    let words: Vec<&str> = stdout.split_whitespace().collect();
    assert!(words.join(" ").contains("the scheduler chooses the CPUs, since taskset"), "{stdout}");
}

/// A socket's path has about a hundred bytes, and a directory may be closed to whoever runs this.
#[test]
fn a_long_directory_for_temporary_files_is_no_obstacle() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let long = dir.join(&"long".repeat(40));
    fs::create_dir(&long).unwrap();
    let args = ["latency", "--net", "unix", "--time", "1"];
    for place in [long, PathBuf::from("/nowhere")] {
        let (code, _, stderr) = run(sockbench(&args).env("TMPDIR", place));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
    }
}

/// The file of the program goes while it runs, as in a new build: its servers are still of this one.
#[test]
#[cfg(target_os = "linux")]
fn a_program_that_is_replaced_goes_on() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let copy = dir.join("sockbench");
    fs::copy(env!("CARGO_BIN_EXE_sockbench"), &copy).unwrap();
    let mut program = Command::new(&copy);
    program.args(["latency", "--net", "pipe", "--time", "2"]); // a new process before every pair
    let program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, "another").unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    let _watchdog = watchdog();
    for args in [&["latency", "--time", "1"][..], &["--help"]] {
        let mut child =
            sockbench(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let stderr = common::read_all(child.stderr.take().unwrap());
        // The help may be in the pipe before it is closed: that is as quiet.
        assert_eq!((child.wait().unwrap().code(), stderr), (Some(0), vec![]));
    }
}

#[test]
fn closed_standard_descriptors_harm_nothing() {
    let _watchdog = watchdog();
    let sockbench = env!("CARGO_BIN_EXE_sockbench");
    for closed in ["<&-", "2>&-", "<&- 2>&-"] {
        let run_it = format!("{sockbench} latency --time 1 --net unix,pipe {closed} | grep -c ^So");
        let (_, stdout, _) = run(Command::new("sh").args(["-c", &run_it]));
        assert_eq!(stdout, "1\n", "{closed}");
    }
    // Nowhere to say it, but the status says it.
    let fails = format!("{sockbench} --colour 2>&-");
    assert_eq!(run(Command::new("sh").args(["-c", &fails])).0, Some(2));
}

#[test]
fn buffers_are_asked_for() {
    let _watchdog = watchdog();
    let args =
        ["throughput", "--time", "1", "--sndbuf", "64K", "--rcvbuf", "32K", "--json", "/dev/null"];
    let (code, _, stderr) = run(&mut sockbench(&args));
    if cfg!(feature = "sockopt") {
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
    } else {
        assert_eq!(code, Some(2));
        assert!(stderr.contains("need a build with --features sockopt"), "{stderr}");
    }
}

/// A report with pictures and data, whatever the time allows.
#[test]
fn the_article_is_judged_with_pictures() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let out = dir.join("new/report");
    let out = out.to_str().unwrap();
    let (code, stdout, stderr) = run(&mut sockbench(&["article", out, "--quick", "--time", "12"]));
    assert_eq!(code, Some(0), "{stderr}");
    let file = |name: &str| fs::read_to_string(Path::new(out).join(name)).unwrap();
    assert_eq!(file("report.md"), stdout);
    assert_eq!(stderr, format!("written: report.md, data.json and three pictures, in {out}\n"));
    for claim in [
        "one way, 128 bytes",
        "messages of 64 bytes",
        "data, 64K",
        "data, 512K",
        "data, 16M",
        "data, 32M",
    ] {
        assert!(stdout.contains(&format!("\n| {claim} ")), "no {claim:?} in {stdout}");
    }
    assert!(stdout.contains("\n## What chance does\n") && !stdout.contains("NaN"), "{stdout}");
    for name in ["ratio.svg", "latency.svg", "throughput.svg"] {
        let svg = file(name);
        assert!(stdout.contains(&format!("]({name})")), "{name}");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{name}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}: {svg}");
    }
    let json = Json::read(&Path::new(out).join("data.json"));
    let nulls = json.comparisons.iter().filter(|one| text(one, "b") == "unix");
    assert!(nulls.count() >= 1);
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
    for benchmark in BENCHMARKS {
        let mut client = hosts.on(1);
        client.args([env!("CARGO_BIN_EXE_sockbench"), benchmark, "--time", "1"]);
        let json = Json::of(client.args(["--connect", &server.addrs[0].to_string()]));
        assert_eq!(text(&json.series[0], "network"), "tcp");
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

/// From another directory, and with cargo putting the program elsewhere: what is measured is this source.
#[test]
#[ignore = "builds in release, and takes more than a minute"]
fn bench_sh_from_end_to_end() {
    let _watchdog = watchdog();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut bench = Command::new(root.join("bench.sh"));
    let target = TempDir::new();
    bench.arg("--quick").current_dir("/").env("CARGO_TARGET_DIR", target.path());
    let (code, stdout, stderr) = run(&mut bench);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(fs::read_to_string(root.join("target/bench/report.md")).unwrap(), stdout);
}
