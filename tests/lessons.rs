//! Every lesson has the form that a reader relies on, runs, and prints what is certain. The exercises
//! are answered in `answers.rs` and `messages.rs`; the echo pair, hello, chat, proxy and private_server
//! have a file each.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use streamsock::{Addr, Listener};

mod common;

use common::{Server, TempDir, example, over_both, run, watchdog};

/// Those that may have 90 lines, where the others have 60.
const LONGER: [&str; 4] = ["bandwidth", "pingpong", "rpc_client", "rpc_server"];
/// Those that may use a module: `netrpc`, which may be copied as it is.
const WITH_MODULE: [&str; 2] = ["rpc_client", "rpc_server"];

fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_string();
    files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn each_is_short() {
    for (name, text) in sources() {
        let limit = if LONGER.contains(&&*name) { 90 } else { 60 };
        let lines = text.lines().count();
        assert!(lines <= limit, "{name}.rs has {lines} lines, more than {limit}");
    }
}

/// What it shows, how to run it, and then what to do with it.
#[test]
fn each_begins_with_its_command_and_its_exercise() {
    for (name, text) in sources() {
        let header: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        assert!(header.len() <= 25, "{name}.rs: the header has {} lines", header.len());
        assert!(header[0].trim_end().ends_with('.'), "{name}.rs: {}", header[0]);
        let fence = header.iter().position(|line| *line == " ```console");
        let command = header[fence.unwrap_or_else(|| panic!("{name}.rs: no console fence")) + 1];
        assert!(command.starts_with(" $ cargo run "), "{name}.rs: {command}");
        assert!(command.contains(&format!("--example {name}")), "{name}.rs: {command}");

        let is_exercise = |line: &&&str| {
            [" Predict: ", " Change: ", " Explain: "].iter().any(|a| line.starts_with(a))
        };
        let exercises = header.iter().rev().take_while(is_exercise).count();
        assert!((1..=3).contains(&exercises), "{name}.rs ends with {exercises} exercises");
    }
}

#[test]
fn each_is_one_file_with_main_first() {
    for (name, text) in sources() {
        let lines: Vec<_> = text.lines().collect();
        let has_module = lines.iter().any(|line| line.starts_with("mod "));
        assert!(!has_module || WITH_MODULE.contains(&&*name), "{name}.rs has a module");
        let first = lines.iter().find(|line| line.starts_with("fn ")).unwrap();
        let main = ["fn main() -> io::Result<()> {", "fn main() -> ExitCode {"];
        assert!(main.contains(first), "{name}.rs begins with {first}");
    }
}

/// What a lesson prints that ends by itself, without an argument, in a directory of its own.
fn output(name: &str) -> String {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let (code, stdout, stderr) = run(Command::new(example(name)).env("TMPDIR", dir.path()));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{name}: {stdout}");
    assert_eq!(dir.names(), [""; 0], "{name} leaves something behind");
    stdout
}

/// Each of the lines, in this order, with others between.
fn assert_lines(text: &str, expected: &[&str]) {
    let mut lines = text.lines().map(str::trim_end);
    for line in expected {
        assert!(lines.any(|other| other == *line), "no {line:?}, or not in order:\n{text}");
    }
}

#[test]
fn framing() {
    assert_lines(
        &output("framing"),
        &[
            r#"  read      "onetwoth""#,
            r#"  read      "ree""#,
            r#"  received  "one""#,
            r#"  received  "two""#,
            r#"  received  "three""#,
            "  refused   a message of 1195725856 bytes, over the limit of 1 MiB",
        ],
    );
}

#[test]
fn stale() {
    let text = output("stale");
    assert_lines(
        &text,
        &[
            "nothing at the path:",
            "  bind               works",
            "  Listener::bind     works",
            "a live server at the path:",
            "  connect            works",
            "  Listener::bind     a live server holds it",
            "a dead server at the path:",
            "  Listener::bind     works",
            "a regular file at the path:",
            "  Listener::bind     a regular file is there, not a socket, and was left as it is",
        ],
    );
    let refused = text.lines().filter(|line| line.contains("Connection refused")).count();
    assert_eq!(refused, 4, "connect, by both kinds, of a dead server and of a regular file");
    assert_eq!(text.matches("Address already in use").count(), 3);
}

/// How each call ends depends on the clock, but for the last, which has all the time it needs.
#[test]
fn timeouts() {
    let text = output("timeouts");
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.trim_end().ends_with("10 bytes  Ok(())"), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn endings() {
    // The second write over TCP is for `tests/answers.rs`: when the first is answered is not certain.
    let text = output("endings");
    for (how, unix, tcp) in [
        ("half-closes", ["0", "1", "1"], ["0", "1"]),
        ("reads no more", ["WouldBlock", "BrokenPipe", "BrokenPipe"], ["WouldBlock", "1"]),
        ("closes", ["0", "BrokenPipe", "BrokenPipe"], ["0", "1"]),
        ("is killed", ["0", "BrokenPipe", "BrokenPipe"], ["0", "1"]),
        (
            "closes, byte unread",
            ["ConnectionReset", "BrokenPipe", "BrokenPipe"],
            ["ConnectionReset", "BrokenPipe"],
        ),
    ] {
        let row = text.lines().find_map(|line| line.strip_prefix(&format!("{how:19}  "))).unwrap();
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!((&words[..3], &words[3..5]), (&unix[..], &tcp[..]), "{how}\n{text}");
    }
}

#[test]
fn deadlock() {
    assert_lines(
        &output("deadlock"),
        &[
            "write, then read     16384 KiB each way: stuck, both in write",
            "write while reading  16384 KiB each way: all arrived",
        ],
    );
}

#[test]
fn waiting() {
    let text = output("waiting");
    let rows: Vec<_> = text.lines().skip(1).map(|line| line[..16].trim_end()).collect();
    assert_eq!(rows, ["block", "time out, 40 ms", "poll", "poll, nap 1 ms", "Spin"]);
    // How often the others read is the clock's to say.
    assert_eq!(text.lines().nth(1).unwrap().split_whitespace().nth(1), Some("1"), "{text}");
}

#[test]
fn nagle() {
    let text = output("nagle");
    let rows: Vec<_> = text.lines().skip(1).map(|line| &line[..25]).collect();
    assert_eq!(
        rows,
        ["off          2 writes    ", "on           2 writes    ", "off          1 write     "]
    );
}

#[test]
fn child() {
    assert_eq!(output("child"), "apple\nfig\npear\nsort ended: exit status: 0\n");
}

#[test]
fn datagram() {
    let text = output("datagram");
    assert_lines(
        &text,
        &[
            r#"  recv returned 3: "one""#,
            r#"  recv returned 3: "two""#,
            r#"  recv returned 8: "three hu""#,
            "the other end has closed; recv: Err(WouldBlock)",
            "the server has closed; send: Err(ConnectionRefused)",
        ],
    );
    let held = |line: &str| {
        let line = text.lines().find_map(|other| other.trim().strip_prefix(line)).unwrap();
        line.split_whitespace().next().unwrap().parse::<u32>().unwrap()
    };
    assert!(held("a pair holds") >= held("a bound socket holds"), "{text}");
}

#[test]
fn pingpong() {
    let text = output("pingpong");
    let rows: Vec<_> = text.lines().skip(1).map(|line| &line[..10]).collect();
    assert_eq!(rows, ["unix  mean", "tcp   mean"], "{text}");
}

#[test]
fn bandwidth() {
    let text = output("bandwidth");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 9, "{text}");
    for (of_size, size) in lines.chunks(3).zip([64, 512, 16384]) {
        assert_eq!(of_size[0], format!("{} messages of {size} KiB", (256 << 10) / size));
        assert!(of_size[1].starts_with("unix ") && of_size[2].starts_with("tcp  "), "{text}");
    }
}

#[test]
fn http_get() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap().to_string();
        let host = if addr.network() == "tcp" { "127.0.0.1" } else { "localhost" };
        thread::scope(|scope| {
            let client =
                scope.spawn(|| run(Command::new(example("http_get")).args([&bound, "/a b"])));
            let (conn, _) = listener.accept().unwrap();
            let lines = BufReader::new(&conn).lines().map(Result::unwrap);
            let request: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            assert_eq!(request, ["GET /a b HTTP/1.0", &format!("Host: {host}")]);
            (&conn).write_all(b"HTTP/1.0 200 OK\r\nServer: test\r\n\r\n<p>\r\n\r\nhi").unwrap();
            drop(conn);
            let (code, stdout, stderr) = client.join().unwrap();
            assert_eq!((code, stdout.as_str()), (Some(0), "<p>\r\n\r\nhi"));
            assert_eq!(stderr, "HTTP/1.0 200 OK\r\nServer: test\r\n\n");
        });
    });
}

/// The page of `rpc_server`, which is what `http_get` asks for if it is told nothing else.
#[test]
fn http_get_from_rpc_server() {
    over_both(|addr| {
        let server = Server::start(Command::new(example("rpc_server")).arg(addr.to_string()), 1);
        let bound = server.addrs[0].to_string();
        let (code, stdout, stderr) =
            run(Command::new(example("http_get")).args([&bound, "/debug/rpc"]));
        assert_eq!(code, Some(0));
        assert!(stderr.starts_with("HTTP/1.") && stderr.contains(" 200 "), "{stderr}");
        assert!(stdout.contains("Greeter"), "{stdout}");
        drop(server);
        if let Addr::Unix(path) = addr {
            fs::remove_file(path).unwrap();
        }
    });
}
