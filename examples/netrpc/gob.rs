//! gob: how Go's `encoding/gob` writes values. A stream describes its own types: before the first
//! value of a struct or slice, the sender defines it, and the receiver reads by those definitions.
//!
//! Supported: bool, integers, floats, strings, [`Bytes`], `Vec` and structs ([`Record`]). What else a
//! sender defines is skipped where nobody wants it, and refused where it would be the value.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;

/// How deep values may lie in each other, and how many types and fields a stream may define.
const MAX_DEPTH: usize = 100;
const MAX_TYPES: usize = 4_000;
const MAX_FIELDS: usize = 10_000;
/// Bytes that the elements of a slice may take in memory.
const MAX_SLICE: usize = 256 << 20;

const BOOL: i64 = 1;
const INT: i64 = 2;
const UINT: i64 = 3;
const FLOAT: i64 = 4;
const BYTES: i64 = 5;
const STRING: i64 = 6;
const COMPLEX: i64 = 7;
const INTERFACE: i64 = 8;
const FIRST_USER_ID: i64 = 64;

/// What is wrong with what arrived, in words.
#[derive(Debug, PartialEq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gob: {}", self.0)
    }
}

type Result<T> = std::result::Result<T, Malformed>;

fn malformed<T>(why: impl Into<String>) -> Result<T> {
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

// ------------------------------------------------------------------ writing

/// The types that a stream has defined so far.
#[derive(Default)]
pub struct SentTypes {
    definitions: Vec<Definition>,
    /// Those that are new, to be written before the value.
    messages: Vec<u8>,
}

/// Tells the types of a sender apart.
#[derive(Clone, Copy, PartialEq)]
enum Key {
    Struct(TypeId),
    /// A slice, by the id of its element.
    Slice(i64),
}

struct Definition {
    key: Key,
    name: String,
    fields: Vec<(&'static str, i64)>,
    sent: bool,
}

impl SentTypes {
    /// Appends a value to `out`, as a message, with the definitions that are missing before it.
    pub fn write(&mut self, value: &dyn Value, out: &mut Vec<u8>) {
        let id = value.type_id(self);
        self.send(id);
        out.append(&mut self.messages);
        let mut contents = Vec::new();
        put_int(&mut contents, id);
        if !self.is_struct(id) {
            contents.push(0);
        }
        value.encode(&mut contents);
        put_message(out, &contents);
    }

    fn is_struct(&self, id: i64) -> bool {
        id >= FIRST_USER_ID && matches!(self.definition(id).key, Key::Struct(_))
    }

    fn definition(&self, id: i64) -> &Definition {
        &self.definitions[(id - FIRST_USER_ID) as usize]
    }

    fn definition_mut(&mut self, id: i64) -> &mut Definition {
        &mut self.definitions[(id - FIRST_USER_ID) as usize]
    }

    fn find(&self, key: Key) -> Option<i64> {
        let at = self.definitions.iter().position(|definition| definition.key == key)?;
        Some(at as i64 + FIRST_USER_ID)
    }

    fn add(&mut self, key: Key, name: String) -> i64 {
        self.definitions.push(Definition { key, name, fields: Vec::new(), sent: false });
        self.definitions.len() as i64 - 1 + FIRST_USER_ID
    }

    /// A struct takes its number before its fields take theirs, so that it may hold itself.
    fn record<R: Record>(&mut self, record: &R) -> i64 {
        let key = Key::Struct(TypeId::of::<R>());
        if let Some(id) = self.find(key) {
            return id;
        }
        let id = self.add(key, R::NAME.to_string());
        let mut fields = Vec::new();
        for (name, value) in R::FIELDS.iter().zip(record.values()) {
            let type_id = value.type_id(self);
            // Go names a slice where a field has it first.
            if type_id >= FIRST_USER_ID && !self.is_struct(type_id) {
                let definition = self.definition_mut(type_id);
                if definition.name.is_empty() && !definition.sent {
                    definition.name = value.go_name();
                }
            }
            fields.push((*name, type_id));
        }
        self.definition_mut(id).fields = fields;
        id
    }

    fn slice(&mut self, element: i64) -> i64 {
        let key = Key::Slice(element);
        self.find(key).unwrap_or_else(|| self.add(key, String::new()))
    }

    /// Writes the definition of a type, then those of what it is made of.
    fn send(&mut self, id: i64) {
        if id < FIRST_USER_ID {
            return;
        }
        let definition = self.definition_mut(id);
        if std::mem::replace(&mut definition.sent, true) {
            return;
        }
        let mut contents = Vec::new();
        put_int(&mut contents, -id);
        // wireType: field 1 is a slice, field 2 a struct; both begin with CommonType.
        contents.extend([if matches!(definition.key, Key::Slice(_)) { 2 } else { 3 }, 1]);
        if definition.name.is_empty() {
            contents.push(2);
        } else {
            contents.push(1);
            put_bytes(&mut contents, definition.name.as_bytes());
            contents.push(1);
        }
        put_int(&mut contents, id);
        contents.push(0);
        let parts: Vec<i64> = match definition.key {
            Key::Slice(element) => {
                contents.push(1);
                put_int(&mut contents, element);
                vec![element]
            }
            Key::Struct(_) => {
                let fields = &definition.fields;
                if !fields.is_empty() {
                    contents.push(1);
                    put_uint(&mut contents, fields.len() as u64);
                }
                for (name, type_id) in fields {
                    contents.push(1);
                    put_bytes(&mut contents, name.as_bytes());
                    contents.push(1);
                    put_int(&mut contents, *type_id);
                    contents.push(0);
                }
                fields.iter().map(|field| field.1).collect()
            }
        };
        contents.extend([0, 0]);
        put_message(&mut self.messages, &contents);
        parts.into_iter().for_each(|part| self.send(part));
    }
}

pub fn put_uint(out: &mut Vec<u8>, value: u64) {
    if value < 128 {
        return out.push(value as u8);
    }
    let bytes = value.to_be_bytes();
    let skipped = value.leading_zeros() as usize / 8;
    out.push((8 - skipped as u8).wrapping_neg());
    out.extend(&bytes[skipped..]);
}

fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, unsigned(value));
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn put_message(out: &mut Vec<u8>, contents: &[u8]) {
    put_bytes(out, contents);
}

// ------------------------------------------------------------------ reading

/// The types that the sender of a stream has defined so far.
#[derive(Default)]
pub struct ReceivedTypes {
    types: HashMap<i64, Received>,
    fields: usize,
}

enum Received {
    Struct(Vec<(String, i64)>),
    Slice(i64),
    Array(i64, u64),
    Map(i64, i64),
    /// A length and bytes in a form of its own, such as time.Time's.
    Opaque,
}

/// What a message holds.
pub enum Message<'a> {
    Definition,
    Value(Input<'a>, i64),
}

impl ReceivedTypes {
    /// Reads a message without its length: it takes in a definition, or begins a value.
    pub fn message<'a>(&'a mut self, contents: &'a [u8]) -> Result<Message<'a>> {
        let (number, bytes) = get_uint(contents).unwrap_or(malformed("an empty message"))?;
        let id = signed(number);
        if id >= 0 {
            return Ok(Message::Value(Input { bytes, types: self, depth: 0 }, id));
        }
        // How definitions are laid out is known: they refer to no types.
        let none = ReceivedTypes::default();
        let mut input = Input { bytes, types: &none, depth: 0 };
        let id = id.checked_neg().unwrap_or(0);
        if !(FIRST_USER_ID..1 << 31).contains(&id) || self.types.contains_key(&id) {
            return malformed("duplicate or reserved type received");
        }
        let definition = input.definition()?;
        if !input.bytes.is_empty() {
            return malformed("extra data in buffer");
        }
        if let Received::Struct(fields) = &definition {
            self.fields += fields.len();
        }
        self.types.insert(id, definition);
        if self.types.len() > MAX_TYPES || self.fields > MAX_FIELDS {
            return malformed("too many types");
        }
        Ok(Message::Definition)
    }
}

/// The rest of a message, and the types to read it by.
pub struct Input<'a> {
    bytes: &'a [u8],
    types: &'a ReceivedTypes,
    depth: usize,
}

impl<'a> Input<'a> {
    /// Reads a whole value of type `id`.
    pub fn value(mut self, id: i64, value: &mut dyn Value) -> Result<()> {
        if !matches!(self.types.types.get(&id), Some(Received::Struct(_))) && self.uint()? != 0 {
            return malformed("a value that is no struct begins with a field");
        }
        value.decode(&mut self, id)
    }

    fn uint(&mut self) -> Result<u64> {
        match get_uint(self.bytes) {
            Some(Ok((value, rest))) => {
                self.bytes = rest;
                Ok(value)
            }
            Some(Err(bad)) => Err(bad),
            None => malformed("a number is cut off"),
        }
    }

    fn int(&mut self) -> Result<i64> {
        self.uint().map(signed)
    }

    fn take(&mut self) -> Result<&'a [u8]> {
        let len = self.uint()?;
        if len > self.bytes.len() as u64 {
            return malformed("a length is beyond the message");
        }
        let (taken, rest) = self.bytes.split_at(len as usize);
        self.bytes = rest;
        Ok(taken)
    }

    fn text(&mut self) -> Result<String> {
        match String::from_utf8(self.take()?.to_vec()) {
            Ok(text) => Ok(text),
            Err(_) => malformed("a string is not UTF-8"),
        }
    }

    /// A count of elements, each of which takes a byte at least.
    fn count(&mut self, bytes_each: u64) -> Result<usize> {
        let count = self.uint()?;
        match count.checked_mul(bytes_each) {
            Some(bytes) if bytes <= self.bytes.len() as u64 => Ok(count as usize),
            _ => malformed("a count is beyond the message"),
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Input<'a>) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return malformed("values lie too deep in each other");
        }
        self.depth += 1;
        let done = read(self);
        self.depth -= 1;
        done
    }

    /// The numbers of the fields that are there, up to the end mark, below `count`.
    fn fields(
        &mut self,
        count: usize,
        mut read: impl FnMut(&mut Input<'a>, usize) -> Result<()>,
    ) -> Result<()> {
        let mut next: u64 = 0;
        self.deeper(|input| {
            loop {
                let delta = input.uint()?;
                if delta == 0 {
                    return Ok(());
                }
                next = match next.checked_add(delta) {
                    Some(next) if next <= count as u64 => next,
                    _ => return malformed("a field is beyond the last"),
                };
                read(input, next as usize - 1)?;
            }
        })
    }

    fn definition(&mut self) -> Result<Received> {
        let mut found = None;
        self.fields(7, |input, kind| {
            let (mut numbers, mut fields) = ([0; 3], Vec::new());
            input.fields(3, |input, field| match (kind, field) {
                (_, 0) => input.fields(2, |input, common| match common {
                    0 => input.take().map(drop),
                    _ => input.int().map(drop),
                }),
                (2, 1) => {
                    for _ in 0..input.count(1)? {
                        let (mut name, mut id) = (String::new(), 0);
                        input.fields(2, |input, part| {
                            match part {
                                0 => name = input.text()?,
                                _ => id = input.int()?,
                            }
                            Ok(())
                        })?;
                        fields.push((name, id));
                    }
                    Ok(())
                }
                (0 | 1 | 3, _) => {
                    numbers[field] = input.int()?;
                    Ok(())
                }
                _ => malformed("a definition has a field too many"),
            })?;
            let [_, first, second] = numbers;
            let definition = match kind {
                0 => Received::Array(first, second.try_into().unwrap_or(u64::MAX)),
                1 => Received::Slice(first),
                2 => Received::Struct(fields),
                3 => Received::Map(first, second),
                _ => Received::Opaque,
            };
            if found.replace(definition).is_some() {
                return malformed("a definition of two types");
            }
            Ok(())
        })?;
        found.map_or_else(|| malformed("an empty definition"), Ok)
    }

    /// Passes over a value that nobody wants.
    fn skip(&mut self, id: i64) -> Result<()> {
        let types = self.types;
        match (id, types.types.get(&id)) {
            (BOOL | INT | UINT | FLOAT, _) => self.uint().map(drop),
            (BYTES | STRING, _) | (_, Some(Received::Opaque)) => self.take().map(drop),
            (COMPLEX, _) => self.uint().and_then(|_| self.uint()).map(drop),
            (INTERFACE, _) => {
                if !self.take()?.is_empty() {
                    self.int()?;
                    self.take()?;
                }
                Ok(())
            }
            (_, Some(Received::Struct(fields))) => {
                self.fields(fields.len(), |input, n| input.skip(fields[n].1))
            }
            (_, Some(Received::Slice(element))) => {
                let count = self.count(1)?;
                self.deeper(|input| (0..count).try_for_each(|_| input.skip(*element)))
            }
            (_, Some(Received::Array(element, len))) => {
                let count = self.count(1)?;
                if count as u64 != *len {
                    return malformed("an array of another length than its type's");
                }
                self.deeper(|input| (0..count).try_for_each(|_| input.skip(*element)))
            }
            (_, Some(Received::Map(key, element))) => {
                let count = self.count(2)?;
                self.deeper(|input| {
                    (0..count).try_for_each(|_| {
                        input.skip(*key)?;
                        input.skip(*element)
                    })
                })
            }
            _ => malformed(format!("the type {id} is not defined")),
        }
    }

    fn is(&self, id: i64, wanted: i64, name: &str) -> Result<()> {
        if id == wanted {
            return Ok(());
        }
        let got = match (id, self.types.types.get(&id)) {
            (BOOL, _) => "bool",
            (INT, _) => "int",
            (UINT, _) => "uint",
            (FLOAT, _) => "float",
            (BYTES, _) => "bytes",
            (STRING, _) => "string",
            (COMPLEX, _) => "complex",
            (INTERFACE, _) => "an interface",
            (_, Some(Received::Struct(_))) => "a struct",
            (_, Some(Received::Slice(_))) => "a slice",
            (_, Some(Received::Array(..))) => "an array",
            (_, Some(Received::Map(..))) => "a map",
            (_, Some(Received::Opaque)) => "a type with an encoding of its own",
            _ => "a type that is not defined",
        };
        malformed(format!("type mismatch: want {name}, got {got}"))
    }
}

fn signed(number: u64) -> i64 {
    ((number >> 1) as i64) ^ -((number & 1) as i64)
}

/// A number, and what follows it; `None` when it is cut off.
pub fn get_uint(bytes: &[u8]) -> Option<Result<(u64, &[u8])>> {
    let (&first, rest) = bytes.split_first()?;
    if first < 128 {
        return Some(Ok((u64::from(first), rest)));
    }
    let len = usize::from(first.wrapping_neg());
    if len > 8 {
        return Some(malformed("a number of more than 8 bytes"));
    }
    let (number, rest) = rest.split_at_checked(len)?;
    let value = number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    Some(Ok((value, rest)))
}

// ------------------------------------------------------------------ the types

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

fn unsigned(number: impl Into<i64>) -> u64 {
    let number = number.into();
    ((number << 1) ^ (number >> 63)) as u64
}

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
        let Some(Received::Slice(element)) = from.types.types.get(&id) else {
            return from.is(id, 0, "a slice");
        };
        let count = from.count(1)?;
        // A struct takes a byte in a message, and may take much more here.
        if count.saturating_mul(size_of::<T>()) > MAX_SLICE {
            return malformed("a slice of too many elements");
        }
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
        let Some(Received::Struct(fields)) = from.types.types.get(&id) else {
            return from.is(id, 0, "a struct");
        };
        let ours = |name: &String| R::FIELDS.iter().position(|field| field == name);
        let places: Vec<_> = fields.iter().map(|(name, _)| ours(name)).collect();
        if !places.is_empty() && !R::FIELDS.is_empty() && places.iter().all(Option::is_none) {
            return malformed(format!("type mismatch: no fields matched for {}", R::NAME));
        }
        let mut values = self.values_mut();
        from.fields(fields.len(), |input, n| match places[n] {
            Some(place) => values[place].decode(input, fields[n].1),
            None => input.skip(fields[n].1),
        })
    }
}
