//! The connection that is measured: over which network, how its ends wait, and how it is opened.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use streamsock::{Conn, Spin};

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

    pub fn in_words(self) -> &'static str {
        ["Unix", "TCP", "a pipe"][self as usize]
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

    /// For the first words, before an end polls. A pipe has no timeouts.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            End::Block(conn) => conn.set_read_timeout(timeout),
            End::Spin(_) | End::Pipe(..) => Ok(()),
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

/// The socket buffers that are asked for; 0: the system's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    pub send: usize,
    pub recv: usize,
}

impl Buffers {
    #[cfg(feature = "sockopt")]
    pub fn set(self, conn: &Conn) -> io::Result<()> {
        use streamsock::sockopt;
        if self.send > 0 {
            sockopt::set_send_buffer(conn, self.send)?;
        }
        if self.recv > 0 {
            sockopt::set_recv_buffer(conn, self.recv)?;
        }
        Ok(())
    }

    #[cfg(not(feature = "sockopt"))]
    pub fn set(self, _: &Conn) -> io::Result<()> {
        match self == Buffers::default() {
            true => Ok(()),
            false => {
                Err(io::Error::other("--sndbuf and --rcvbuf need --features sockopt here, too"))
            }
        }
    }
}
