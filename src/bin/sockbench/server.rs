//! The server's end: what a client asks for, and the two ways to answer it.

use std::ffi::OsString;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener, serve};

use crate::end::End;
use crate::options::{self, MAX_SIZE};
use crate::{Error, failed, say};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Latency,
    Throughput,
}

/// The first message of a client: a tag of 8 bytes, then three little-endian numbers of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub kind: Kind,
    /// Bytes in a message.
    pub size: usize,
    /// Messages in a round.
    pub count: usize,
    /// How long the server polls; zero when it blocks.
    pub spin: Duration,
}

const TAGS: [(Kind, [u8; 8]); 2] =
    [(Kind::Latency, *b"latency\n"), (Kind::Throughput, *b"one way\n")];

impl Request {
    pub fn to_bytes(self) -> [u8; 32] {
        let tag = TAGS.iter().find(|(kind, _)| *kind == self.kind).expect("every kind has a tag").1;
        let numbers = [self.size as u64, self.count as u64, self.spin.as_micros() as u64];
        let mut bytes = [0; 32];
        let fields = [tag].into_iter().chain(numbers.map(u64::to_le_bytes));
        for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field);
        }
        bytes
    }

    /// Refuses what no client of this program asks for.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Request> {
        let field = |at: usize| -> [u8; 8] { bytes[at..at + 8].try_into().expect("8 bytes") };
        let number = |at, max| Some(u64::from_le_bytes(field(at))).filter(|n| *n <= max);
        let kind = TAGS.iter().find(|(_, tag)| *tag == field(0))?.0;
        let (size, count) = (number(8, MAX_SIZE as u64)?, number(16, 10_000_000)?);
        let spin = Duration::from_micros(number(24, 1_000_000_000)?);
        let request = Request { kind, size: size as usize, count: count as usize, spin };
        (size > 0 && count > 0).then_some(request)
    }
}

/// Serves clients of all addresses until it is killed.
pub fn listen(operands: &[OsString]) -> Result<(), Error> {
    let addrs = operands.iter().map(options::address).collect::<Result<Vec<_>, _>>()?;
    let mut listeners = Vec::new();
    for addr in &addrs {
        listeners.push(Listener::bind(addr).map_err(|e| failed(addr, e))?);
    }
    for (listener, addr) in listeners.iter().zip(&addrs) {
        say(&format!("listening on {}", listener.local_addr().map_err(|e| failed(addr, e))?));
    }
    let all = addrs.iter().map(Addr::to_string).collect::<Vec<_>>().join(", ");
    serve(&listeners, 64, visit).map_err(|e| failed(all, e))
}

fn visit(conn: Conn) {
    let place = conn.local_addr().map_or(conn.network().to_string(), |addr| addr.to_string());
    if let Err(e) = answer(End::Block(conn)) {
        say(&format!("sockbench: {place}: a client's run ended early: {e}"));
    }
}

/// The other end of a program that started itself again: its standard input is the connection, as
/// inetd does it; over pipes, its standard input and output are. There is no readiness to wait for,
/// and it ends when the client does. Std's own handles buffer, so these are duplicates.
pub fn answer_stdin(operands: &[OsString]) -> Result<(), Error> {
    let network = operands.first().and_then(|name| name.to_str()).unwrap_or_default();
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let end = stdin.and_then(|stdin| match network {
        "tcp" => Ok(End::Block(TcpStream::from(stdin).into())),
        "pipe" => Ok(End::Pipe(PipeReader::from(stdin), PipeWriter::from(stdout?))),
        _ => Ok(End::Block(UnixStream::from(stdin).into())),
    });
    use ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    match end.and_then(answer) {
        // The client was killed, and nobody waits for a word of this process any more.
        Err(e) if [ConnectionReset, BrokenPipe, UnexpectedEof].contains(&e.kind()) => Ok(()),
        done => done.map_err(|e| failed(format_args!("the server's end over {network}"), e)),
    }
}

/// The client speaks first, and says what it wants.
fn answer(mut end: End) -> io::Result<()> {
    let mut bytes = [0; 32];
    end.read_exact(&mut bytes)?;
    let request = Request::from_bytes(bytes).ok_or_else(|| {
        io::Error::new(ErrorKind::InvalidData, "the client does not speak sockbench's protocol")
    })?;
    let mut end = end.polling(request.spin);
    match request.kind {
        Kind::Latency => send_back(&mut end, request.size),
        Kind::Throughput => take_in(&mut end, request.size, request.count),
    }
}

/// Sends back every message, until the client ends.
fn send_back(end: &mut End, size: usize) -> io::Result<()> {
    let mut message = vec![0; size];
    loop {
        match end.read_exact(&mut message).and_then(|()| end.write_all(&message)) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            done => done?,
        }
    }
}

/// What [`take_in`] reads with. In a trial with messages of 64K to 16M, 16K moved less, and more than
/// 64K gained a Unix socket nothing.
pub const RECV_BUF: usize = 64 << 10;

/// Reads rounds of `count` messages, and answers each round with how many bytes it was. The first
/// byte of a message is the low one of its number: a message that was lost, repeated or cut short
/// shows in the next.
fn take_in(end: &mut End, size: usize, count: usize) -> io::Result<()> {
    let round = size.checked_mul(count).ok_or(ErrorKind::InvalidData)?;
    let mut buf = vec![0; RECV_BUF];
    loop {
        let (mut got, mut next, mut number) = (0, 0, 0_u8);
        while got < round {
            let room = buf.len().min(round - got);
            let n = match end.read(&mut buf[..room]) {
                Ok(0) if got == 0 => return Ok(()),
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            while next < got + n {
                if buf[next - got] != number {
                    return Err(io::Error::new(ErrorKind::InvalidData, "a message is missing"));
                }
                (next, number) = (next + size, number.wrapping_add(1));
            }
            got += n;
        }
        end.write_all(&(got as u64).to_le_bytes())?;
    }
}

#[cfg(test)]
#[test]
fn a_request_arrives_as_it_was_sent_up_to_its_limits() {
    let arrives = |size, count, micros| {
        let spin = Duration::from_micros(micros);
        [Kind::Latency, Kind::Throughput].map(|kind| {
            let request = Request { kind, size, count, spin };
            Request::from_bytes(request.to_bytes()) == Some(request)
        })
    };
    assert_eq!(arrives(1, 1, 0), [true; 2]);
    assert_eq!(arrives(MAX_SIZE, 10_000_000, 1_000_000_000), [true; 2]);
    let refused =
        [(0, 1, 0), (1, 0, 0), (MAX_SIZE + 1, 1, 0), (1, 10_000_001, 0), (1, 1, 1_000_000_001)];
    for (size, count, micros) in refused {
        assert_eq!(arrives(size, count, micros), [false; 2], "{size} {count} {micros}");
    }
}
