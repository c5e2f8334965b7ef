//! HTTP: the heads of requests, and what is made of them.

#[path = "../examples/netrpc/mod.rs"]
mod netrpc;

mod common;

use common::Random;
use netrpc::http::{self, Asked};

#[test]
fn heads_of_requests() {
    let asked = |head: &str| http::asked(head, Vec::new());
    for head in [
        "CONNECT /_goRPC_ HTTP/1.0\n\n",
        "CONNECT /_goRPC_ HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT /_goRPC_?x=1 HTTP/1.0\n\n",
    ] {
        assert_eq!(asked(head), Asked::Connect(Vec::new()), "{head:?}");
    }
    assert_eq!(asked("GET /debug/rpc HTTP/1.1\r\n\r\n"), Asked::Debug);
    for (head, status) in [
        ("GET /_goRPC_ HTTP/1.0\n\n", "405 Method Not Allowed"),
        ("connect /_goRPC_ HTTP/1.0\n\n", "405 Method Not Allowed"),
        ("POST /debug/rpc HTTP/1.0\n\n", "405 Method Not Allowed"),
        ("CONNECT /_gorpc_ HTTP/1.0\n\n", "404 Not Found"),
        ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("GET /\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/2.0\r\n\r\n", "400 Bad Request"),
        ("\r\n", "400 Bad Request"),
    ] {
        assert_eq!(asked(head), Asked::Nothing(status), "{head:?}");
    }
    let ends = [
        ("\n", Some(1)),
        ("a\n\nrest", Some(3)),
        ("a\r\n\r\nrest", Some(5)),
        ("a\n\r", None),
        ("", None),
    ];
    for (bytes, end) in ends {
        assert_eq!(http::end_of_head(bytes.as_bytes()), end, "{bytes:?}");
    }
    let mut random = Random(1996);
    let pieces =
        ["CONNECT", "GET", " ", "/_goRPC_", "/debug/rpc", "HTTP/1.0", "\r\n", "\n", "?", "é", "\0"];
    for _ in 0..200_000 {
        let head: String =
            (0..random.below(9)).map(|_| pieces[random.below(pieces.len())]).collect();
        if let Some(end) = http::end_of_head(head.as_bytes()) {
            assert!(end <= head.len());
        }
        http::asked(&head, Vec::new());
    }
}
