//! gob: the bytes of a real Go, both ways, and a million that nobody sent.

use std::io::{self, Cursor, Read, Write};
use std::thread;

use streamsock::{Addr, Conn};

#[path = "../examples/netrpc/mod.rs"]
mod netrpc;

mod common;

use common::Random;
use netrpc::client::Client;
use netrpc::decode::{Message, ReceivedTypes, get_uint};
use netrpc::encode::{SentTypes, put_uint};
use netrpc::gob::{Bytes, Malformed, Record, Value};
use netrpc::http::{self, Asked};
use netrpc::stream::Stream;
use netrpc::{Nothing, Request, Response};

/// A struct with the fields of a Go one.
macro_rules! record {
    ($rust:ident = $go:literal { $($field:ident $name:literal: $type:ty),* }) => {
        #[derive(Debug, Default, PartialEq)]
        struct $rust { $($field: $type),* }

        impl Record for $rust {
            const NAME: &'static str = $go;
            const FIELDS: &'static [&'static str] = &[$($name),*];
            fn values(&self) -> Vec<&dyn Value> { vec![$(&self.$field),*] }
            fn values_mut(&mut self) -> Vec<&mut dyn Value> { vec![$(&mut self.$field),*] }
        }
    };
}

record!(Args = "Args" { a "A": i64, b "B": i64 });
record!(Quotient = "Quotient" { quo "Quo": i64, rem "Rem": i64 });
record!(Scalars = "Scalars" { b "B": bool, i "I": i64, u "U": u64, f "F": f64, s "S": String, by "By": Bytes });
record!(Flo = "Flo" { f "F": f64, z "Z": i64 });
record!(Sparse = "Sparse" { a "A": i64, b "B": i64, c "C": i64, d "D": i64, e "E": i64 });
record!(Narrow = "Narrow" {
    i8 "I8": i8, i16 "I16": i16, i32 "I32": i32, i64 "I64": i64,
    u8 "U8": u8, u16 "U16": u16, u32 "U32": u32, u64 "U64": u64, f32 "F32": f32, f64 "F64": f64
});
record!(Named = "Named" { i "I": i64, s "S": String });
record!(Inner = "Inner" { s "S": String, n "N": i64 });
record!(Outer = "Outer" { name "Name": String, inner "In": Inner, count "Count": u64 });
record!(Deep3 = "Deep3" { x "X": i64 });
record!(Deep2 = "Deep2" { d "D": Deep3 });
record!(Deep1 = "Deep1" { d "D": Deep2, e "E": Deep3 });
record!(Base = "Base" { id "ID": i64 });
record!(Derived = "Derived" { base "Base": Base, name "Name": String });
record!(Lists = "Lists" { strs "Strs": Vec<String>, ints "Ints": Vec<i64>, recs "Recs": Vec<Inner> });
record!(Tree = "Tree" { v "V": i64, kids "Kids": Vec<Tree> });
record!(Hidden = "Hidden" { a "A": i64, b "B": i64 });
record!(Last = "Last" { z "Z": i64 });
record!(First = "First" { a "A": i64, v "V": i64 });
record!(Unlike = "Unlike" { other "Other": i64 });

struct Row {
    name: String,
    go_type: String,
    value: String,
    bytes: Vec<u8>,
}

fn rows() -> Vec<Row> {
    let text = include_str!("go/vectors.tsv");
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let hex = cells[3].as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        Row {
            name: cells[0].into(),
            go_type: cells[1].into(),
            value: cells[2].into(),
            bytes: hex.map(byte).collect(),
        }
    });
    rows.collect()
}

fn row(name: &str) -> Row {
    rows().into_iter().find(|row| row.name == name).unwrap()
}

/// Reads the one value of a stream.
fn decode<V: Value + Default>(bytes: &[u8]) -> Result<V, Malformed> {
    let mut types = ReceivedTypes::default();
    let mut rest = bytes;
    loop {
        let (len, after) = get_uint(rest).unwrap()?;
        let (contents, after) = after.split_at(len as usize);
        rest = after;
        if let Message::Value(input, id) = types.message(contents)? {
            let mut value = V::default();
            input.value(id, &mut value)?;
            assert!(rest.is_empty());
            return Ok(value);
        }
    }
}

fn encode(value: &dyn Value) -> Vec<u8> {
    let mut out = Vec::new();
    SentTypes::default().write(value, &mut out);
    out
}

/// The value of a row, which encodes to the bytes that it came from.
fn both_ways<V: Value + Default>(row: &Row) -> V {
    let value: V = decode(&row.bytes).unwrap_or_else(|e| panic!("{}: {e}", row.name));
    assert_eq!(encode(&value), row.bytes, "{}", row.name);
    value
}

#[test]
fn every_row_decodes_and_encodes_or_is_refused() {
    for row in rows() {
        let (name, number) = (row.name.as_str(), row.value.split_whitespace().next().unwrap_or(""));
        match row.go_type.as_str() {
            "int" => assert_eq!(both_ways::<i64>(&row).to_string(), number, "{name}"),
            "int8" => assert_eq!(both_ways::<i8>(&row).to_string(), number),
            "int16" => assert_eq!(both_ways::<i16>(&row).to_string(), number),
            "uint" => assert_eq!(both_ways::<u64>(&row).to_string(), number, "{name}"),
            "uint8" => assert_eq!(both_ways::<u8>(&row).to_string(), number),
            "bool" => assert_eq!(both_ways::<bool>(&row).to_string(), number),
            "float64" => {
                let float = both_ways::<f64>(&row);
                match number.parse::<f64>() {
                    Ok(expected) if !expected.is_nan() => {
                        assert_eq!(float.to_bits(), expected.to_bits(), "{name}");
                    }
                    _ => assert_eq!(float.is_nan(), number == "NaN", "{name}"),
                }
            }
            "float32" => assert_eq!(both_ways::<f32>(&row), number.parse().unwrap()),
            "string" if name == "string_not_utf8" => assert!(decode::<String>(&row.bytes).is_err()),
            "string" => {
                let text = both_ways::<String>(&row);
                if let Some(quoted) = row.value.strip_prefix('"') {
                    assert!(quoted.starts_with(&format!("{text}\"")), "{name}: {text}");
                } else if let Ok(len) = number.parse() {
                    let letters: String = (b'a'..=b'z').cycle().take(len).map(char::from).collect();
                    assert_eq!(text, letters, "{name}");
                } else {
                    assert_eq!(text, "a\0b");
                }
            }
            "[]byte" => drop(both_ways::<Bytes>(&row)),
            "[]string" => drop(both_ways::<Vec<String>>(&row)),
            "[]int" => drop(both_ways::<Vec<i64>>(&row)),
            "[]uint16" => assert_eq!(both_ways::<Vec<u16>>(&row), [0, 127, 128, 65535]),
            "[]bool" => assert_eq!(both_ways::<Vec<bool>>(&row), [true, false, true]),
            "[]float64" => assert_eq!(both_ways::<Vec<f64>>(&row), [0.0, 1.0, -2.5]),
            "[][]byte" => drop(both_ways::<Vec<Bytes>>(&row)),
            "[][]string" => drop(both_ways::<Vec<Vec<String>>>(&row)),
            "[][][]int" => drop(both_ways::<Vec<Vec<Vec<i64>>>>(&row)),
            "[]Args" => drop(both_ways::<Vec<Args>>(&row)),
            "Args{A,B int}" | "*Args" => drop(both_ways::<Args>(&row)),
            "struct{}" => drop(both_ways::<Nothing>(&row)),
            go_type => match go_type.split('{').next().unwrap() {
                "Quotient" => drop(both_ways::<Quotient>(&row)),
                "Request" if !go_type.contains("},") && !go_type.contains("Request,") => {
                    both_ways::<Request>(&row);
                }
                "Response" => drop(both_ways::<Response>(&row)),
                "Scalars" => drop(both_ways::<Scalars>(&row)),
                "Flo" => drop(both_ways::<Flo>(&row)),
                "Sparse" => drop(both_ways::<Sparse>(&row)),
                "Narrow" => drop(both_ways::<Narrow>(&row)),
                "Named" => drop(both_ways::<Named>(&row)),
                "Outer" => drop(both_ways::<Outer>(&row)),
                "Deep1" => drop(both_ways::<Deep1>(&row)),
                "Derived" => drop(both_ways::<Derived>(&row)),
                "Lists" => drop(both_ways::<Lists>(&row)),
                "Tree" => drop(both_ways::<Tree>(&row)),
                "Hidden" => drop(both_ways::<Hidden>(&row)),
                // What is not supported is passed over in a field, and refused as the value.
                "WithMap" | "WithArray" | "Cplx" | "HasAny" | "HasTime" | "Ptrs" => {
                    let z = row.value.rsplit("Z ").next().unwrap()[..1].parse().unwrap();
                    assert_eq!(decode::<Last>(&row.bytes).unwrap(), Last { z }, "{name}");
                    if name == "x_interface_string" {
                        let refused = decode::<First>(&row.bytes).unwrap_err().0;
                        assert!(refused.contains("want int, got an interface"), "{refused}");
                    }
                }
                "WithBytesArray" | "Shape" | "Node" => {
                    let refused = decode::<Unlike>(&row.bytes).unwrap_err().0;
                    assert!(refused.contains("no fields matched"), "{refused}");
                }
                array if array.starts_with('[') => {
                    let refused = decode::<Vec<i64>>(&row.bytes).unwrap_err().0;
                    assert!(refused.contains("type mismatch: want"), "{name}: {refused}");
                }
                map if map.starts_with("map[") => {
                    let refused = decode::<Vec<i64>>(&row.bytes).unwrap_err().0;
                    assert!(refused.contains("got a map"), "{name}: {refused}");
                }
                "complex128" => {
                    let refused = decode::<f64>(&row.bytes).unwrap_err().0;
                    assert!(refused.contains("want float64, got complex"), "{refused}");
                }
                _ => assert!(name.starts_with("stream_") || name.starts_with("session_"), "{name}"),
            },
        }
    }
}

#[test]
fn values_of_structs() {
    assert_eq!(both_ways::<Args>(&row("args_neg")), Args { a: -1, b: -129 });
    let lists: Lists = both_ways(&row("lists_full"));
    assert_eq!((lists.strs, lists.ints), (vec!["a".to_string(), String::new()], vec![0, -1]));
    assert_eq!(lists.recs, [Inner::default(), Inner { s: "s".into(), n: 1 }]);
    let narrow: Narrow = both_ways(&row("narrow_extremes"));
    assert_eq!((narrow.i8, narrow.i32, narrow.u64), (i8::MIN, i32::MIN, u64::MAX));
    let tree: Tree = both_ways(&row("recursive_tree"));
    assert_eq!((tree.v, tree.kids[1].kids[0].v), (1, 4));
    let request: Request = both_ways(&row("request_seq300"));
    assert_eq!((&*request.service_method, request.seq), ("Arith.Multiply", 300));
}

#[test]
fn fields_match_by_name_and_must_fit() {
    record!(Renamed = "Other" { b "B": i64, extra "Extra": String });
    let decoded: Renamed = decode(&encode(&Args { a: 7, b: 8 })).unwrap();
    assert_eq!(decoded, Renamed { b: 8, extra: String::new() });
    assert_eq!(decode::<Args>(&encode(&Nothing)).unwrap(), Args::default());

    let refused = |bytes: &[u8]| decode::<Args>(bytes).unwrap_err().0;
    assert!(refused(&encode(&Unlike { other: 1 })).contains("no fields matched"));
    assert!(refused(&encode(&"Joe".to_string())).contains("want a struct, got string"));
    assert!(decode::<i8>(&encode(&300i64)).unwrap_err().0.contains("300 out of range"));
    assert!(decode::<u16>(&encode(&70_000u64)).unwrap_err().0.contains("70000 out of range"));
    assert!(decode::<f32>(&encode(&1e300)).unwrap_err().0.contains("out of range"));
    assert_eq!(decode::<f32>(&encode(&f64::INFINITY)), Ok(f32::INFINITY));
    assert!(decode::<u64>(&encode(&1i64)).unwrap_err().0.contains("want uint, got int"));
    assert!(decode::<Vec<u64>>(&encode(&vec![1i64])).is_err());
}

#[test]
fn two_types_of_one_name_are_two_types() {
    record!(Short = "Same" { a "A": i64 });
    record!(Long = "Same" { a "A": i64, b "B": String });
    let mut out = Vec::new();
    let mut sent = SentTypes::default();
    sent.write(&Short { a: 1 }, &mut out);
    out.clear();
    sent.write(&Long { a: 2, b: "b".into() }, &mut out);
    assert_eq!(decode::<Long>(&out).unwrap(), Long { a: 2, b: "b".into() });
}

/// The definition of a type that is a slice of itself, then a value that opens a level a byte.
#[test]
fn nothing_lies_too_deep_or_is_too_much() {
    let mut types = ReceivedTypes::default();
    // Type 64: a slice of 64. Then a value: 1 element, each time.
    assert!(matches!(
        types.message(b"\x7f\x02\x01\x02\xff\x80\x00\x01\xff\x80\x00\x00"),
        Ok(Message::Definition)
    ));
    let mut bytes = vec![0xff, 0x80, 0x00];
    bytes.resize(100_000, 1);
    match types.message(&bytes).unwrap() {
        Message::Value(input, id) => {
            let refused = input.value(id, &mut Vec::<Tree>::new()).unwrap_err().0;
            assert!(refused.contains("want a struct"), "{refused}");
        }
        Message::Definition => panic!(),
    }
    // Skipped in a field: struct 65 { X: type 64, Z int }.
    let definition = b"\xff\x81\x03\x01\x02\xff\x82\x00\x01\x02\x01\x01X\x01\xff\x80\x00\x01\x01Z\x01\x04\x00\x00\x00";
    assert!(matches!(types.message(definition), Ok(Message::Definition)));
    let mut bytes = vec![0xff, 0x82, 0x01];
    bytes.resize(100_000, 1);
    match types.message(&bytes).unwrap() {
        Message::Value(input, id) => {
            let refused = input.value(id, &mut Last::default()).unwrap_err().0;
            assert!(refused.contains("too deep"), "{refused}");
        }
        Message::Definition => panic!(),
    }
    assert!(types.message(definition).is_err_and(|e| e.0.contains("duplicate")));

    // A count, and a length, beyond the message.
    let long = |bytes: &[u8]| decode::<String>(bytes).unwrap_err().0;
    assert!(long(b"\x04\x0c\x00\x7fx").contains("beyond the message"));
    assert!(
        long(b"\x0c\x0c\x00\xf8\xff\xff\xff\xff\xff\xff\xff\xffx").contains("beyond the message")
    );
    // A million empty structs in a megabyte, of which each takes 200 bytes here.
    let mut out = Vec::new();
    SentTypes::default().write(&Vec::<Wide>::new(), &mut out);
    out.truncate(out.len() - 5);
    let mut contents = vec![0xff, 0x84, 0x00, 0xfd, 0x40, 0x00, 0x00];
    contents.resize(7 + (4 << 20), 0);
    put_uint(&mut out, contents.len() as u64);
    out.extend(contents);
    let refused = decode::<Vec<Wide>>(&out).unwrap_err().0;
    assert!(refused.contains("too many elements"), "{refused}");

    // The same in two slices, which take too much only together: 40 MB and 240 MB.
    let mut out = Vec::new();
    SentTypes::default().write(&Vec::<Vec<Wide>>::new(), &mut out);
    out.truncate(out.len() - 5);
    let (first, second) = ((40 << 20) / size_of::<Wide>(), (240 << 20) / size_of::<Wide>());
    let mut contents = vec![0xff, 0x86, 0x00, 2];
    for count in [first, second] {
        put_uint(&mut contents, count as u64);
        contents.resize(contents.len() + count, 0);
    }
    put_uint(&mut out, contents.len() as u64);
    out.extend(contents);
    let refused = decode::<Vec<Vec<Wide>>>(&out).unwrap_err().0;
    assert!(refused.contains("too many elements"), "{refused}");
}

record!(Wide = "Wide" { a "A": Quarter, b "B": Quarter, c "C": Quarter, d "D": Quarter });
record!(Quarter = "Quarter" { a "A": String, b "B": String, c "C": String });

/// A connection whose other end was written down.
struct Recorded {
    input: Cursor<Vec<u8>>,
    output: Vec<u8>,
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
    let mut server = netrpc::server::Server::default();
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server.register("Arith.Multiply", |args: Args| Ok(args.a * args.b));
    server.register("Arith.Divide", |args: Args| match args.b {
        0 => Err("divide by zero".into()),
        b => Ok(Quotient { quo: args.a / b, rem: args.a % b }),
    });
    for session in ["session_a", "session_b", "session_c"] {
        let input = Cursor::new(row(&format!("{session}_client")).bytes);
        let mut recorded = Recorded { input, output: Vec::new() };
        server.calls(Stream::new(&mut recorded, Vec::new()));
        assert!(recorded.output == row(&format!("{session}_server")).bytes, "{session}");
    }
}

/// What a call came to: the reply, or what the server said.
fn outcome<R: std::fmt::Debug>(result: Result<R, netrpc::client::Error>) -> String {
    match result {
        Ok(reply) => format!("{reply:?}"),
        Err(netrpc::client::Error::Server(why)) => why,
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

/// Random bytes, and random edits of what a real Go sent.
#[test]
fn a_million_random_messages() {
    let valid: Vec<Vec<u8>> =
        rows().into_iter().map(|row| row.bytes).filter(|b| b.len() < 600).collect();
    let mut random = Random(1989);
    let mut values = 0;
    for _ in 0..250_000 {
        let mut bytes = match random.below(4) {
            0 => {
                let len = random.below(40);
                random.bytes(len)
            }
            _ => valid[random.below(valid.len())].clone(),
        };
        for _ in 0..random.below(4) {
            let at = random.below(bytes.len() + 1);
            match random.below(3) {
                0 => bytes.insert(at, random.number() as u8),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ if at < bytes.len() => bytes[at] = random.number() as u8,
                _ => {}
            }
        }
        // Each stream is read as four types: a million reads of a first message and what follows.
        values += read_all::<Outer>(&bytes);
        values += read_all::<Vec<String>>(&bytes);
        values += read_all::<Scalars>(&bytes);
        values += read_all::<Tree>(&bytes);
    }
    assert!(values > 10_000, "only {values} could be read");
}

/// How many values a stream yields before it breaks.
fn read_all<V: Value + Default>(bytes: &[u8]) -> usize {
    let mut types = ReceivedTypes::default();
    let mut values = 0;
    let mut rest = bytes;
    while let Some(Ok((len, after))) = get_uint(rest) {
        let Some((contents, after)) = after.split_at_checked(len as usize) else { break };
        rest = after;
        match types.message(contents) {
            Ok(Message::Value(input, id)) => {
                values += usize::from(input.value(id, &mut V::default()).is_ok());
            }
            Ok(Message::Definition) => {}
            Err(_) => break,
        }
    }
    values
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
        let mut recorded = Recorded { input: Cursor::new(bytes), output: Vec::new() };
        let mut stream = Stream::new(&mut recorded, Vec::new());
        while let Ok(Some(())) | Err(netrpc::stream::Error::Value(_)) =
            stream.receive(&mut Request::default())
        {}
    }
}

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
