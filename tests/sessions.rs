//! Whole sessions that a real Go recorded, replayed with our server and with our client.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use streamsock::{Addr, Conn, Listener};

#[path = "../examples/netrpc"]
mod netrpc {
    pub mod arith;
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
#[path = "common/go.rs"]
mod go;
#[macro_use]
#[path = "common/structs.rs"]
mod structs;

use common::{connected, over_both, read_all};
use netrpc::arith::{Args, Quotient};
use netrpc::client::{Client, Error, Limits};
use netrpc::decode::Memory;
use netrpc::gob::{Decode, record};
use netrpc::server::Server;
use netrpc::stream::{Response, Stream, buffered};
use netrpc::wire;

go_struct!(Point = "Point" { x = "X": i64, y = "Y": i64 });
// Without the array `Colour` that Go's has.
go_struct!(Shape = "Shape" {
    name = "Name": String, closed = "Closed": bool, origin = "Origin": Point, points = "Points": Vec<Point>,
    tags = "Tags": BTreeMap<String, i64>, blob = "Blob": Vec<u8>, scale = "Scale": f64, count = "Count": u64, labels = "Labels": Vec<String>
});

const CONNECT: &[u8] = b"CONNECT /_goRPC_ HTTP/1.0\n\n";
const CONNECTED: &[u8] = b"HTTP/1.0 200 Connected to Go RPC\n\n";

/// The bytes of the row of that name.
fn row(name: &str) -> Vec<u8> {
    go::rows().find(|row| row.0 == name).unwrap().3
}

/// A connection that brings a few bytes at a time.
struct Pieces(Conn);

impl Read for Pieces {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let piece = buf.len().min(7);
        self.0.read(&mut buf[..piece])
    }
}

impl Write for Pieces {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What a server answers to the client's part of a session: after CONNECT, and without it.
fn answers(addr: &Addr, server: &Server, session: &str) -> Vec<u8> {
    let calls = row(&format!("{session}_client"));
    let session = |calls: &[u8], serve: &(dyn Fn(Conn) -> io::Result<()> + Sync)| {
        let (mut client, conn) = connected(addr);
        thread::scope(|scope| {
            let served = scope.spawn(move || serve(conn));
            client.write_all(calls).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let answers = read_all(client);
            served.join().unwrap().unwrap();
            answers
        })
    };
    let after_http = session(&[CONNECT, &calls].concat(), &|conn| server.serve_http(conn));
    let raw = session(&calls, &|conn| server.serve_calls(buffered(Pieces(conn))));
    assert!(after_http == [CONNECTED, &raw].concat());
    raw
}

#[test]
fn recorded_sessions_with_our_server() {
    let mut server = Server::default();
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server.register("Arith.Multiply", |args: Args| Ok(args.a * args.b));
    server.register("Arith.Divide", |args: Args| match args.b {
        0 => Err("divide by zero".into()),
        b => Ok(Quotient { quo: args.a / b, rem: args.a % b }),
    });
    over_both(|addr| {
        for session in ["session_a", "session_b", "session_c"] {
            let expected = row(&format!("{session}_server"));
            assert!(answers(addr, &server, session) == expected, "{session}");
        }
    });
}

/// Session (d) sends an array in a field, which is skipped.
#[test]
fn a_session_with_what_is_not_supported() {
    let mut server = Server::default();
    server.register("Types.EchoStrings", |strings: Vec<String>| Ok(strings));
    server.register("Types.EchoMap", |map: BTreeMap<String, i64>| Ok(map));
    server.register("Types.EchoBytes", |bytes: Vec<u8>| Ok(bytes));
    server.register("Types.EchoFloat", |float: f64| Ok(float));
    server.register("Types.EchoBool", |truth: bool| Ok(truth));
    server.register("Types.EchoShape", |shape: Shape| Ok(shape));
    over_both(|addr| {
        let ours = answers(addr, &server, "session_d");
        for answers in [ours, row("session_d_server")] {
            let (mut far, near) = Conn::pair().unwrap();
            far.write_all(&answers).unwrap();
            drop(far);
            let memory = Memory::new(&Arc::new(AtomicU64::new(256 << 20)), 64 << 20);
            let stream = &mut Stream::new(buffered(Pieces(near)), memory);
            assert_eq!(answer::<Vec<String>>(stream), ["a", "", "ccc"]);
            assert_eq!(
                answer::<BTreeMap<String, i64>>(stream),
                BTreeMap::from([("one".into(), 1)])
            );
            assert_eq!(answer::<Vec<u8>>(stream), [0, 0x7f, 0x80, 0xff]);
            assert_eq!(answer::<f64>(stream), 17.0);
            assert!(!answer::<bool>(stream));
            let shape = Shape {
                name: "o".into(),
                origin: Point { x: -1, y: 2 },
                points: vec![Point { x: 1, y: 0 }],
                labels: vec!["x".into()],
                ..Shape::default()
            };
            assert_eq!(answer::<Shape>(stream), shape);
            let Err(wire::Error::Stream(e)) = stream.receive(None) else { panic!() };
            assert_eq!(e.kind(), ErrorKind::UnexpectedEof);
        }
    });
}

fn answer<V: Decode + Default>(stream: &mut Stream<Pieces>) -> V {
    let mut header = Response::default();
    stream.receive(Some(&mut header)).unwrap();
    assert_eq!(header.error.to_string(), "");
    let mut value = V::default();
    stream.receive(Some(&mut value)).unwrap();
    value
}

/// What a call came to: the reply, or what the server said.
fn outcome<R: std::fmt::Debug>(result: Result<R, Error>) -> String {
    match result {
        Ok(reply) => format!("{reply:?}"),
        Err(Error::Server(why)) => why,
        Err(e) => panic!("{e}"),
    }
}

/// The server's words are all there before the first call, and the client's are read at the end.
fn session(
    addr: &Addr,
    name: &str,
    calls: impl Fn(&mut Client<Conn>) -> Vec<String>,
) -> Vec<String> {
    let listener = Listener::bind(addr).unwrap();
    let bound = listener.local_addr().unwrap();
    let far = thread::spawn({
        let answers = row(&format!("{name}_server"));
        move || {
            let (mut server, _) = listener.accept().unwrap();
            server.read_exact(&mut [0; 27]).unwrap();
            server.write_all(CONNECTED).unwrap();
            server.write_all(&answers).unwrap();
            read_all(server)
        }
    });
    let mut client = Client::dial(&bound, &Limits::default()).unwrap();
    let outcomes = calls(&mut client);
    drop(client);
    assert!(far.join().unwrap() == row(&format!("{name}_client")), "{name}");
    outcomes
}

#[test]
fn recorded_sessions_with_our_client() {
    over_both(|addr| {
        let greet = |client: &mut Client<Conn>, method: &str| {
            outcome::<String>(client.call(method, &"Joe"))
        };
        let greetings = session(addr, "session_a", |client| {
            vec![greet(client, "Greeter.Greet"), greet(client, "Greeter.Greet")]
        });
        assert_eq!(greetings, ["\"Hello, Joe\""; 2]);

        let sums = session(addr, "session_b", |client| {
            let product = client.call::<i64>("Arith.Multiply", &Args { a: 7, b: 8 });
            let mut outcomes = vec![outcome(product)];
            for (a, b) in [(17, 8), (1, 0), (0, 5), (1, 0)] {
                outcomes.push(outcome(client.call::<Quotient>("Arith.Divide", &Args { a, b })));
            }
            outcomes
        });
        let [two_one, zero] =
            [(2, 1), (0, 0)].map(|(quo, rem)| format!("{:?}", Quotient { quo, rem }));
        assert_eq!(sums, ["56", &two_one, "divide by zero", &zero, "divide by zero"]);

        let refusals = session(addr, "session_c", |client| {
            let methods = ["Nobody.Greet", "Greeter.Shout", "Greet", "Greeter.Greet"];
            methods.iter().map(|method| greet(client, method)).collect()
        });
        assert_eq!(refusals[0], "rpc: can't find service Nobody.Greet");
        assert_eq!(refusals[3], "\"Hello, Joe\"");
    });
}
