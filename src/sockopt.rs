//! Socket options that std does not reach: `SO_SNDBUF`, `SO_RCVBUF` and `SO_PEERCRED`, over
//! anything that is [`AsFd`]. All of the crate's `unsafe` is in this module.
//!
//! In this crate it takes the feature `sockopt`, which brings in `libc`.
//
// To copy this file, no other is needed: the crate `libc` is, and a feature named `sockopt` (or
// remove the next line).
#![cfg(feature = "sockopt")]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd};

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
    get::<c_int>(&socket, libc::SO_SNDBUF).map(|bytes| bytes as usize)
}

/// Asks for a send buffer of `bytes`. Linux doubles it, and silently clamps it to between 4,608
/// bytes and twice `net.core.wmem_max`; read it back with [`send_buffer`]. macOS and the BSDs take it as
/// it is, and fail beyond `kern.ipc.maxsockbuf`.
///
/// # Errors
///
/// `InvalidInput` beyond 2,147,483,647 bytes; the system's, with its code (`ENOBUFS`).
pub fn set_send_buffer(socket: impl AsFd, bytes: usize) -> io::Result<()> {
    set_size(&socket, libc::SO_SNDBUF, bytes)
}

/// The size of the buffer for what was received and not yet read, in bytes: `SO_RCVBUF`.
///
/// Linux answers twice what was set. On a Unix socket there it has no effect: what is not yet read
/// counts against the sender's [`send_buffer`].
pub fn recv_buffer(socket: impl AsFd) -> io::Result<usize> {
    get::<c_int>(&socket, libc::SO_RCVBUF).map(|bytes| bytes as usize)
}

/// Asks for a receive buffer of `bytes`. Linux doubles it, and silently clamps it to between 2,304
/// bytes and twice `net.core.rmem_max`; read it back with [`recv_buffer`]. For TCP to announce a window
/// beyond 64 KiB it has to be set before the connection is made, on the listener on that side.
///
/// # Errors
///
/// `InvalidInput` beyond 2,147,483,647 bytes; the system's, with its code (`ENOBUFS`).
pub fn set_recv_buffer(socket: impl AsFd, bytes: usize) -> io::Result<()> {
    set_size(&socket, libc::SO_RCVBUF, bytes)
}

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

/// Who is at the other end of a Unix socket, as the kernel noted it: a client when it called
/// `connect(2)`, a server when it called `listen(2)`, both ends of a pair when it was made. The peer
/// cannot forge it. `SO_PEERCRED`, [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html).
///
/// # Errors
///
/// `Unsupported` on a TCP socket, whose peer has no credentials, and on systems other than Linux.
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
        if get::<c_int>(&socket, libc::SO_DOMAIN)? == libc::AF_UNIX {
            let cred = get::<libc::ucred>(&socket, libc::SO_PEERCRED)?;
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

fn get<T: Plain>(socket: &impl AsFd, option: c_int) -> io::Result<T> {
    let fd = socket.as_fd();
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: zeros are a valid value of a `Plain` type.
    let mut value: T = unsafe { mem::zeroed() };
    // SAFETY: `fd` is borrowed, so it stays open; the kernel writes at most `length` bytes to
    // `value`, which has as many, and what it writes is a valid `T`.
    let status = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw mut value).cast(),
            &mut length,
        )
    };
    if status == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

fn set_size(socket: &impl AsFd, option: c_int, bytes: usize) -> io::Result<()> {
    let fd = socket.as_fd();
    let value = c_int::try_from(bytes).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a socket buffer of {bytes} bytes is too large"),
        )
    })?;
    let length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: `fd` is borrowed, so it stays open; the kernel reads `length` bytes from `value`,
    // which has as many.
    let status = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw const value).cast(),
            length,
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
