//! HTTP: what a request's head asks for, how long it may be and take, and how it is answered.

use std::io::{ErrorKind, Write};
use std::thread;
use std::time::{Duration, Instant};

use streamsock::{Addr, Conn};

#[path = "../examples/netrpc"]
mod netrpc {
    pub mod http;
    pub mod http_server;
}

mod common;

use common::{Random, connected, over_both, read_all};
use netrpc::http::CONNECTED;
use netrpc::http_server::{accept_http, status};

#[test]
fn first_lines_of_requests() {
    for (line, expected) in [
        ("CONNECT /_goRPC_ HTTP/1.0", CONNECTED),
        ("CONNECT /_goRPC_ HTTP/1.1", CONNECTED),
        ("CONNECT /_goRPC_?x=1 HTTP/1.0", CONNECTED),
        ("GET /debug/rpc HTTP/1.1", "200 OK"),
        ("GET / HTTP/1.1", "200 OK"),
        ("GET /_goRPC_ HTTP/1.0", "405 Method Not Allowed"),
        ("connect /_goRPC_ HTTP/1.0", "405 Method Not Allowed"),
        ("POST /debug/rpc HTTP/1.0", "405 Method Not Allowed"),
        ("CONNECT /_gorpc_ HTTP/1.0", "404 Not Found"),
        ("GET /debug HTTP/1.1", "404 Not Found"),
        ("GET /", "400 Bad Request"),
        ("GET / HTTP/2.0", "400 Bad Request"),
        ("GET  / HTTP/1.0", "400 Bad Request"),
        ("", "400 Bad Request"),
    ] {
        assert_eq!(status(line), expected, "{line:?}");
    }
    let mut random = Random(1996);
    let pieces = ["CONNECT", "GET", " ", "/_goRPC_", "/debug/rpc", "HTTP/1.0", "?", "é", "\0"];
    for _ in 0..200_000 {
        let line: String =
            (0..random.below(9)).map(|_| pieces[random.below(pieces.len())]).collect();
        status(&line);
    }
}

/// What `accept_http` makes of a request, which is there before it begins but for what `later` writes, and
/// the answer. The client closes when it has the answer.
fn answered(
    addr: &Addr,
    request: &[u8],
    later: impl FnOnce(&mut Conn),
) -> (std::io::Result<Option<Vec<u8>>>, String) {
    let (mut client, server) = connected(addr);
    client.write_all(request).unwrap();
    thread::scope(|scope| {
        let accepted = scope.spawn(move || accept_http(&server, || "a page".into()));
        later(&mut client);
        let answer = String::from_utf8(read_all(client)).unwrap();
        (accepted.join().unwrap(), answer)
    })
}

#[test]
fn lines_end_with_lf_or_crlf_and_what_comes_after_them_belongs_to_the_calls() {
    over_both(|addr| {
        for head in ["\n\n", "\r\n\r\n", "\n\r\n", "\r\nHost: x\r\n\r\n"] {
            let request = format!("CONNECT /_goRPC_ HTTP/1.0{head}early\n\n");
            let (early, answer) = answered(addr, request.as_bytes(), |_| {});
            assert_eq!(early.unwrap().unwrap(), b"early\n\n");
            assert_eq!(answer, "HTTP/1.0 200 Connected to Go RPC\n\n");
        }
        let cut_off = |head: &[u8]| {
            let (client, server) = connected(addr);
            { &client }.write_all(head).unwrap();
            drop(client);
            accept_http(&server, String::new).unwrap_err().kind()
        };
        assert_eq!(cut_off(b"CONNECT /_goRPC_ HTTP/1.0\n"), ErrorKind::UnexpectedEof);
        assert_eq!(cut_off(b""), ErrorKind::UnexpectedEof);
    });
}

/// However the bytes fall into reads, and whether the head ends or not.
#[test]
fn a_head_has_8192_bytes_at_most() {
    over_both(|addr| {
        for (len, ends, expected) in [
            (8_191, true, "HTTP/1.1 200 OK"),
            (8_192, true, "HTTP/1.1 200 OK"),
            (8_193, true, "HTTP/1.1 431 Request Header Fields Too Large"),
            (9_000, true, "HTTP/1.1 431 Request Header Fields Too Large"),
            (8_192, false, "HTTP/1.1 431 Request Header Fields Too Large"),
        ] {
            let mut request = b"GET / HTTP/1.0\nX: ".to_vec();
            request.resize(len, b'x');
            if ends {
                request[len - 2..].fill(b'\n');
            }
            for first in [1, 600, len] {
                let (_, answer) = answered(addr, &request[..first], |client| {
                    // So that the first read finds no more, as a rule.
                    let soon = Instant::now() + Duration::from_millis(2);
                    while Instant::now() < soon {
                        thread::yield_now();
                    }
                    client.write_all(&request[first..]).unwrap();
                });
                let line = answer.lines().next().unwrap();
                assert_eq!(line, expected, "{len} bytes, {first} first, ends: {ends}");
            }
        }
    });
}

/// A server that closes with bytes unread resets the connection, and the client may miss the answer.
#[test]
fn an_answer_arrives_though_the_client_says_more_than_it_was_asked() {
    over_both(|addr| {
        let request = [b"GET /nowhere HTTP/1.1\r\n\r\n", &[b'x'; 20_000][..]].concat();
        let (accepted, answer) = answered(addr, &request, |_| {});
        assert!(accepted.unwrap().is_none());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
        assert!(head.ends_with("Content-Length: 19\r\nConnection: close"), "{head}");
        assert_eq!(body, "404 page not found\n");
    });
}

#[test]
fn a_browser_that_does_not_close_is_left() {
    over_both(|addr| {
        let (mut client, server) = connected(addr);
        client.write_all(b"GET / HTTP/1.0\n\n").unwrap();
        assert!(accept_http(&server, || "a page".into()).unwrap().is_none());
        drop(server);
        assert!(String::from_utf8(read_all(client)).unwrap().ends_with("\r\n\r\na page"));
    });
}

/// A timeout of five seconds would begin anew with every byte.
#[test]
fn a_head_may_take_five_seconds_however_it_is_spread() {
    over_both(|addr| {
        let (client, server) = connected(addr);
        server.set_read_timeout(Some(Duration::from_secs(600))).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let start = Instant::now();
        thread::scope(|scope| {
            let accepted = scope.spawn(move || accept_http(&server, String::new));
            while !accepted.is_finished() {
                let _ = { &client }.write_all(b"C");
                let _ = std::io::Read::read(&mut &client, &mut [0]);
            }
            assert_eq!(accepted.join().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
        });
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(60), "{took:?}");
    });
}

#[test]
fn the_read_timeout_stays_as_it_was() {
    over_both(|addr| {
        let (mut client, server) = connected(addr);
        client.write_all(b"CONNECT /_goRPC_ HTTP/1.0\n\n").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(7))).unwrap();
        accept_http(&server, String::new).unwrap();
        assert_eq!(server.read_timeout().unwrap(), Some(Duration::from_secs(7)));
    });
}
