//! Reading gob: a value at a time, by the types that its stream has defined.
//!
//! Whatever arrives, memory is bounded. A message is stored as it arrives, not as its length announces,
//! and passed over if it is longer than the limit. The strings and slices in a value may take
//! [`EXPANSION`] times the limit together. Definitions have a budget of their own, in `definitions.rs`.

use std::io::{self, BufRead, ErrorKind, Read};
use std::ops::Range;

use super::definitions::{Definition, Definitions, define};
use super::gob::{
    BAD_VALUE, BOOL, BYTES, COMPLEX, FLOAT, INT, INTERFACE, STRING, UINT, Value, bad_value,
};

pub const MAX_DEPTH: usize = 100;
const EXPANSION: u64 = 4;
/// What an allocation takes besides the bytes that were asked for.
const ALLOCATION: u64 = 32;
/// Go's own limit. A message that announces more is none, and is not passed over.
const MAX_SKIPPED: u64 = 8 << 30;

/// A value that is being read.
pub struct Input<'a> {
    pub types: &'a mut Definitions,
    source: &'a mut dyn BufRead,
    max_message: u64,
    message: &'a mut Vec<u8>,
    /// How much of the message has been read.
    at: usize,
    /// What strings and elements may still take.
    memory: u64,
    /// How many values this one lies in.
    pub depth: usize,
}

impl<'a> Input<'a> {
    /// Begins the next value of `source`; `message` is an empty buffer.
    pub fn new(
        source: &'a mut dyn BufRead,
        types: &'a mut Definitions,
        message: &'a mut Vec<u8>,
        max_message: usize,
    ) -> Input<'a> {
        let max_message = max_message as u64;
        let memory = EXPANSION.saturating_mul(max_message);
        Input { types, source, max_message, message, at: 0, memory, depth: 0 }
    }

    /// Reads it into `value`, or skips it if there is none.
    pub fn read(mut self, value: Option<&mut dyn Value>) -> io::Result<()> {
        let id = self.type_id()?;
        let is_struct = matches!(self.types.get(id), Some(Definition::Struct(_)));
        if !is_struct && self.uint()? != 0 {
            return Err(bad_value("a value that is no struct begins with a field"));
        }
        let Some(value) = value else { return self.skip(id) };
        match value.accepts(id, self.types) {
            Ok(()) => value.decode(id, &mut self),
            // Its end may be in another message.
            refused => self.skip(id).and(refused),
        }
    }

    /// Reads definitions, each in a message of its own, and then the id of the value that they are for.
    /// The value of an interface may need some, too: they end the message, in the middle of the value
    /// that holds the interface, and the value goes on in the next one.
    fn type_id(&mut self) -> io::Result<i64> {
        loop {
            if self.left() == 0 {
                self.next_message()?;
            }
            let id = self.int().map_err(fatal)?;
            if id >= 0 {
                return Ok(id);
            }
            define(id.wrapping_neg(), self).map_err(fatal)?;
            if self.left() > 0 {
                return Err(fatal(bad_value("extra data in buffer")));
            }
        }
    }

    fn next_message(&mut self) -> io::Result<()> {
        let len = read_uint(&mut self.source)?;
        let mut contents = (&mut self.source).take(len);
        if len > self.max_message {
            let max = self.max_message;
            let too_long = bad_value(format!("a message of {len} bytes; the limit is {max}"));
            // The stream makes sense without this value, but not without a definition.
            if len >= MAX_SKIPPED || signed(read_uint(&mut contents)?) < 0 {
                return Err(fatal(too_long));
            }
            io::copy(&mut contents, &mut io::sink())?;
            return Err(too_long);
        }
        self.message.clear();
        self.at = 0;
        let read = contents.read_to_end(self.message)?;
        if (read as u64) < len { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// How much of the message there is to read.
    pub fn left(&self) -> usize {
        self.message.len() - self.at
    }

    pub fn uint(&mut self) -> io::Result<u64> {
        let mut rest = &self.message[self.at..];
        let number = read_uint(&mut rest).map_err(|_| bad_value("a number is cut off"))?;
        self.at = self.message.len() - rest.len();
        Ok(number)
    }

    pub fn int(&mut self) -> io::Result<i64> {
        self.uint().map(signed)
    }

    /// A length, and so many bytes.
    pub fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let span = self.span()?;
        self.allocate(1, span.len())?;
        Ok(self.message[span].to_vec())
    }

    /// Where these are.
    fn span(&mut self) -> io::Result<Range<usize>> {
        let len = self.uint()?;
        if len > self.left() as u64 {
            return Err(bad_value("a length is beyond the message"));
        }
        self.at += len as usize;
        Ok(self.at - len as usize..self.at)
    }

    /// Accounts for memory before it is taken: an element of one byte here may need hundreds there.
    pub fn allocate(&mut self, count: u64, size: usize) -> io::Result<()> {
        let bytes = count.saturating_mul(size as u64).saturating_add(ALLOCATION);
        let left = self.memory.checked_sub(bytes);
        self.memory = left.ok_or_else(|| bad_value("a value that takes too much memory"))?;
        Ok(())
    }

    fn enter(&mut self) -> io::Result<()> {
        if self.depth == MAX_DEPTH {
            return Err(bad_value("values lie too deep in each other"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Reads `count` elements. Each takes a byte or more, so that no absurd count goes far.
    pub fn elements<F>(&mut self, count: u64, mut read: F) -> io::Result<()>
    where
        F: FnMut(&mut Self) -> io::Result<()>,
    {
        self.enter()?;
        for _ in 0..count {
            if self.left() == 0 {
                return Err(bad_value("a count is beyond the message"));
            }
            read(self)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads those of a struct's `count` fields that are there. Before each is written how far it is
    /// from the one before, and 0 at the end, for which Go also takes the end of the message.
    pub fn fields<F>(&mut self, count: usize, mut read: F) -> io::Result<()>
    where
        F: FnMut(&mut Self, usize) -> io::Result<()>,
    {
        self.enter()?;
        let mut next: u64 = 0;
        while self.left() > 0 {
            let delta = self.uint()?;
            if delta == 0 {
                break;
            }
            next = next.saturating_add(delta);
            if next > count as u64 {
                return Err(bad_value("a field is beyond the last"));
            }
            read(self, next as usize - 1)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Passes over a value that nobody wants.
    pub fn skip(&mut self, id: i64) -> io::Result<()> {
        match (id, self.types.get(id).cloned()) {
            (BOOL | INT | UINT | FLOAT, _) => self.uint().map(drop),
            (COMPLEX, _) => self.uint().and_then(|_| self.uint()).map(drop),
            (BYTES | STRING, _) | (_, Some(Definition::Opaque)) => self.span().map(drop),
            (INTERFACE, _) => self.skip_interface(),
            (_, Some(Definition::Struct(fields))) => {
                self.fields(fields.len(), |from, number| from.skip(fields[number].1))
            }
            (_, Some(Definition::Slice(element))) => {
                let count = self.uint()?;
                self.elements(count, |from| from.skip(element))
            }
            (_, Some(Definition::Array(element, len))) => {
                let count = self.uint()?;
                if count != len as u64 {
                    return Err(bad_value("an array of another length than its type's"));
                }
                self.elements(count, |from| from.skip(element))
            }
            (_, Some(Definition::Map(key, element))) => {
                let count = self.uint()?;
                self.elements(count, |from| from.skip(key).and_then(|()| from.skip(element)))
            }
            (_, None) => Err(bad_value(format!("the type {id} is not defined"))),
        }
    }

    /// A name, which is empty for nil; then a type, a length and a value.
    fn skip_interface(&mut self) -> io::Result<()> {
        if !self.span()?.is_empty() {
            self.type_id()?;
            self.span()?;
        }
        Ok(())
    }
}

/// After this error, the stream cannot be read on.
pub fn fatal(e: io::Error) -> io::Error {
    if e.kind() == BAD_VALUE { io::Error::new(ErrorKind::InvalidData, e.to_string()) } else { e }
}

pub fn signed(number: u64) -> i64 {
    ((number >> 1) as i64) ^ -((number & 1) as i64)
}

fn read_uint(from: &mut dyn BufRead) -> io::Result<u64> {
    let mut number = [0; 8];
    from.read_exact(&mut number[7..])?;
    let first = number[7];
    if first < 128 {
        return Ok(first.into());
    }
    let start = 8usize.checked_sub(first.wrapping_neg().into());
    let start = start.ok_or_else(|| fatal(bad_value("a number of more than 8 bytes")))?;
    from.read_exact(&mut number[start..])?;
    Ok(u64::from_be_bytes(number))
}
