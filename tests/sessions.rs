//! Whole sessions that a real Go recorded, replayed with our server and with our client.

use std::io::{self, Cursor, Read, Write};
use std::thread;

use streamsock::{Addr, Conn};

#[path = "../examples/netrpc/mod.rs"]
mod netrpc;

mod common;
#[path = "common/go.rs"]
mod go;

use common::Random;
use go::{Args, Point, Quotient, Shape, row};
use netrpc::client::{Client, Error};
use netrpc::gob::{Bytes, Value};
use netrpc::server::Server;
use netrpc::stream::{self, Stream};
use netrpc::{Request, Response};

/// A connection whose other end was written down.
struct Recorded {
    input: Cursor<Vec<u8>>,
    output: Vec<u8>,
}

impl Recorded {
    fn new(input: Vec<u8>) -> Recorded {
        Recorded { input: Cursor::new(input), output: Vec::new() }
    }
}

impl Read for &mut Recorded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // In pieces, as a socket may.
        let piece = buf.len().min(7);
        self.input.read(&mut buf[..piece])
    }
}

impl Write for &mut Recorded {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.output.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    for session in ["session_a", "session_b", "session_c"] {
        let mut recorded = Recorded::new(row(&format!("{session}_client")).bytes);
        server.calls(Stream::new(&mut recorded, Vec::new()));
        assert!(recorded.output == row(&format!("{session}_server")).bytes, "{session}");
    }
}

/// Session (d) sends a map, which is refused as an argument, and skipped in a field, as an array is.
#[test]
fn a_session_with_what_is_not_supported() {
    let shape = Shape {
        name: "o".into(),
        origin: Point { x: -1, y: 2 },
        points: vec![Point { x: 1, y: 0 }],
        labels: vec!["x".into()],
        ..Shape::default()
    };
    let mut server = Server::default();
    server.register("Types.EchoStrings", |strings: Vec<String>| Ok(strings));
    server.register("Types.EchoMap", |not_a_map: Vec<String>| Ok(not_a_map));
    server.register("Types.EchoBytes", |bytes: Bytes| Ok(bytes));
    server.register("Types.EchoFloat", |float: f64| Ok(float));
    server.register("Types.EchoBool", |truth: bool| Ok(truth));
    server.register("Types.EchoShape", |shape: Shape| Ok(shape));
    let mut recorded = Recorded::new(row("session_d_client").bytes);
    server.calls(Stream::new(&mut recorded, Vec::new()));

    let refused = "gob: type mismatch: want a slice, got a map";
    for (answers, map_is) in [(recorded.output, refused), (row("session_d_server").bytes, "")] {
        let mut recorded = Recorded::new(answers);
        let mut stream = Stream::new(&mut recorded, Vec::new());
        assert_eq!(answer::<Vec<String>>(&mut stream), ["a", "", "ccc"]);
        assert_eq!(header(&mut stream).error, map_is);
        stream.discard().unwrap().unwrap();
        assert_eq!(answer::<Bytes>(&mut stream).0, [0, 0x7f, 0x80, 0xff]);
        assert_eq!(answer::<f64>(&mut stream), 17.0);
        assert!(!answer::<bool>(&mut stream));
        assert_eq!(answer::<Shape>(&mut stream), shape);
        assert!(stream.discard().unwrap().is_none(), "more than was asked for");
    }
}

fn header(stream: &mut Stream<&mut Recorded>) -> Response {
    let mut header = Response::default();
    stream.receive(&mut header).unwrap().unwrap();
    header
}

fn answer<V: Value + Default>(stream: &mut Stream<&mut Recorded>) -> V {
    assert_eq!(header(stream).error, "");
    let mut value = V::default();
    stream.receive(&mut value).unwrap().unwrap();
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
    let (client, mut server) = common::connected(addr);
    let far = thread::spawn({
        let answers = row(&format!("{name}_server")).bytes;
        move || {
            server.read_exact(&mut [0; 27]).unwrap();
            server.write_all(b"HTTP/1.0 200 Connected to Go RPC\n\n").unwrap();
            server.write_all(&answers).unwrap();
            common::read_all(server)
        }
    });
    let mut client = Client::new(client, |conn| conn).unwrap();
    let outcomes = calls(&mut client);
    drop(client);
    assert!(far.join().unwrap() == row(&format!("{name}_client")).bytes, "{name}");
    outcomes
}

#[test]
fn recorded_sessions_with_our_client() {
    let joe = "Joe".to_string();
    common::over_both(|addr| {
        let greet =
            |client: &mut Client<Conn>, method: &str| outcome::<String>(client.call(method, &joe));
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

/// The same through a stream, which has to notice every end.
#[test]
fn random_streams_end() {
    let client = row("session_b_client").bytes;
    let mut random = Random(2009);
    for _ in 0..5_000 {
        let mut bytes = client.clone();
        bytes.truncate(random.below(client.len() + 1));
        for _ in 0..random.below(3) {
            let at = random.below(bytes.len() + 1);
            bytes.insert(at, random.number() as u8);
        }
        let mut recorded = Recorded::new(bytes);
        let mut stream = Stream::new(&mut recorded, Vec::new());
        while let Ok(Some(())) | Err(stream::Error::Value(_)) =
            stream.receive(&mut Request::default())
        {}
    }
}
