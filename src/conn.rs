//! `Conn`: one connection, over a Unix-domain or a TCP stream socket.
//!
//! To copy this file, `addr.rs` is needed.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::addr::Addr;

/// A connection over a Unix-domain or a TCP stream socket.
///
/// Each method does what std's method of the same name on [`UnixStream`] and [`TcpStream`] does, and
/// costs as much, plus a `match` of two variants. Errors are the system's own, with its code; each
/// method lists those to expect. The variants are public, for what only one of the two can do, and
/// there will be no third: a `match` of both is complete.
///
/// [`Read`] and [`Write`] are also implemented for `&Conn`, so that one thread can read while another
/// writes. A read that returns 0 is end of file: the peer sends no more.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::Shutdown;
/// use streamsock::Conn;
///
/// let (mut near, mut far) = Conn::pair()?;
/// near.write_all(b"hi")?;
/// near.shutdown(Shutdown::Write)?;
///
/// let mut text = String::new();
/// far.read_to_string(&mut text)?;
/// assert_eq!(text, "hi");
/// # Ok::<(), std::io::Error>(())
/// ```
pub enum Conn {
    /// Over a Unix-domain socket.
    Unix(UnixStream),
    /// Over TCP.
    Tcp(TcpStream),
}

impl Conn {
    /// Connects to `addr`. On TCP it turns on `TCP_NODELAY`, as Go does; a host with several
    /// addresses is tried at each in turn.
    ///
    /// It blocks while the backlog of the listener is full: on a Unix socket until there is room
    /// (macOS and the BSDs refuse), on TCP until the system gives up (minutes). A signal does not
    /// end it.
    ///
    /// TCP can connect to itself: where nobody listens on a port of the range from which the system
    /// takes a client's own, it may take that very port. Such a connection is closed and tried anew, as
    /// in Go, and at last reported as `ConnectionRefused`.
    ///
    /// # Errors
    ///
    /// The system's, with its code: `NotFound` where a path does not exist, `ConnectionRefused`
    /// where nobody listens (a killed server leaves its file behind), `PermissionDenied` where the
    /// mode of the file or of a directory above it forbids. A host name that is not found has no
    /// code. `InvalidInput` for a path over the system's limit and for [`Addr::Unnamed`];
    /// `Unsupported` for an abstract name off Linux. No message names the address: whoever prints
    /// the error knows it.
    ///
    /// ```no_run
    /// use streamsock::{Addr, Conn};
    ///
    /// let addr: Addr = "unix:/tmp/echo.sock".parse()?;
    /// let conn = Conn::connect(&addr)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect(addr: &Addr) -> io::Result<Conn> {
        match addr {
            Addr::Tcp { host, port } => {
                for _ in 0..CONNECT_ATTEMPTS {
                    let stream = TcpStream::connect((host.as_str(), *port))?;
                    if !is_connected_to_itself(&stream) {
                        // It fails, on macOS, when the peer has gone already: the first read will say so.
                        let _ = stream.set_nodelay(true);
                        return Ok(Conn::Tcp(stream));
                    }
                }
                Err(io::ErrorKind::ConnectionRefused.into())
            }
            _ => {
                let addr = addr.to_unix()?;
                loop {
                    match UnixStream::connect_addr(&addr) {
                        // By a signal, while the backlog was full; nothing was begun.
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                        connected => return connected.map(Conn::Unix),
                    }
                }
            }
        }
    }

    /// Two Unix sockets, connected to each other and unnamed:
    /// [socketpair(2)](https://man7.org/linux/man-pages/man2/socketpair.2.html).
    ///
    /// # Errors
    ///
    /// The system's, when no descriptor is left.
    pub fn pair() -> io::Result<(Conn, Conn)> {
        let (near, far) = UnixStream::pair()?;
        Ok((Conn::Unix(near), Conn::Unix(far)))
    }

    /// A second handle on the same socket. Options, timeouts and [`set_nonblocking`] act on both,
    /// and the connection ends when the last handle is dropped. Reading in one thread and writing in
    /// another does not need it: share a `&Conn`.
    ///
    /// [`set_nonblocking`]: Conn::set_nonblocking
    ///
    /// # Errors
    ///
    /// The system's, when no descriptor is left.
    pub fn try_clone(&self) -> io::Result<Conn> {
        match self {
            Conn::Unix(stream) => stream.try_clone().map(Conn::Unix),
            Conn::Tcp(stream) => stream.try_clone().map(Conn::Tcp),
        }
    }

    /// The address of this end: [`Addr::Unnamed`] for a Unix client, which is hardly ever bound. An
    /// accepted connection reports the address that the client reached.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match self {
            Conn::Unix(stream) => stream.local_addr().map(Addr::from),
            Conn::Tcp(stream) => stream.local_addr().map(Addr::from),
        }
    }

    /// The address of the other end. A Unix server sees [`Addr::Unnamed`] here; `sockopt::peer_cred`
    /// says who the client is.
    ///
    /// # Errors
    ///
    /// The system's: `NotConnected` on TCP when the peer has reset the connection.
    pub fn peer_addr(&self) -> io::Result<Addr> {
        match self {
            Conn::Unix(stream) => stream.peer_addr().map(Addr::from),
            Conn::Tcp(stream) => stream.peer_addr().map(Addr::from),
        }
    }

    /// `"unix"` or `"tcp"`, as [`Addr::network`].
    pub fn network(&self) -> &'static str {
        match self {
            Conn::Unix(_) => "unix",
            Conn::Tcp(_) => "tcp",
        }
    }

    /// Bounds how long one read may block; `None` is for ever. A read that runs out of time fails with
    /// `WouldBlock`. `SO_RCVTIMEO`: [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html).
    ///
    /// It bounds a read, not a message: a peer that sends a byte now and then is never timed out.
    /// [`read_exact`](Read::read_exact) drops what it has read when a read fails, so after
    /// `WouldBlock` the stream is out of step: call [`read`](Read::read), and keep what came. With a
    /// timeout, a read may also fail with `Interrupted`, even without a signal handler
    /// ([signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html)), as when another thread
    /// starts a process: read again.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a duration of zero, which the system would take for "for ever".
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Conn::Unix(stream) => stream.set_read_timeout(timeout),
            Conn::Tcp(stream) => stream.set_read_timeout(timeout),
        }
    }

    /// Bounds how long one write may block; `None` is for ever. A write that runs out of time fails with
    /// `WouldBlock` if it has written nothing, and otherwise returns how much it has. `SO_SNDTIMEO`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a duration of zero, which the system would take for "for ever".
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Conn::Unix(stream) => stream.set_write_timeout(timeout),
            Conn::Tcp(stream) => stream.set_write_timeout(timeout),
        }
    }

    /// What [`set_read_timeout`](Conn::set_read_timeout) set, rounded as the system rounds it.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        match self {
            Conn::Unix(stream) => stream.read_timeout(),
            Conn::Tcp(stream) => stream.read_timeout(),
        }
    }

    /// What [`set_write_timeout`](Conn::set_write_timeout) set, rounded as the system rounds it.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        match self {
            Conn::Unix(stream) => stream.write_timeout(),
            Conn::Tcp(stream) => stream.write_timeout(),
        }
    }

    /// Makes reads and writes that would block fail with `WouldBlock` instead. `O_NONBLOCK` belongs
    /// to the socket, so it holds for every clone of this `Conn`.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Conn::Unix(stream) => stream.set_nonblocking(nonblocking),
            Conn::Tcp(stream) => stream.set_nonblocking(nonblocking),
        }
    }

    /// Whether TCP sends a small message at once (`true`), or holds it back until the one before it is
    /// acknowledged (`false`: Nagle's algorithm,
    /// [tcp(7)](https://man7.org/linux/man-pages/man7/tcp.7.html)). `connect` and `accept` turn it on;
    /// `From<TcpStream>` leaves it as it is. A Unix socket never holds anything back, and ignores this.
    ///
    /// # Errors
    ///
    /// The system's; on macOS `InvalidInput` when the peer has reset the connection.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        match self {
            Conn::Unix(_) => Ok(()),
            Conn::Tcp(stream) => stream.set_nodelay(nodelay),
        }
    }

    /// Whether `TCP_NODELAY` is on; always `true` on a Unix socket.
    pub fn nodelay(&self) -> io::Result<bool> {
        match self {
            Conn::Unix(_) => Ok(true),
            Conn::Tcp(stream) => stream.nodelay(),
        }
    }

    /// Ends one direction or both: [shutdown(2)](https://man7.org/linux/man-pages/man2/shutdown.2.html).
    /// [`Shutdown::Write`] is the half-close: the peer reads what was sent and then end of file, and it
    /// can still answer.
    ///
    /// # Errors
    ///
    /// The system's: `NotConnected` on TCP when the connection has ended already, on macOS also for
    /// the second half-close.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Conn::Unix(stream) => stream.shutdown(how),
            Conn::Tcp(stream) => stream.shutdown(how),
        }
    }
}

/// A client takes a port at random, and by chance the one that it connects to: 2 in 120,000 times,
/// where nobody listens.
const CONNECT_ATTEMPTS: u32 = 3;

/// The addresses are not to be had where the peer has gone already.
fn is_connected_to_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

/// The addresses are the useful part: `Conn { fd: 4, local: (unnamed), peer: unix:/tmp/echo.sock }`.
impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut conn = f.debug_struct("Conn");
        conn.field("fd", &self.as_raw_fd());
        if let Ok(local) = self.local_addr() {
            conn.field("local", &format_args!("{local}"));
        }
        if let Ok(peer) = self.peer_addr() {
            conn.field("peer", &format_args!("{peer}"));
        }
        conn.finish()
    }
}

impl From<UnixStream> for Conn {
    fn from(stream: UnixStream) -> Conn {
        Conn::Unix(stream)
    }
}

impl From<TcpStream> for Conn {
    /// Leaves `TCP_NODELAY` as it is.
    fn from(stream: TcpStream) -> Conn {
        Conn::Tcp(stream)
    }
}

impl TryFrom<OwnedFd> for Conn {
    type Error = io::Error;

    /// Adopts a connected socket of either kind that another process made: standard input under
    /// inetd or systemd, for one. `TCP_NODELAY` is left as it is.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a descriptor that is neither a Unix nor a TCP socket; it is closed. A Unix
    /// *datagram* socket cannot be told from a stream with std, and shows when it is used.
    ///
    /// ```
    /// use std::os::fd::OwnedFd;
    /// use streamsock::Conn;
    ///
    /// let (near, _far) = Conn::pair()?;
    /// let conn = Conn::try_from(OwnedFd::from(near))?;
    /// assert_eq!(conn.network(), "unix");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn try_from(fd: OwnedFd) -> io::Result<Conn> {
        let stream = UnixStream::from(fd);
        if stream.local_addr().is_ok() {
            return Ok(Conn::Unix(stream));
        }
        let stream = TcpStream::from(OwnedFd::from(stream));
        if stream.nodelay().is_ok() {
            return Ok(Conn::Tcp(stream));
        }
        let why = "the descriptor is neither a Unix nor a TCP stream socket";
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

impl Read for Conn {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    #[inline]
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(bufs)
    }
}

impl Read for &Conn {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Conn::Unix(stream) => (&*stream).read(buf),
            Conn::Tcp(stream) => (&*stream).read(buf),
        }
    }

    #[inline]
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match self {
            Conn::Unix(stream) => (&*stream).read_vectored(bufs),
            Conn::Tcp(stream) => (&*stream).read_vectored(bufs),
        }
    }
}

impl Write for Conn {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    #[inline]
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    /// There is nothing to flush: a write is in the socket's buffer when it returns.
    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for &Conn {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Conn::Unix(stream) => (&*stream).write(buf),
            Conn::Tcp(stream) => (&*stream).write(buf),
        }
    }

    #[inline]
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Conn::Unix(stream) => (&*stream).write_vectored(bufs),
            Conn::Tcp(stream) => (&*stream).write_vectored(bufs),
        }
    }

    /// There is nothing to flush: a write is in the socket's buffer when it returns.
    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Conn {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Conn::Unix(stream) => stream.as_fd(),
            Conn::Tcp(stream) => stream.as_fd(),
        }
    }
}

impl AsRawFd for Conn {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl From<Conn> for OwnedFd {
    fn from(conn: Conn) -> OwnedFd {
        match conn {
            Conn::Unix(stream) => stream.into(),
            Conn::Tcp(stream) => stream.into(),
        }
    }
}
