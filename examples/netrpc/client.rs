//! The calling end: one call at a time on a connection. A program that wants more opens more clients.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

use streamsock::{Addr, Conn};

use super::gob::Value;
use super::stream::{self, Stream};
use super::{Request, Response, http};

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
            Error::Connection(e) if e.kind() == ErrorKind::UnexpectedEof => {
                f.write_str("the server has ended")
            }
            Error::Connection(e) => e.fmt(f),
        }
    }
}

impl Client<Conn> {
    pub fn dial(addr: &Addr) -> io::Result<Client<Conn>> {
        Client::new(Conn::connect(addr)?, |conn| conn)
    }
}

impl<S: Read + Write> Client<S> {
    /// Shakes hands over `conn`, and then calls over what `wrap` makes of it: a `Spin`, say.
    pub fn new(conn: Conn, wrap: impl FnOnce(Conn) -> S) -> io::Result<Client<S>> {
        let early = http::connect(&conn)?;
        Ok(Client { stream: Stream::new(wrap(conn), early), seq: 0, broken: false })
    }

    /// Calls a method such as `Greeter.Greet`, and waits for its reply.
    pub fn call<R: Value + Default>(&mut self, method: &str, args: &dyn Value) -> Result<R, Error> {
        if self.broken {
            return Err(Error::Connection(ErrorKind::NotConnected.into()));
        }
        // Until the reply is here, whatever goes wrong leaves half a call behind.
        self.broken = true;
        let request = Request { service_method: method.to_string(), seq: self.seq };
        self.stream.send(&request, args).map_err(Error::Connection)?;
        self.seq += 1;

        let mut response = Response::default();
        self.receive(&mut response)?;
        if response.seq != request.seq {
            let why = format!("call {} was answered as {}", request.seq, response.seq);
            return Err(Error::Connection(io::Error::new(ErrorKind::InvalidData, why)));
        }
        if !response.error.is_empty() {
            self.stream.discard().map_err(connection)?.ok_or_else(ended)?;
            self.broken = false;
            return Err(Error::Server(response.error));
        }
        let mut reply = R::default();
        self.receive(&mut reply)?;
        self.broken = false;
        Ok(reply)
    }

    fn receive(&mut self, value: &mut dyn Value) -> Result<(), Error> {
        self.stream.receive(value).map_err(connection)?.ok_or_else(ended)
    }
}

fn ended() -> Error {
    Error::Connection(ErrorKind::UnexpectedEof.into())
}

fn connection(e: stream::Error) -> Error {
    Error::Connection(match e {
        stream::Error::Broken(e) => e,
        stream::Error::Value(bad) => io::Error::new(ErrorKind::InvalidData, bad.to_string()),
    })
}
