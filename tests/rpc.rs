//! RPC: our two ends over both transports, bad clients, bad servers, and the two programs.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::process::Command;
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

#[path = "../examples/netrpc/mod.rs"]
mod netrpc;

mod common;

use common::{
    Server as Process, TempDir, example, over_both, read_all, run, watchdog, with_server,
};
use netrpc::client::{Client, Error};
use netrpc::gob::Bytes;
use netrpc::server::Server;

fn server() -> Server {
    let mut server = Server::default();
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server.register("Echo.Bytes", |bytes: Bytes| Ok(bytes));
    server.register("Bad.Luck", |why: String| {
        if why.is_empty() { panic!("part of a test") } else { Err::<bool, _>(why) }
    });
    server
}

fn with_rpc(addr: &Addr, body: impl FnOnce(&Addr)) {
    let server = server();
    with_server(addr, 100, |conn| server.serve(conn, |conn| conn), body);
}

fn greet(client: &mut Client<Conn>, name: &str) -> Result<String, Error> {
    client.call("Greeter.Greet", &name.to_string())
}

#[test]
fn calls_and_errors_take_turns() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut client = Client::dial(addr).unwrap();
            for n in 0..300 {
                assert_eq!(greet(&mut client, &n.to_string()).unwrap(), format!("Hello, {n}"));
                let failed = client.call::<bool>("Bad.Luck", &format!("no {n}")).unwrap_err();
                assert!(
                    matches!(&failed, Error::Server(why) if *why == format!("no {n}")),
                    "{failed}"
                );
            }
            for (method, expected) in [
                ("Nobody.Greet", "rpc: can't find service Nobody.Greet"),
                ("Greeter.Shout", "rpc: can't find method Greeter.Shout"),
                ("Greet", "rpc: service/method request ill-formed: Greet"),
                ("", "rpc: service/method request ill-formed: "),
            ] {
                match client.call::<String>(method, &"Joe".to_string()) {
                    Err(Error::Server(why)) => assert_eq!(why, expected),
                    other => panic!("{other:?}"),
                }
            }
            match client.call::<String>("Greeter.Greet", &7i64) {
                Err(Error::Server(why)) => {
                    assert_eq!(why, "gob: type mismatch: want string, got int")
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(greet(&mut client, "Joe").unwrap(), "Hello, Joe");
        });
    });
}

#[test]
fn a_reply_of_another_type_ends_the_connection() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut client = Client::dial(addr).unwrap();
            let failed = client.call::<i64>("Greeter.Greet", &"Joe".to_string()).unwrap_err();
            assert!(matches!(failed, Error::Connection(e) if e.kind() == ErrorKind::InvalidData));
            assert!(matches!(greet(&mut client, "Joe"), Err(Error::Connection(_))));
        });
    });
}

#[test]
fn sixteen_mebibytes_there_and_back() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut client = Client::dial(addr).unwrap();
            let bytes = Bytes(common::Random(4).bytes(16 << 20));
            let back: Bytes = client.call("Echo.Bytes", &bytes).unwrap();
            assert!(back == bytes, "what came back differs");
            assert_eq!(greet(&mut client, "Joe").unwrap(), "Hello, Joe");
        });
    });
}

#[test]
fn sixty_four_clients_at_once() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            thread::scope(|scope| {
                for n in 0..64 {
                    scope.spawn(move || {
                        let mut client = Client::dial(addr).unwrap();
                        for m in 0..50 {
                            let name = format!("{n} {m}");
                            assert_eq!(
                                greet(&mut client, &name).unwrap(),
                                format!("Hello, {name}")
                            );
                        }
                    });
                }
            });
        });
    });
}

#[test]
fn a_handler_that_panics_ends_its_connection_only() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut other = Client::dial(addr).unwrap();
            let mut client = Client::dial(addr).unwrap();
            let failed = client.call::<bool>("Bad.Luck", &String::new()).unwrap_err();
            assert_eq!(failed.to_string(), "the server has ended");
            assert_eq!(greet(&mut other, "Joe").unwrap(), "Hello, Joe");
        });
    });
}

/// What a server says to these bytes, and that it closes after.
fn said(addr: &Addr, bytes: &[u8]) -> String {
    let mut conn = Conn::connect(addr).unwrap();
    conn.write_all(bytes).unwrap();
    conn.shutdown(Shutdown::Write).unwrap();
    String::from_utf8_lossy(&read_all(conn)).into_owned()
}

#[test]
fn browsers_strangers_and_noise_are_answered_and_left() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut client = Client::dial(addr).unwrap();
            greet(&mut client, "Joe").unwrap();
            let _ = client.call::<bool>("Bad.Luck", &"why".to_string());
            let page = said(addr, b"GET /debug/rpc HTTP/1.1\r\nHost: x\r\n\r\n");
            assert!(
                page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("text/html"),
                "{page}"
            );
            let row = "<td align=left>Greet(string, *string) error</td><td align=center>1</td>";
            assert!(page.contains(row) && page.contains("Service Echo"), "{page}");

            for (request, status) in [
                ("GET /_goRPC_ HTTP/1.0\n\n", "405 Method Not Allowed"),
                ("GET /nowhere HTTP/1.1\r\n\r\n", "404 Not Found"),
                ("good day\n\n", "400 Bad Request"),
                (&"x".repeat(20_000), "431 Request Header Fields Too Large"),
            ] {
                let answer = said(addr, request.as_bytes());
                assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{answer}");
            }
            // Calls that are none: no answer after the handshake's.
            let handshake = "HTTP/1.0 200 Connected to Go RPC\n\n";
            for noise in ["\u{80}\u{81}", "\0", "GET / HTTP/1.1\r\n\r\n", "\x7f"] {
                let bytes = [b"CONNECT /_goRPC_ HTTP/1.0\n\n", noise.as_bytes()].concat();
                assert_eq!(said(addr, &bytes), handshake, "{noise:?}");
            }
            assert_eq!(greet(&mut client, "Joe").unwrap(), "Hello, Joe");
        });
    });
}

/// A head that drips is not waited for: five seconds, however it is spread.
#[test]
fn a_client_that_drips_is_left() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut conn = Conn::connect(addr).unwrap();
            conn.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            loop {
                if conn.write_all(b"C").is_err() {
                    break;
                }
                match conn.read(&mut [0; 100]) {
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                    Ok(n) => {
                        assert_eq!(n, 0);
                        break;
                    }
                    Err(e) => {
                        assert_eq!(e.kind(), ErrorKind::ConnectionReset);
                        break;
                    }
                }
            }
        });
    });
}

/// The listener here says what a server should not.
#[test]
fn bad_servers() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = &listener.local_addr().unwrap();
        let dialled = |answer: &str| {
            thread::scope(|scope| {
                let client = scope.spawn(|| Client::dial(bound));
                let (mut conn, _) = listener.accept().unwrap();
                conn.read_exact(&mut [0; 27]).unwrap();
                conn.write_all(answer.as_bytes()).unwrap();
                drop(conn);
                client.join().unwrap()
            })
        };
        let refused = dialled("HTTP/1.1 404 Not Found\r\n\r\n").err().unwrap().to_string();
        assert!(
            refused.contains("does not speak net/rpc: it answers \"HTTP/1.1 404 Not Found\""),
            "{refused}"
        );
        assert!(dialled("HTTP/1.0 200 OK\n\n").is_err());
        assert_eq!(dialled("HTTP/1.0 200 Conn").err().unwrap().kind(), ErrorKind::UnexpectedEof);
        assert!(dialled("HTTP/1.1  200 Connected to Go RPC\r\nX: y\r\n\r\n").is_ok());

        // Gone in the middle of a call.
        thread::scope(|scope| {
            let call = scope.spawn(|| greet(&mut Client::dial(bound).unwrap(), "Joe"));
            let (mut conn, _) = listener.accept().unwrap();
            conn.read_exact(&mut [0; 27]).unwrap();
            conn.write_all(b"HTTP/1.0 200 Connected to Go RPC\n\n").unwrap();
            conn.read_exact(&mut [0; 73]).unwrap();
            conn.write_all(b"\x39\x7f\x03").unwrap();
            drop(conn);
            assert_eq!(call.join().unwrap().unwrap_err().to_string(), "the server has ended");
        });
    });
}

fn rpc_server(args: &[&str], addrs: usize) -> Process {
    Process::start(Command::new(example("rpc_server")).args(args), addrs)
}

#[test]
fn the_programs() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let unix = format!("unix:{}", dir.join("s").display());
    for spin in [&[][..], &["--spin", "50"]] {
        let server = rpc_server(&[&[&*unix, "tcp:127.0.0.1:0"], spin].concat(), 2);
        for addr in &server.addrs {
            let client = |args: &[&str]| {
                let mut client = Command::new(example("rpc_client"));
                run(client.arg(addr.to_string()).args(args).args(spin))
            };
            assert_eq!(client(&[]), (Some(0), "Hello, Joe\n".into(), "".into()));
            assert_eq!(client(&["Ann"]).1, "Hello, Ann\n");
            let (code, stdout, _) = client(&["-n", "100"]);
            let lines: Vec<&str> = stdout.lines().collect();
            assert_eq!((code, lines[0]), (Some(0), "Hello, Joe"));
            assert!(
                lines[1].starts_with("100 calls, ") && lines[1].ends_with("s each"),
                "{stdout}"
            );
        }
        drop(server);
        let (code, _, stderr) = run(Command::new(example("rpc_client")).arg(&unix));
        assert_eq!(code, Some(1));
        assert!(stderr.starts_with(&format!("rpc_client: {unix}: ")), "{stderr}");
    }
    for (name, args) in [("rpc_server", &["--fast"][..]), ("rpc_client", &["-n", "0"])] {
        let (code, stdout, stderr) = run(Command::new(example(name)).args(args));
        assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(2), "", 2), "{stderr}");
        assert_eq!(run(Command::new(example(name)).arg("--help")).0, Some(0));
    }
}
