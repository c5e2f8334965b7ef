//! The two ends of a connection to measure: a [`Cell`] at the client's, a [`Request`] between them,
//! and a server that is a process, a thread, or elsewhere.

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{self, Child, Command};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use streamsock::{Addr, Conn, Listener, Spin};

use super::{MAX_SIZE, Options, Wait, machine};
use crate::cli::{self, Error};

/// What a server does once it knows what it is asked for, until the client ends.
pub type Answer = fn(&mut End, Request) -> io::Result<()>;

/// The first message of a client: three little-endian numbers of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Bytes in a message.
    pub size: usize,
    /// Messages in a round.
    pub count: usize,
    /// How long the server polls; zero when it blocks.
    pub spin: Duration,
}

impl Request {
    pub fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        let numbers = [self.size as u64, self.count as u64, self.spin.as_micros() as u64];
        for (field, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            field.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// Refuses what no client of these programs asks for.
    pub fn from_bytes(bytes: [u8; 24]) -> io::Result<Request> {
        let number = |at| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let (size, count, spin) = (number(0), number(8), number(16));
        if size == 0 || size > MAX_SIZE as u64 || count == 0 || count > 1 << 40 || spin > 1 << 40 {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "the client does not speak this protocol",
            ));
        }
        Ok(Request {
            size: size as usize,
            count: count as usize,
            spin: Duration::from_micros(spin),
        })
    }
}

/// One end of a connection, which blocks or polls.
pub enum End {
    Block(Conn),
    Spin(Spin),
}

impl End {
    fn new(conn: Conn, spin: Duration) -> End {
        if spin.is_zero() { End::Block(conn) } else { End::Spin(Spin::new(conn, spin)) }
    }

    fn shutdown(&self) -> io::Result<()> {
        match self {
            End::Block(conn) => conn.shutdown(Shutdown::Both),
            End::Spin(spin) => spin.shutdown(Shutdown::Both),
        }
    }
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            End::Block(conn) => conn.as_fd(),
            End::Spin(spin) => spin.as_fd(),
        }
    }
}

impl Read for End {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            End::Block(conn) => conn.read(buf),
            End::Spin(spin) => spin.read(buf),
        }
    }
}

impl Write for End {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            End::Block(conn) => conn.write(buf),
            End::Spin(spin) => spin.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The server's side of a connection: the client speaks first, and says what it wants.
pub fn greet(mut conn: Conn, answer: Answer) -> io::Result<()> {
    let mut bytes = [0; 24];
    conn.read_exact(&mut bytes)?;
    let request = Request::from_bytes(bytes)?;
    answer(&mut End::new(conn, request.spin), request)
}

/// The other end of a program that started itself again: its standard input is the connection, as
/// inetd does it. There is no readiness to wait for, and it ends when the client does.
pub fn serve_stdin(network: &str, answer: Answer) -> Result<(), Error> {
    let served = io::stdin().as_fd().try_clone_to_owned().and_then(|stdin| {
        let conn = match network {
            "tcp" => Conn::from(TcpStream::from(stdin)),
            _ => Conn::from(UnixStream::from(stdin)),
        };
        greet(conn, answer)
    });
    served.map_err(|e| cli::failed(format_args!("the server's end over {network}"), e))
}

/// A connection to measure, and the server at its other end.
pub struct Cell {
    pub network: &'static str,
    pub wait: Wait,
    pub end: End,
    /// What errors name: the server's address, or which of our own it is.
    place: String,
    server: Server,
}

enum Server {
    Process(Child),
    Thread(Option<JoinHandle<io::Result<()>>>),
    Remote,
}

impl Cell {
    /// Opens the connection and asks the server for messages of `size`, `count` to a round.
    pub fn open(
        options: &Options,
        (network, wait): (&'static str, Wait),
        (size, count): (usize, usize),
        prepare: impl Fn(&Conn) -> io::Result<()>,
        answer: Answer,
    ) -> Result<Cell, Error> {
        let spin = if wait == Wait::Spin { options.spin } else { Duration::ZERO };
        let place = match &options.connect {
            Some(addr) => addr.to_string(),
            None => format!("{network}, {wait}"),
        };
        let (mut conn, server) = match &options.connect {
            Some(addr) => (cli::connect(addr)?, Server::Remote),
            None => {
                start(options, network, &prepare, answer).map_err(|e| cli::failed(&place, e))?
            }
        };
        let greeting = Request { size, count, spin }.to_bytes();
        let greeted = prepare(&conn).and_then(|()| conn.write_all(&greeting));
        let cell = Cell { network, wait, end: End::new(conn, spin), place, server };
        greeted.map_err(|e| cell.failed(e))?;
        Ok(cell)
    }

    /// The CPU time of both ends so far, where that can be read.
    pub fn cpu_time(&self) -> Option<Duration> {
        match &self.server {
            Server::Process(child) => {
                Some(machine::cpu_time(process::id())? + machine::cpu_time(child.id())?)
            }
            Server::Thread(_) => machine::cpu_time(process::id()),
            Server::Remote => None,
        }
    }

    /// What went wrong on the connection, in the words of who knows: a server that has ended, above all.
    pub fn failed(&self, e: io::Error) -> Error {
        let ended = [ErrorKind::UnexpectedEof, ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        if ended.contains(&e.kind()) {
            let place = &self.place;
            return Error::Failed(format!("{place}: the server has ended in the middle of a run"));
        }
        cli::failed(&self.place, e)
    }
}

/// The server as a process or a thread, and a connection to it.
fn start(
    options: &Options,
    network: &str,
    prepare: &impl Fn(&Conn) -> io::Result<()>,
    answer: Answer,
) -> io::Result<(Conn, Server)> {
    let listener = Listener::bind(&match network {
        "tcp" => Addr::Tcp { host: "127.0.0.1".into(), port: 0 },
        _ => env::temp_dir().join(format!("bench-{}.sock", process::id())).into(),
    })?;
    let conn = Conn::connect(&listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    prepare(&far)?;
    let server = if options.threads {
        Server::Thread(Some(thread::spawn(move || greet(far, answer))))
    } else {
        let mut program = Command::new(env::current_exe()?);
        program.args(["--serve-stdin", network]).stdin(OwnedFd::from(far));
        Server::Process(program.spawn()?)
    };
    Ok((conn, server))
}

impl Drop for Cell {
    fn drop(&mut self) {
        let _ = self.end.shutdown();
        match &mut self.server {
            Server::Process(child) => drop(child.wait()),
            Server::Thread(thread) => drop(thread.take().map(JoinHandle::join)),
            Server::Remote => {}
        }
    }
}
