//! One connection's two gob streams: messages out, each call or answer in one write, and messages in,
//! from a buffer that grows with what has arrived and never with what was announced.

use std::io::{self, ErrorKind, Read, Write};

use super::decode::{self, Input, Message, ReceivedTypes};
use super::encode::SentTypes;
use super::gob::{self, Value};

/// The longest message that is taken.
pub const MAX_MESSAGE: usize = 64 << 20;

const READ: usize = 16 << 10;

pub struct Stream<S> {
    inner: S,
    sent: SentTypes,
    out: Vec<u8>,
    received: ReceivedTypes,
    /// What has arrived is at `start..end`.
    buf: Vec<u8>,
    start: usize,
    end: usize,
}

/// Why a value could not be read.
#[derive(Debug)]
pub enum Error {
    /// The stream has ended, or cannot be trusted any more.
    Broken(io::Error),
    /// The value is not what was wanted, and the next can be read all the same.
    Value(gob::Malformed),
}

impl<S: Read + Write> Stream<S> {
    /// `early` is what had arrived with the HTTP head.
    pub fn new(inner: S, early: Vec<u8>) -> Stream<S> {
        let end = early.len();
        let mut buf = early;
        buf.resize(end.max(READ), 0);
        let (sent, received) = (SentTypes::default(), ReceivedTypes::default());
        Stream { inner, sent, out: Vec::new(), received, buf, start: 0, end }
    }

    /// Writes two values, in one write.
    pub fn send(&mut self, header: &dyn Value, body: &dyn Value) -> io::Result<()> {
        self.out.clear();
        self.sent.write(header, &mut self.out);
        self.sent.write(body, &mut self.out);
        self.inner.write_all(&self.out)?;
        // One large message should not hold its memory for ever.
        self.out.shrink_to(READ);
        Ok(())
    }

    /// Reads a value, after the definitions that come before it. `None`: the stream has ended before
    /// it began, in order.
    pub fn receive(&mut self, value: &mut dyn Value) -> Result<Option<()>, Error> {
        let read = |input: Input<'_>, id| input.value(id, value);
        self.next_value(read)
    }

    /// Reads a value and drops it, whatever it is.
    pub fn discard(&mut self) -> Result<Option<()>, Error> {
        self.next_value(|_, _| Ok(()))
    }

    pub fn next_value<T>(
        &mut self,
        read: impl FnOnce(Input<'_>, i64) -> Result<T, gob::Malformed>,
    ) -> Result<Option<T>, Error> {
        let mut defined = false;
        loop {
            let Some(len) = self.fill().map_err(Error::Broken)? else {
                if defined {
                    return Err(Error::Broken(ErrorKind::UnexpectedEof.into()));
                }
                return Ok(None);
            };
            let contents = &self.buf[self.start..self.start + len];
            self.start += len;
            match self.received.message(contents) {
                Ok(Message::Definition) => defined = true,
                Ok(Message::Value(input, id)) => {
                    return read(input, id).map(Some).map_err(Error::Value);
                }
                Err(bad) => return Err(Error::Broken(invalid(bad))),
            }
        }
    }

    /// Reads until a whole message is there, steps over its length, and tells that.
    fn fill(&mut self) -> io::Result<Option<usize>> {
        loop {
            let there = &self.buf[self.start..self.end];
            if let Some(length) = decode::get_uint(there) {
                let (len, rest) = length.map_err(invalid)?;
                if len > MAX_MESSAGE as u64 {
                    return Err(io::Error::new(
                        ErrorKind::InvalidData,
                        "gob: the message is too long",
                    ));
                }
                if rest.len() as u64 >= len {
                    self.start = self.end - rest.len();
                    return Ok(Some(len as usize));
                }
            }
            if self.start == self.end {
                (self.start, self.end) = (0, 0);
                if self.buf.len() > 64 * READ {
                    self.buf = vec![0; READ]; // one large message held it
                }
            }
            if self.end == self.buf.len() {
                if self.start > 0 {
                    self.buf.copy_within(self.start..self.end, 0);
                    (self.start, self.end) = (0, self.end - self.start);
                } else {
                    self.buf.resize(self.buf.len() * 2, 0);
                }
            }
            match self.inner.read(&mut self.buf[self.end..]) {
                Ok(0) if self.start == self.end => return Ok(None),
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.end += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

fn invalid(bad: gob::Malformed) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, bad.to_string())
}
