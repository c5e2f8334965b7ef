//! Foreign peers of the RPC: a real Go at either end, and curl. All of it is ignored by default, for
//! those who lack these programs.

use std::collections::BTreeMap;
use std::io::{self, BufReader, BufWriter, Cursor, Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, mpsc};
use std::thread;

use streamsock::{Addr, Conn};

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
#[path = "common/go.rs"]
mod go;
#[macro_use]
#[path = "common/structs.rs"]
mod structs;

use common::{Random, Server, TempDir, example, over_both, run, watchdog, with_server};
use go::rows;
use netrpc::client::{Client, Error, Limits};
use netrpc::decode::Memory;
use netrpc::encode::Types;
use netrpc::gob::{Decode, Encode, GoString, record};
use netrpc::server::Server as RpcServer;
use netrpc::stream::{Stream, buffered};

fn dial(addr: &Addr) -> Client<Conn> {
    Client::dial(addr, &Limits::default()).unwrap()
}

fn rpc_server(args: &[&str], addrs: usize) -> Server {
    Server::start(Command::new(example("rpc_server")).args(args), addrs)
}

fn greet(client: &mut Client<Conn>, name: &str) -> Result<String, Error> {
    client.call("Greeter.Greet", &name)
}

/// The Go peer of this folder, built by the `go` that is in PATH.
fn go_peer(dir: &TempDir) -> Command {
    let peer = dir.join("peer");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go/main.go");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&peer).arg(source).env("GO111MODULE", "off");
    let (code, _, stderr) = run(&mut go);
    assert_eq!(code, Some(0), "{stderr}");
    Command::new(peer)
}

#[test]
#[ignore = "needs go"]
fn a_go_client_calls_our_server() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s").display().to_string();
    let server = rpc_server(&[&path, "tcp:127.0.0.1:0"], 2);
    let Addr::Tcp { port, .. } = &server.addrs[1] else { panic!() };
    for args in [["unix", &path], ["tcp", &format!("127.0.0.1:{port}")]] {
        let (code, stdout, stderr) = run(go_peer(&dir).arg("call").args(args));
        assert_eq!((code, stdout.as_str()), (Some(0), "all is well\n"), "{stderr}");
    }
}

/// What `rpc_server` has not.
#[test]
#[ignore = "needs go"]
fn a_go_client_calls_a_server_of_maps_and_without_http() {
    let dir = TempDir::new();
    let mut server = RpcServer::default();
    server.register("Odd.Count", |words: Vec<String>| {
        let mut counts = BTreeMap::new();
        for word in words {
            *counts.entry(word).or_default() += 1;
        }
        Ok::<BTreeMap<String, i64>, _>(counts)
    });
    server.register("Odd.Sum", |counts: BTreeMap<String, i64>| Ok(counts.values().sum::<i64>()));
    server.register("Odd.Nothing", |_: ()| Ok(()));
    server.register("Odd.NoText", |_: ()| Err::<(), _>(String::new()));
    for (http, how) in [(true, "http"), (false, "raw")] {
        let handler = |conn| match http {
            true => server.serve_http(conn).unwrap(),
            false => server.serve_calls(buffered(conn)).unwrap(),
        };
        over_both(|addr| {
            with_server(addr, 10, handler, |addr| {
                let text = addr.to_string();
                let (network, place) = text.split_once(':').unwrap();
                let (code, stdout, stderr) = run(go_peer(&dir).args(["odd", network, place, how]));
                assert_eq!((code, stdout.as_str()), (Some(0), "all is well\n"), "{stderr}");
            });
        });
    }
}

#[test]
#[ignore = "needs go"]
fn our_client_calls_a_go_server() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    for args in [["unix", &dir.join("g").display().to_string()], ["tcp", "127.0.0.1:0"]] {
        let server = Server::start(go_peer(&dir).arg("serve").args(args), 1);
        let mut client = dial(&server.addrs[0]);
        for n in 0..100 {
            assert_eq!(greet(&mut client, &n.to_string()).unwrap(), format!("Hello, {n}"));
            match client.call::<String>("Greeter.Shout", &"Joe") {
                Err(Error::Server(why)) => assert_eq!(why, "rpc: can't find method Greeter.Shout"),
                other => panic!("{other:?}"),
            }
        }
        let words = ["a", "b", "a"].map(String::from).to_vec();
        let counts: BTreeMap<String, i64> = client.call("Odd.Count", &words).unwrap();
        assert_eq!(counts, BTreeMap::from([("a".into(), 2), ("b".into(), 1)]));
        assert_eq!(client.call::<i64>("Odd.Sum", &counts).unwrap(), 3);
        client.call::<()>("Odd.Nothing", &()).unwrap();
        match client.call::<()>("Odd.Latin1", &()) {
            Err(Error::Server(why)) => assert_eq!(why, "open M\u{fffd}ll"),
            other => panic!("{other:?}"),
        }
        let large = "x".repeat(1 << 20);
        assert_eq!(greet(&mut client, &large).unwrap(), format!("Hello, {large}"));
        drop(server);
        assert!(matches!(greet(&mut client, "Joe"), Err(Error::Connection(_))));
    }
}

go_struct!(Inner = "Inner" { s = "S": String, n = "N": i64 });
go_struct!(Lists = "Lists" {
    strs = "Strs": Vec<String>, ints = "Ints": Vec<i64>, recs = "Recs": Vec<Inner>,
    blob = "Blob": Vec<u8>, deep = "Deep": Vec<Vec<u16>>
});
go_struct!(Narrow = "Narrow" {
    i8 = "I8": i8, i16 = "I16": i16, i32 = "I32": i32, i64 = "I64": i64, u8 = "U8": u8, u16 = "U16": u16,
    u32 = "U32": u32, u64 = "U64": u64, f32 = "F32": f32, f64 = "F64": f64, b = "B": bool
});
go_struct!(Maps = "Maps" {
    numbers = "Numbers": BTreeMap<String, i64>, names = "Names": BTreeMap<i8, Vec<String>>,
    recs = "Recs": BTreeMap<String, Inner>
});
go_struct!(Tree = "Tree" { v = "V": i64, kids = "Kids": Vec<Tree>, inner = "In": Inner });

/// A number of any size, small ones as often as large ones, and zero as often as others.
fn any(random: &mut Random) -> u64 {
    if random.below(4) == 0 { 0 } else { random.number() >> random.below(64) }
}

fn some<T>(random: &mut Random, mut make: impl FnMut(&mut Random) -> T) -> Vec<T> {
    (0..random.below(4)).map(|_| make(random)).collect()
}

fn text(random: &mut Random) -> String {
    some(random, |random| ['a', '\0', 'é', '世', '😀'][random.below(5)]).into_iter().collect()
}

fn inner(random: &mut Random) -> Inner {
    Inner { s: text(random), n: any(random) as i64 }
}

fn lists(random: &mut Random) -> Lists {
    Lists {
        strs: some(random, text),
        ints: some(random, |random| any(random) as i64),
        recs: some(random, inner),
        blob: some(random, |random| any(random) as u8),
        deep: some(random, |random| some(random, |random| any(random) as u16)),
    }
}

fn narrow(random: &mut Random) -> Narrow {
    let mut number = || any(random);
    Narrow {
        i8: number() as i8,
        i16: number() as i16,
        i32: number() as i32,
        i64: number() as i64,
        u8: number() as u8,
        u16: number() as u16,
        u32: number() as u32,
        u64: number(),
        f32: f32::from_bits(number() as u32),
        f64: f64::from_bits(number()),
        b: number() > 0,
    }
}

fn tree(random: &mut Random, depth: usize) -> Tree {
    let kids = if depth == 0 { Vec::new() } else { some(random, |random| tree(random, depth - 1)) };
    Tree { v: any(random) as i64, kids, inner: inner(random) }
}

fn map<T>(random: &mut Random, mut make: impl FnMut(&mut Random) -> T) -> BTreeMap<String, T> {
    some(random, |random| (text(random), make(random))).into_iter().collect()
}

fn maps(random: &mut Random) -> Maps {
    Maps {
        numbers: map(random, |random| any(random) as i64),
        names: some(random, |random| (any(random) as i8, some(random, text))).into_iter().collect(),
        recs: map(random, inner),
    }
}

/// The types of `decodeStreams` in main.go.
fn value(kind: u8, random: &mut Random) -> Box<dyn Encode> {
    match kind {
        0 => Box::new(narrow(random)),
        1 => Box::new(lists(random)),
        2 => Box::new(tree(random, 3)),
        3 => Box::new(some(random, lists)),
        4 => Box::new(text(random)),
        6 => Box::new(maps(random)),
        7 => Box::new(map(random, |random| map(random, |random| any(random) as u16))),
        8 => Box::new(GoString(some(random, |random| any(random) as u8))),
        _ => Box::new(some(random, |random| f32::from_bits(any(random) as u32))),
    }
}

fn empty(kind: u8) -> Box<dyn Decode> {
    match kind {
        0 => Box::new(Narrow::default()),
        1 => Box::new(Lists::default()),
        2 => Box::new(Tree::default()),
        3 => Box::new(Vec::<Lists>::new()),
        4 => Box::new(String::new()),
        6 => Box::new(Maps::default()),
        7 => Box::new(BTreeMap::<String, BTreeMap<String, u16>>::new()),
        8 => Box::new(GoString::default()),
        _ => Box::new(Vec::<f32>::new()),
    }
}

fn encoded(value: &dyn Encode) -> Vec<u8> {
    let mut out = Vec::new();
    Types::default().write(value, &mut out);
    out
}

/// Up to three values of a stream, each encoded anew, and why there are no more.
fn decoded(kind: u8, bytes: &[u8]) -> (Vec<Vec<u8>>, String) {
    let memory = Memory::new(&Arc::new(AtomicU64::new(256 << 20)), 64 << 20);
    let mut stream = Stream::new(buffered(Cursor::new(bytes.to_vec())), memory);
    let mut values = Vec::new();
    while values.len() < 3 {
        let mut value = empty(kind);
        if let Err(e) = stream.receive(Some(&mut *value)) {
            return (values, io::Error::from(e).to_string());
        }
        values.push(encoded(&*value));
    }
    (values, String::new())
}

/// What Go says of a stream: the same, but encoded by Go, whose numbers for types are others.
fn decoded_by_go(kind: u8, answers: &mut impl Read) -> (Vec<Vec<u8>>, String) {
    let mut values = Vec::new();
    loop {
        let (mut what, mut len) = ([0], [0; 4]);
        answers.read_exact(&mut what).unwrap();
        answers.read_exact(&mut len).unwrap();
        let mut contents = vec![0; u32::from_be_bytes(len) as usize];
        answers.read_exact(&mut contents).unwrap();
        if what == *b"e" {
            return (values, String::from_utf8_lossy(&contents).into_owned());
        }
        let (ours, why) = decoded(kind, &contents);
        values.push(ours.into_iter().next().unwrap_or(why.into_bytes()));
    }
}

/// A value of the type 0, which no type has.
const ID_0: &[u8] = b"\x03\x00\x00\x00";
/// What we refuse and Go takes.
const WE_REFUSE: [&str; 5] =
    ["not UTF-8", "not defined", "two types", "empty definition", "duplicate or reserved"];
/// What Go refuses although no value is of it.
const GO_REFUSES: [&str; 2] = ["undefined type", "empty name"];

/// 300,000 streams of values, half of them with random edits, are the same values to us and to Go,
/// or wrong to both, but for what gob.rs documents.
#[test]
#[ignore = "needs go"]
fn random_streams_are_to_go_what_they_are_to_us() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let mut go = go_peer(&dir);
    let mut go = go.arg("gob").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut to_go = BufWriter::new(go.stdin.take().unwrap());
    let mut from_go = BufReader::new(go.stdout.take().unwrap());
    let seed = std::env::var("STREAMSOCK_SEED").map_or(2012, |seed| seed.parse().unwrap());
    let (cases, checked) = mpsc::sync_channel(1_000);
    thread::scope(|scope| {
        scope.spawn(move || {
            let rows = rows().map(|row| row.3).filter(|bytes| bytes.len() < 600);
            let others = [ID_0.to_vec(), encoded(&Vec::<String>::new())];
            let recorded: Vec<Vec<u8>> = rows.chain(others).collect();
            let mut random = Random(seed);
            for number in 0..300_000 {
                let kind = random.below(9) as u8;
                let mut stream = Vec::new();
                if number % 8 == 0 {
                    stream.clone_from(&recorded[random.below(recorded.len())]);
                } else {
                    let mut types = Types::default();
                    for _ in 0..1 + random.below(2) {
                        types.write(&*value(kind, &mut random), &mut stream);
                    }
                }
                for _ in 0..(number % 2) * random.below(4) {
                    let at = random.below(stream.len() + 1);
                    match random.below(3) {
                        0 => stream.insert(at, random.number() as u8),
                        1 if at < stream.len() => drop(stream.remove(at)),
                        _ if at < stream.len() => stream[at] = random.number() as u8,
                        _ => {}
                    }
                }
                to_go.write_all(&[kind]).unwrap();
                to_go.write_all(&(stream.len() as u32).to_be_bytes()).unwrap();
                to_go.write_all(&stream).unwrap();
                cases.send((kind, stream)).unwrap();
            }
        });
        let (mut values, mut not_utf8) = (0, 0);
        for (kind, stream) in checked {
            let (ours, our_end) = decoded(kind, &stream);
            let (theirs, their_end) = decoded_by_go(kind, &mut from_go);
            values += ours.len();
            assert!(stream != ID_0 || theirs.is_empty(), "Go takes the id 0");
            if ours == theirs {
                continue;
            }
            not_utf8 += usize::from(our_end.ends_with("not UTF-8"));
            let documented = WE_REFUSE.iter().any(|why| our_end.contains(why))
                || GO_REFUSES.iter().any(|why| their_end.contains(why))
                // One of Go's own types, 16 to 24, that has nothing in common with ours.
                || theirs.get(ours.len()).is_some_and(|value| *value == encoded(&*empty(kind)));
            if !documented {
                panic!("{our_end:?}, {their_end:?}: {stream:02x?}, of type {kind}");
            }
        }
        println!("{values} values are the same, {not_utf8} are not UTF-8");
        assert!(values > 200_000);
    });
    go.wait().unwrap();
}

#[test]
#[ignore = "needs curl"]
fn curl_reads_the_page() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s").display().to_string();
    let _server = rpc_server(&[&path], 1);
    let curl = |args: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "--unix-socket", &path, "-w", " %{http_code}"])
            .args(args);
        run(&mut curl)
    };
    let (code, page, _) = curl(&["http://localhost/debug/rpc"]);
    assert!(code == Some(0) && page.ends_with(" 200") && page.contains("Arith.Divide"), "{page}");
    assert_eq!(curl(&["http://localhost/"]).1, page);
    assert!(curl(&["http://localhost/debug"]).1.ends_with("404 page not found\n 404"));
    assert!(curl(&["http://localhost/_goRPC_"]).1.ends_with("405 must CONNECT\n 405"));
    // Curl sends HEAD, and waits for no body.
    let (code, head, _) = curl(&["-I", "http://localhost/debug/rpc"]);
    assert!(
        code == Some(0) && head.starts_with("HTTP/1.1 200") && head.ends_with(" 200"),
        "{head}"
    );
    assert!(curl(&["-X", "DELETE", "http://localhost/debug/rpc"]).1.ends_with(" 405"));
}
