//! Socket options that std does not reach: buffer sizes, keepalive and peer credentials, over anything
//! that is [`AsFd`]. All of the crate's `unsafe` is in this module.
//!
//! In this crate it takes the feature `sockopt`, which brings in `libc`: write `features = ["sockopt"]`
//! beside the dependency.
//
// To copy this file, no other is needed: the crate `libc` is, and a feature named `sockopt` (or
// remove the next line).
#![cfg(feature = "sockopt")]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use libc::c_int;

/// The size of the buffer for what was written and not yet received, in bytes: `SO_SNDBUF`,
/// [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html).
///
/// Linux answers twice what was set, since it counts its own bookkeeping in. A Unix socket starts
/// with `net.core.wmem_default` (212,992); a TCP socket with `net.ipv4.tcp_wmem`, and it grows by
/// itself as long as nobody sets it.
///
/// ```
/// use std::os::unix::net::UnixStream;
/// use streamsock::sockopt;
///
/// let (near, _far) = UnixStream::pair()?;
/// sockopt::set_send_buffer(&near, 64 * 1024)?;
/// let effective = sockopt::send_buffer(&near)?;
/// assert!(effective >= 64 * 1024); // 131,072 on Linux
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn send_buffer(socket: impl AsFd) -> io::Result<usize> {
    get::<c_int>(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF).map(|bytes| bytes as usize)
}

/// Asks for a send buffer of `bytes`. Linux doubles it, and silently clamps it to between 4,608
/// bytes and twice `net.core.wmem_max`; read it back with [`send_buffer`]. macOS and the BSDs take it as
/// it is, and fail beyond `kern.ipc.maxsockbuf`.
///
/// # Errors
///
/// `InvalidInput` beyond 2,147,483,647 bytes; the system's, with its code (`ENOBUFS`).
pub fn set_send_buffer(socket: impl AsFd, bytes: usize) -> io::Result<()> {
    set_number(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF, bytes as u64)
}

/// The size of the buffer for what was received and not yet read, in bytes: `SO_RCVBUF`.
///
/// Linux answers twice what was set. On a Unix socket there it has no effect: what is not yet read
/// counts against the sender's [`send_buffer`].
pub fn recv_buffer(socket: impl AsFd) -> io::Result<usize> {
    get::<c_int>(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF).map(|bytes| bytes as usize)
}

/// Asks for a receive buffer of `bytes`. Linux doubles it, and silently clamps it to between 2,304
/// bytes and twice `net.core.rmem_max`; read it back with [`recv_buffer`]. TCP agrees on how large a
/// window may become when the connection is made, so it is best set before: on the listener, for the
/// connections that it accepts. Linux takes it later, too, and widens the window up to what
/// `net.ipv4.tcp_rmem` had let it agree on.
///
/// # Errors
///
/// `InvalidInput` beyond 2,147,483,647 bytes; the system's, with its code (`ENOBUFS`).
pub fn set_recv_buffer(socket: impl AsFd, bytes: usize) -> io::Result<()> {
    set_number(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes as u64)
}

/// How TCP asks a silent peer whether it is still there, for [`set_keepalive`]. A fraction of a second
/// is dropped. OpenBSD has these settings for the whole system only, and answers with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keepalive {
    /// How long nothing arrives before the first probe: `TCP_KEEPIDLE`, on macOS `TCP_KEEPALIVE`.
    pub idle: Duration,
    /// The time between two probes: `TCP_KEEPINTVL`.
    pub interval: Duration,
    /// After how many unanswered probes the connection is given up: `TCP_KEEPCNT`.
    pub count: u32,
}

/// What Go sets on each connection: after 15 s, every 15 s, 9 probes.
impl Default for Keepalive {
    fn default() -> Keepalive {
        Keepalive { idle: Duration::from_secs(15), interval: Duration::from_secs(15), count: 9 }
    }
}

/// The keepalive settings, or `None` if it is off: `SO_KEEPALIVE`,
/// [tcp(7)](https://man7.org/linux/man-pages/man7/tcp.7.html).
///
/// # Errors
///
/// As [`set_keepalive`].
pub fn keepalive(socket: impl AsFd) -> io::Result<Option<Keepalive>> {
    let [idle, interval, count] = TCP_KEEP.map(|option| get(&socket, libc::IPPROTO_TCP, option));
    let seconds = |number: c_int| Duration::from_secs(number as u64);
    let keepalive =
        Keepalive { idle: seconds(idle?), interval: seconds(interval?), count: count? as u32 };
    let is_on = get::<c_int>(&socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE)? != 0;
    Ok(is_on.then_some(keepalive))
}

/// Has TCP ask a silent peer whether it is still there; with `None` it does not, which is how a
/// connection starts.
///
/// A peer that has lost its power, or the way to this host, sends nothing, not even an end of file, and
/// a read waits for it for ever. With keepalive it fails once the probes are unanswered, with
/// `TimedOut`: after `idle` and `count` times `interval`. A write to such a peer times out by itself,
/// after some 15 minutes on Linux.
///
/// # Errors
///
/// `InvalidInput` for less than a second and for more than the system takes (on Linux 32,767 s and 127
/// probes); what was set before that stays. The system's for settings of a Unix socket, whose peer is
/// on the same host, so that the kernel says at once that it has gone: on Linux `Unsupported`.
///
/// ```
/// use std::net::{TcpListener, TcpStream};
/// use streamsock::sockopt::{self, Keepalive};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let stream = TcpStream::connect(listener.local_addr()?)?;
/// assert_eq!(sockopt::keepalive(&stream)?, None);
/// sockopt::set_keepalive(&stream, Some(Keepalive::default()))?;
/// assert_eq!(sockopt::keepalive(&stream)?, Some(Keepalive::default()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn set_keepalive(socket: impl AsFd, keepalive: Option<Keepalive>) -> io::Result<()> {
    if let Some(Keepalive { idle, interval, count }) = keepalive {
        if idle.as_secs() == 0 || interval.as_secs() == 0 || count == 0 {
            return Err(invalid("keepalive needs at least a second, and one probe"));
        }
        let numbers = [idle.as_secs(), interval.as_secs(), count.into()];
        for (option, number) in TCP_KEEP.into_iter().zip(numbers) {
            set_number(&socket, libc::IPPROTO_TCP, option, number)?;
        }
    }
    set_number(&socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE, keepalive.is_some().into())
}

#[cfg(target_vendor = "apple")]
const TCP_KEEP: [c_int; 3] = [libc::TCP_KEEPALIVE, libc::TCP_KEEPINTVL, libc::TCP_KEEPCNT];
#[cfg(target_os = "openbsd")] // no option has this number, and the system says so
const TCP_KEEP: [c_int; 3] = [-1; 3];
#[cfg(not(any(target_vendor = "apple", target_os = "openbsd")))]
const TCP_KEEP: [c_int; 3] = [libc::TCP_KEEPIDLE, libc::TCP_KEEPINTVL, libc::TCP_KEEPCNT];

/// Who is at the other end of a Unix socket, from [`peer_cred`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerCred {
    /// The process, as it was then: it may have ended since, and its number may be another's. 0 when
    /// it is in a pid namespace that this process cannot see.
    pub pid: i32,
    /// The effective user.
    pub uid: u32,
    /// The effective group.
    pub gid: u32,
}

/// Who made the other end of a Unix socket, as the kernel noted it: a client when it called
/// `connect(2)`, a server when it called `listen(2)`, both ends of a pair when it was made. The peer
/// cannot forge it, but it can pass its descriptor on, so somebody else may be there now.
/// `SO_PEERCRED`, [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html).
///
/// # Errors
///
/// `NotConnected` on a listener, for which Linux would name this very process, and on a socket that is
/// not connected. `Unsupported` on a TCP socket, whose peer has no credentials, and on systems other
/// than Linux.
///
/// ```
/// # #[cfg(target_os = "linux")] {
/// use std::os::unix::net::UnixStream;
/// use streamsock::sockopt;
///
/// let (near, _far) = UnixStream::pair()?;
/// let peer = sockopt::peer_cred(&near)?;
/// assert_eq!(peer.pid as u32, std::process::id());
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn peer_cred(socket: impl AsFd) -> io::Result<PeerCred> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // Linux answers for a TCP socket, too: pid 0, and nobody's uid.
        if get::<c_int>(&socket, libc::SOL_SOCKET, libc::SO_DOMAIN)? == libc::AF_UNIX {
            let listens = get::<c_int>(&socket, libc::SOL_SOCKET, libc::SO_ACCEPTCONN)? != 0;
            let cred = get::<libc::ucred>(&socket, libc::SOL_SOCKET, libc::SO_PEERCRED)?;
            // Where it has noted nobody, the kernel answers with a user of -1.
            if listens || cred.uid == u32::MAX {
                return Err(io::Error::new(
                    io::ErrorKind::NotConnected,
                    "this socket has no peer; ask the connection that accept or connect returned",
                ));
            }
            return Ok(PeerCred { pid: cred.pid, uid: cred.uid, gid: cred.gid });
        }
    }
    let _ = socket;
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "peer credentials are for Unix sockets on Linux: SO_PEERCRED",
    ))
}

/// What [`get`] reads.
///
/// # Safety
///
/// A plain C value, for which every pattern of bits is a valid one.
unsafe trait Plain {}

// SAFETY: an integer.
unsafe impl Plain for c_int {}

// SAFETY: a struct of integers.
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe impl Plain for libc::ucred {}

fn get<T: Plain>(socket: &impl AsFd, level: c_int, option: c_int) -> io::Result<T> {
    let fd = socket.as_fd();
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: zeros are a valid value of a `Plain` type.
    let mut value: T = unsafe { mem::zeroed() };
    // SAFETY: `fd` is borrowed, so it stays open; the kernel writes at most `length` bytes to
    // `value`, which has as many, and what it writes is a valid `T`.
    let status = unsafe {
        libc::getsockopt(fd.as_raw_fd(), level, option, (&raw mut value).cast(), &mut length)
    };
    if status == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

fn set_number(socket: &impl AsFd, level: c_int, option: c_int, number: u64) -> io::Result<()> {
    let fd = socket.as_fd();
    let Ok(value) = c_int::try_from(number) else {
        return Err(invalid(&format!("{number} is too large for an option of a socket")));
    };
    let length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: `fd` is borrowed, so it stays open; the kernel reads `length` bytes from `value`,
    // which has as many.
    let status = unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const value).cast(), length)
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
