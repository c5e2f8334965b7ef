//! The lesson `http_get`, with a server of the test's own, with `echo_server` and with
//! `rpc_server`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Listener};

mod common;
#[path = "common/lesson.rs"]
mod lesson;

use common::{Server, TempDir, assert_silent, example, over_both, run, watchdog};
use lesson::{build, source};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

/// Removes the file that a killed server leaves.
fn clean(addr: &Addr) {
    if let Addr::Unix(path) = addr {
        fs::remove_file(path).unwrap();
    }
}

/// What the program asks of the server at that address, and what it makes of the answer.
fn get(addr: &Addr, path: &str, answer: &[u8]) -> (Vec<String>, (Option<i32>, Vec<u8>, String)) {
    let listener = Listener::bind(addr).unwrap();
    let bound = listener.local_addr().unwrap().to_string();
    thread::scope(|scope| {
        let client = scope.spawn(|| {
            let output = Command::new(example("http_get")).args([&bound, path]).output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            (output.status.code(), output.stdout, stderr.replace(&bound, "ADDR"))
        });
        let (conn, _) = listener.accept().unwrap();
        let lines = BufReader::new(&conn).lines().map(Result::unwrap);
        let request = lines.take_while(|line| !line.is_empty());
        let request = request.map(|line| line.replace(bound.trim_start_matches("tcp:"), "HOST"));
        let request = request.collect();
        let _ = (&conn).write_all(answer); // it may have had enough
        drop(conn);
        (request, client.join().unwrap())
    })
}

#[test]
fn it_asks_for_a_path_and_prints_head_and_page() {
    over_both(|addr| {
        let answer = b"HTTP/1.0 200 OK\r\nServer: test\r\n\r\n<p>\r\n\r\nhi";
        let (request, (code, page, head)) = get(addr, "/a%20b", answer);
        let host = if addr.network() == "tcp" { "HOST" } else { "localhost" };
        assert_eq!(request, ["GET /a%20b HTTP/1.0", &format!("Host: {host}")]);
        assert_eq!((code, page.as_slice()), (Some(0), &b"<p>\r\n\r\nhi"[..]));
        assert_eq!(head, "HTTP/1.0 200 OK\r\nServer: test\r\n\r\n");
    });
}

#[test]
fn the_host_has_its_port_and_its_brackets() {
    let _watchdog = watchdog();
    let addr: Addr = "tcp:[::1]:0".parse().unwrap();
    if Listener::bind(&addr).is_err() {
        return; // no IPv6 here
    }
    let (request, _) = get(&addr, "/", b"\n");
    assert_eq!(request, ["GET / HTTP/1.0", "Host: HOST"]);
}

#[test]
fn bytes_that_are_no_utf_8_do_not_end_it() {
    over_both(|addr| {
        let (_, (code, page, head)) = get(addr, "/", b"HTTP/1.0 200 \xff\n\n\xfe page");
        assert_eq!((code, page.as_slice()), (Some(0), &b"\xfe page"[..]));
        assert_eq!(head, "HTTP/1.0 200 \u{fffd}\n\n");
    });
}

#[test]
fn a_head_that_does_not_end_is_given_up() {
    over_both(|addr| {
        let long = [&b"HTTP/1.0 200 OK\r\nX: "[..], &[b'x'; 70_000]].concat();
        let many = [&b"HTTP/1.0 200 OK\r\n"[..], &b"X: x\r\n".repeat(20_000)].concat();
        let too_long = "the head of the answer is longer than 64 KiB";
        let ended = "the connection ended before the head of the answer did";
        for (answer, why) in [
            (&long[..], too_long),
            (&many, too_long),
            (b"HTTP/1.0 200 OK\r\n", ended),
            (b"no head", ended),
            (b"", ended),
        ] {
            let (_, (code, page, error)) = get(addr, "/", answer);
            assert_eq!((code, page.as_slice()), (Some(1), &b""[..]));
            let error = error.lines().last().unwrap();
            assert_eq!(error, format!("http_get: ADDR: {why}"));
        }
    });
}

#[test]
fn a_path_that_would_not_stay_one_is_refused() {
    let _watchdog = watchdog();
    for path in ["", "a", "/a b", "/ HTTP/1.0\r\nCookie: me", "/\n", "/\u{85}", "/\t"] {
        let (code, _, stderr) = run(Command::new(example("http_get")).args(["@nobody", path]));
        assert_eq!(code, Some(1));
        assert!(stderr.starts_with(&format!("http_get: {path:?}: ")), "{stderr}");
    }
}

/// The page of `rpc_server`, which is what `http_get` asks for if it is told nothing else.
#[test]
fn it_gets_the_page_of_rpc_server() {
    over_both(|addr| {
        let server = Server::start(Command::new(example("rpc_server")).arg(addr.to_string()), 1);
        let bound = server.addrs[0].to_string();
        let (code, stdout, stderr) =
            run(Command::new(example("http_get")).args([&bound, "/debug/rpc"]));
        assert_eq!(code, Some(0));
        assert!(stderr.starts_with("HTTP/1.") && stderr.contains(" 200 "), "{stderr}");
        assert!(stdout.contains("Greeter"), "{stdout}");
        drop(server);
        clean(addr);
    });
}

// The exercises.

#[test]
fn what_does_echo_server_make_of_a_request_and_does_it_end() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap().to_string();
        thread::scope(|scope| {
            let client = scope.spawn(|| run(Command::new(example("http_get")).args([&bound, "/"])));
            let (mut conn, _) = listener.accept().unwrap();
            let mut request = [0; 256];
            let n = conn.read(&mut request).unwrap();
            conn.write_all(&request[..n]).unwrap();
            // It waits for the end of the page, and does not end its own direction.
            conn.set_read_timeout(Some(MOMENT)).unwrap();
            assert_silent(&conn);
            drop(conn);
            let (code, stdout, stderr) = client.join().unwrap();
            assert_eq!((code, stdout.as_str()), (Some(0), ""));
            assert!(stderr.starts_with("GET / HTTP/1.0\r\nHost: "), "{stderr}");
        });
    });
}

#[test]
fn what_is_sent_if_the_path_is_not_checked() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let changed =
        source("http_get", &[("return Err(format!(\"{path:?}: {why}\").into());", "let _ = why;")]);
    let changed = build(&dir, "http_get", &changed);
    over_both(|addr| {
        let server = Server::start(Command::new(example("echo_server")).arg(addr.to_string()), 1);
        let mut client = Command::new(&changed);
        client.args([&server.addrs[0].to_string(), "/ HTTP/1.0\r\nCookie: me"]);
        let mut client = client.stderr(Stdio::piped()).spawn().unwrap();
        let mut head = String::new();
        let mut lines = BufReader::new(client.stderr.take().unwrap());
        while !head.ends_with("\r\n\r\n") {
            assert!(lines.read_line(&mut head).unwrap() > 0, "{head}");
        }
        // A header that the program was not meant to send. The server cannot know that.
        assert!(head.starts_with("GET / HTTP/1.0\r\nCookie: me HTTP/1.0\r\nHost: "), "{head}");
        client.kill().unwrap();
        client.wait().unwrap();
        drop(server);
        clean(addr);
    });
}
