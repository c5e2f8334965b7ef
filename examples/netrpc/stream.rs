//! One connection's two gob streams: a header and a body at a time.
//!
//! ```text
//! client, server    calls: a method's name and an argument there, a reply or an error back
//! stream            a header and a body, in one write
//! gob               values, and the types that they are of
//! http              CONNECT, once; everything after it is gob
//! Conn              a Unix socket, or TCP
//! ```

use std::io::{self, BufReader, Chain, Cursor, ErrorKind, Read, Write};

use super::decode::Input;
use super::definitions::Definitions;
use super::encode::SentTypes;
use super::gob::{Record, Value, record};

/// The longest message that is taken, unless the program says otherwise.
pub const MAX_MESSAGE: usize = 64 << 20;
/// A buffer that has grown beyond this is not kept.
const KEPT: usize = 64 << 10;

record!(
    /// What comes before an argument.
    pub Request = "Request" { service_method = "ServiceMethod": String, seq = "Seq": u64 }
);
record!(
    /// What comes before a reply; after an error, the reply carries nothing.
    pub Response = "Response" {
        service_method = "ServiceMethod": String, seq = "Seq": u64, error = "Error": String
    }
);

pub struct Stream<S> {
    reader: BufReader<Chain<Cursor<Vec<u8>>, S>>,
    max_message: usize,
    message: Vec<u8>,
    received: Definitions,
    sent: SentTypes,
    out: Vec<u8>,
}

impl<S: Read + Write> Stream<S> {
    /// `early` is what has arrived from `inner` already.
    pub fn new(inner: S, early: Vec<u8>, max_message: usize) -> Stream<S> {
        let reader = BufReader::with_capacity(16 << 10, Cursor::new(early).chain(inner));
        let (message, received, sent, out) = Default::default();
        Stream { reader, max_message, message, received, sent, out }
    }

    pub fn send(&mut self, header: &dyn Value, body: &dyn Value) -> io::Result<()> {
        self.sent.write(header, &mut self.out);
        self.sent.write(body, &mut self.out);
        self.reader.get_mut().get_mut().1.write_all(&self.out)?;
        self.out.clear();
        self.out.shrink_to(KEPT);
        Ok(())
    }

    /// Reads a header or a body, or skips it. `UnexpectedEof` is the end of the stream.
    pub fn receive(&mut self, value: Option<&mut dyn Value>) -> io::Result<()> {
        let (types, message) = (&mut self.received, &mut self.message);
        let received = Input::new(&mut self.reader, types, message, self.max_message).read(value);
        self.message.clear();
        self.message.shrink_to(KEPT);
        received.map_err(|e| match e.kind() {
            ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, "no word for too long"),
            kind @ ErrorKind::UnexpectedEof => kind.into(),
            _ => e,
        })
    }
}
