//! Reading gob: a value at a time, by the types that its stream has defined.
//!
//! Whatever arrives, memory is bounded. A message is stored as it arrives, not as its length announces,
//! and passed over if it is longer than the limit. The strings, slices and maps in a value may take
//! [`EXPANSION`] times the limit together. Definitions have a budget of their own, in `definitions.rs`.
//! What all connections of a server hold in messages and definitions comes out of one budget, of which
//! each has a [`Share`].

use std::io::{self, BufRead, ErrorKind, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::definitions::{ARRAY, Definition, Definitions, MAP, SLICE, STRUCT, get_definition};
use super::encode::Types;
use super::gob::{BOOL, BYTES, COMPLEX, Decode, FLOAT, INT, INTERFACE, STRING, UINT};
use super::wire::{Error, bad_value, fatal, get_int, get_uint};

pub const MAX_DEPTH: usize = 100;
const EXPANSION: u64 = 4;
/// What an allocation takes besides the bytes that were asked for.
const ALLOCATION: u64 = 32;
/// Go's own limit. A message that announces more is none, and is not passed over.
const MAX_SKIPPED: u64 = 8 << 30;
/// What each connection may hold without asking.
pub const OWN: usize = 64 << 10;

/// What one connection has taken of a budget that all connections share: the bytes that are left. It goes
/// back with the value.
pub struct Share {
    left: Arc<AtomicUsize>,
    taken: usize,
}

impl Share {
    pub fn new(left: &Arc<AtomicUsize>) -> Share {
        Share { left: Arc::clone(left), taken: 0 }
    }

    /// Takes or gives back, so that the connection may hold `bytes`.
    pub fn hold(&mut self, bytes: usize) -> io::Result<()> {
        let needed = bytes.saturating_sub(OWN);
        if needed == self.taken {
            return Ok(());
        }
        let taken = self.taken;
        let take = |left: usize| (left + taken).checked_sub(needed);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            let why = format!("{bytes} bytes are more than the connections may hold together");
            return Err(io::Error::new(ErrorKind::QuotaExceeded, why));
        }
        self.taken = needed;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.left.fetch_add(self.taken, Ordering::Relaxed);
    }
}

/// A value that is being read.
pub struct Input<'a> {
    pub types: &'a mut Definitions,
    source: &'a mut dyn BufRead,
    share: &'a mut Share,
    max_message: usize,
    message: &'a mut Vec<u8>,
    /// How many messages were begun, and how much of the last one has been read.
    messages: usize,
    at: usize,
    /// What strings and elements may still take.
    memory: u64,
    /// How many values this one lies in.
    depth: usize,
}

impl<'a> Input<'a> {
    /// Begins the next value of `source`; `message` is an empty buffer.
    pub fn new(
        source: &'a mut dyn BufRead,
        types: &'a mut Definitions,
        message: &'a mut Vec<u8>,
        share: &'a mut Share,
        max_message: usize,
    ) -> Input<'a> {
        let memory = EXPANSION.saturating_mul(max_message as u64);
        Input { types, source, share, max_message, message, messages: 0, at: 0, memory, depth: 0 }
    }

    /// Reads it into `value`, or skips it if there is none.
    pub fn read(mut self, value: Option<&mut dyn Decode>, wanted: &mut Types) -> Result<(), Error> {
        let id = self.type_id()?;
        if self.types.get(id).is_none_or(|definition| definition.kind != STRUCT)
            && self.get(get_uint)? != 0
        {
            return Err(bad_value("a value that is no struct begins with a field"));
        }
        let Some(value) = value else { return self.skip(id) };
        let (message, start) = (self.messages, self.at);
        let ours = value.type_id(wanted);
        let read = match self.types.fits(id, ours, wanted, 0) {
            Ok(true) => value.decode(id, &mut self),
            Ok(false) => Err(bad_value("type mismatch: no fields matched")),
            Err(why) => Err(Error::Value(why)),
        };
        if matches!(read, Err(Error::Value(_))) && self.messages == message {
            // It is passed over from its start, since its end may be in another message.
            (self.at, self.depth) = (start, 0);
            self.skip(id)?;
        }
        read
    }

    /// Reads definitions, each in a message of its own, and then the id of the value that they are for.
    /// The value of an interface may need some, too: they end the message, in the middle of the value
    /// that holds the interface, and the value goes on in the next one.
    fn type_id(&mut self) -> Result<i64, Error> {
        loop {
            if self.left() == 0 {
                self.next_message()?;
            }
            let id = self.get(get_int).map_err(fatal)?;
            if id >= 0 {
                return Ok(id);
            }
            get_definition(id.wrapping_neg(), self).map_err(fatal)?;
            if self.left() > 0 {
                return Err(fatal(bad_value("extra data in buffer")));
            }
        }
    }

    fn next_message(&mut self) -> Result<(), Error> {
        let len = get_uint(&mut self.source)?;
        if len > self.max_message as u64 {
            return self.pass_over(len);
        }
        let len = len as usize;
        self.messages += 1;
        self.message.clear();
        self.at = 0;
        while self.message.len() < len {
            let stored = self.message.len();
            let piece = stored.max(OWN).min(len - stored);
            self.share.hold(self.types.cost() + stored + piece)?;
            self.message.reserve_exact(piece);
            (&mut self.source).take(piece as u64).read_to_end(self.message)?;
            if self.message.len() < stored + piece {
                return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
            }
        }
        Ok(())
    }

    /// The stream makes sense without a value that is too long, but not without a definition.
    fn pass_over(&mut self, len: u64) -> Result<(), Error> {
        let max = self.max_message;
        let too_long = bad_value(&format!("a message of {len} bytes; the limit is {max}"));
        let mut contents = (&mut self.source).take(len);
        if len >= MAX_SKIPPED || get_int(&mut contents)? < 0 {
            return Err(fatal(too_long));
        }
        io::copy(&mut contents, &mut io::sink())?;
        Err(too_long)
    }

    /// How much of the message there is to read.
    pub fn left(&self) -> usize {
        self.message.len() - self.at
    }

    /// Gets a number of the message.
    pub fn get<T>(&mut self, get: impl Fn(&mut dyn Read) -> Result<T, Error>) -> Result<T, Error> {
        let mut rest = &self.message[self.at..];
        let got = get(&mut rest).map_err(|_| bad_value("a number is cut off"))?;
        self.at = self.message.len() - rest.len();
        Ok(got)
    }

    /// A length, and so many bytes.
    pub fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        let span = self.span()?;
        self.allocate(span.len() as u64, 1)?;
        Ok(self.message[span].to_vec())
    }

    /// Where these are.
    fn span(&mut self) -> Result<Range<usize>, Error> {
        let len = self.get(get_uint)?;
        if len > self.left() as u64 {
            return Err(bad_value("a length is beyond the message"));
        }
        self.at += len as usize;
        Ok(self.at - len as usize..self.at)
    }

    /// Accounts for memory before it is taken: an element of one byte here may need hundreds there.
    pub fn allocate(&mut self, count: u64, size: usize) -> Result<(), Error> {
        let bytes = count.saturating_mul(size as u64).saturating_add(ALLOCATION);
        let left = self.memory.checked_sub(bytes);
        self.memory = left.ok_or_else(|| bad_value("a value that takes too much memory"))?;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(bad_value("values lie too deep in each other"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Reads `count` elements. Each takes a byte or more, so that no absurd count goes far.
    pub fn elements<F>(&mut self, count: u64, mut read: F) -> Result<(), Error>
    where
        F: FnMut(&mut Self) -> Result<(), Error>,
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
    pub fn fields<F>(&mut self, count: usize, mut read: F) -> Result<(), Error>
    where
        F: FnMut(&mut Self, usize) -> Result<(), Error>,
    {
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
            read(self, next as usize - 1)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Passes over a value that nobody wants.
    pub fn skip(&mut self, id: i64) -> Result<(), Error> {
        if let Some(Definition { kind, parts }) = self.types.get(id).cloned() {
            return self.skip_defined(kind, &parts);
        }
        match id {
            BOOL | INT | UINT | FLOAT => {
                self.get(get_uint)?;
            }
            COMPLEX => self.elements(2, |from| from.skip(FLOAT))?,
            BYTES | STRING => {
                self.span()?;
            }
            // A name, which is empty for nil; then a type, a length and a value.
            INTERFACE if !self.span()?.is_empty() => {
                self.type_id()?;
                self.span()?;
            }
            INTERFACE => {}
            _ => return Err(bad_value(&format!("the type {id} is not defined"))),
        }
        Ok(())
    }

    fn skip_defined(&mut self, kind: usize, parts: &[(String, i64)]) -> Result<(), Error> {
        match kind {
            STRUCT => self.fields(parts.len(), |from, number| from.skip(parts[number].1)),
            ARRAY | SLICE | MAP => {
                let count = self.get(get_uint)?;
                if kind == ARRAY && count != parts[1].1 as u64 {
                    return Err(bad_value("an array of another length than its type's"));
                }
                self.elements(count, |from| {
                    from.skip(parts[0].1)?;
                    if kind == MAP { from.skip(parts[1].1) } else { Ok(()) }
                })
            }
            _ => self.span().map(drop),
        }
    }
}
