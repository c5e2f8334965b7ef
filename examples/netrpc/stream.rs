//! One connection's two gob streams: a header and a body at a time, and how long they may take.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::decode::{Input, Memory, OWN};
use super::definitions::Definitions;
use super::encode::Types;
use super::gob::{Decode, Encode, GoString, record};
use super::wire::Result;

/// What comes before an argument.
#[derive(Debug, Default)]
pub struct Request {
    pub service_method: GoString,
    pub seq: u64,
}
record!(Request = "Request" { service_method = "ServiceMethod", seq = "Seq" });

/// What comes before a reply. After an error, the reply carries nothing.
#[derive(Debug, Default)]
pub struct Response {
    pub service_method: GoString,
    pub seq: u64,
    pub error: GoString,
}
record!(Response = "Response" { service_method = "ServiceMethod", seq = "Seq", error = "Error" });

/// A stream whose reads and writes have so long together. How long each of them may wait is for the
/// timeouts of `inner` to say.
pub struct Timed<S> {
    pub inner: S,
    limit: Option<Duration>,
    begun: Option<Instant>,
}

/// What both HTTP and gob are read from, so that neither reads what is for the other.
pub type Buffered<S> = BufReader<Timed<S>>;

/// Makes any stream one for calls.
pub fn buffered<S: Read>(inner: S) -> Buffered<S> {
    BufReader::with_capacity(16 << 10, Timed { inner, limit: None, begun: None })
}

impl<S> Timed<S> {
    /// Gives a new limit, `None` for ever. It begins when the next read or write is done.
    pub fn restart(&mut self, limit: Option<Duration>) {
        self.limit = limit;
        self.begun = None;
    }

    /// What was done, unless it was done too late.
    fn check(&mut self, done: io::Result<usize>) -> io::Result<usize> {
        let spent = self.begun.get_or_insert_with(Instant::now).elapsed();
        let is_late = self.limit.is_some_and(|limit| spent > limit);
        match done {
            Ok(bytes) if !is_late => Ok(bytes),
            // Timeouts have two kinds, by the system: this one, and TimedOut.
            Err(e) if e.kind() != ErrorKind::WouldBlock => Err(e),
            _ => Err(io::Error::new(ErrorKind::TimedOut, "the peer took too long")),
        }
    }
}

impl<S: Read> Read for Timed<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let done = self.inner.read(buf);
        self.check(done)
    }
}

impl<S: Write> Write for Timed<S> {
    /// In pieces, since a write of much may wait for its peer many times.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let done = self.inner.write(&buf[..buf.len().min(OWN as usize)]);
        self.check(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A connection's two streams of values, and the types that they define and want.
pub struct Stream<S> {
    reader: Buffered<S>,
    memory: Memory,
    received: Definitions,
    sent: Types,
    out: Vec<u8>,
}

impl<S: Read + Write> Stream<S> {
    pub fn new(reader: Buffered<S>, memory: Memory) -> Stream<S> {
        let (received, sent, out) = Default::default();
        Stream { reader, memory, received, sent, out }
    }

    /// As [`Timed::restart`].
    pub fn restart(&mut self, limit: Option<Duration>) {
        self.reader.get_mut().restart(limit);
    }

    /// Sends a header and a body together.
    pub fn send(&mut self, header: &dyn Encode, body: &dyn Encode) -> io::Result<()> {
        self.sent.write(header, &mut self.out);
        self.sent.write(body, &mut self.out);
        self.memory.take(self.out.len() as u64)?;
        self.reader.get_mut().write_all(&self.out)?;
        self.out.clear();
        self.out.shrink_to(OWN as usize);
        self.memory.release();
        Ok(())
    }

    /// Reads a header or a body, or skips it. `UnexpectedEof` is the end of the stream.
    pub fn receive(&mut self, value: Option<&mut dyn Decode>) -> Result<()> {
        let input = Input::new(&mut self.reader, &mut self.received, &mut self.memory);
        let received = input.read(value);
        self.memory.release();
        received
    }
}
