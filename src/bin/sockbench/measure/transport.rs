//! The connection that is measured: over which network, how its ends wait, and how it is opened.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::Shutdown;
use std::process::Child;
use std::time::Duration;

use streamsock::{Addr, Conn, Spin};

use super::server::{self, Kind, Request, Server};

/// How long the server and the client wait for the other's first word.
pub const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Unix,
    Tcp,
    /// Two pipes, one in each direction.
    Pipe,
}

pub const NETWORKS: [(&str, Network); 3] =
    [("unix", Network::Unix), ("tcp", Network::Tcp), ("pipe", Network::Pipe)];

impl Network {
    pub fn name(self) -> &'static str {
        NETWORKS[self as usize].0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Block,
    Spin,
}

pub const WAITS: [(&str, Wait); 2] = [("block", Wait::Block), ("spin", Wait::Spin)];

impl Wait {
    pub fn name(self) -> &'static str {
        WAITS[self as usize].0
    }
}

/// One end of a connection.
pub enum End {
    Block(Conn),
    Spin(Spin),
    /// Pipes only block: `Spin` polls sockets. The writer goes when all is written.
    Pipe(PipeReader, Option<PipeWriter>),
}

impl End {
    /// The same, polling for up to `budget` before it sleeps.
    pub fn polling(self, budget: Duration) -> End {
        match self {
            End::Block(conn) if !budget.is_zero() => End::Spin(Spin::new(conn, budget)),
            end => end,
        }
    }

    /// A pipe has no timeouts.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            End::Block(conn) => conn.set_read_timeout(timeout),
            End::Spin(spin) => spin.set_read_timeout(timeout),
            End::Pipe(..) => Ok(()),
        }
    }

    /// Lets the other end read an end of file.
    pub fn finish_writing(&mut self) -> io::Result<()> {
        match self {
            End::Block(conn) => conn.shutdown(Shutdown::Write),
            End::Spin(spin) => spin.shutdown(Shutdown::Write),
            End::Pipe(_, writer) => {
                *writer = None;
                Ok(())
            }
        }
    }
}

impl Read for End {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            End::Block(conn) => conn.read(buf),
            End::Spin(spin) => spin.read(buf),
            End::Pipe(reader, _) => reader.read(buf),
        }
    }
}

impl Write for End {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            End::Block(conn) => conn.write(buf),
            End::Spin(spin) => spin.write(buf),
            End::Pipe(_, Some(writer)) => writer.write(buf),
            End::Pipe(_, None) => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection to the other end, which is ready.
pub struct Link {
    // In this order: the process at the other end of a pipe ends when the pipe does.
    pub end: End,
    _server: Option<PipeServer>,
    /// The process at the other end, if it is ours.
    pub pid: Option<u32>,
    /// What the system made of the socket buffers that were asked for.
    pub buffers: Option<String>,
}

struct PipeServer(Child);

impl Drop for PipeServer {
    fn drop(&mut self) {
        let _ = self.0.wait();
    }
}

/// Where the other end is.
pub enum Far {
    /// A process that this one has started, on that CPU.
    Ours {
        server: Server,
        cpu: Option<usize>,
    },
    Elsewhere(Addr),
}

impl Far {
    pub fn start(cpu: Option<usize>) -> io::Result<Far> {
        Ok(Far::Ours { server: Server::start(cpu)?, cpu })
    }

    /// Opens a socket, and nothing more.
    pub fn connect(&self, network: Network) -> io::Result<Conn> {
        match self {
            Far::Ours { server, .. } => server.connect(network),
            Far::Elsewhere(addr) => Conn::connect(addr),
        }
    }

    /// Opens a connection, asks for what the other end is to do, and waits until it does it.
    pub fn open(&self, network: Network, request: Request) -> io::Result<Link> {
        let mut link = match (network, self) {
            (Network::Pipe, Far::Ours { cpu, .. }) => over_pipes(*cpu)?,
            (Network::Pipe, Far::Elsewhere(_)) => unreachable!("an address is no pipe's"),
            (_, far) => {
                let conn = far.connect(network)?;
                let buffers = request.buffers.set(&conn)?;
                let pid = match far {
                    Far::Ours { server, .. } => Some(server.pid()),
                    Far::Elsewhere(_) => None,
                };
                Link { end: End::Block(conn), _server: None, pid, buffers }
            }
        };
        link.end.set_read_timeout(Some(PATIENCE))?;
        let mut asked = request.to_bytes().to_vec();
        let answer = match request.kind {
            Kind::Echo => request.size,
            Kind::Sink => 8,
        };
        if request.kind == Kind::Echo {
            asked.resize(asked.len() + request.size, 0);
        }
        link.end.write_all(&asked)?;
        link.end.read_exact(&mut vec![0; answer])?;
        link.end.set_read_timeout(None)?;
        link.end = link.end.polling(request.spin);
        Ok(link)
    }
}

/// To a process that reads its standard input and writes its standard output.
fn over_pipes(cpu: Option<usize>) -> io::Result<Link> {
    let (child_stdin, to_child) = io::pipe()?;
    let (from_child, child_stdout) = io::pipe()?;
    // The command goes at the end of this function, and the child's ends of the pipes with it: as
    // long as this process held them too, neither would see the other's end of file.
    let mut server = server::again(cpu, "answer-pipe");
    let child = server.stdin(child_stdin).stdout(child_stdout).spawn()?;
    let pid = Some(child.id());
    let end = End::Pipe(from_child, Some(to_child));
    Ok(Link { end, _server: Some(PipeServer(child)), pid, buffers: None })
}

/// The socket buffers that are asked for; 0: the system's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    pub send: usize,
    pub recv: usize,
}

impl Buffers {
    /// Sets what is asked for. Returns what the system made of it, if anything was asked for.
    #[cfg(feature = "sockopt")]
    pub fn set(self, conn: &Conn) -> io::Result<Option<String>> {
        use streamsock::sockopt;
        if self == Buffers::default() {
            return Ok(None);
        }
        if self.send > 0 {
            sockopt::set_send_buffer(conn, self.send)?;
        }
        if self.recv > 0 {
            sockopt::set_recv_buffer(conn, self.recv)?;
        }
        let (send, recv) = (sockopt::send_buffer(conn)?, sockopt::recv_buffer(conn)?);
        Ok(Some(format!("{}: SO_SNDBUF {send} bytes, SO_RCVBUF {recv} bytes", conn.network())))
    }

    #[cfg(not(feature = "sockopt"))]
    pub fn set(self, _: &Conn) -> io::Result<Option<String>> {
        if self == Buffers::default() {
            return Ok(None);
        }
        let why = "--sndbuf and --rcvbuf need a build with --features sockopt at both ends";
        Err(io::Error::new(ErrorKind::Unsupported, why))
    }
}
