//! `Listener`: a Unix-domain or TCP socket that accepts connections.
//!
//! To copy this file, `addr.rs`, `conn.rs` and `socket_file.rs` are needed.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use std::{mem, thread};

use super::addr::Addr;
use super::conn::Conn;
use super::socket_file::SocketFile;

/// A Unix-domain or TCP socket that accepts connections.
///
/// A listener that is bound to a path owns the socket's file. It takes over the file that a killed
/// server left behind, but never that of a live server and never a file that is not a socket; and it
/// removes its own when it is dropped. See [`bind`](Listener::bind).
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
    /// A duplicate of the descriptor, as std has `shutdown` for streams alone; made beforehand, as
    /// there may be no descriptor left for it then. `None` once it is used, or if there was none.
    handle: Mutex<Option<Conn>>,
    shut_down: AtomicBool,
    /// How many threads are in accept(2), or about to be.
    accepting: AtomicUsize,
}

enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    /// Binds and listens. A TCP listener has `SO_REUSEADDR` set, so that it can be started again at
    /// once.
    ///
    /// # The backlog
    ///
    /// The system connects clients before they are accepted and queues them, up to a limit that std
    /// sets: on Linux 128 on TCP, and on a Unix socket `net.core.somaxconn` (4096), see
    /// [listen(2)](https://man7.org/linux/man-pages/man2/listen.2.html). When the queue is full, a
    /// Unix `connect` waits on Linux (a non-blocking one gets `EAGAIN`) and is refused on macOS and
    /// the BSDs; a TCP `connect` is retried by the system until it times out, and a few clients that
    /// believed themselves connected are reset.
    ///
    /// # The socket's file
    ///
    /// A server that is killed, by Ctrl-C too, leaves its file behind, and `bind(2)` fails on a path
    /// that exists. So `bind` must distinguish a stale file from a live server's. A socket that nobody
    /// holds is removed and bound anew, under an exclusive lock on its directory, so that of several
    /// servers started at once only one takes it over. Anything else at the path is left alone.
    ///
    /// The lock, `flock(2)`, restrains only programs that take it, as this library does. While
    /// somebody else holds it, `bind` waits for up to 1 s and then goes on without: it binds a path
    /// that is free, but takes nothing over (and clients may see a temporary path as their peer's, as with
    /// [`bind_with_mode`](Listener::bind_with_mode)). It does the same where there is no such lock (a directory
    /// that cannot be read, some network file systems, Android, DragonFly). Do not put a socket into a
    /// directory that two kernels share (NFS, a virtual machine's mount): a server on the other one
    /// looks stale.
    ///
    /// The file goes when the process that bound it drops the listener. A forked child that drops its
    /// copy leaves it. So does a listener that is turned into an [`OwnedFd`]: that is how to hand it to a
    /// successor. A daemon that forks after it has bound ends with [`shutdown`](Listener::shutdown),
    /// which removes the file in any process.
    ///
    /// # Names
    ///
    /// A host name with several addresses is bound at the first that works: `localhost` is often `::1`,
    /// and then 127.0.0.1 is not served. Bind both, or give the address.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if a live server or a file that is not a socket is at the path, or if a stale file
    /// could not be taken over safely; the message says which. If a stale file cannot be removed, the
    /// error has the kind of that failure (`PermissionDenied`), and says so. `InvalidInput` for a path over
    /// the system's limit and for [`Addr::Unnamed`]; `Unsupported` for an abstract name off Linux.
    /// Otherwise the system's own error, with its code; a host name that is not found has none.
    /// No message names the address: whoever prints the error knows it.
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

    /// Like [`bind`](Listener::bind), but gives the socket's file the mode `mode`, whatever the umask
    /// (unless the umask takes the owner's own permissions away).
    /// At no instant can anyone connect whom the mode shuts out: connecting requires write permission,
    /// `0o200`, `0o020` or `0o002` ([unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html); some
    /// old systems ignore the mode). A directory of mode 0700 protects as well, on every system, and
    /// with less machinery.
    ///
    /// A mode protects nothing where others may rename the file. So a directory that everybody may
    /// write to is refused unless it has the sticky bit. One that its group may write to is accepted:
    /// the group is trusted.
    ///
    /// The socket is created in a fresh directory of mode 0700 beside the path, and then linked to the
    /// path. The temporary path is what a client's [`peer_addr`](Conn::peer_addr), the
    /// [`local_addr`](Conn::local_addr) of an accepted connection and `ss -xl` show, and what is left
    /// behind if the program is killed in between.
    ///
    /// # Errors
    ///
    /// Those of `bind`. `InvalidInput` for a TCP or abstract address, which has no file, for a mode
    /// beyond `0o777`, for a directory that everybody may write to, and for one whose path leaves no
    /// room for the temporary one. On a file system that cannot do this (many FUSE ones, virtiofs),
    /// the error says so, and nothing is left there.
    ///
    /// ```
    /// # use streamsock::{Addr, Listener};
    /// # let dir = std::path::Path::new("/tmp").join(format!("doc-mode-{}", std::process::id()));
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

    /// The bound address, with the port that the system chose if 0 was asked for. A path is reported
    /// as it was given to `bind`.
    pub fn local_addr(&self) -> io::Result<Addr> {
        match (&self.file, &self.socket) {
            (Some(file), _) => Ok(Addr::from(file.path.as_path())),
            (None, Socket::Unix(listener)) => listener.local_addr().map(Addr::from),
            (None, Socket::Tcp(listener)) => listener.local_addr().map(Addr::from),
        }
    }

    /// Waits for a connection, and returns it with the address of the client, which on a Unix socket
    /// is hardly ever more than [`Addr::Unnamed`]. `TCP_NODELAY` is on.
    ///
    /// # Errors
    ///
    /// The system's, [accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html): without a
    /// descriptor left (`EMFILE`, `ENFILE`) the connection stays in the backlog, and a later call
    /// can have it. `InvalidInput` once the listener is [shut down](Listener::shutdown), here or by
    /// another process that shares the socket.
    pub fn accept(&self) -> io::Result<(Conn, Addr)> {
        self.accepting.fetch_add(1, SeqCst);
        let accepted = (!self.is_shut_down()).then(|| self.socket.accept());
        self.accepting.fetch_sub(1, SeqCst);
        match accepted {
            Some(Err(e)) if e.kind() != ErrorKind::InvalidInput && !self.is_shut_down() => Err(e),
            // What a shutdown has woken it up with is closed.
            Some(Ok(accepted)) if !self.is_shut_down() => Ok(accepted),
            _ => Err(invalid("the socket does not listen, or has been shut down")),
        }
    }

    /// The connections as they are accepted; it ends after [`shutdown`](Listener::shutdown), whoever
    /// called that.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Makes [`accept`](Listener::accept) fail with `WouldBlock` when no client waits. Accepted
    /// connections block nevertheless on Linux; on the BSDs and macOS they inherit the mode. After a
    /// [`shutdown`](Listener::shutdown) it does nothing. `O_NONBLOCK` belongs to the socket, so it holds
    /// in every process that shares the socket.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        let _no_shutdown_meanwhile = self.handle.lock().expect("nothing panics under this lock");
        if self.is_shut_down() { Ok(()) } else { self.socket.set_nonblocking(nonblocking) }
    }

    /// Stops listening, for good: the socket's file is removed, every blocked
    /// [`accept`](Listener::accept) fails, [`incoming`](Listener::incoming) ends, clients that still
    /// queue are disconnected, and new ones are refused. What was accepted goes on, and a successor
    /// can bind the address meanwhile: at once, but for an abstract name and the path of an adopted
    /// listener, which are free when this one is dropped. Another call changes nothing.
    ///
    /// It acts on the socket, and so on every process that shares it: all of them stop listening. So a
    /// service that systemd or inetd starts with its socket must not call it, but just end: the socket
    /// stays with systemd, and clients queue for the next activation. On Linux it works
    /// without a descriptor left. (If another thread then takes the descriptor that it frees, those who
    /// queue are disconnected only when the listener is dropped.) Elsewhere it needs one, as
    /// `shutdown(2)` may not wake a blocked `accept` and a connection has to; and TCP clients may
    /// connect until the listener is dropped, only to be closed then.
    ///
    /// # Errors
    ///
    /// The system's, when no descriptor was left at `bind` nor is now (`EMFILE`): nothing is changed.
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
        let mut handle = self.handle.lock().expect("nothing panics under this lock");
        if self.is_shut_down() {
            return Ok(());
        }
        let stream = match handle.take() {
            Some(stream) => stream,
            None => self.socket.duplicate()?,
        };
        self.shut_down.store(true, SeqCst);
        // Whoever enters accept(2) from here on does not block.
        self.socket.set_nonblocking(true)?;
        if !cfg!(any(target_os = "linux", target_os = "android")) {
            self.wake_by_connecting();
        }
        if let Some(file) = &self.file {
            file.remove();
        }
        let done = stream.shutdown(Shutdown::Both);
        drop(stream); // the queue is accepted with its descriptor
        while match self.socket.accept() {
            Ok(_) => true,
            Err(e) => matches!(e.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted),
        } {}
        match done {
            // What macOS and FreeBSD say of a socket that listens.
            Err(e) if e.kind() == ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.shut_down.load(SeqCst)
    }

    /// Wakes the threads in accept(2) where shutdown(2) may not: with a connection each.
    fn wake_by_connecting(&self) {
        let here = |file: &SocketFile| Ok(Addr::from(file.absolute.as_path()));
        while self.accepting.load(SeqCst) > 0 {
            let addr = self.file.as_ref().map_or_else(|| self.local_addr(), here);
            // Refused: the backlog is full, which wakes them as well.
            let Ok(_) = addr.and_then(|addr| Conn::connect(&addr)) else { return };
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn adopt(socket: Socket) -> Listener {
        let handle = Mutex::new(socket.duplicate().ok());
        let (shut_down, accepting) = (AtomicBool::new(false), AtomicUsize::new(0));
        Listener { file: None, socket, handle, shut_down, accepting }
    }
}

impl Socket {
    fn accept(&self) -> io::Result<(Conn, Addr)> {
        match self {
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

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Socket::Unix(listener) => listener.set_nonblocking(nonblocking),
            Socket::Tcp(listener) => listener.set_nonblocking(nonblocking),
        }
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Unix(listener) => listener.as_fd(),
            Socket::Tcp(listener) => listener.as_fd(),
        }
    }

    /// The same socket as a stream.
    fn duplicate(&self) -> io::Result<Conn> {
        Conn::try_from(self.as_fd().try_clone_to_owned()?)
    }
}

/// As of a [`Conn`]: `Listener { fd: 3, local: unix:/tmp/echo.sock }`.
impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut listener = f.debug_struct("Listener");
        listener.field("fd", &self.as_raw_fd());
        if let Ok(local) = self.local_addr() {
            listener.field("local", &format_args!("{local}"));
        }
        listener.finish()
    }
}

impl From<UnixListener> for Listener {
    /// Adopts a listener whose file is somebody else's to remove: one that systemd passed, say. Do not
    /// [`shutdown`](Listener::shutdown) that: it is systemd's socket, too.
    fn from(listener: UnixListener) -> Listener {
        Listener::adopt(Socket::Unix(listener))
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Listener {
        Listener::adopt(Socket::Tcp(listener))
    }
}

/// Hands the socket on, to a successor for instance, and leaves its file where it is.
impl From<Listener> for OwnedFd {
    fn from(listener: Listener) -> OwnedFd {
        mem::forget(listener.file); // it is removed when it is dropped
        match listener.socket {
            Socket::Unix(listener) => listener.into(),
            Socket::Tcp(listener) => listener.into(),
        }
    }
}

impl TryFrom<OwnedFd> for Listener {
    type Error = io::Error;

    /// Adopts a socket of either kind that another process bound. The file is left to that process. Do
    /// not [`shutdown`](Listener::shutdown) a socket that is shared.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a descriptor that is neither a Unix nor a TCP socket; it is closed. A socket
    /// that does not listen shows later: `accept` fails with `InvalidInput`, and `incoming` ends at once.
    ///
    /// ```no_run
    /// use std::io;
    /// use std::os::fd::AsFd;
    /// use streamsock::Listener;
    ///
    /// // systemd with StandardInput=socket, inetd with wait
    /// let listener = Listener::try_from(io::stdin().as_fd().try_clone_to_owned()?)?;
    /// # Ok::<(), io::Error>(())
    /// ```
    fn try_from(fd: OwnedFd) -> io::Result<Listener> {
        Ok(match Conn::try_from(fd)? {
            Conn::Unix(socket) => Listener::from(UnixListener::from(OwnedFd::from(socket))),
            Conn::Tcp(socket) => Listener::from(TcpListener::from(OwnedFd::from(socket))),
        })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// The connections that a [`Listener`] accepts, from [`Listener::incoming`]. Only an error that says
/// that the socket does not listen, or no longer, ends it; [`Listener::accept`] returns that error.
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a Listener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<Conn>;

    fn next(&mut self) -> Option<io::Result<Conn>> {
        match self.listener.accept() {
            Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => None,
            accepted => Some(accepted.map(|(conn, _peer)| conn)),
        }
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}

#[cfg(test)]
#[test]
fn connecting_wakes_every_blocked_accept() {
    let listener = Listener::from(TcpListener::bind("127.0.0.1:0").unwrap());
    thread::scope(|scope| {
        let accepts: Vec<_> = (0..4).map(|_| scope.spawn(|| listener.accept())).collect();
        while listener.accepting.load(SeqCst) < 4 {
            thread::yield_now();
        }
        listener.shut_down.store(true, SeqCst);
        listener.socket.set_nonblocking(true).unwrap();
        listener.wake_by_connecting();
        accepts.into_iter().for_each(|accept| drop(accept.join().unwrap().unwrap_err()));
    });
}
