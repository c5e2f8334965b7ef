//! gob: the bytes of a real Go, both ways, and a million that nobody sent.

#[path = "../examples/netrpc/mod.rs"]
mod netrpc;

mod common;
#[macro_use]
#[path = "common/go.rs"]
mod go;

use common::Random;
use go::*;
use netrpc::decode::{Message, ReceivedTypes, get_uint};
use netrpc::encode::{SentTypes, put_uint};
use netrpc::gob::{Bytes, Malformed, Record, Value};
use netrpc::{Nothing, Request, Response};

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
