//! `Deadline`: reads and writes that all end by one moment, however many a message takes.
//!
//! To copy this file, `addr.rs` and `conn.rs` are needed.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use super::conn::Conn;

/// A [`Conn`] whose reads and writes all end by one moment.
///
/// A timeout bounds one read, and a message may take many: a peer that sends a byte now and then is
/// never timed out. A deadline bounds them all, so it bounds a message.
///
/// Each read or write may block for as long as is left, and is repeated when a signal interrupts it.
/// Once the moment has passed, every one fails with [`TimedOut`](io::ErrorKind::TimedOut), even where
/// it would not have to wait. The stream is then somewhere inside a message: what
/// [`read_exact`](Read::read_exact) had read is lost, and how much [`write_all`](Write::write_all) has
/// sent is unknown. Unless you called [`read`](Read::read) and kept what came, close the connection.
///
/// It sets the connection's timeout before each call, which is one more system call
/// (`SO_RCVTIMEO`, `SO_SNDTIMEO`: [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)).
/// When it is dropped, it restores the timeouts that it has changed. The system counts in ticks, so a
/// call may end some milliseconds late, and never early. The connection must be in blocking mode:
/// otherwise a wait is a busy-wait.
///
/// It borrows the connection whole, so there is one deadline at a time: the timeouts belong to the
/// socket. (A thread that is to end the connection meanwhile keeps a [`try_clone`](Conn::try_clone).) To bound reads and writes differently, one after another, move it with
/// [`set`](Deadline::set).
///
/// ```
/// use std::io::{BufRead, BufReader, Write};
/// use std::time::{Duration, Instant};
/// use streamsock::{Conn, Deadline};
///
/// let (mut near, mut far) = Conn::pair()?;
/// let patience = Duration::from_secs(5);
/// let mut reader = BufReader::new(Deadline::new(&mut near, Instant::now() + patience));
///
/// far.write_all(b"one\ntwo\n")?;
/// let mut line = String::new();
/// reader.read_line(&mut line)?; // the whole line, or an error after 5 s
/// assert_eq!(line, "one\n");
///
/// line.clear();
/// reader.get_mut().set(Instant::now() + patience); // 5 s for the next
/// reader.read_line(&mut line)?;
/// assert_eq!(line, "two\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Deadline<'a> {
    conn: &'a mut Conn,
    instant: Instant,
    /// The timeout to restore, once that of the connection is changed.
    read_timeout: Option<Option<Duration>>,
    write_timeout: Option<Option<Duration>>,
}

impl<'a> Deadline<'a> {
    /// Reads and writes of `conn` that end by `instant`.
    pub fn new(conn: &'a mut Conn, instant: Instant) -> Deadline<'a> {
        Deadline { conn, instant, read_timeout: None, write_timeout: None }
    }

    /// Moves the deadline, as for the next message.
    pub fn set(&mut self, instant: Instant) {
        self.instant = instant;
    }
}

fn complete_by(
    instant: Instant,
    conn: &Conn,
    set_timeout: impl Fn(&Conn, Option<Duration>) -> io::Result<()>,
    mut call: impl FnMut(&Conn) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        let left = instant.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match set_timeout(conn, Some(left)) {
            // macOS takes no option of a socket that has ended in both directions; nor does it block.
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => {}
            set => set?,
        }
        match call(conn) {
            // The system's timeout may end within a tick of the moment: it is asked again.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

impl Drop for Deadline<'_> {
    fn drop(&mut self) {
        if let Some(timeout) = self.read_timeout {
            let _ = self.conn.set_read_timeout(timeout);
        }
        if let Some(timeout) = self.write_timeout {
            let _ = self.conn.set_write_timeout(timeout);
        }
    }
}

impl Read for Deadline<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.read_timeout.is_none() {
            self.read_timeout = Some(self.conn.read_timeout()?);
        }
        complete_by(self.instant, self.conn, Conn::set_read_timeout, |mut conn| conn.read(buf))
    }
}

impl Write for Deadline<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.write_timeout.is_none() {
            self.write_timeout = Some(self.conn.write_timeout()?);
        }
        complete_by(self.instant, self.conn, Conn::set_write_timeout, |mut conn| conn.write(buf))
    }

    /// There is nothing to flush: a write is in the socket's buffer when it returns.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[test]
fn an_answer_that_has_arrived_is_read_where_no_timeout_can_be_set() {
    let (near, mut far) = Conn::pair().unwrap();
    far.write_all(b"answer").unwrap();
    drop(far);
    let mut answer = [0; 6];
    let refused = |_: &Conn, _| Err(io::ErrorKind::InvalidInput.into());
    let later = Instant::now() + Duration::from_secs(3600);
    let read = complete_by(later, &near, refused, |mut conn| conn.read(&mut answer));
    assert_eq!((read.unwrap(), &answer), (6, b"answer"));
}
