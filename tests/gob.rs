//! gob: the bytes of a real Go, both ways, the limits, and a million messages that nobody sent.

use std::collections::BTreeMap;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

#[path = "../examples/netrpc"]
mod netrpc {
    pub mod arith;
    pub mod decode;
    pub mod definitions;
    pub mod encode;
    pub mod gob;
    pub mod stream;
    pub mod wire;
}

mod common;
#[path = "common/go.rs"]
mod go;
#[macro_use]
#[path = "common/structs.rs"]
mod structs;

use common::{Random, watchdog};
use go::rows;
use netrpc::arith::{Args, Quotient};
use netrpc::decode::Memory;
use netrpc::encode::Types;
use netrpc::gob::{Decode, Encode, GoString, record};
use netrpc::stream::{Request, Response, Stream, buffered};
use netrpc::wire::{Error, put_uint};

go_struct!(Scalars = "Scalars" { b = "B": bool, i = "I": i64, u = "U": u64, f = "F": f64, s = "S": String, by = "By": Vec<u8> });
go_struct!(Flo = "Flo" { f = "F": f64, z = "Z": i64 });
go_struct!(Sparse = "Sparse" { a = "A": i64, b = "B": i64, c = "C": i64, d = "D": i64, e = "E": i64 });
go_struct!(Narrow = "Narrow" {
    i8 = "I8": i8, i16 = "I16": i16, i32 = "I32": i32, i64 = "I64": i64,
    u8 = "U8": u8, u16 = "U16": u16, u32 = "U32": u32, u64 = "U64": u64, f32 = "F32": f32, f64 = "F64": f64
});
go_struct!(Named = "Named" { i = "I": i64, s = "S": String });
go_struct!(Inner = "Inner" { s = "S": String, n = "N": i64 });
go_struct!(Outer = "Outer" { name = "Name": String, inner = "In": Inner, count = "Count": u64 });
go_struct!(Deep3 = "Deep3" { x = "X": i64 });
go_struct!(Deep2 = "Deep2" { d = "D": Deep3 });
go_struct!(Deep1 = "Deep1" { d = "D": Deep2, e = "E": Deep3 });
go_struct!(Base = "Base" { id = "ID": i64 });
go_struct!(Derived = "Derived" { base = "Base": Base, name = "Name": String });
go_struct!(Lists = "Lists" { strs = "Strs": Vec<String>, ints = "Ints": Vec<i64>, recs = "Recs": Vec<Inner> });
go_struct!(Tree = "Tree" { v = "V": i64, kids = "Kids": Vec<Tree> });
go_struct!(Hidden = "Hidden" { a = "A": i64, b = "B": i64 });
go_struct!(WithMap = "WithMap" { m = "M": BTreeMap<String, i64>, z = "Z": i64 });
go_struct!(Last = "Last" { z = "Z": i64 });
go_struct!(First = "First" { a = "A": i64, v = "V": i64 });
go_struct!(Unlike = "Unlike" { other = "Other": i64 });

/// A connection whose other end has written all that it ever will. It reads in pieces, and every
/// other read is interrupted.
struct Written {
    input: Cursor<Vec<u8>>,
    interrupted: bool,
    output: Vec<u8>,
}

impl Read for Written {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let piece = buf.len().min(7.max(buf.len() / 2));
        self.input.read(&mut buf[..piece])
    }
}

impl Write for Written {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.output.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const MAX_MESSAGE: usize = 64 << 20;

fn stream(bytes: Vec<u8>) -> Stream<Written> {
    limited(bytes, MAX_MESSAGE)
}

fn limited(bytes: Vec<u8>, max_message: usize) -> Stream<Written> {
    with_memory(bytes, Memory::new(&budget(256 << 20), max_message))
}

fn with_memory(bytes: Vec<u8>, memory: Memory) -> Stream<Written> {
    let written = Written { input: Cursor::new(bytes), interrupted: false, output: Vec::new() };
    Stream::new(buffered(written), memory)
}

fn memory(bytes: u64) -> Memory {
    Memory::new(&budget(bytes), MAX_MESSAGE)
}

fn budget(bytes: u64) -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(bytes))
}

fn decode<V: Decode + Default>(bytes: &[u8]) -> Result<V, Error> {
    read(&mut stream(bytes.to_vec()))
}

fn read<V: Decode + Default>(stream: &mut Stream<Written>) -> Result<V, Error> {
    let mut value = V::default();
    stream.receive(Some(&mut value))?;
    Ok(value)
}

/// Why these bytes are no such value.
fn refused<V: Decode + Default + std::fmt::Debug>(bytes: &[u8]) -> String {
    match decode::<V>(bytes) {
        Err(Error::Value(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Why nothing more can be read.
fn broken<V: Decode + Default + std::fmt::Debug>(bytes: &[u8]) -> (ErrorKind, String) {
    match decode::<V>(bytes) {
        Err(Error::Stream(e)) => (e.kind(), e.to_string()),
        other => panic!("{other:?}"),
    }
}

fn encode(value: &dyn Encode) -> Vec<u8> {
    let mut out = Vec::new();
    Types::default().write(value, &mut out);
    out
}

/// A message, with its length before it.
fn message(contents: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    put_uint(&mut message, contents.len() as u64);
    [&*message, contents].concat()
}

/// The definition of a struct, 64, of so many fields with names of `len` bytes, all of type `id`.
fn definition(count: usize, len: usize, id: u8) -> Vec<u8> {
    let mut contents = b"\x7f\x03\x01\x02\xff\x80\x00\x01".to_vec();
    put_uint(&mut contents, count as u64);
    for number in 0..count {
        contents.push(1);
        put_uint(&mut contents, len as u64);
        let digits = number.to_string();
        contents.extend(b"X".repeat(len - digits.len().min(len)));
        contents.extend(&digits.as_bytes()[digits.len() - digits.len().min(len)..]);
        contents.extend([1, id, 0]);
    }
    contents.extend([0, 0]);
    message(&contents)
}

/// The bytes of the row of that name.
fn row(name: &str) -> Vec<u8> {
    rows().find(|row| row.0 == name).unwrap().3
}

/// The value of a row, which encodes to the bytes that it came from.
fn both_ways<V: Decode + Default>(name: &str) -> V {
    let bytes = row(name);
    let value: V = decode(&bytes).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    assert_eq!(encode(&value), bytes, "{name}");
    value
}

#[test]
fn every_row_decodes_and_encodes_or_is_refused() {
    for (name, go_type, words, bytes) in rows() {
        let number = words.split_whitespace().next().unwrap_or("");
        match go_type {
            "int" => assert_eq!(both_ways::<i64>(name).to_string(), number, "{name}"),
            "int8" => assert_eq!(both_ways::<i8>(name).to_string(), number),
            "int16" => assert_eq!(both_ways::<i16>(name).to_string(), number),
            "uint" => assert_eq!(both_ways::<u64>(name).to_string(), number, "{name}"),
            "uint8" => assert_eq!(both_ways::<u8>(name).to_string(), number),
            "bool" => assert_eq!(both_ways::<bool>(name).to_string(), number),
            "float64" => {
                let float = both_ways::<f64>(name);
                match number.parse::<f64>() {
                    Ok(expected) if !expected.is_nan() => {
                        assert_eq!(float.to_bits(), expected.to_bits(), "{name}");
                    }
                    _ => assert_eq!(float.is_nan(), number == "NaN", "{name}"),
                }
            }
            "float32" => assert_eq!(both_ways::<f32>(name), number.parse().unwrap()),
            "string" if name == "string_not_utf8" => {
                assert!(refused::<String>(&bytes).contains("not UTF-8"));
                assert_eq!(both_ways::<GoString>(name), GoString(vec![0xff, 0xfe, 0x80]));
            }
            "string" => {
                let text = both_ways::<String>(name);
                if let Some(quoted) = words.strip_prefix('"') {
                    assert!(quoted.starts_with(&format!("{text}\"")), "{name}: {text}");
                } else if let Ok(len) = number.parse() {
                    let letters: String = (b'a'..=b'z').cycle().take(len).map(char::from).collect();
                    assert_eq!(text, letters, "{name}");
                } else {
                    assert_eq!(text, "a\0b");
                }
            }
            "[]byte" => drop(both_ways::<Vec<u8>>(name)),
            "[]string" => drop(both_ways::<Vec<String>>(name)),
            "[]int" => drop(both_ways::<Vec<i64>>(name)),
            "[]uint16" => assert_eq!(both_ways::<Vec<u16>>(name), [0, 127, 128, 65535]),
            "[]bool" => assert_eq!(both_ways::<Vec<bool>>(name), [true, false, true]),
            "[]float64" => assert_eq!(both_ways::<Vec<f64>>(name), [0.0, 1.0, -2.5]),
            "[][]byte" => drop(both_ways::<Vec<Vec<u8>>>(name)),
            "[][]string" => drop(both_ways::<Vec<Vec<String>>>(name)),
            "[][][]int" => drop(both_ways::<Vec<Vec<Vec<i64>>>>(name)),
            "[]map[string]int" => drop(both_ways::<Vec<BTreeMap<String, i64>>>(name)),
            "map[string]int" if name == "map_string_int_two" => {
                let numbers: BTreeMap<String, i64> = decode(&bytes).unwrap();
                assert_eq!(numbers, BTreeMap::from([("one".into(), 1), ("two".into(), 2)]));
            }
            "map[string]int" => {
                let numbers = both_ways::<BTreeMap<String, i64>>(name);
                assert!(
                    words.contains(&format!("{numbers:?}")) || numbers.is_empty(),
                    "{numbers:?}"
                );
            }
            "map[int]string" => {
                let texts = both_ways::<BTreeMap<i32, String>>(name);
                assert_eq!(texts, BTreeMap::from([(-5, "neg".into())]));
            }
            "map[uint]bool" => {
                assert_eq!(both_ways::<BTreeMap<u16, bool>>(name), BTreeMap::from([(300, true)]));
            }
            "map[bool]float64" => {
                assert_eq!(both_ways::<BTreeMap<bool, f64>>(name), BTreeMap::from([(false, 0.5)]));
            }
            "map[string][]string" => drop(both_ways::<BTreeMap<String, Vec<String>>>(name)),
            // Go leaves out the name of a struct in a map.
            "map[string]Inner" => {
                let records: BTreeMap<String, Inner> = decode(&bytes).unwrap();
                assert_eq!(records["k"], Inner { s: "s".into(), n: 1 });
            }
            "map[string]map[string]int" => {
                drop(both_ways::<BTreeMap<String, BTreeMap<String, i64>>>(name));
            }
            "[]Args" => drop(both_ways::<Vec<Args>>(name)),
            "Args{A,B int}" | "*Args" => drop(both_ways::<Args>(name)),
            "struct{}" => both_ways::<()>(name),
            "[]HasAny" => {
                let values = decode::<Vec<Last>>(&bytes).unwrap();
                assert_eq!(values, [1, 2, 3, 4].map(|z| Last { z }), "{name}");
            }
            _ => match go_type.split('{').next().unwrap() {
                "Quotient" => drop(both_ways::<Quotient>(name)),
                "Request" if !go_type.contains("},") && !go_type.contains("Request,") => {
                    both_ways::<Request>(name);
                }
                "Response" if !go_type.contains("},") && !go_type.contains("Response,") => {
                    both_ways::<Response>(name);
                }
                "Scalars" => drop(both_ways::<Scalars>(name)),
                "Flo" => drop(both_ways::<Flo>(name)),
                "Sparse" => drop(both_ways::<Sparse>(name)),
                "Narrow" => drop(both_ways::<Narrow>(name)),
                "Named" => drop(both_ways::<Named>(name)),
                "Outer" => drop(both_ways::<Outer>(name)),
                "Deep1" => drop(both_ways::<Deep1>(name)),
                "Derived" => drop(both_ways::<Derived>(name)),
                "Lists" => drop(both_ways::<Lists>(name)),
                "Tree" => drop(both_ways::<Tree>(name)),
                "Hidden" => drop(both_ways::<Hidden>(name)),
                // What is not supported is passed over in a field, and refused as the value. Go does
                // not get over new types in an interface that lies in another, either.
                "HasAny" if name == "x_interface_nested" => {
                    assert!(refused::<Last>(&bytes).contains("beyond the last"));
                }
                // Nobody can tell an empty map from a nil one here.
                "WithMap" if name == "map_field_empty" => {
                    assert_eq!(
                        decode::<WithMap>(&bytes).unwrap(),
                        WithMap { z: 1, ..WithMap::default() }
                    );
                }
                "WithMap" => drop(both_ways::<WithMap>(name)),
                "WithArray" | "Cplx" | "HasAny" | "HasTime" | "Ptrs" => {
                    let z = words.rsplit("Z ").next().unwrap()[..1].parse().unwrap();
                    let mut stream = stream(bytes.clone());
                    for _ in 0..go_type.matches("HasAny").count().max(1) {
                        assert_eq!(read::<Last>(&mut stream).unwrap(), Last { z }, "{name}");
                    }
                    if go_type.starts_with("HasAny") {
                        let why = refused::<First>(&bytes);
                        assert!(why.contains("want int, got an interface"), "{why}");
                    }
                }
                "WithBytesArray" | "Shape" | "Node" => {
                    let why = refused::<Unlike>(&bytes);
                    assert!(why.contains("no fields matched"), "{why}");
                }
                array if array.starts_with('[') => {
                    let why = refused::<Vec<i64>>(&bytes);
                    assert!(why.contains("type mismatch: want"), "{name}: {why}");
                }
                "complex128" => {
                    let why = refused::<f64>(&bytes);
                    assert!(why.contains("want float64, got complex"), "{why}");
                }
                _ => assert!(name.starts_with("stream_") || name.starts_with("session_"), "{name}"),
            },
        }
    }
}

#[test]
fn values_of_structs() {
    assert_eq!(both_ways::<Args>("args_neg"), Args { a: -1, b: -129 });
    let lists: Lists = both_ways("lists_full");
    assert_eq!((lists.strs, lists.ints), (vec!["a".to_string(), String::new()], vec![0, -1]));
    assert_eq!(lists.recs, [Inner::default(), Inner { s: "s".into(), n: 1 }]);
    let narrow: Narrow = both_ways("narrow_extremes");
    assert_eq!((narrow.i8, narrow.i32, narrow.u64), (i8::MIN, i32::MIN, u64::MAX));
    let tree: Tree = both_ways("recursive_tree");
    assert_eq!((tree.v, tree.kids[1].kids[0].v), (1, 4));
    let request: Request = both_ways("request_seq300");
    assert_eq!((request.service_method, request.seq), ("Arith.Multiply".into(), 300));
    assert_eq!(encode(&"Joe"), encode(&"Joe".to_string()));
}

#[test]
fn fields_match_by_name_and_must_fit() {
    go_struct!(Renamed = "Other" { b = "B": i64, extra = "Extra": String });
    let decoded: Renamed = decode(&encode(&Args { a: 7, b: 8 })).unwrap();
    assert_eq!(decoded, Renamed { b: 8, extra: String::new() });
    assert_eq!(decode::<Args>(&encode(&())).unwrap(), Args::default());

    assert!(refused::<Args>(&encode(&Unlike { other: 1 })).contains("no fields matched"));
    assert!(refused::<Args>(&encode(&"Joe")).contains("want a struct, got string"));
    assert!(refused::<i8>(&encode(&300i64)).contains("300 out of range"));
    assert!(refused::<u16>(&encode(&70_000u64)).contains("70000 out of range"));
    assert!(refused::<f32>(&encode(&1e300)).contains("out of range"));
    assert!(refused::<f32>(&encode(&(f64::from(f32::MAX) * (1.0 + 1e-9)))).contains("range"));
    assert_eq!(decode::<f32>(&encode(&f64::INFINITY)).unwrap(), f32::INFINITY);
    assert!(refused::<u64>(&encode(&1i64)).contains("want uint, got int"));
    assert!(refused::<Vec<u64>>(&encode(&vec![1i64])).contains("want uint, got int"));
}

/// As Go does it: the types count, also where no value is.
#[test]
fn types_must_fit_even_if_nothing_is_of_them() {
    go_struct!(Texts = "Args" { a = "A": String, b = "B": i64 });
    go_struct!(Holder = "Holder" { list = "List": Vec<Args>, z = "Z": i64 });
    go_struct!(Unfit = "Holder" { list = "List": Vec<Texts>, z = "Z": i64 });
    assert!(refused::<Vec<String>>(&encode(&Vec::<i64>::new())).contains("want string, got int"));
    assert!(refused::<Args>(&encode(&Texts { b: 1, ..Texts::default() })).contains("want int"));
    // A refusal is remembered, and spares the next value nothing.
    let mut sent = Types::default();
    let mut out = Vec::new();
    sent.write(&Unfit { z: 1, ..Unfit::default() }, &mut out);
    sent.write(&Unfit { z: 2, ..Unfit::default() }, &mut out);
    let mut stream = stream(out);
    for _ in 0..2 {
        let Err(Error::Value(why)) = read::<Holder>(&mut stream) else { panic!() };
        assert_eq!(why, "gob: type mismatch: want int, got string");
    }
    // Only at the top must a field match.
    assert_eq!(
        decode::<Vec<Args>>(&encode(&vec![Unlike { other: 1 }])).unwrap(),
        [Args::default()]
    );
}

#[test]
fn maps_of_other_types_are_refused() {
    let numbers = encode(&BTreeMap::from([("a".to_string(), 1i64)]));
    let why = refused::<BTreeMap<i64, i64>>(&numbers);
    assert!(why.contains("want int, got string"), "{why}");
    let why = refused::<BTreeMap<String, String>>(&numbers);
    assert!(why.contains("want string, got int"), "{why}");
    assert!(refused::<Vec<i64>>(&numbers).contains("want a slice, got a map"));
    assert!(
        refused::<BTreeMap<String, i64>>(&encode(&vec![1i64])).contains("want a map, got a slice")
    );
    // An entry that is there twice is there once, as the last of the two.
    let mut twice = encode(&BTreeMap::from([(1u64, 2u64)]));
    let len = twice.len() - 7;
    twice.truncate(len);
    twice.extend(message(b"\xff\x80\x00\x02\x01\x02\x01\x03"));
    assert_eq!(decode::<BTreeMap<u64, u64>>(&twice).unwrap(), BTreeMap::from([(1, 3)]));
}

/// Go's `struct{}`: any struct can be read as one.
#[test]
fn nothing_is_a_struct_without_fields() {
    assert_eq!(encode(&()), row("empty_struct"));
    assert!(decode::<()>(&encode(&Args { a: 1, b: 2 })).is_ok());
    assert!(refused::<()>(&encode(&"Joe")).contains("want a struct, got string"));
}

/// The comment at the top of gob.rs is the stream, byte for byte.
#[test]
fn the_annotated_bytes_are_those_of_a_first_call() {
    let source = include_str!("../examples/netrpc/gob.rs");
    let block = source.split("//! ```text\n").nth(1).unwrap().split("//! ```").next().unwrap();
    let mut bytes = Vec::new();
    for line in block.lines() {
        let columns = line.strip_prefix("//! ").unwrap().split("  ").next().unwrap();
        for word in columns.split(' ') {
            let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            if word.bytes().all(is_hex) {
                let digits = |at| u8::from_str_radix(&word[at..at + 2], 16).unwrap();
                bytes.extend((0..word.len()).step_by(2).map(digits));
            } else {
                bytes.extend(word.bytes());
            }
        }
    }
    assert_eq!(bytes.len(), 73);
    assert_eq!(bytes, row("stream_call"));
}

#[test]
fn a_definition_is_of_one_type() {
    // A slice of int and a map of int to int, both 64.
    let both = message(
        b"\x7f\x02\x01\x02\xff\x80\x00\x01\x04\x00\x02\x01\x02\xff\x80\x00\x01\x04\x01\x04\x00\x00",
    );
    let (_, why) = broken::<Vec<i64>>(&[&*both, b"\x05\xff\x80\x00\x01\x02"].concat());
    assert_eq!(why, "gob: a definition of two types");
}

#[test]
fn id_0_is_no_type() {
    assert!(refused::<Args>(b"\x03\x00\x00\x00").contains("is not defined"));
    assert!(refused::<Vec<i64>>(b"\x03\x00\x00\x00").contains("is not defined"));
    assert!(refused::<Args>(b"\x04\xff\x80\x00\x00").contains("is not defined"));
}

#[test]
fn two_types_of_one_name_are_two_types() {
    go_struct!(Short = "Same" { a = "A": i64 });
    go_struct!(Long = "Same" { a = "A": i64, b = "B": String });
    let mut out = Vec::new();
    let mut sent = Types::default();
    sent.write(&Short { a: 1 }, &mut out);
    sent.write(&Long { a: 2, b: "b".into() }, &mut out);
    let mut stream = stream(out);
    assert_eq!(read::<Short>(&mut stream).unwrap(), Short { a: 1 });
    assert_eq!(read::<Long>(&mut stream).unwrap(), Long { a: 2, b: "b".into() });
}

#[test]
fn nothing_lies_too_deep() {
    // Type 64 is a slice of 64. A value of it opens a level with each byte.
    let endless = message(b"\x7f\x02\x01\x02\xff\x80\x00\x01\xff\x80\x00\x00");
    let mut value = vec![0xff, 0x80, 0x00];
    value.resize(100_000, 1);
    let both = [&*endless, &message(&value)].concat();
    assert!(refused::<Vec<Tree>>(&both).contains("values lie too deep"));
    let Err(Error::Value(why)) = stream(both).receive(None) else { panic!() };
    assert!(why.contains("values lie too deep"), "{why}");

    // The same in a field that nobody wants: struct 65 { X: type 64, Z int }.
    let holder = b"\xff\x81\x03\x01\x02\xff\x82\x00\x01\x02\x01\x01X\x01\xff\x80\x00\x01\x01Z\x01\x04\x00\x00\x00";
    let mut value = vec![0xff, 0x82, 0x01];
    value.resize(100_000, 1);
    let all = [&*endless, &message(holder), &message(&value)].concat();
    assert!(refused::<Last>(&all).contains("values lie too deep"));
    let twice = [message(holder), message(holder)].concat();
    let duplicate = "gob: duplicate or reserved type received".to_string();
    assert_eq!(broken::<Last>(&twice), (ErrorKind::InvalidData, duplicate));

    // A chain of types, each a struct that holds a slice of the next.
    let mut chain = Vec::new();
    for number in 0..2_000i64 {
        let mut ids = Vec::new();
        for id in [2 * number, 2 * number + 1, 2 * number + 2].map(|id| 2 * (id as u64 + 64)) {
            let mut bytes = Vec::new();
            put_uint(&mut bytes, id);
            ids.push(bytes);
        }
        let mut negative = [Vec::new(), Vec::new()];
        put_uint(&mut negative[0], 4 * number as u64 + 127);
        put_uint(&mut negative[1], 4 * number as u64 + 129);
        let fields = [b"\x01\x01\x01\x04Kids\x01", &*ids[1], b"\x00\x00\x00"].concat();
        chain
            .extend(message(&[&*negative[0], b"\x03\x01\x02", &ids[0], b"\x00", &fields].concat()));
        let element = [b"\x00\x01", &*ids[2], b"\x00\x00"].concat();
        chain.extend(message(&[&*negative[1], b"\x02\x01\x02", &ids[1], &element].concat()));
    }
    chain.extend(message(b"\xff\x80\x00"));
    assert!(refused::<Tree>(&chain).contains("types lie too deep"));
}

#[test]
fn counts_and_lengths_stay_within_the_message() {
    let _watchdog = watchdog();
    assert!(refused::<String>(b"\x04\x0c\x00\x7fx").contains("a length is beyond the message"));
    let long = b"\x0c\x0c\x00\xf8\xff\xff\xff\xff\xff\xff\xff\xffx";
    assert!(refused::<String>(long).contains("a length is beyond the message"));
    // 2^60 structs without a field, whose elements take no memory.
    let mut out = encode(&Vec::<()>::new());
    out.truncate(out.len() - 5);
    out.extend(message(b"\xff\x82\x00\xf8\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00"));
    assert!(refused::<Vec<()>>(&out).contains("a count is beyond the message"));
    // An array of strings, [2]string, as a field that nobody wants; then one of another length.
    let array = b"\x7f\x01\x01\x02\xff\x80\x00\x01\x0c\x01\x04\x00\x00";
    let holder = b"\xff\x81\x03\x01\x02\xff\x82\x00\x01\x02\x01\x01X\x01\xff\x80\x00\x01\x01Z\x01\x04\x00\x00\x00";
    let value = |contents: &[u8]| [message(array), message(holder), message(contents)].concat();
    let fits = value(b"\xff\x82\x01\x02\x03abc\x00\x01\x0e\x00");
    assert_eq!(decode::<Last>(&fits).unwrap(), Last { z: 7 });
    let longer = value(b"\xff\x82\x01\x03\x03abc\x00\x00\x01\x0e\x00");
    assert!(refused::<Last>(&longer).contains("an array of another length"));
    let shorter = value(b"\xff\x82\x01\x01\x03abc\x01\x0e\x00");
    assert!(refused::<Last>(&shorter).contains("an array of another length"));
}

#[test]
fn a_value_may_not_take_more_memory_than_it_is_allowed() {
    fn too_much<V: Decode + Default + std::fmt::Debug>(bytes: &[u8]) {
        assert_eq!(broken::<V>(bytes).0, ErrorKind::QuotaExceeded);
    }
    // Four million structs in four megabytes, each of which takes 288 bytes here.
    let mut out = encode(&Vec::<Wide>::new());
    out.truncate(out.len() - 5);
    let mut contents = vec![0xff, 0x84, 0x00, 0xfd, 0x40, 0x00, 0x00];
    contents.resize(7 + (4 << 20), 0);
    out.extend(message(&contents));
    too_much::<Vec<Wide>>(&out);

    // The same in two slices, which take too much only together: 40 MB and 240 MB.
    let mut out = encode(&Vec::<Vec<Wide>>::new());
    out.truncate(out.len() - 5);
    let (first, second) = ((40 << 20) / size_of::<Wide>(), (240 << 20) / size_of::<Wide>());
    let mut contents = vec![0xff, 0x86, 0x00, 2];
    for count in [first, second] {
        put_uint(&mut contents, count as u64);
        contents.resize(contents.len() + count, 0);
    }
    out.extend(message(&contents));
    too_much::<Vec<Vec<Wide>>>(&out);

    // Short strings cost their allocation.
    let text = "x".to_string();
    assert!(decode::<Vec<String>>(&encode(&vec![text.clone(); 1 << 20])).is_ok());
    too_much::<Vec<String>>(&encode(&vec![text; 5 << 20]));

    // Two million entries of a map in four megabytes, each of which may take 600 bytes.
    let mut out = encode(&BTreeMap::<u64, Wide>::new());
    out.truncate(out.len() - 5);
    let mut contents = vec![0xff, 0x84, 0x00, 0xfd, 0x20, 0x00, 0x00];
    for number in 0..2u64 << 20 {
        put_uint(&mut contents, number);
        contents.push(0);
    }
    out.extend(message(&contents));
    too_much::<BTreeMap<u64, Wide>>(&out);
}

go_struct!(Wide = "Wide" { a = "A": Quarter, b = "B": Quarter, c = "C": Quarter, d = "D": Quarter });
go_struct!(Quarter = "Quarter" { a = "A": String, b = "B": String, c = "C": String });

/// What a stream defines has a budget for all of its life.
#[test]
fn definitions_are_bounded() {
    let too_large = |bytes: Vec<u8>| match with_memory(bytes, memory(2 << 20)).receive(None) {
        Err(Error::Stream(e)) => assert_eq!(e.kind(), ErrorKind::QuotaExceeded),
        other => panic!("{other:?}"),
    };
    // Fields, names, and a count that is checked before anything is read.
    too_large(definition(40_000, 1, 4));
    too_large(definition(3, 1 << 20, 4));
    too_large(message(b"\x7f\x03\x01\x02\xff\x80\x00\x01\xfd\x10\x00\x00"));
    // Types.
    let mut types = Vec::new();
    for number in 0..20_000u64 {
        let mut contents = Vec::new();
        put_uint(&mut contents, 2 * number + 127);
        contents.extend(b"\x02\x01\x02\x04\x00\x01\x04\x00\x00");
        types.extend(message(&contents));
    }
    too_large(types);
    // What Go programs may define, many times over.
    let defined = [definition(9_990, 6, 4), message(b"\xff\x80\x00")].concat();
    assert!(refused::<Args>(&defined).contains("no fields matched"));
}

/// Fields are looked up once for all the structs of a slice: a lookup for each of them would take
/// minutes.
#[test]
fn two_million_structs_of_9990_fields_are_read_in_seconds() {
    let _watchdog = watchdog();
    let mut contents = b"\xff\x82\x00".to_vec();
    put_uint(&mut contents, 2_000_000);
    for _ in 0..2_000_000 {
        contents.extend(b"\xfe\x27\x06\x02\x00"); // field 9,989 is 1
    }
    let slice = message(b"\xff\x81\x02\x01\x02\xff\x82\x00\x01\xff\x80\x00\x00");
    go_struct!(Known = "Known" { last = "XX9989": i64 });
    let all = [definition(9_990, 6, 4), slice, message(&contents)].concat();
    let known = decode::<Vec<Known>>(&all).unwrap();
    assert!(known.len() == 2_000_000 && known.iter().all(|known| known.last == 1));
}

#[test]
fn a_stream_that_is_cut_off_has_ended_too_early() {
    let whole = row("stream_call");
    for end in 0..whole.len() {
        let mut stream = stream(whole[..end].to_vec());
        let first = read::<Request>(&mut stream);
        let ended = match first.and_then(|_| read::<String>(&mut stream)) {
            Err(Error::Stream(e)) => e,
            other => panic!("{end}: {other:?}"),
        };
        assert_eq!(ended.kind(), ErrorKind::UnexpectedEof, "{end}: {ended}");
    }
    let mut stream = stream(whole);
    assert_eq!(read::<Request>(&mut stream).unwrap().service_method, "Greeter.Greet".into());
    assert_eq!(read::<String>(&mut stream).unwrap(), "Joe");
    let Err(Error::Stream(ended)) = read::<String>(&mut stream) else { panic!() };
    assert_eq!(ended.kind(), ErrorKind::UnexpectedEof);
}

/// To the byte.
#[test]
fn a_message_has_a_longest_length() {
    for (len, fits) in [(9_999, true), (10_000, false)] {
        let mut stream = limited(encode(&vec![b'x'; len - 5]), 9_999);
        match read::<Vec<u8>>(&mut stream) {
            Ok(bytes) => assert!(fits && bytes.len() == len - 5),
            Err(Error::Stream(e)) => {
                let why = format!("gob: a message of {len} bytes; the limit is 9999");
                assert_eq!((fits, e.to_string()), (false, why));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_header_and_a_body_are_sent_together() {
    let mut written = Written { input: Cursor::default(), interrupted: false, output: Vec::new() };
    let mut stream = Stream::new(buffered(&mut written), memory(256 << 20));
    let request = Request { service_method: "Greeter.Greet".into(), seq: 0 };
    stream.send(&request, &"Joe").unwrap();
    assert_eq!(written.output, row("stream_call"));
}

/// A byte at a time, each after a millisecond.
struct Drip(Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(1));
        self.0.read(&mut buf[..1])
    }
}

impl Write for Drip {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_limit_bounds_all_reads_together() {
    let _watchdog = watchdog();
    let greeting = row("stream_call");
    let drip = |bytes| Stream::new(buffered(Drip(Cursor::new(bytes))), memory(256 << 20));
    let mut endless = drip(message(&vec![0x02; 60 << 20]));
    endless.restart(Some(Duration::from_millis(20)));
    let Err(Error::Stream(e)) = endless.receive(None) else { panic!() };
    assert_eq!(e.kind(), ErrorKind::TimedOut, "{e}");
    // None, or one that does not fit into an Instant, is for ever.
    for limit in [None, Some(Duration::MAX)] {
        let mut stream = drip(greeting.clone());
        stream.restart(limit);
        let mut request = Request::default();
        stream.receive(Some(&mut request)).unwrap();
        assert_eq!(request.service_method, "Greeter.Greet".into());
    }
}

/// What connections hold together comes out of one budget, but for 64 KiB each.
#[test]
fn a_connection_that_would_exceed_the_budget_is_dropped() {
    let budget = budget(200_000);
    let left = || budget.load(Ordering::Relaxed);
    let unfinished = |len: usize| {
        let mut bytes = message(&vec![0x02; len]);
        bytes.pop();
        bytes
    };
    let stream = |bytes| with_memory(bytes, Memory::new(&budget, MAX_MESSAGE));
    let ended = |stream: &mut Stream<Written>| match stream.receive(None) {
        Err(Error::Stream(e)) => e.kind(),
        other => panic!("{other:?}"),
    };
    let mut first = stream(unfinished(200_000));
    assert_eq!(ended(&mut first), ErrorKind::UnexpectedEof);
    // It has ended, so it holds nothing more.
    assert_eq!(left(), 200_000);

    let mut holder = Memory::new(&budget, MAX_MESSAGE);
    holder.take(150_000 + (64 << 10)).unwrap();
    assert_eq!(left(), 50_000);
    assert_eq!(ended(&mut stream(unfinished(200_000))), ErrorKind::QuotaExceeded);
    // A small message is taken, whoever holds how much.
    let mut small = stream([encode(&"Joe"), encode(&vec![0u8; 30_000])].concat());
    assert_eq!(read::<String>(&mut small).unwrap(), "Joe");
    assert_eq!(read::<Vec<u8>>(&mut small).unwrap().len(), 30_000);
    // What is sent counts, too.
    let refused = small.send(&"header", &vec![0u8; 200_000]);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::QuotaExceeded);
    drop((first, holder, small));
    assert_eq!(left(), 200_000);
}

/// Random bytes, and random edits of what a real Go sent.
#[test]
fn a_million_random_messages() {
    let valid: Vec<Vec<u8>> = rows().map(|row| row.3).filter(|bytes| bytes.len() < 600).collect();
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
fn read_all<V: Decode + Default>(bytes: &[u8]) -> usize {
    let mut stream = stream(bytes.to_vec());
    let mut values = 0;
    loop {
        match read::<V>(&mut stream) {
            Ok(_) => values += 1,
            Err(Error::Value(_)) => {}
            Err(Error::Stream(_)) => return values,
        }
    }
}
