//! The lesson `http_get`, with a server of the test's own and with `rpc_server`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Command;
use std::thread;

use streamsock::{Addr, Listener};

mod common;

use common::{Server, example, over_both, run};

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
