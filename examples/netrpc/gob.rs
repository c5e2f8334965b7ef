//! gob: how Go's `encoding/gob` writes values. A stream describes its own types: before the first
//! value of a struct or a slice the sender defines it, and the receiver reads by that definition.
//! Fields match by name, so that the two ends may know different fields of one struct. This file says
//! what a value is; `encode.rs` writes a stream of them, and `decode.rs` reads one.
//!
//! Supported: bool, integers, floats, strings, `Vec` (`Vec<u8>` is Go's `[]byte`), structs ([`Record`]).
//! Not supported: maps, arrays, complex numbers, interfaces, and types with an encoding of their own,
//! such as `time.Time`. A field of such a type is skipped if the receiver has no field of that name.
//! Refused, though Go takes them: strings that are not UTF-8, values more than 100 deep, and what Go
//! never sends: ids of its own types or beyond 31 bits, definitions of no type, of two, or with more
//! behind. Taken, though Go refuses them: fields without a name or a valid type, as long as none is sent.

use std::any::Any;
use std::fmt::Display;
use std::io::{self, ErrorKind};

use super::decode::{Input, signed};
use super::definitions::Definitions;
use super::encode::{SentTypes, put_bytes, put_uint, unsigned};

/// The types that need no definition. Those that a sender defines have numbers from 64.
pub const BOOL: i64 = 1;
pub const INT: i64 = 2;
pub const UINT: i64 = 3;
pub const FLOAT: i64 = 4;
pub const BYTES: i64 = 5;
pub const STRING: i64 = 6;
pub const COMPLEX: i64 = 7;
pub const INTERFACE: i64 = 8;
pub const FIRST_USER_ID: i64 = 64;

/// The error of a value that is not what was wanted. The next one can be read all the same, except
/// after a value that was too long and held an interface; after any other error, it never can.
pub const BAD_VALUE: ErrorKind = ErrorKind::InvalidInput;

pub fn bad_value(why: impl Display) -> io::Error {
    io::Error::new(BAD_VALUE, format!("gob: {why}"))
}

/// A value that can be sent and received.
pub trait Value {
    /// The id of its type, which `types` takes in if it is new.
    fn type_id(&self, types: &mut SentTypes) -> i64;
    /// Go's name for its type.
    fn go_name(&self) -> String;
    /// Whether a struct leaves it out.
    fn is_zero(&self) -> bool;
    fn encode(&self, out: &mut Vec<u8>);
    /// Whether what the sender defined as `id` can be read into this. It is asked first.
    fn accepts(&self, id: i64, types: &mut Definitions) -> io::Result<()>;
    fn decode(&mut self, id: i64, from: &mut Input<'_>) -> io::Result<()>;
}

/// A struct: its name, and its fields by the names that they have in Go, which begin with a capital.
pub trait Record: 'static {
    const NAME: &'static str;
    const FIELDS: &'static [&'static str];
    fn values(&self) -> Vec<&dyn Value>;
    fn values_mut(&mut self) -> Vec<&mut dyn Value>;
}

/// Declares a struct that is a `Record`, by two names each for itself and its fields: Rust's and Go's.
macro_rules! record {
    ($(#[$doc:meta])* $vis:vis $rust:ident = $go:literal { $($field:ident = $name:literal: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Debug, Default, PartialEq)]
        $vis struct $rust { $($vis $field: $type),* }

        impl Record for $rust {
            const NAME: &'static str = $go;
            const FIELDS: &'static [&'static str] = &[$($name),*];
            fn values(&self) -> Vec<&dyn Value> { vec![$(&self.$field),*] }
            fn values_mut(&mut self) -> Vec<&mut dyn Value> { vec![$(&mut self.$field),*] }
        }
    };
}
pub(crate) use record;

/// The fields of a record. One that was written wrongly by hand is found the first time.
pub fn named_values<R: Record>(record: &R) -> Vec<(&'static str, &dyn Value)> {
    let (names, values) = (R::FIELDS, record.values());
    assert_eq!(names.len(), values.len(), "the record {}: FIELDS and values() differ", R::NAME);
    names.iter().copied().zip(values).collect()
}

/// The types that need no definition: how one is put, and how it is got.
macro_rules! basic {
    ($type:ty, $id:ident, $name:literal, $put:expr, $get:expr) => {
        impl Value for $type {
            fn type_id(&self, _: &mut SentTypes) -> i64 {
                $id
            }

            fn go_name(&self) -> String {
                $name.into()
            }

            fn is_zero(&self) -> bool {
                *self == <$type>::default()
            }

            fn encode(&self, out: &mut Vec<u8>) {
                $put(out, self);
            }

            fn accepts(&self, id: i64, types: &mut Definitions) -> io::Result<()> {
                types.expect(id, $id, $name)
            }

            fn decode(&mut self, _: i64, from: &mut Input<'_>) -> io::Result<()> {
                *self = $get(from)?;
                Ok(())
            }
        }
    };
}

basic!(bool, BOOL, "bool", put_unsigned, |from: &mut Input<'_>| from.uint().map(|n| n > 0));
basic!(i8, INT, "int8", put_signed, get_signed);
basic!(i16, INT, "int16", put_signed, get_signed);
basic!(i32, INT, "int32", put_signed, get_signed);
basic!(i64, INT, "int", put_signed, get_signed);
basic!(u8, UINT, "uint8", put_unsigned, get_unsigned);
basic!(u16, UINT, "uint16", put_unsigned, get_unsigned);
basic!(u32, UINT, "uint32", put_unsigned, get_unsigned);
basic!(u64, UINT, "uint", put_unsigned, get_unsigned);
basic!(f64, FLOAT, "float64", put_float, get_float);
basic!(f32, FLOAT, "float32", put_float, get_narrow_float);
basic!(String, STRING, "string", put_text, get_text);
basic!(&str, STRING, "string", put_text, |_: &mut Input<'_>| Err(bad_value("a &str is only sent")));

fn put_unsigned<T: Copy + Into<u64>>(out: &mut Vec<u8>, number: &T) {
    put_uint(out, (*number).into());
}

fn get_unsigned<T: TryFrom<u64>>(from: &mut Input<'_>) -> io::Result<T> {
    let number = from.uint()?;
    T::try_from(number).map_err(|_| out_of_range(number))
}

fn put_signed<T: Copy + Into<i64>>(out: &mut Vec<u8>, number: &T) {
    put_uint(out, unsigned((*number).into()));
}

fn get_signed<T: TryFrom<i64>>(from: &mut Input<'_>) -> io::Result<T> {
    let number = signed(from.uint()?);
    T::try_from(number).map_err(|_| out_of_range(number))
}

/// The bytes of a float are reversed, so that round numbers are short.
fn put_float<T: Copy + Into<f64>>(out: &mut Vec<u8>, number: &T) {
    put_uint(out, (*number).into().to_bits().swap_bytes());
}

fn get_float(from: &mut Input<'_>) -> io::Result<f64> {
    Ok(f64::from_bits(from.uint()?.swap_bytes()))
}

fn get_narrow_float(from: &mut Input<'_>) -> io::Result<f32> {
    let number = get_float(from)?;
    let fits = !number.is_finite() || number.abs() <= f32::MAX.into();
    if fits { Ok(number as f32) } else { Err(out_of_range(number)) }
}

fn out_of_range(number: impl Display) -> io::Error {
    bad_value(format!("value {number} out of range"))
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn get_text(from: &mut Input<'_>) -> io::Result<String> {
    String::from_utf8(from.bytes()?).map_err(|_| bad_value("a string is not UTF-8"))
}

/// Bytes travel in one piece, not as a slice of numbers.
impl<T: Value + Default + 'static> Value for Vec<T> {
    fn type_id(&self, types: &mut SentTypes) -> i64 {
        let element = T::default().type_id(types);
        if (self as &dyn Any).is::<Vec<u8>>() { BYTES } else { types.slice::<T>(element) }
    }

    fn go_name(&self) -> String {
        format!("[]{}", T::default().go_name())
    }

    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(bytes) = (self as &dyn Any).downcast_ref::<Vec<u8>>() {
            return put_bytes(out, bytes);
        }
        put_uint(out, self.len() as u64);
        self.iter().for_each(|element| element.encode(out));
    }

    fn accepts(&self, id: i64, types: &mut Definitions) -> io::Result<()> {
        if (self as &dyn Any).is::<Vec<u8>>() {
            return types.expect(id, BYTES, "bytes");
        }
        T::default().accepts(types.slice(id)?, types)
    }

    fn decode(&mut self, id: i64, from: &mut Input<'_>) -> io::Result<()> {
        if let Some(bytes) = (self as &mut dyn Any).downcast_mut::<Vec<u8>>() {
            return from.bytes().map(|read| *bytes = read);
        }
        let element = from.types.slice(id)?;
        let count = from.uint()?;
        from.allocate(count, size_of::<T>())?;
        *self = Vec::with_capacity(from.left().min(count as usize));
        from.elements(count, |from| {
            let mut value = T::default();
            value.decode(element, from)?;
            self.push(value);
            Ok(())
        })
    }
}

impl<R: Record + Default> Value for R {
    fn type_id(&self, types: &mut SentTypes) -> i64 {
        types.record(self)
    }

    fn go_name(&self) -> String {
        named_values(self); // which finds a mistake when a method is registered
        format!("main.{}", R::NAME)
    }

    /// A struct is sent even when all of it is zero.
    fn is_zero(&self) -> bool {
        false
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let mut delta = 1;
        for value in self.values() {
            if value.is_zero() {
                delta += 1;
            } else {
                put_uint(out, delta);
                value.encode(out);
                delta = 1;
            }
        }
        out.push(0);
    }

    fn accepts(&self, id: i64, types: &mut Definitions) -> io::Result<()> {
        types.plan(id, self).map(drop)
    }

    fn decode(&mut self, id: i64, from: &mut Input<'_>) -> io::Result<()> {
        let plan = from.types.plan(id, self)?;
        let empty = plan.is_empty() || R::FIELDS.is_empty();
        if from.depth == 0 && !empty && plan.iter().all(|(place, _)| place.is_none()) {
            return Err(bad_value(format!("type mismatch: no fields matched for {}", R::NAME)));
        }
        let mut values = self.values_mut();
        assert_eq!(values.len(), R::FIELDS.len(), "the record {}: values_mut() differs", R::NAME);
        from.fields(plan.len(), |from, number| match plan[number] {
            (Some(place), id) => values[place].decode(id, from),
            (None, id) => from.skip(id),
        })
    }
}
