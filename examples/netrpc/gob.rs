//! gob: how Go's `encoding/gob` writes values. A stream describes its own types: before the first
//! value of a struct or slice, the sender defines it, and the receiver reads by those definitions.
//!
//! What a value is stands here; `encode.rs` writes a stream of them, and `decode.rs` reads one.
//!
//! Supported: bool, integers, floats, strings, [`Bytes`], `Vec` and structs ([`Record`]). What else a
//! sender defines is skipped where nobody wants it, and refused where it would be the value.

use std::fmt;

use super::decode::{Input, Received, signed};
use super::encode::{SentTypes, put_bytes, put_uint, unsigned};

pub const BOOL: i64 = 1;
pub const INT: i64 = 2;
pub const UINT: i64 = 3;
pub const FLOAT: i64 = 4;
pub const BYTES: i64 = 5;
pub const STRING: i64 = 6;
pub const COMPLEX: i64 = 7;
pub const INTERFACE: i64 = 8;
pub const FIRST_USER_ID: i64 = 64;

/// What is wrong with what arrived, in words.
#[derive(Debug, PartialEq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gob: {}", self.0)
    }
}

pub type Result<T> = std::result::Result<T, Malformed>;

pub fn malformed<T>(why: impl Into<String>) -> Result<T> {
    Err(Malformed(why.into()))
}

/// A value that gob can carry.
pub trait Value {
    /// The id of its type, which is defined first if it has to be.
    fn type_id(&self, types: &mut SentTypes) -> i64;
    /// Go's name for its type.
    fn go_name(&self) -> String;
    /// Whether a struct leaves the field out.
    fn is_zero(&self) -> bool;
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads a value that the sender defined as `id`.
    fn decode(&mut self, from: &mut Input<'_>, id: i64) -> Result<()>;
}

/// A struct: its name, and its fields by the names that Go gives them, which begin with a capital.
pub trait Record: 'static {
    const NAME: &'static str;
    const FIELDS: &'static [&'static str];
    fn values(&self) -> Vec<&dyn Value>;
    fn values_mut(&mut self) -> Vec<&mut dyn Value>;
}

/// A slice of bytes, which travels as such and not as a slice of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bytes(pub Vec<u8>);

/// The types that are one number on the wire.
macro_rules! number {
    ($type:ty, $id:ident, $name:literal, $encode:expr, $decode:expr) => {
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
                put_uint(out, $encode(*self));
            }

            fn decode(&mut self, from: &mut Input<'_>, id: i64) -> Result<()> {
                from.is(id, $id, $name)?;
                *self = $decode(from.uint()?)?;
                Ok(())
            }
        }
    };
}

number!(bool, BOOL, "bool", u64::from, |number| Ok(number != 0));
number!(i8, INT, "int8", unsigned, narrow_signed);
number!(i16, INT, "int16", unsigned, narrow_signed);
number!(i32, INT, "int32", unsigned, narrow_signed);
number!(i64, INT, "int", unsigned, narrow_signed);
number!(u8, UINT, "uint8", u64::from, narrow);
number!(u16, UINT, "uint16", u64::from, narrow);
number!(u32, UINT, "uint32", u64::from, narrow);
number!(u64, UINT, "uint", u64::from, narrow);
number!(f64, FLOAT, "float64", |float: f64| float.to_bits().swap_bytes(), float);
number!(f32, FLOAT, "float32", |float| f64::from(float).to_bits().swap_bytes(), |number| {
    let wide = float(number)?;
    match wide as f32 {
        single if single.is_infinite() && wide.is_finite() => out_of_range(wide),
        single => Ok(single),
    }
});

fn narrow<T: TryFrom<u64>>(number: u64) -> Result<T> {
    T::try_from(number).or_else(|_| out_of_range(number))
}

fn narrow_signed<T: TryFrom<i64>>(number: u64) -> Result<T> {
    T::try_from(signed(number)).or_else(|_| out_of_range(signed(number)))
}

fn float(number: u64) -> Result<f64> {
    Ok(f64::from_bits(number.swap_bytes()))
}

fn out_of_range<T>(number: impl fmt::Display) -> Result<T> {
    malformed(format!("value {number} out of range"))
}

impl Value for String {
    fn type_id(&self, _: &mut SentTypes) -> i64 {
        STRING
    }

    fn go_name(&self) -> String {
        "string".into()
    }

    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }

    fn decode(&mut self, from: &mut Input<'_>, id: i64) -> Result<()> {
        from.is(id, STRING, "string")?;
        *self = from.text()?;
        Ok(())
    }
}

impl Value for Bytes {
    fn type_id(&self, _: &mut SentTypes) -> i64 {
        BYTES
    }

    fn go_name(&self) -> String {
        "[]uint8".into()
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.0);
    }

    fn decode(&mut self, from: &mut Input<'_>, id: i64) -> Result<()> {
        from.is(id, BYTES, "bytes")?;
        self.0 = from.take()?.to_vec();
        Ok(())
    }
}

impl<T: Value + Default> Value for Vec<T> {
    fn type_id(&self, types: &mut SentTypes) -> i64 {
        let element = T::default().type_id(types);
        types.slice(element)
    }

    fn go_name(&self) -> String {
        format!("[]{}", T::default().go_name())
    }

    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, self.len() as u64);
        self.iter().for_each(|element| element.encode(out));
    }

    fn decode(&mut self, from: &mut Input<'_>, id: i64) -> Result<()> {
        let Some(Received::Slice(element)) = from.definition_of(id) else {
            return from.is(id, 0, "a slice");
        };
        let count = from.count(1)?;
        from.allocate(count, size_of::<T>())?;
        self.clear();
        from.deeper(|input| {
            for _ in 0..count {
                let mut value = T::default();
                value.decode(input, *element)?;
                self.push(value);
            }
            Ok(())
        })
    }
}

impl<R: Record + Default> Value for R {
    fn type_id(&self, types: &mut SentTypes) -> i64 {
        types.record(self)
    }

    fn go_name(&self) -> String {
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

    fn decode(&mut self, from: &mut Input<'_>, id: i64) -> Result<()> {
        let Some(Received::Struct(fields)) = from.definition_of(id) else {
            return from.is(id, 0, "a struct");
        };
        let ours = |name: &str| R::FIELDS.iter().position(|field| *field == name);
        let none = !fields.iter().any(|(name, _)| ours(name).is_some());
        if none && !fields.is_empty() && !R::FIELDS.is_empty() {
            return malformed(format!("type mismatch: no fields matched for {}", R::NAME));
        }
        let mut values = self.values_mut();
        from.fields(fields.len(), |input, n| {
            let (name, id) = &fields[n];
            match ours(name) {
                Some(place) => values[place].decode(input, *id),
                None => input.skip(*id),
            }
        })
    }
}
