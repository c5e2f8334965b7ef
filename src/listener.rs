//! `Listener`: a Unix-domain or TCP socket that accepts connections.
//!
//! To copy this file, `addr.rs`, `conn.rs` and `socket_file.rs` are needed.

use std::fmt;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};

use super::addr::Addr;
use super::conn::Conn;
use super::socket_file::SocketFile;

/// A Unix-domain or TCP socket that accepts connections.
///
/// A listener that was bound to a path owns the socket's file: it takes over the file that a killed
/// server left, never a live server's and never a file that is no socket, and it removes its file
/// when it is dropped. See [`bind`](Listener::bind).
///
/// ```
/// use std::io::{Read, Write};
/// use std::thread;
/// use streamsock::{Addr, Conn, Listener};
///
/// let listener = Listener::bind(&"tcp:127.0.0.1:0".parse()?)?;
/// let addr = listener.local_addr()?;
///
/// let client = thread::spawn(move || Conn::connect(&addr)?.write_all(b"hi"));
/// let (mut conn, _peer) = listener.accept()?;
/// let mut text = String::new();
/// conn.read_to_string(&mut text)?;
/// assert_eq!(text, "hi");
/// client.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Listener {
    // Fields are dropped in this order: the file goes while the socket is still open, see there.
    file: Option<SocketFile>,
    socket: Socket,
    /// A duplicate of the descriptor, as std has `shutdown` for streams alone. `None` when there
    /// was no descriptor left for it.
    handle: Option<Conn>,
    shut_down: AtomicBool,
}

enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    /// Binds and listens. A TCP listener has `SO_REUSEADDR` set, so that it can be started again at
    /// once. The backlog is std's: 128 on TCP; on a Unix socket what the system allows
    /// (`net.core.somaxconn` on Linux).
    ///
    /// # The socket's file
    ///
    /// A server that is killed, by Ctrl-C too, leaves its file behind, and `bind(2)` refuses a path
    /// that exists. So the one who binds has to tell a stale file from a live server's: here, a
    /// socket that nobody holds (connecting to it is refused) is removed and bound anew, under an
    /// exclusive lock on its directory, so that of several servers started at once one wins.
    /// Anything else at the path is left as it is. The lock, `flock(2)`, binds only programs that
    /// take it, as this library does.
    ///
    /// A relative path is looked up again when the file is removed: a program that changes its
    /// working directory gives an absolute one.
    ///
    /// # Errors
    ///
    /// `AddrInUse` where a live server or a file that is no socket holds the path, or where a stale
    /// file could not be taken over safely: the message says which. `InvalidInput` for a path over
    /// the system's limit and for [`Addr::Unnamed`]; `Unsupported` for an abstract name off Linux.
    /// Otherwise the system's own error, with its code.
    pub fn bind(addr: &Addr) -> io::Result<Listener> {
        match addr {
            Addr::Unix(path) => {
                addr.to_unix()?; // for its words on a path that is empty or too long
                let (listener, file) = SocketFile::bind(path, None)?;
                Ok(Listener { file: Some(file), ..Listener::from(listener) })
            }
            Addr::Tcp { host, port } => {
                TcpListener::bind((host.as_str(), *port)).map(Listener::from)
            }
            _ => UnixListener::bind_addr(&addr.to_unix()?).map(Listener::from),
        }
    }

    /// As [`bind`](Listener::bind), and the socket's file has the mode `mode`, of which `umask`
    /// takes nothing away. At no instant can anyone connect whom the mode shuts out: connecting
    /// needs the permission to write, `0o200`, `0o020` or `0o002`
    /// ([unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html); some old systems ignore the
    /// mode). A directory of mode 0700 guards as well, on every system, and with less machinery.
    ///
    /// The socket is made in a fresh directory of mode 0700 beside the path and then linked to it.
    /// That temporary path is what the client's [`peer_addr`](Conn::peer_addr) and `ss -xl` show,
    /// and what stays behind, empty of use, if the program is killed in between.
    ///
    /// # Errors
    ///
    /// Those of `bind`. `InvalidInput` for a TCP or abstract address, which have no file, for a mode
    /// beyond `0o777`, and for a directory whose path leaves no room for the temporary one.
    ///
    /// ```
    /// # use streamsock::{Addr, Listener};
    /// # let dir = std::env::temp_dir().join(format!("doc-mode-{}", std::process::id()));
    /// # std::fs::create_dir(&dir)?;
    /// # let path = dir.join("s");
    /// use std::os::unix::fs::PermissionsExt;
    ///
    /// let listener = Listener::bind_with_mode(&Addr::from(path.as_path()), 0o600)?;
    /// assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    ///
    /// drop(listener);
    /// assert!(!path.exists());
    /// # std::fs::remove_dir(&dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_with_mode(addr: &Addr, mode: u32) -> io::Result<Listener> {
        match addr {
            Addr::Unix(path) if mode <= 0o777 => {
                addr.to_unix()?;
                let (listener, file) = SocketFile::bind(path, Some(mode))?;
                Ok(Listener { file: Some(file), ..Listener::from(listener) })
            }
            Addr::Unix(_) => Err(invalid("a mode is a number from 0 to 0o777")),
            _ => Err(invalid("a mode is for the file of a Unix socket, and this address has none")),
        }
    }

    /// The bound address: with the port that the system chose where 0 was asked for, and the path as
    /// it was given to [`bind_with_mode`](Listener::bind_with_mode).
    pub fn local_addr(&self) -> io::Result<Addr> {
        match (&self.file, &self.socket) {
            (Some(file), _) => Ok(Addr::from(file.path())),
            (None, Socket::Unix(listener)) => listener.local_addr().map(Addr::from),
            (None, Socket::Tcp(listener)) => listener.local_addr().map(Addr::from),
        }
    }

    /// Waits for a connection, and answers it with the address of the client: on a Unix socket
    /// hardly ever more than [`Addr::Unnamed`]. `TCP_NODELAY` is on.
    ///
    /// # Errors
    ///
    /// The system's, [accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html): without a
    /// descriptor left (`EMFILE`, `ENFILE`) the connection stays in the backlog, and a later call
    /// can have it. After [`shutdown`](Listener::shutdown), `InvalidInput` (`EINVAL`).
    pub fn accept(&self) -> io::Result<(Conn, Addr)> {
        match &self.socket {
            Socket::Unix(listener) => {
                let (stream, addr) = listener.accept()?;
                Ok((Conn::Unix(stream), addr.into()))
            }
            Socket::Tcp(listener) => {
                let (stream, addr) = listener.accept()?;
                // It fails, on macOS, when the peer has gone already: the first read will say so.
                let _ = stream.set_nodelay(true);
                Ok((Conn::Tcp(stream), addr.into()))
            }
        }
    }

    /// The connections as they are accepted; it ends after [`shutdown`](Listener::shutdown).
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Makes [`accept`](Listener::accept) fail with `WouldBlock` when nobody waits. Accepted
    /// connections block all the same on Linux; the BSDs and macOS hand the mode on to them.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match &self.socket {
            Socket::Unix(listener) => listener.set_nonblocking(nonblocking),
            Socket::Tcp(listener) => listener.set_nonblocking(nonblocking),
        }
    }

    /// Stops listening, for good: every blocked [`accept`](Listener::accept) wakes up and fails,
    /// [`incoming`](Listener::incoming) ends, and new clients are refused. What was accepted goes
    /// on. The file stays until the listener is dropped.
    ///
    /// It works when no descriptor is left, too.
    ///
    /// Linux wakes every blocked call. Other systems need not: where `shutdown(2)` says that a
    /// listening socket is not connected, one connection to the listener itself wakes one call.
    ///
    /// ```
    /// use std::thread;
    /// use streamsock::Listener;
    ///
    /// let listener = Listener::bind(&"tcp:127.0.0.1:0".parse()?)?;
    /// thread::scope(|scope| -> std::io::Result<()> {
    ///     let server = scope.spawn(|| listener.incoming().count());
    ///     listener.shutdown()?;
    ///     assert_eq!(server.join().unwrap(), 0);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self) -> io::Result<()> {
        self.shut_down.store(true, Ordering::Release);
        let done = match &self.handle {
            Some(handle) => handle.shutdown(Shutdown::Both),
            None => self.socket.duplicate()?.shutdown(Shutdown::Both),
        };
        match done {
            // On Linux this is a second call; elsewhere, accept may still wait.
            Err(e) if e.kind() == io::ErrorKind::NotConnected => {
                let _ = Conn::connect(&self.local_addr()?);
                Ok(())
            }
            done => done,
        }
    }
}

impl Listener {
    fn adopt(socket: Socket) -> Listener {
        let handle = socket.duplicate().ok();
        Listener { file: None, socket, handle, shut_down: AtomicBool::new(false) }
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Acquire)
    }
}

impl Socket {
    /// The same socket as a stream.
    fn duplicate(&self) -> io::Result<Conn> {
        match self {
            Socket::Unix(listener) => {
                listener.try_clone().map(|dup| Conn::Unix(UnixStream::from(OwnedFd::from(dup))))
            }
            Socket::Tcp(listener) => {
                listener.try_clone().map(|dup| Conn::Tcp(TcpStream::from(OwnedFd::from(dup))))
            }
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut listener = f.debug_struct("Listener");
        listener.field("fd", &self.as_fd());
        if let Ok(local) = self.local_addr() {
            listener.field("local", &format_args!("{local}"));
        }
        listener.finish()
    }
}

impl From<UnixListener> for Listener {
    /// Adopts a listener whose file is somebody else's to remove: one that systemd passed, say.
    fn from(listener: UnixListener) -> Listener {
        Listener::adopt(Socket::Unix(listener))
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Listener {
        Listener::adopt(Socket::Tcp(listener))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Unix(listener) => listener.as_fd(),
            Socket::Tcp(listener) => listener.as_fd(),
        }
    }
}

impl<'a> IntoIterator for &'a Listener {
    type Item = io::Result<Conn>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// The connections that a [`Listener`] accepts, from [`Listener::incoming`]. An error does not end
/// it: [`Listener::shutdown`] does.
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a Listener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<Conn>;

    fn next(&mut self) -> Option<io::Result<Conn>> {
        let accepted = self.listener.accept();
        if self.listener.is_shut_down() {
            return None;
        }
        Some(accepted.map(|(conn, _)| conn))
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
