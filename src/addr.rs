//! `Addr`: the address of a stream socket, as a person types it and as a program prints it.
//!
//! To copy this file, no other is needed.

use std::fmt::{self, Write};
use std::io;
use std::net;
#[cfg(target_os = "android")]
use std::os::android::net::SocketAddrExt;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest path, in bytes, that fits `sun_path` of `struct sockaddr_un` with its closing NUL:
/// [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html).
pub(super) const MAX_PATH: usize =
    if cfg!(any(target_os = "linux", target_os = "android", target_os = "illumos")) {
        107
    } else {
        103
    };

const FORMS: &str = "write unix:/path, /path or ./path for a socket's file, unix:@name or @name for \
    an abstract socket, tcp:host:port or host:port for TCP";

/// The address of a stream socket: the one to bind or connect to ([`Conn::connect`],
/// `Listener::bind`), or the one that a socket reports (`local_addr`, `peer_addr`).
///
/// | text | meaning |
/// | --- | --- |
/// | `unix:/tmp/echo.sock`, `unix:///tmp/echo.sock`, `/tmp/echo.sock`, `./echo.sock` | a path |
/// | `unix:@name`, `@name` | a name in Linux's abstract namespace |
/// | `tcp:localhost:13500`, `tcp://127.0.0.1:13500`, `tcp:[::1]:13500`, `127.0.0.1:13500` | host and port |
///
/// [`FromStr`] reads these forms, and [`Display`](fmt::Display) prints the first of each row, so the
/// address of a socket that has one can be typed again. Bytes that are not UTF-8 and control characters are printed as
/// escapes (`\xff`, `\n`), which are not read back: such a path comes from a [`Path`], not from text.
///
/// ```
/// use streamsock::Addr;
///
/// let addr: Addr = "/tmp/echo.sock".parse()?;
/// assert_eq!(addr, Addr::Unix("/tmp/echo.sock".into()));
/// assert_eq!(addr.to_string(), "unix:/tmp/echo.sock");
/// assert_eq!(addr.network(), "unix");
///
/// let addr: Addr = "localhost:13500".parse()?;
/// assert_eq!(addr.to_string(), "tcp:localhost:13500");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// There will be no fifth variant: a `match` of these four is complete.
///
/// [`Conn::connect`]: super::conn::Conn::connect
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Addr {
    /// The path of a socket's file: at most 107 bytes on Linux, 103 on macOS and the BSDs.
    Unix(PathBuf),
    /// A name in Linux's abstract namespace, without the NUL byte that the kernel puts before it.
    /// It has no file and no permissions, and disappears with its socket. On other systems, binding
    /// and connecting fail with [`io::ErrorKind::Unsupported`].
    Abstract(Vec<u8>),
    /// A host and a port.
    Tcp {
        /// A name, which binding and connecting look up, or an IP address; IPv6 without brackets.
        host: String,
        /// Binding to 0 asks the system for a free one; `local_addr` then says which.
        port: u16,
    },
    /// What a Unix socket that was never bound reports: most clients, and both ends of a pair.
    Unnamed,
}

impl Addr {
    /// `"unix"` or `"tcp"`, as Go's `net` names them.
    pub fn network(&self) -> &'static str {
        match self {
            Addr::Unix(_) | Addr::Abstract(_) | Addr::Unnamed => "unix",
            Addr::Tcp { .. } => "tcp",
        }
    }

    /// The form in which std binds and connects Unix sockets.
    pub(super) fn to_unix(&self) -> io::Result<unix::net::SocketAddr> {
        match self {
            // The kernel would take it for a request to bind a random abstract name.
            Addr::Unix(path) if path.as_os_str().is_empty() => {
                Err(invalid("the path is empty".into()))
            }
            Addr::Unix(path) if path.as_os_str().len() > MAX_PATH => Err(invalid(format!(
                "the path has {} bytes, and a socket's path on this system at most {MAX_PATH}",
                path.as_os_str().len(),
            ))),
            Addr::Unix(path) => unix::net::SocketAddr::from_pathname(path),
            Addr::Abstract(name) => abstract_addr(name),
            _ => Err(invalid("this is no address to bind or to connect to".into())),
        }
    }
}

impl FromStr for Addr {
    type Err = io::Error;

    /// Reads the grammar above.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`], with a message that quotes the text and says what to write
    /// instead. The length of a path is left to `bind` and `connect`: the limit is the system's.
    fn from_str(text: &str) -> io::Result<Addr> {
        parse(text).map_err(|why| invalid(format!("{text:?}: {why}")))
    }
}

fn parse(text: &str) -> Result<Addr, String> {
    if text.chars().any(char::is_control) {
        wrong("an address holds no control characters")
    } else if let Some(rest) = text.strip_prefix("unix:") {
        match (rest.strip_prefix("//"), rest.strip_prefix('@')) {
            (Some(path), _) if !path.starts_with('/') => {
                wrong("after unix:// comes a path that starts with /")
            }
            (Some(path), _) => parse_path(path),
            (_, Some(name)) => parse_abstract(name),
            _ => parse_path(rest),
        }
    } else if let Some(rest) = text.strip_prefix("tcp:") {
        parse_tcp(rest.strip_prefix("//").unwrap_or(rest))
    } else if let Some(name) = text.strip_prefix('@') {
        parse_abstract(name)
    } else if ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start)) {
        parse_path(text)
    } else if text.contains("://") {
        Err("this is a URL; write the host and the port alone, as in tcp:localhost:80".into())
    } else {
        parse_tcp(text)
    }
}

fn parse_path(text: &str) -> Result<Addr, String> {
    if text.is_empty() {
        return wrong("the path is empty");
    }
    if text.starts_with("~/") {
        return Err("a shell expands ~ only at the start of a word; write $HOME/ instead, \
                    or ./~/ for a directory of that name"
            .into());
    }
    // The file `@x` is written `./@x`, since `@x` alone is an abstract name; `~/x` is `./~/x`.
    let path = match text.strip_prefix("./") {
        Some(file) if file.starts_with('@') || file.starts_with("~/") => file,
        _ => text,
    };
    Ok(Addr::Unix(path.into()))
}

fn parse_abstract(name: &str) -> Result<Addr, String> {
    if name.is_empty() {
        wrong("the abstract name is empty")
    } else {
        Ok(Addr::Abstract(name.into()))
    }
}

fn parse_tcp(text: &str) -> Result<Addr, String> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return if text.parse::<u16>().is_ok() {
            parse_tcp(&format!(":{text}"))
        } else if is_name(text) {
            Err(format!("the port is missing; write tcp:{text}:13500, or ./{text} for a file"))
        } else {
            wrong("this is neither a path nor a host and port")
        };
    };
    // u16's own parser would let `+80` pass.
    let port = match port.parse() {
        Ok(port_number) if port.bytes().all(|b| b.is_ascii_digit()) => port_number,
        _ => return wrong("the port is not a number from 0 to 65535"),
    };
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) if is_ipv6(v6) => v6,
        Some(_) => return wrong("what stands in brackets is not an IPv6 address"),
        None if is_ipv6(host) => {
            return Err(format!("an IPv6 address needs brackets; write tcp:[{host}]:{port}"));
        }
        None if is_name(host) => host,
        None if host.is_empty() => {
            return Err(format!(
                "the host is missing; write tcp:localhost:{port} for this host alone, and for \
                 every interface tcp:0.0.0.0:{port} or tcp:[::]:{port}"
            ));
        }
        None => return wrong("the host is neither a name nor an IP address"),
    };
    Ok(Addr::Tcp { host: host.into(), port })
}

/// Where nothing better can be said than what the forms are.
fn wrong(why: &str) -> Result<Addr, String> {
    Err(format!("{why}; {FORMS}"))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

/// Whether this is an IPv6 address, or one with a zone as in `fe80::1%eth0`: a network interface, which
/// Linux lets have nearly any name, or its number.
fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "0"));
    let is_wrong = |c: char| "/]%".contains(c) || c.is_whitespace();
    address.parse::<net::Ipv6Addr>().is_ok() && !zone.is_empty() && !zone.contains(is_wrong)
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Addr::Unix(path) => {
                let path = path.as_os_str().as_bytes();
                f.write_str(match path {
                    [b'/', b'/', ..] => "unix://",
                    [b'@', ..] | [b'.', b'/', b'@', ..] => "unix:./",
                    [b'~', b'/', ..] | [b'.', b'/', b'~', b'/', ..] => "unix:./",
                    _ => "unix:",
                })?;
                write_escaped(f, path)
            }
            Addr::Abstract(name) => {
                f.write_str("unix:@")?;
                write_escaped(f, name)
            }
            Addr::Tcp { host, port } => {
                let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                write!(f, "tcp:{open}")?;
                write_escaped(f, host.as_bytes())?;
                write!(f, "{close}:{port}")
            }
            Addr::Unnamed => f.write_str("(unnamed)"),
        }
    }
}

/// Keeps a path that somebody else chose from moving the cursor of the terminal that shows it.
fn write_escaped(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        write!(f, "{}", chunk.invalid().escape_ascii())?;
    }
    Ok(())
}

impl From<&Path> for Addr {
    fn from(path: &Path) -> Addr {
        Addr::Unix(path.into())
    }
}

impl From<PathBuf> for Addr {
    fn from(path: PathBuf) -> Addr {
        Addr::Unix(path)
    }
}

impl From<net::SocketAddr> for Addr {
    fn from(addr: net::SocketAddr) -> Addr {
        let host = match addr {
            net::SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                format!("{}%{}", v6.ip(), v6.scope_id())
            }
            _ => addr.ip().to_string(),
        };
        Addr::Tcp { host, port: addr.port() }
    }
}

impl From<unix::net::SocketAddr> for Addr {
    fn from(addr: unix::net::SocketAddr) -> Addr {
        match (addr.as_pathname(), abstract_name(&addr)) {
            (Some(path), _) => Addr::Unix(path.into()),
            (_, Some(name)) => Addr::Abstract(name.into()),
            _ => Addr::Unnamed,
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_addr(name: &[u8]) -> io::Result<unix::net::SocketAddr> {
    if name.len() > MAX_PATH {
        return Err(invalid(format!(
            "the abstract name has {} bytes, and may have at most {MAX_PATH}",
            name.len(),
        )));
    }
    unix::net::SocketAddr::from_abstract_name(name)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_name(addr: &unix::net::SocketAddr) -> Option<&[u8]> {
    addr.as_abstract_name()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_addr(_: &[u8]) -> io::Result<unix::net::SocketAddr> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "only Linux has abstract socket names"))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_name(_: &unix::net::SocketAddr) -> Option<&[u8]> {
    None
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
