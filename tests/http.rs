//! HTTP: what a request's head asks for, how long it may be and take, and how it is answered.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use streamsock::{Addr, Conn};

#[path = "../examples/netrpc"]
mod netrpc {
    pub mod decode;
    pub mod definitions;
    pub mod encode;
    pub mod gob;
    pub mod http;
    pub mod http_server;
    pub mod server;
    pub mod stream;
    pub mod wire;
}

mod common;
#[path = "common/go.rs"]
mod go;

use common::{Random, connected, over_both, read_all};
use go::rows;
use netrpc::http_server::Request;
use netrpc::server::Server;

#[test]
fn first_lines_of_requests() {
    for (line, expected) in [
        ("CONNECT /_goRPC_ HTTP/1.0", Request::Calls),
        ("CONNECT /_goRPC_ HTTP/1.1", Request::Calls),
        ("CONNECT /_goRPC_?x=1 HTTP/1.0", Request::Calls),
        ("GET /debug/rpc HTTP/1.1", Request::Page),
        ("GET / HTTP/1.1", Request::Page),
        ("HEAD / HTTP/1.1", Request::Page),
        ("GET /_goRPC_ HTTP/1.0", Request::NotAllowed),
        ("HEAD /_goRPC_ HTTP/1.0", Request::NotAllowed),
        ("connect /_goRPC_ HTTP/1.0", Request::NotAllowed),
        ("POST /debug/rpc HTTP/1.0", Request::NotAllowed),
        ("CONNECT /_gorpc_ HTTP/1.0", Request::NotFound),
        ("GET /debug HTTP/1.1", Request::NotFound),
        ("GET /", Request::NoHttp),
        ("GET / HTTP/2.0", Request::NoHttp),
        ("GET  / HTTP/1.0", Request::NoHttp),
        ("", Request::NoHttp),
    ] {
        assert_eq!(Request::parse(line), expected, "{line:?}");
    }
    let mut random = Random(1996);
    let pieces = ["CONNECT", "GET", " ", "/_goRPC_", "/debug/rpc", "HTTP/1.0", "?", "é", "\0"];
    for _ in 0..200_000 {
        let line: String =
            (0..random.below(9)).map(|_| pieces[random.below(pieces.len())]).collect();
        Request::parse(&line);
    }
}

const CONNECTED: &str = "HTTP/1.0 200 Connected to Go RPC\n\n";

fn server() -> Server {
    let mut server = Server::default();
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server
}

/// How a server ends that gets a request, which is there before it begins but for what `later` writes, and
/// its answer. The client says no more than that.
fn answered(
    addr: &Addr,
    request: &[u8],
    later: impl FnOnce(&mut Conn),
) -> (io::Result<()>, Vec<u8>) {
    let (mut client, conn) = connected(addr);
    client.write_all(request).unwrap();
    thread::scope(|scope| {
        let served = scope.spawn(move || server().serve_http(conn));
        later(&mut client);
        client.shutdown(Shutdown::Write).unwrap();
        let answer = read_all(client);
        (served.join().unwrap(), answer)
    })
}

/// Calls that come with the head are read, too. A Go server would drop them.
#[test]
fn lines_end_with_lf_or_crlf_and_what_comes_after_them_belongs_to_the_calls() {
    over_both(|addr| {
        let first_call = rows().find(|row| row.0 == "stream_call").unwrap().3;
        for head in ["\n\n", "\r\n\r\n", "\n\r\n", "\r\nHost: x\r\n\r\n"] {
            let request = format!("CONNECT /_goRPC_ HTTP/1.0{head}");
            let (served, answer) =
                answered(addr, &[request.as_bytes(), &first_call].concat(), |_| {});
            served.unwrap();
            assert!(answer.starts_with(CONNECTED.as_bytes()) && answer.ends_with(b"Hello, Joe"));
        }
        let cut_off = |head: &[u8]| answered(addr, head, |_| {}).0.unwrap_err().kind();
        assert_eq!(cut_off(b"CONNECT /_goRPC_ HTTP/1.0\n"), ErrorKind::UnexpectedEof);
        assert_eq!(cut_off(b""), ErrorKind::UnexpectedEof);
    });
}

/// However the bytes fall into reads, and whether the head ends or not.
#[test]
fn a_head_has_8192_bytes_at_most() {
    over_both(|addr| {
        for (len, ends, fits) in [
            (8_191, true, true),
            (8_192, true, true),
            (8_193, true, false),
            (9_000, true, false),
            (8_192, false, false),
        ] {
            let mut request = b"GET / HTTP/1.0\nX: ".to_vec();
            request.resize(len, b'x');
            if ends {
                request[len - 2..].fill(b'\n');
            }
            for first in [1, 600, len] {
                let (served, answer) = answered(addr, &request[..first], |client| {
                    // So that the first read finds no more, as a rule.
                    let soon = Instant::now() + Duration::from_millis(2);
                    while Instant::now() < soon {
                        thread::yield_now();
                    }
                    client.write_all(&request[first..]).unwrap();
                });
                let answer = String::from_utf8(answer).unwrap();
                let what = format!("{len} bytes, {first} first, ends: {ends}");
                assert_eq!(answer.starts_with("HTTP/1.1 200 OK\r\n"), fits, "{what}");
                if !fits {
                    assert_eq!(answer, "", "{what}");
                    let why = served.unwrap_err().to_string();
                    assert!(why.ends_with("longer than 8192 bytes"), "{what}: {why}");
                }
            }
        }
    });
}

/// A server that closes with bytes unread resets the connection, and the client may miss the answer.
#[test]
fn an_answer_arrives_though_the_client_says_more_than_it_was_asked() {
    over_both(|addr| {
        let request = [b"GET /nowhere HTTP/1.1\r\n\r\n", &[b'x'; 20_000][..]].concat();
        let (served, answer) = answered(addr, &request, |_| {});
        served.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
        assert!(head.ends_with("Content-Length: 19\r\nConnection: close"), "{head}");
        assert_eq!(body, "404 page not found\n");
    });
}

#[test]
fn a_browser_that_does_not_close_is_left() {
    over_both(|addr| {
        let (mut client, conn) = connected(addr);
        client.write_all(b"GET / HTTP/1.0\n\n").unwrap();
        server().serve_http(conn).unwrap();
        assert!(String::from_utf8(read_all(client)).unwrap().ends_with("</table>\n"));
    });
}

/// A timeout would begin anew with every byte.
#[test]
fn a_head_may_take_so_long_however_it_is_spread() {
    over_both(|addr| {
        let mut server = server();
        assert_eq!(server.head_time, Duration::from_secs(5));
        server.head_time = Duration::from_millis(300);
        let (mut client, conn) = connected(addr);
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        thread::scope(|scope| {
            let served = scope.spawn(|| server.serve_http(conn));
            while !served.is_finished() {
                let _ = client.write_all(b"C"); // it may be closed
                let _ = client.read(&mut [0]); // which waits
            }
            assert_eq!(served.join().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
        });
    });
}

/// Silence is bounded, too.
#[test]
fn a_client_that_never_asks_is_left() {
    over_both(|addr| {
        let mut server = server();
        server.head_time = Duration::from_millis(100);
        let (_client, conn) = connected(addr);
        assert_eq!(server.serve_http(conn).unwrap_err().kind(), ErrorKind::TimedOut);
    });
}
