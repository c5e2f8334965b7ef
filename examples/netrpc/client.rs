//! The calling end: one call at a time on a connection. A program that wants more opens more clients.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn};

use super::decode::Memory;
use super::gob::{Decode, Encode};
use super::http::{CONNECTED, read_head};
use super::stream::{Buffered, Request, Response, Stream, buffered};
use super::wire;

/// How many times the bytes of the longest message a reply may take, with its message.
const EXPANSION: u64 = 5;

/// What a client puts up with. A time of `None` is for ever.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long connecting may take, and then the server's answer to CONNECT: 5 s each.
    pub connect: Option<Duration>,
    /// How long a call may take, from its first byte to the last of its reply: 10 s. It is looked at
    /// whenever bytes arrive, so a server that falls silent half-way may take so long again.
    pub call: Option<Duration>,
    /// How many bytes a message of the server may have: 64 MiB.
    pub max_message: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        let [connect, call] = [5, 10].map(|seconds| Some(Duration::from_secs(seconds)));
        Limits { connect, call, max_message: 64 << 20 }
    }
}

pub struct Client<S> {
    stream: Stream<S>,
    limit: Option<Duration>,
    seq: u64,
    broken: bool,
}

/// Why a call has no reply.
#[derive(Debug)]
pub enum Error {
    /// The server says so; the next call may succeed.
    Server(String),
    /// The connection is of no more use.
    Connection(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Server(why) => f.write_str(why),
            Error::Connection(e) => match e.kind() {
                ErrorKind::TimedOut => f.write_str("the server does not answer"),
                ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => {
                    f.write_str("the server has ended")
                }
                _ => e.fmt(f),
            },
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        Error::Connection(e)
    }
}

/// A reply that cannot be read ends the connection, as in Go.
impl From<wire::Error> for Error {
    fn from(e: wire::Error) -> Error {
        Error::Connection(e.into())
    }
}

impl Client<Conn> {
    /// Connects to a server that takes calls after CONNECT, as Go's `rpc.DialHTTP`.
    pub fn dial(addr: &Addr, limits: &Limits) -> Result<Client<Conn>, Error> {
        let conn = connect(addr, limits.connect)?;
        conn.set_read_timeout(limits.connect)?;
        conn.set_write_timeout(limits.call)?;
        let mut stream = buffered(conn);
        stream.get_mut().restart(limits.connect);
        stream.get_mut().write_all(b"CONNECT /_goRPC_ HTTP/1.0\n\n")?;
        // Nothing may be sent before the answer is here: a Go server would drop it.
        let line = read_head(&mut stream)?;
        if !line.starts_with("HTTP/1.") || !line.ends_with(CONNECTED) {
            let why = format!("the server does not speak net/rpc: it answers {line:?}");
            return Err(io::Error::new(ErrorKind::InvalidData, why).into());
        }
        stream.get_ref().inner.set_read_timeout(limits.call)?;
        Ok(Client::new(stream, limits))
    }
}

/// connect(2) cannot be given a time, nor can the search for a host's address. So a thread waits for
/// them, and goes on doing so if we give up.
fn connect(addr: &Addr, limit: Option<Duration>) -> io::Result<Conn> {
    let Some(limit) = limit else { return Conn::connect(addr) };
    let (sender, receiver) = mpsc::channel();
    let addr = addr.clone();
    thread::spawn(move || sender.send(Conn::connect(&addr)));
    receiver.recv_timeout(limit).map_err(|_| io::Error::from(ErrorKind::TimedOut))?
}

impl<S: Read + Write> Client<S> {
    /// Calls over any stream that is [`buffered`], without HTTP, as Go's `rpc.NewClient`. Its timeouts
    /// bound how long a read or a write waits.
    pub fn new(stream: Buffered<S>, limits: &Limits) -> Client<S> {
        let budget = EXPANSION.saturating_mul(limits.max_message as u64);
        let memory = Memory::new(&Arc::new(AtomicU64::new(budget)), limits.max_message);
        let stream = Stream::new(stream, memory);
        Client { stream, limit: limits.call, seq: 0, broken: false }
    }

    /// Calls a method such as `Greeter.Greet`, and waits for its reply.
    pub fn call<R: Decode + Default>(&mut self, name: &str, args: &dyn Encode) -> Result<R, Error> {
        if self.broken {
            return Err(Error::Connection(ErrorKind::NotConnected.into()));
        }
        // Until the reply is here, whatever goes wrong leaves half a call behind.
        self.broken = true;
        self.stream.restart(self.limit);
        let request = Request { service_method: name.into(), seq: self.seq };
        self.stream.send(&request, args)?;
        self.seq += 1;
        let mut response = Response::default();
        self.stream.receive(Some(&mut response))?;
        if response.seq != request.seq {
            let why = format!("call {} was answered as {}", request.seq, response.seq);
            return Err(io::Error::new(ErrorKind::InvalidData, why).into());
        }
        if response.error.0.is_empty() {
            let mut reply = R::default();
            self.stream.receive(Some(&mut reply))?;
            self.broken = false;
            return Ok(reply);
        }
        self.stream.receive(None)?;
        self.broken = false;
        Err(Error::Server(response.error.to_string()))
    }
}
