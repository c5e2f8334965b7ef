//! Reading gob: messages, by the types that their sender defined, within limits.

use std::collections::BTreeMap;

use super::gob::{
    BOOL, BYTES, COMPLEX, FIRST_USER_ID, FLOAT, INT, INTERFACE, Result, STRING, UINT, Value,
    malformed,
};

/// How deep values may lie in each other, and how many types and fields a stream may define.
const MAX_DEPTH: usize = 100;
const MAX_TYPES: usize = 4_000;
const MAX_FIELDS: usize = 10_000;
/// How much memory the elements of all slices in a value may take, in bytes.
const MAX_MEMORY: usize = 256 << 20;

/// The types that the sender of a stream has defined so far.
#[derive(Default)]
pub struct ReceivedTypes {
    types: BTreeMap<i64, Received>,
    fields: usize,
}

pub enum Received {
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
            return Ok(Message::Value(
                Input { bytes, types: self, depth: 0, memory: MAX_MEMORY },
                id,
            ));
        }
        // How definitions are laid out is known: they refer to no types.
        let none = ReceivedTypes::default();
        let mut input = Input { bytes, types: &none, depth: 0, memory: MAX_MEMORY };
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
    /// How many bytes the elements of slices may still take.
    memory: usize,
}

impl<'a> Input<'a> {
    /// Reads a whole value of type `id`.
    pub fn value(mut self, id: i64, value: &mut dyn Value) -> Result<()> {
        if !matches!(self.definition_of(id), Some(Received::Struct(_))) && self.uint()? != 0 {
            return malformed("a value that is no struct begins with a field");
        }
        value.decode(&mut self, id)
    }

    pub fn uint(&mut self) -> Result<u64> {
        match get_uint(self.bytes) {
            Some(Ok((value, rest))) => {
                self.bytes = rest;
                Ok(value)
            }
            Some(Err(bad)) => Err(bad),
            None => malformed("a number is cut off"),
        }
    }

    /// How the sender defined a type.
    pub fn definition_of(&self, id: i64) -> Option<&'a Received> {
        self.types.types.get(&id)
    }

    fn int(&mut self) -> Result<i64> {
        self.uint().map(signed)
    }

    pub fn take(&mut self) -> Result<&'a [u8]> {
        let len = self.uint()?;
        if len > self.bytes.len() as u64 {
            return malformed("a length is beyond the message");
        }
        let (taken, rest) = self.bytes.split_at(len as usize);
        self.bytes = rest;
        Ok(taken)
    }

    pub fn text(&mut self) -> Result<String> {
        match String::from_utf8(self.take()?.to_vec()) {
            Ok(text) => Ok(text),
            Err(_) => malformed("a string is not UTF-8"),
        }
    }

    /// A count of elements, each of which takes a byte at least.
    pub fn count(&mut self, bytes_each: u64) -> Result<usize> {
        let count = self.uint()?;
        match count.checked_mul(bytes_each) {
            Some(bytes) if bytes <= self.bytes.len() as u64 => Ok(count as usize),
            _ => malformed("a count is beyond the message"),
        }
    }

    /// Accounts for the elements of a slice: one takes a byte in a message, and may take much more
    /// here.
    pub fn allocate(&mut self, count: usize, size: usize) -> Result<()> {
        match count.checked_mul(size).and_then(|bytes| self.memory.checked_sub(bytes)) {
            Some(left) => self.memory = left,
            None => return malformed("a slice of too many elements"),
        }
        Ok(())
    }

    pub fn deeper<T>(&mut self, read: impl FnOnce(&mut Input<'a>) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return malformed("values lie too deep in each other");
        }
        self.depth += 1;
        let done = read(self);
        self.depth -= 1;
        done
    }

    /// The numbers of the fields that are there, up to the end mark, below `count`.
    pub fn fields(
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
    pub fn skip(&mut self, id: i64) -> Result<()> {
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

    pub fn is(&self, id: i64, wanted: i64, name: &str) -> Result<()> {
        if id == wanted {
            return Ok(());
        }
        let got = match (id, self.definition_of(id)) {
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

pub fn signed(number: u64) -> i64 {
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
