//! The calling end: one call at a time on a connection. A program that wants more opens more clients.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use streamsock::{Addr, Conn};

use super::decode::fatal;
use super::gob::Value;
use super::http::{CONNECTED, read_head};
use super::stream::{MAX_MESSAGE, Request, Response, Stream};

pub struct Client<S> {
    stream: Stream<S>,
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
            Error::Connection(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        Error::Connection(in_words(e))
    }
}

impl Client<Conn> {
    pub fn dial(addr: &Addr) -> io::Result<Client<Conn>> {
        Client::new(Conn::connect(addr)?, |conn| conn)
    }
}

impl<S: Read + Write> Client<S> {
    /// Asks over `conn`, and then calls over what `wrap` makes of it: a `Spin`, say. The server has five
    /// seconds to agree, and for each call the read timeout of `conn`, or ten if it has none.
    pub fn new(mut conn: Conn, wrap: impl FnOnce(Conn) -> S) -> io::Result<Client<S>> {
        if conn.read_timeout()?.is_none() {
            let patience = Some(Duration::from_secs(10));
            conn.set_read_timeout(patience)?;
            conn.set_write_timeout(patience)?;
        }
        conn.write_all(b"CONNECT /_goRPC_ HTTP/1.0\n\n")?;
        // Nothing may be sent before the answer is here: a Go server would drop it.
        let (line, early) = read_head(&conn).map_err(in_words)?;
        let status = line.strip_prefix("HTTP/1.0 ").or(line.strip_prefix("HTTP/1.1 "));
        if status.is_none_or(|status| status.trim_start() != CONNECTED) {
            let why = format!("the server does not speak net/rpc: it answers {line:?}");
            return Err(io::Error::new(ErrorKind::InvalidData, why));
        }
        Ok(Client { stream: Stream::new(wrap(conn), early, MAX_MESSAGE), seq: 0, broken: false })
    }

    /// Calls a method such as `Greeter.Greet`, and waits for its reply.
    pub fn call<R: Value + Default>(&mut self, method: &str, args: &dyn Value) -> Result<R, Error> {
        if self.broken {
            return Err(Error::Connection(ErrorKind::NotConnected.into()));
        }
        // Until the reply is here, whatever goes wrong leaves half a call behind.
        self.broken = true;
        let request = Request { service_method: method.to_string(), seq: self.seq };
        self.stream.send(&request, args)?;
        self.seq += 1;
        let mut response = Response::default();
        self.stream.receive(Some(&mut response))?;
        if response.seq != request.seq {
            let why = format!("call {} was answered as {}", request.seq, response.seq);
            return Err(io::Error::new(ErrorKind::InvalidData, why).into());
        }
        let mut reply = R::default();
        let failed = !response.error.is_empty();
        self.stream.receive(if failed { None } else { Some(&mut reply) })?;
        self.broken = false;
        if failed { Err(Error::Server(response.error)) } else { Ok(reply) }
    }
}

/// What an error of the system means here.
fn in_words(e: io::Error) -> io::Error {
    let why = match e.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "the server does not answer",
        ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => {
            "the server has ended"
        }
        _ => return fatal(e),
    };
    io::Error::new(e.kind(), why)
}
