//! gob: how Go's `encoding/gob` writes values. A stream describes its own types: before the first
//! value of a struct, a slice or a map the sender defines it, and the receiver reads by that definition.
//! Fields match by name, so that the two ends may know different fields of one struct. This file says
//! what a value is; `encode.rs` writes a stream of them, and `decode.rs` reads one.
//!
//! A first call, `Greeter.Greet` of `"Joe"`, is three messages, 73 bytes in all. Later ones leave out
//! the definition, so the second call takes 28:
//!
//! ```text
//! 2e                      a message of 46 bytes
//! 7f                        -64 as a signed number: it defines the type 64, by a struct
//! 03                          field 3 of its 7: type 64 is a struct, and this field is one, too
//! 01                            its field 1: a struct of name and id
//! 01 07 Request                   field 1, the name: 7 bytes
//! 01 ff80                         the field after it, the id: 64 in one byte after the first
//! 00                              no more fields
//! 01 02                         the field after that: the fields of type 64, 2 of them
//! 01 0d ServiceMethod             a name of 13 bytes
//! 01 0c 00                        of the type 6, string
//! 01 03 Seq                       a name of 3 bytes
//! 01 06 00                        of the type 3, uint
//! 00 00                       no more fields, here and one level out
//! 12                      a message of 18 bytes
//! ff80                      64: a value of the type 64, the struct Request
//! 01 0d Greeter.Greet         its field 1: 13 bytes
//! 00                          no more fields: Seq is 0, and so it is left out
//! 06                      a message of 6 bytes
//! 0c                        6: a value of the type 6, string
//! 00                          it is no struct
//! 03 Joe                      3 bytes
//! ```
//!
//! Supported: bool, integers, floats, strings, `Vec` (`Vec<u8>` is Go's `[]byte`), `BTreeMap`, structs
//! (name their fields with [`record`]), and `()`, Go's `struct{}`.
//! Not supported: arrays, complex numbers, interfaces, pointers to nothing, and types with an encoding
//! of their own, such as `time.Time`. A field of such a type is skipped if the receiver has none of that
//! name. Refused, though Go takes them: a string that is not UTF-8 where a `String` is wanted ([`GoString`]
//! takes it), the name of a field that is not UTF-8, values more than 100 deep, and what Go never sends:
//! most ids of its own types, ids beyond 31 bits, definitions of no type, of two, or with more behind.
//! Taken, though Go refuses them: fields without a name or a valid type, as long as none is sent.

use std::collections::BTreeMap;
use std::fmt;

use super::decode::Input;
use super::definitions::{MAP, Part, SLICE};
use super::encode::Types;
use super::wire::{Error, Result, bad_value, get_float, get_int, get_uint};
use super::wire::{put_bytes, put_float, put_int, put_uint};

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
/// What they are called.
pub const BASIC: [&str; 9] = [
    "undefined",
    "bool",
    "int",
    "uint",
    "float64",
    "[]uint8",
    "string",
    "complex128",
    "an interface",
];

/// A value that can be sent.
pub trait Encode {
    /// The id of its type, which `types` takes in if it is new.
    fn type_id(&self, types: &mut Types) -> i64;
    /// Whether a struct leaves it out.
    fn is_zero(&self) -> bool;
    fn encode(&self, out: &mut Vec<u8>);
}

/// A value that can be received, too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be received",
    note = "name the fields of a struct with `record!`; instead of a `&str`, ask for a `String`"
)]
pub trait Decode: Encode {
    /// Reads what the sender defined as `id`, which fits the type of this.
    fn decode(&mut self, id: i64, from: &mut Input<'_>) -> Result<()>;
}

/// The types that need no definition: the id of each, how a value is put, and how it is got.
macro_rules! basic {
    ($($type:ty),*: $id:ident, |$out:ident, $value:ident| $put:expr, |$from:ident| $get:expr) => {$(
        impl Encode for $type {
            fn type_id(&self, _: &mut Types) -> i64 {
                $id
            }

            fn is_zero(&self) -> bool {
                *self == <$type>::default()
            }

            fn encode(&self, $out: &mut Vec<u8>) {
                let $value = self;
                $put
            }
        }

        impl Decode for $type {
            fn decode(&mut self, _: i64, $from: &mut Input<'_>) -> Result<()> {
                *self = $get?;
                Ok(())
            }
        }
    )*};
}

basic!(bool: BOOL, |out, n| put_uint(out, (*n).into()), |from| from.get(get_uint).map(|n| n > 0));
basic!(i8, i16, i32: INT, |out, n| put_int(out, (*n).into()), |from| narrow(from.get(get_int)?));
basic!(i64: INT, |out, n| put_int(out, *n), |from| from.get(get_int));
basic!(u8, u16, u32: UINT, |out, n| put_uint(out, (*n).into()), |from| narrow(from.get(get_uint)?));
basic!(u64: UINT, |out, n| put_uint(out, *n), |from| from.get(get_uint));
basic!(f32: FLOAT, |out, n| put_float(out, (*n).into()), |from| narrow_float(from.get(get_float)?));
basic!(f64: FLOAT, |out, n| put_float(out, *n), |from| from.get(get_float));
basic!(String: STRING, |out, text| put_bytes(out, text.as_bytes()), |from| utf8(from.bytes()?));
basic!(GoString: STRING, |out, text| put_bytes(out, &text.0), |from| from.bytes().map(GoString));
basic!(Vec<u8>: BYTES, |out, bytes| put_bytes(out, bytes), |from| from.bytes());

fn narrow<W: Copy + fmt::Display, N: TryFrom<W>>(number: W) -> Result<N> {
    N::try_from(number).map_err(|_| out_of_range(number))
}

fn narrow_float(number: f64) -> Result<f32> {
    let fits = !number.is_finite() || number.abs() <= f32::MAX.into();
    if fits { Ok(number as f32) } else { Err(out_of_range(number)) }
}

fn out_of_range(number: impl fmt::Display) -> Error {
    bad_value(&format!("value {number} out of range"))
}

fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| bad_value("a string is not UTF-8"))
}

/// It can be sent, not received.
impl Encode for &str {
    fn type_id(&self, _: &mut Types) -> i64 {
        STRING
    }

    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }
}

/// A string as Go has it: any bytes, UTF-8 by custom only.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoString(pub Vec<u8>);

impl<T: Into<Vec<u8>>> From<T> for GoString {
    fn from(text: T) -> GoString {
        GoString(text.into())
    }
}

/// Shows what is not UTF-8 as the replacement character.
impl fmt::Display for GoString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

/// What a slice is made of. That is not `u8`, since bytes travel in one piece.
pub trait Element: Encode + Default + 'static {}

macro_rules! elements {
    ($($type:ty),*) => { $(impl Element for $type {})* };
}
elements!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u16,
    u32,
    u64,
    f32,
    f64,
    String,
    GoString,
    &'static str,
    Vec<u8>
);
impl<T: Element> Element for Vec<T> {}
impl<K: Encode + Default + 'static, V: Encode + Default + 'static> Element for BTreeMap<K, V> {}
impl<R: Record> Element for R {}

impl<T: Element> Encode for Vec<T> {
    fn type_id(&self, types: &mut Types) -> i64 {
        let element = T::default().type_id(types);
        types.add::<Vec<T>>("", SLICE, &[("Elem", element)])
    }

    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, self.len() as u64);
        for element in self {
            element.encode(out);
        }
    }
}

impl<T: Element + Decode> Decode for Vec<T> {
    fn decode(&mut self, id: i64, from: &mut Input<'_>) -> Result<()> {
        let element = from.types.parts(id)[0].id;
        let count = from.get(get_uint)?;
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

impl<K: Encode + Default + 'static, V: Encode + Default + 'static> Encode for BTreeMap<K, V> {
    fn type_id(&self, types: &mut Types) -> i64 {
        let key = K::default().type_id(types);
        let element = V::default().type_id(types);
        types.add::<BTreeMap<K, V>>("", MAP, &[("Key", key), ("Elem", element)])
    }

    /// Go sends an empty map, too, unless it is nil.
    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, self.len() as u64);
        for (key, element) in self {
            key.encode(out);
            element.encode(out);
        }
    }
}

impl<K, V> Decode for BTreeMap<K, V>
where
    K: Decode + Default + Ord + 'static,
    V: Decode + Default + 'static,
{
    fn decode(&mut self, id: i64, from: &mut Input<'_>) -> Result<()> {
        let parts = from.types.parts(id);
        let count = from.get(get_uint)?;
        self.clear();
        from.elements(count, |from| {
            // A node of the tree is half empty at worst.
            from.allocate(2, size_of::<(K, V)>())?;
            let (mut key, mut element) = (K::default(), V::default());
            key.decode(parts[0].id, from)?;
            element.decode(parts[1].id, from)?;
            self.insert(key, element);
            Ok(())
        })
    }
}

/// A struct whose fields have names in Go. [`record`] implements it.
pub trait Record: Default + 'static {
    const NAME: &'static str;
    /// The fields in their order, with their names in Go.
    fn fields(&self) -> Vec<(&'static str, &dyn Encode)>;
    /// The field of that name in Go.
    fn field_mut(&mut self, name: &str) -> Option<&mut dyn Decode>;
}

impl<R: Record> Encode for R {
    fn type_id(&self, types: &mut Types) -> i64 {
        types.add_struct::<R>(R::NAME, || self.fields())
    }

    /// A struct is sent even when all of it is zero.
    fn is_zero(&self) -> bool {
        false
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let mut delta = 1;
        for (_, value) in self.fields() {
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
}

impl<R: Record> Decode for R {
    fn decode(&mut self, id: i64, from: &mut Input<'_>) -> Result<()> {
        let fields = from.types.parts(id);
        from.fields(fields.len(), |from, number| {
            let Part { name, id } = &fields[number];
            match self.field_mut(name) {
                Some(field) => field.decode(*id, from),
                None => from.skip(*id),
            }
        })
    }
}

/// Says how Go names a struct of yours, and those of its fields that are to travel.
///
/// ```ignore
/// use netrpc::gob::record;
///
/// #[derive(Debug, Default)]
/// pub struct Args {
///     pub a: i64,
///     pub b: i64,
/// }
/// record!(Args = "Args" { a = "A", b = "B" });
/// ```
///
/// The struct needs a `Default`. Each field has a name of its own, which begins with a capital from A to
/// Z: Go sends no others.
#[macro_export]
macro_rules! gob_record {
    ($rust:ty = $go:literal { $($field:ident = $name:literal),* $(,)? }) => {
        const _: () = {
            $(assert!(
                $name.as_bytes()[0].is_ascii_uppercase(),
                "in Go, the name of a field that is sent begins with a capital"
            );)*
        };

        impl record::Record for $rust {
            const NAME: &'static str = $go;

            fn fields(&self) -> Vec<(&'static str, &dyn record::Encode)> {
                vec![$(($name, &self.$field)),*]
            }

            #[deny(unreachable_patterns)] // two fields of one name
            fn field_mut(&mut self, name: &str) -> Option<&mut dyn record::Decode> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}
pub use gob_record as record;

/// What `record!` needs. A module may have the name of a macro, so that one `use` brings both.
pub mod record {
    pub use super::{Decode, Encode, Record};
}

// No argument, or no reply.
record!(() = "" {});
