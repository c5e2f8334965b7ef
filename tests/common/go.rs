//! What a real Go wrote, each a row of `tests/go/vectors.tsv`, and structs to read it into.

#![allow(dead_code)] // each test file has a use for its own part

use crate::netrpc::gob::{Bytes, Record, Value};

/// A struct with the fields of a Go one.
macro_rules! record {
    ($rust:ident = $go:literal { $($field:ident $name:literal: $type:ty),* }) => {
        #[derive(Debug, Default, PartialEq)]
        pub(crate) struct $rust { $(pub(crate) $field: $type),* }

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
record!(Point = "Point" { x "X": i64, y "Y": i64 });
// Without the map `Tags` and the array `Colour` that Go's has.
record!(Shape = "Shape" {
    name "Name": String, closed "Closed": bool, origin "Origin": Point, points "Points": Vec<Point>,
    blob "Blob": Bytes, scale "Scale": f64, count "Count": u64, labels "Labels": Vec<String>
});

pub struct Row {
    pub name: String,
    pub go_type: String,
    pub value: String,
    pub bytes: Vec<u8>,
}

pub fn rows() -> Vec<Row> {
    let text = include_str!("../go/vectors.tsv");
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

pub fn row(name: &str) -> Row {
    rows().into_iter().find(|row| row.name == name).unwrap()
}
