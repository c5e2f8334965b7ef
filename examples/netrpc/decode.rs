//! Reading gob: a value at a time, by the types that its stream has defined.
//!
//! Whatever arrives, memory is bounded. A message is stored as it arrives, not as its length announces,
//! and one that is longer than the limit ends the stream. What a connection holds comes out of a budget:
//! messages, the values that are read from them, and definitions.

use std::io::{self, BufRead, ErrorKind, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::definitions::{ARRAY, Definition, Definitions, MAP, SLICE, STRUCT, get_definition};
use super::gob::{BOOL, BYTES, COMPLEX, Decode, FLOAT, INT, INTERFACE, STRING, UINT};
use super::wire::{Error, Result, bad_value, fatal, get_int, get_uint};

pub const MAX_DEPTH: usize = 100;
/// What an allocation takes besides the bytes that were asked for.
const ALLOCATION: u64 = 32;
/// What each connection may hold without asking.
pub const OWN: u64 = 64 << 10;

/// The bytes that one connection holds. What is more than [`OWN`] comes out of a budget that all
/// connections share, and goes back into it.
pub struct Memory {
    budget: Arc<AtomicU64>,
    /// How many bytes a message may have.
    max_message: usize,
    held: u64,
    /// What definitions hold, as long as the connection is there.
    kept: u64,
}

impl Memory {
    pub fn new(budget: &Arc<AtomicU64>, max_message: usize) -> Memory {
        Memory { budget: Arc::clone(budget), max_message, held: 0, kept: 0 }
    }

    /// Accounts for bytes before they are allocated.
    pub fn take(&mut self, bytes: u64) -> io::Result<()> {
        let held = self.held.saturating_add(bytes);
        let more = held.saturating_sub(OWN) - self.held.saturating_sub(OWN);
        let take = |left: u64| left.checked_sub(more);
        if more > 0 && self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err()
        {
            let why = format!("{held} bytes are more than the connections may hold together");
            return Err(io::Error::new(ErrorKind::QuotaExceeded, why));
        }
        self.held = held;
        Ok(())
    }

    /// Gives back all but what is kept.
    pub fn release(&mut self) {
        let less = self.held.saturating_sub(OWN) - self.kept.saturating_sub(OWN);
        if less > 0 {
            self.budget.fetch_add(less, Ordering::Relaxed);
        }
        self.held = self.kept;
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.kept = 0;
        self.release();
    }
}

/// A value that is being read.
pub struct Input<'a> {
    pub types: &'a mut Definitions,
    source: &'a mut dyn BufRead,
    memory: &'a mut Memory,
    message: Vec<u8>,
    /// How much of the message has been read.
    at: usize,
    /// How many values this one lies in.
    depth: usize,
}

impl<'a> Input<'a> {
    /// Begins the next value of `source`.
    pub fn new(
        source: &'a mut dyn BufRead,
        types: &'a mut Definitions,
        memory: &'a mut Memory,
    ) -> Self {
        Input { types, source, memory, message: Vec::new(), at: 0, depth: 0 }
    }

    /// Reads it into `value`, or skips it if there is none.
    pub fn read(mut self, value: Option<&mut dyn Decode>) -> Result<()> {
        let id = self.type_id()?;
        let is_struct = self.types.get(id).is_some_and(|definition| definition.kind == STRUCT);
        if !is_struct && self.get(get_uint)? != 0 {
            return Err(bad_value("a value that is no struct begins with a field"));
        }
        let Some(value) = value else { return self.skip(id) };
        let ours = value.type_id(&mut self.types.wanted);
        let refused = match self.types.fits(id, ours, 0) {
            Ok(true) => return value.decode(id, &mut self),
            Ok(false) => bad_value("type mismatch: no fields matched"),
            Err(why) => Error::Value(why),
        };
        // Its end may be in another message.
        self.skip(id)?;
        Err(refused)
    }

    /// Reads definitions, each in a message of its own, and then the id of the value that they are for.
    /// The value of an interface may need some, too: they end the message, in the middle of the value
    /// that holds the interface, and the value goes on in the next one.
    fn type_id(&mut self) -> Result<i64> {
        loop {
            if self.left() == 0 {
                self.next_message()?;
            }
            let id = self.get(get_int).map_err(fatal)?;
            if id >= 0 {
                return Ok(id);
            }
            let before = self.memory.held;
            get_definition(id.wrapping_neg(), self).map_err(fatal)?;
            self.memory.kept += self.memory.held - before;
            if self.left() > 0 {
                return Err(fatal(bad_value("extra data in buffer")));
            }
        }
    }

    fn next_message(&mut self) -> Result<()> {
        let len = get_uint(&mut self.source)?;
        let max = self.memory.max_message;
        if len > max as u64 {
            return Err(fatal(bad_value(&format!("a message of {len} bytes; the limit is {max}"))));
        }
        self.message.clear();
        self.at = 0;
        let mut left = len;
        while left > 0 {
            let piece = left.min(OWN.max(len - left));
            self.memory.take(piece)?;
            self.message.reserve_exact(piece as usize);
            if self.source.take(piece).read_to_end(&mut self.message)? < piece as usize {
                return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
            }
            left -= piece;
        }
        Ok(())
    }

    /// How much of the message there is to read.
    pub fn left(&self) -> usize {
        self.message.len() - self.at
    }

    /// Gets a number of the message.
    pub fn get<T>(&mut self, get: impl Fn(&mut dyn Read) -> Result<T>) -> Result<T> {
        let mut rest = &self.message[self.at..];
        let got = get(&mut rest).map_err(|_| bad_value("a number is cut off"))?;
        self.at = self.message.len() - rest.len();
        Ok(got)
    }

    /// A length, and so many bytes.
    pub fn bytes(&mut self) -> Result<Vec<u8>> {
        let span = self.span()?;
        self.allocate(span.len() as u64, 1)?;
        Ok(self.message[span].to_vec())
    }

    /// Where these are.
    fn span(&mut self) -> Result<Range<usize>> {
        let len = self.get(get_uint)?;
        if len > self.left() as u64 {
            return Err(bad_value("a length is beyond the message"));
        }
        self.at += len as usize;
        Ok(self.at - len as usize..self.at)
    }

    /// Accounts for memory before it is taken: an element of one byte here may need hundreds there.
    pub fn allocate(&mut self, count: u64, size: usize) -> Result<()> {
        let bytes = count.saturating_mul(size as u64).saturating_add(ALLOCATION);
        Ok(self.memory.take(bytes)?)
    }

    fn enter(&mut self) -> Result<()> {
        if self.depth == MAX_DEPTH {
            return Err(bad_value("values lie too deep in each other"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Reads `count` elements. Each takes a byte or more, so that no absurd count goes far.
    pub fn elements<F: FnMut(&mut Self) -> Result<()>>(
        &mut self,
        count: u64,
        mut get: F,
    ) -> Result<()> {
        self.enter()?;
        for _ in 0..count {
            if self.left() == 0 {
                return Err(bad_value("a count is beyond the message"));
            }
            get(self)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads those of a struct's `count` fields that are there. Before each is written how far it is
    /// from the one before, and 0 at the end, for which Go also takes the end of the message.
    pub fn fields<F: FnMut(&mut Self, usize) -> Result<()>>(
        &mut self,
        count: usize,
        mut get: F,
    ) -> Result<()> {
        self.enter()?;
        let mut next: u64 = 0;
        while self.left() > 0 {
            let delta = self.get(get_uint)?;
            if delta == 0 {
                break;
            }
            next = next.saturating_add(delta);
            if next > count as u64 {
                return Err(bad_value("a field is beyond the last"));
            }
            get(self, next as usize - 1)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Passes over a value that nobody wants.
    pub fn skip(&mut self, id: i64) -> Result<()> {
        let Some(Definition { kind, parts }) = self.types.get(id).cloned() else {
            return self.skip_basic(id);
        };
        match kind {
            STRUCT => self.fields(parts.len(), |from, number| from.skip(parts[number].id)),
            ARRAY | SLICE | MAP => {
                let count = self.get(get_uint)?;
                if kind == ARRAY && count != parts[1].id as u64 {
                    return Err(bad_value("an array of another length than its type's"));
                }
                self.elements(count, |from| {
                    from.skip(parts[0].id)?;
                    if kind == MAP { from.skip(parts[1].id) } else { Ok(()) }
                })
            }
            _ => self.span().map(drop),
        }
    }

    fn skip_basic(&mut self, id: i64) -> Result<()> {
        match id {
            BOOL | INT | UINT | FLOAT => self.get(get_uint).map(drop),
            COMPLEX => self.elements(2, |from| from.skip(FLOAT)),
            BYTES | STRING => self.span().map(drop),
            // A name, which is empty for nil; then a type, a length and a value.
            INTERFACE if !self.span()?.is_empty() => {
                self.type_id()?;
                self.span().map(drop)
            }
            INTERFACE => Ok(()),
            _ => Err(bad_value(&format!("the type {id} is not defined"))),
        }
    }
}
