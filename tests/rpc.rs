//! RPC: our two ends over both transports, bad clients and bad servers. The two programs are in `rpc_programs.rs`.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener, Spin};

#[path = "../examples/netrpc"]
mod netrpc {
    pub mod client;
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
#[macro_use]
#[path = "common/structs.rs"]
mod structs;

#[cfg(target_os = "linux")]
use common::watchdog;
use common::{connected, over_both, read_all, with_server};
use netrpc::client::{Client, Error, Limits};
use netrpc::encode::Types;
use netrpc::gob::{Encode, record};
use netrpc::server::Server;
use netrpc::stream::{Request, Response, buffered};

fn server() -> Server {
    let mut server = Server::default();
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server.register("Echo.Bytes", |bytes: Vec<u8>| Ok(bytes));
    server.register("Bad.Luck", |why: String| {
        if why.is_empty() { panic!("part of a test") } else { Err::<bool, _>(why) }
    });
    server
}

fn with_rpc(addr: &Addr, body: impl FnOnce(&Addr)) {
    with_this(&server(), addr, body);
}

fn with_this(server: &Server, addr: &Addr, body: impl FnOnce(&Addr)) {
    with_server(addr, 100, |conn| drop(server.serve_http(conn)), body);
}

fn dial(addr: &Addr) -> Result<Client<Conn>, Error> {
    Client::dial(addr, &Limits::default())
}

fn greet(client: &mut Client<Conn>, name: &str) -> Result<String, Error> {
    client.call("Greeter.Greet", &name)
}

#[test]
fn calls_and_errors_take_turns() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut client = dial(addr).unwrap();
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
                match client.call::<String>(method, &"Joe") {
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
            let mut client = dial(addr).unwrap();
            let failed = client.call::<i64>("Greeter.Greet", &"Joe").unwrap_err();
            assert!(matches!(failed, Error::Connection(e) if e.kind() == ErrorKind::InvalidData));
            assert!(matches!(greet(&mut client, "Joe"), Err(Error::Connection(_))));
        });
    });
}

#[test]
fn sixteen_mebibytes_there_and_back() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut client = dial(addr).unwrap();
            let bytes = common::Random(4).bytes(16 << 20);
            let back: Vec<u8> = client.call("Echo.Bytes", &bytes).unwrap();
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
                        let mut client = dial(addr).unwrap();
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
            let mut other = dial(addr).unwrap();
            // A panic that prints its backtrace may take longer than ten seconds.
            let limits = Limits { call: None, ..Limits::default() };
            let mut client = Client::dial(addr, &limits).unwrap();
            let failed = client.call::<bool>("Bad.Luck", &"").unwrap_err();
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
            let mut client = dial(addr).unwrap();
            greet(&mut client, "Joe").unwrap();
            let _ = client.call::<bool>("Bad.Luck", &"why");
            let page = said(addr, b"GET /debug/rpc HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(said(addr, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), page);
            assert!(
                page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("text/html"),
                "{page}"
            );
            let row = "<td>Greeter.Greet</td><td align=right>1</td>";
            assert!(page.contains(row) && page.contains("<td>Echo.Bytes</td>"), "{page}");

            // HEAD gets the same without the body.
            for request in ["/debug/rpc HTTP/1.1\r\nHost: x\r\n\r\n", "/nowhere HTTP/1.0\r\n\r\n"] {
                let whole = said(addr, format!("GET {request}").as_bytes());
                let head = said(addr, format!("HEAD {request}").as_bytes());
                let end = whole.find("\r\n\r\n").unwrap() + 4;
                assert_eq!(head, whole[..end]);
            }

            for (request, status) in [
                ("GET /_goRPC_ HTTP/1.0\n\n", "405 Method Not Allowed"),
                ("GET /nowhere HTTP/1.1\r\n\r\n", "404 Not Found"),
                ("good day\n\n", "400 Bad Request"),
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

const CONNECT: &[u8] = b"CONNECT /_goRPC_ HTTP/1.0\n\n";

/// Serves one connection, which has shaken hands, and says why it ended.
fn served(addr: &Addr, server: &Server, client: impl FnOnce(&mut Conn)) -> std::io::Result<()> {
    let (mut conn, far) = connected(addr);
    thread::scope(|scope| {
        let ended = scope.spawn(|| server.serve_http(far));
        conn.write_all(CONNECT).unwrap();
        conn.read_exact(&mut [0; 34]).unwrap();
        client(&mut conn);
        ended.join().unwrap()
    })
}

fn call(types: &mut Types, method: &str, argument: &dyn Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    types.write(&Request { service_method: method.into(), seq: 0 }, &mut bytes);
    types.write(argument, &mut bytes);
    bytes
}

#[test]
fn a_client_that_says_nothing_is_left() {
    over_both(|addr| {
        let mut server = server();
        assert_eq!(server.idle, Duration::from_secs(60));
        server.idle = Duration::from_millis(200);
        let ended = served(addr, &server, |conn| assert_eq!(conn.read(&mut [0]).unwrap(), 0));
        assert_eq!(ended.unwrap_err().to_string(), "the peer took too long");
    });
}

/// A timeout would begin anew with each byte.
#[test]
fn a_call_that_drips_is_left() {
    over_both(|addr| {
        let mut server = server();
        server.call_time = Duration::from_millis(200);
        let ended = served(addr, &server, |conn| {
            conn.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
            conn.write_all(b"\xfd\x3f\xff\xff").unwrap();
            loop {
                let _ = conn.write_all(b"\x02"); // it may be closed
                match conn.read(&mut [0]) {
                    Err(e)
                        if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                    _ => break,
                }
            }
        });
        assert_eq!(ended.unwrap_err().to_string(), "the peer took too long");
    });
}

/// The time begins with a call: a client may wait between two for as long as `idle`.
#[test]
fn a_client_may_take_its_time_between_calls() {
    over_both(|addr| {
        let mut server = server();
        server.call_time = Duration::from_secs(3);
        let ended = served(addr, &server, |conn| {
            let mut types = Types::default();
            for pause in [Duration::ZERO, server.call_time + Duration::from_millis(200)] {
                thread::sleep(pause);
                conn.write_all(&call(&mut types, "Greeter.Greet", &"Joe")).unwrap();
                let mut answer = [0; 33];
                conn.read_exact(&mut answer).unwrap();
            }
            conn.shutdown(Shutdown::Write).unwrap();
        });
        ended.unwrap();
    });
}

/// Empty is what a reply without an error has.
#[test]
fn an_error_without_a_text_reaches_the_client_as_one() {
    over_both(|addr| {
        let mut server = server();
        server.register("Bad.Word", |_: ()| Err::<(), _>(String::new()));
        with_this(&server, addr, |addr| {
            let mut client = dial(addr).unwrap();
            match client.call::<()>("Bad.Word", &()) {
                Err(Error::Server(why)) => assert_eq!(why, "(no text)"),
                other => panic!("{other:?}"),
            }
            assert_eq!(greet(&mut client, "Joe").unwrap(), "Hello, Joe");
        });
    });
}

/// A Go error may hold the name of a file in Latin-1, and a method's name anything.
#[test]
fn bytes_that_are_no_utf8_in_a_header_cost_nothing() {
    over_both(|addr| {
        let server = server();
        let mut answers = Vec::new();
        let mut types = Types::default();
        let mut bytes = Vec::new();
        let service_method = b"Greeter.Gr\xfc\xdf".to_vec().into();
        types.write(&Request { service_method, seq: 0 }, &mut bytes);
        types.write(&"Joe", &mut bytes);
        let next = call(&mut types, "Greeter.Greet", &"Joe");
        let ended = served(addr, &server, |conn| {
            conn.write_all(&[bytes, next].concat()).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
            answers = read_all(conn);
        });
        ended.unwrap();
        let text = String::from_utf8_lossy(&answers);
        assert!(
            text.contains("can't find method Greeter.Gr") && text.contains("Hello, Joe"),
            "{text}"
        );

        let (mut far, near) = Conn::pair().unwrap();
        let mut answers = Vec::new();
        let mut types = Types::default();
        let error = b"open /tmp/M\xfcll: no such file".to_vec().into();
        types.write(&Response { service_method: "X.Y".into(), seq: 0, error }, &mut answers);
        types.write(&(), &mut answers);
        types.write(&Response { seq: 1, ..Response::default() }, &mut answers);
        types.write(&"Hello, Joe", &mut answers);
        far.write_all(&answers).unwrap();
        let mut client = Client::new(buffered(near), &Limits::default());
        match client.call::<String>("X.Y", &"Joe") {
            Err(Error::Server(why)) => assert_eq!(why, "open /tmp/M\u{fffd}ll: no such file"),
            other => panic!("{other:?}"),
        }
        assert_eq!(greet(&mut client, "Joe").unwrap(), "Hello, Joe");
    });
}

/// Calls without HTTP before them, over anything that can be read and written.
#[test]
fn calls_without_http() {
    over_both(|addr| {
        let (near, far) = connected(addr);
        let server = server();
        thread::scope(|scope| {
            let served = scope.spawn(|| server.serve_calls(buffered(Spin::new(far, SPIN))));
            let near = Spin::new(near, SPIN);
            let mut client = Client::new(buffered(near), &Limits::default());
            for n in 0..100 {
                let greeting: String = client.call("Greeter.Greet", &n.to_string()).unwrap();
                assert_eq!(greeting, format!("Hello, {n}"));
            }
            drop(client);
            served.join().unwrap().unwrap();
        });
    });
}

const SPIN: Duration = Duration::from_micros(50);

#[test]
fn nobody_listens() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        drop(listener);
        for connect in [None, Some(Duration::MAX), Some(Duration::from_secs(100))] {
            let limits = Limits { connect, ..Limits::default() };
            let Err(Error::Connection(e)) = Client::dial(&bound, &limits) else { panic!() };
            assert!(matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused), "{e}");
            assert!(e.raw_os_error().is_some(), "the system's code is lost: {e}");
        }
    });
}

/// connect(2) waits here: the backlog, 128 over TCP, is full.
#[test]
#[cfg(target_os = "linux")]
fn connecting_takes_no_longer_than_its_limit() {
    let _watchdog = watchdog();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    let patience = Duration::from_millis(500);
    while let Ok(conn) = std::net::TcpStream::connect_timeout(&place, patience) {
        queued.push(conn);
    }
    let addr: Addr = format!("tcp:{place}").parse().unwrap();
    let limits = Limits { connect: Some(Duration::from_millis(200)), ..Limits::default() };
    let failed = Client::dial(&addr, &limits).err().unwrap();
    assert_eq!(failed.to_string(), "the server does not answer");
}

/// Ten seconds, if nobody says otherwise; here it is fewer.
#[test]
fn what_does_the_client_say_of_a_method_that_takes_too_long_and_when() {
    assert_eq!(Limits::default().call, Some(Duration::from_secs(10)));
    let mut server = server();
    let (given_up, patience) = std::sync::mpsc::channel();
    let patience = std::sync::Mutex::new(patience);
    server.register("Slow.Wait", move |_: ()| {
        patience.lock().unwrap().recv().unwrap(); // until the client has given up
        Ok(())
    });
    over_both(|addr| {
        with_this(&server, addr, |addr| {
            let limits = Limits { call: Some(Duration::from_millis(100)), ..Limits::default() };
            let mut client = Client::dial(addr, &limits).unwrap();
            let failed = client.call::<()>("Slow.Wait", &()).unwrap_err();
            assert_eq!(failed.to_string(), "the server does not answer");
            // Its connection is of no more use: the reply may still come.
            assert!(matches!(greet(&mut client, "Joe"), Err(Error::Connection(_))));
            given_up.send(()).unwrap();
            // For ever is long enough.
            let limits = Limits { call: None, ..Limits::default() };
            let mut client = Client::dial(addr, &limits).unwrap();
            given_up.send(()).unwrap();
            client.call::<()>("Slow.Wait", &()).unwrap();
        });
    });
}

#[test]
fn a_reply_may_have_so_many_bytes_and_no_more() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let limits = Limits { max_message: 10_000, ..Limits::default() };
            for (len, fits) in [(9_995, true), (9_996, false)] {
                let mut client = Client::dial(addr, &limits).unwrap();
                let reply = client.call::<Vec<u8>>("Echo.Bytes", &vec![0u8; len]);
                assert_eq!(reply.is_ok(), fits, "{len}");
            }
        });
    });
}

#[test]
fn a_client_that_does_not_take_its_answers_is_left() {
    over_both(|addr| {
        let mut server = server();
        server.idle = Duration::from_millis(200);
        let text = "x".repeat(10_000);
        let ended = served(addr, &server, |conn| {
            let mut types = Types::default();
            while conn.write_all(&call(&mut types, "Greeter.Greet", &text)).is_ok() {}
        });
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::TimedOut);
    });
}

/// The client may not see why: it may still be writing when the connection ends.
#[test]
fn an_argument_that_is_too_long_ends_the_connection() {
    over_both(|addr| {
        let mut server = server();
        server.max_message = 10_000;
        for (len, why) in [
            (9_995, None),
            (9_996, Some("gob: a message of 10001 bytes; the limit is 10000")),
            (20 << 20, Some("gob: a message of 20971527 bytes; the limit is 10000")),
        ] {
            let bytes = call(&mut Types::default(), "Echo.Bytes", &vec![0u8; len]);
            let ended = served(addr, &server, |conn| {
                let _ = conn.write_all(&bytes); // it may be closed
                let _ = conn.shutdown(Shutdown::Write);
                let _ = conn.read_to_end(&mut Vec::new());
            });
            assert_eq!(ended.err().map(|e| e.to_string()).as_deref(), why);
        }
    });
}

/// The call is refused, and the next one succeeds.
#[test]
fn a_name_that_is_too_long_is_not_repeated() {
    over_both(|addr| {
        with_rpc(addr, |addr| {
            let mut client = dial(addr).unwrap();
            let name = "é".repeat(4_000);
            let failed = client.call::<String>(&name, &"Joe").unwrap_err().to_string();
            assert_eq!(failed, "rpc: service/method request ill-formed: (8000 bytes)");
            let longest = format!("Greeter.{}", "x".repeat(1_016));
            let failed = client.call::<String>(&longest, &"Joe").unwrap_err().to_string();
            assert_eq!(failed, format!("rpc: can't find method {longest}"));
            assert_eq!(greet(&mut client, "Joe").unwrap(), "Hello, Joe");
        });
    });
}

/// What is defined before an argument, and makes no sense, is answered, and ends the connection.
#[test]
fn a_definition_that_is_refused_ends_the_connection() {
    over_both(|addr| {
        let server = server();
        let mut bytes = call(&mut Types::default(), "Greeter.Greet", &"");
        bytes.truncate(bytes.len() - 4);
        bytes.extend(b"\x0e\xff\x81\x03\x01\x02\xff\x82\x00\x01\xfc\x10\x00\x00\x00");
        let mut answer = Vec::new();
        let ended = served(addr, &server, |conn| {
            conn.write_all(&bytes).unwrap();
            answer = read_all(conn);
        });
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::QuotaExceeded);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains("more than the connections may hold"), "{text}");
    });
}

/// The value of an interface may be defined in its middle, and goes on in another message.
#[test]
fn an_argument_in_several_messages_is_read_to_its_end_though_nobody_wants_it() {
    go_struct!(Anything = "HasAny" { v = "V": i64 });
    go_struct!(Other = "Other" { z = "Z": i64 });
    over_both(|addr| {
        let mut server = server();
        server.register("Read.Z", |other: Other| Ok(other.z));
        server.register("Read.V", |anything: Anything| Ok(anything.v));
        let session = |method: &str| {
            let mut bytes = call(&mut Types::default(), method, &"");
            bytes.truncate(bytes.len() - 4);
            // The definition of HasAny is 65 here, and that of Extra 66.
            bytes.extend(b"\x26\xff\x81\x03\x01\x01\x06HasAny\x01\xff\x82\x00\x01\x03");
            bytes
                .extend(b"\x01\x01A\x01\x04\x00\x01\x01V\x01\x10\x00\x01\x01Z\x01\x04\x00\x00\x00");
            bytes.extend(b"\x29\xff\x82\x01\x02\x01\x0amain.Extra\xff\x83\x03\x01\x01\x05Extra");
            bytes.extend(b"\x01\xff\x84\x00\x01\x01\x01\x01N\x01\x04\x00\x00\x00");
            bytes.extend(b"\x09\xff\x84\x03\x01\x0a\x00\x01\x06\x00");
            bytes
        };
        let next = b"\x14\xff\x80\x01\x0dGreeter.Greet\x01\x07\x00\x06\x0c\x00\x03Joe";
        for (method, answered) in [
            ("Read.Z", "\u{3}\u{4}\0\u{6}"),
            ("Read.V", "want int, got an interface"),
            ("Read.Nothing", "can't find method Read.Nothing"),
        ] {
            let mut answers = Vec::new();
            let ended = served(addr, &server, |conn| {
                conn.write_all(&[&*session(method), next].concat()).unwrap();
                conn.shutdown(Shutdown::Write).unwrap();
                answers = read_all(conn);
            });
            ended.unwrap();
            let text = String::from_utf8_lossy(&answers);
            assert!(text.contains(answered) && text.contains("Hello, Joe"), "{method}: {text:?}");
        }
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
                let client = scope.spawn(|| {
                    dial(bound).map_err(|e| match e {
                        Error::Connection(e) => e,
                        Error::Server(_) => panic!(),
                    })
                });
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

        // Silent: before the calls, and in one.
        let short = Some(Duration::from_millis(200));
        thread::scope(|scope| {
            let limits = Limits { connect: short, ..Limits::default() };
            let client = scope.spawn(move || Client::dial(bound, &limits));
            let (_silent, _) = listener.accept().unwrap();
            let e = client.join().unwrap().err().unwrap();
            assert_eq!(e.to_string(), "the server does not answer");
        });
        thread::scope(|scope| {
            let limits = Limits { call: short, ..Limits::default() };
            let call =
                scope.spawn(move || greet(&mut Client::dial(bound, &limits).unwrap(), "Joe"));
            let (mut silent, _) = listener.accept().unwrap();
            silent.write_all(b"HTTP/1.0 200 Connected to Go RPC\n\n").unwrap();
            let failed: Box<dyn std::error::Error> = call.join().unwrap().unwrap_err().into();
            assert_eq!(failed.to_string(), "the server does not answer");
        });
        // A byte now and then is no answer.
        thread::scope(|scope| {
            let limits = Limits { call: short, ..Limits::default() };
            let call =
                scope.spawn(move || greet(&mut Client::dial(bound, &limits).unwrap(), "Joe"));
            let (mut slow, _) = listener.accept().unwrap();
            slow.write_all(b"HTTP/1.0 200 Connected to Go RPC\n\n").unwrap();
            // 16 MiB are announced.
            slow.write_all(b"\xfd\xff\xff\xff").unwrap();
            while !call.is_finished() {
                let _ = slow.write_all(b"\x02"); // it may have given up
                thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(call.join().unwrap().unwrap_err().to_string(), "the server does not answer");
        });
        // Gone in the middle of a call.
        thread::scope(|scope| {
            let call = scope.spawn(|| greet(&mut dial(bound).unwrap(), "Joe"));
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

#[test]
fn what_does_the_page_show_of_subtract_once_it_is_registered_and_called() {
    go_struct!(Args = "Args" { a = "A": i64, b = "B": i64 });
    over_both(|addr| {
        let mut server = server();
        server.register("Arith.Subtract", |args: Args| Ok(args.a - args.b));
        with_this(&server, addr, |addr| {
            let mut client = dial(addr).unwrap();
            let args = Args { a: 5, b: 8 };
            assert_eq!(client.call::<i64>("Arith.Subtract", &args).unwrap(), -3);
            let page = said(addr, b"GET /debug/rpc HTTP/1.0\r\n\r\n");
            let row = "<td>Arith.Subtract</td><td align=right>1</td>";
            assert!(page.contains(row), "{page}");
        });
    });
}

#[test]
fn what_has_the_first_call_that_the_second_has_not() {
    let mut types = Types::default();
    let first = call(&mut types, "Greeter.Greet", &"Joe");
    let second = call(&mut types, "Greeter.Greet", &"Joe");
    let definition = first.strip_suffix(&*second).unwrap();
    assert!(definition.len() == 47 && definition[5..].starts_with(b"\x07Request"));
    assert_eq!(first.len(), 73);
    assert_eq!(second.len() + 2, 28); // with the number of the call, which is 0 here and left out
}

#[test]
fn why_does_a_wrong_argument_cost_one_call_and_a_wrong_header_the_connection() {
    over_both(|addr| {
        let server = server();
        // An answer is for a number, which is in the header.
        let mut answers = Vec::new();
        let mut types = Types::default();
        let argument = call(&mut types, "Greeter.Greet", &7i64);
        let after = call(&mut types, "Greeter.Greet", &"Joe");
        let ended = served(addr, &server, |conn| {
            conn.write_all(&[argument, after].concat()).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
            answers = read_all(conn);
        });
        ended.unwrap();
        let text = String::from_utf8_lossy(&answers);
        assert!(text.contains("want string, got int") && text.contains("Hello, Joe"), "{text}");

        let mut header = Vec::new();
        Types::default().write(&7i64, &mut header);
        let ended = served(addr, &server, |conn| {
            conn.write_all(&header).unwrap();
            assert_eq!(conn.read(&mut [0]).unwrap(), 0);
        });
        assert!(ended.unwrap_err().to_string().contains("want a struct, got int"));
    });
}
