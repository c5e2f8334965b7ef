//! One end of what is measured.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::time::Duration;

use streamsock::{Conn, Spin};

/// One end of a connection, which blocks or polls.
pub enum End {
    Block(Conn),
    Spin(Spin),
    Pipe(PipeReader, PipeWriter),
    OneThread(OneThread),
}

impl End {
    /// The same, polling for up to `budget` before it sleeps.
    pub fn polling(self, budget: Duration) -> End {
        match self {
            End::Block(conn) if !budget.is_zero() => End::Spin(Spin::new(conn, budget)),
            end => end,
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
            End::OneThread(both) => both.read(buf),
        }
    }
}

impl Write for End {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            End::Block(conn) => conn.write(buf),
            End::Spin(spin) => spin.write(buf),
            End::Pipe(_, writer) => writer.write(buf),
            End::OneThread(both) => both.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Both ends in one thread: what is written to the near one has arrived at the far one, and what is
/// read has come back from there. So a round trip has the system calls of any other, and nobody sleeps.
pub struct OneThread {
    near: Conn,
    far: Conn,
    arrived: Vec<u8>,
}

impl OneThread {
    pub fn new((near, far): (Conn, Conn)) -> io::Result<OneThread> {
        near.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        Ok(OneThread { near, far, arrived: Vec::new() })
    }
}

impl Write for OneThread {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.arrived.resize(message.len(), 0);
        carry(&mut self.near, &mut self.far, message, &mut self.arrived)?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for OneThread {
    /// The message that was written, as much of it as `message` takes.
    fn read(&mut self, message: &mut [u8]) -> io::Result<usize> {
        let length = message.len().min(self.arrived.len());
        carry(&mut self.far, &mut self.near, &self.arrived[..length], &mut message[..length])?;
        Ok(length)
    }
}

/// Writes as much as the buffers hold, reads what is there, and so on: they may hold less than a
/// message (8 KiB on macOS), and nobody else would empty them.
fn carry(from: &mut Conn, to: &mut Conn, message: &[u8], arrived: &mut [u8]) -> io::Result<()> {
    let (mut sent, mut got) = (0, 0);
    while got < message.len() {
        if sent < message.len() {
            sent += moved(from.write(&message[sent..]))?;
        }
        got += moved(to.read(&mut arrived[got..]))?;
    }
    Ok(())
}

/// How much a call that does not block has moved.
fn moved(done: io::Result<usize>) -> io::Result<usize> {
    match done {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(0),
        done => done,
    }
}

#[cfg(all(test, feature = "sockopt"))]
mod tests {
    use super::*;
    use streamsock::sockopt;

    /// macOS gives a Unix socket 8 KiB. Where an end blocked, it would for ever: the timeouts turn
    /// that into a failure.
    #[test]
    fn one_thread_needs_no_large_buffers() {
        let (near, far) = Conn::pair().unwrap();
        for end in [&near, &far] {
            sockopt::set_send_buffer(end, 4096).unwrap();
            sockopt::set_recv_buffer(end, 4096).unwrap();
            assert!(sockopt::send_buffer(end).unwrap() <= 8192);
            end.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
            end.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        }
        let mut both = OneThread::new((near, far)).unwrap();
        let message: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
        let mut back = vec![0; message.len()];
        both.write_all(&message).unwrap();
        both.read_exact(&mut back).unwrap();
        assert!(back == message);
    }
}
