//! The one HTTP exchange that comes before the calls, at both ends, and the answers for browsers.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use streamsock::Conn;

const CONNECTED: &str = "200 Connected to Go RPC";
const MAX_HEAD: usize = 8 << 10;
/// A head that is not complete by then is not waited for: a client that drips holds no thread.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a client asks for.
#[derive(Debug, PartialEq)]
pub enum Asked {
    /// To call; with what has arrived after the head.
    Connect(Vec<u8>),
    /// The page that shows what was called.
    Debug,
    /// What is not there, or no HTTP: the status that says so.
    Nothing(&'static str),
}

/// Reads a request's head. An error means that there is nobody to answer.
pub fn accept(conn: &Conn) -> io::Result<Asked> {
    let (head, early) = match read_head(conn) {
        Err(e) if e.kind() == ErrorKind::InvalidData => {
            return Ok(Asked::Nothing("431 Request Header Fields Too Large"));
        }
        read => read?,
    };
    Ok(asked(&head, early))
}

/// What a request's head asks for.
pub fn asked(head: &str, early: Vec<u8>) -> Asked {
    let line = head.split(['\r', '\n']).next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, "HTTP/1.0" | "HTTP/1.1"] = words[..] else {
        return Asked::Nothing("400 Bad Request");
    };
    match (target.split('?').next().unwrap_or_default(), method) {
        ("/_goRPC_", "CONNECT") => Asked::Connect(early),
        ("/debug/rpc", "GET") => Asked::Debug,
        ("/_goRPC_" | "/debug/rpc", _) => Asked::Nothing("405 Method Not Allowed"),
        _ => Asked::Nothing("404 Not Found"),
    }
}

/// Tells the client that its calls may come.
pub fn connected(mut conn: &Conn) -> io::Result<()> {
    conn.write_all(format!("HTTP/1.0 {CONNECTED}\n\n").as_bytes())
}

/// An ordinary answer, after which the connection is closed: by the client, so that a reset does not
/// overtake the answer, or in a second.
pub fn answer(mut conn: &Conn, status: &str, content_type: &str, body: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    conn.write_all((head + body).as_bytes())?;
    conn.shutdown(Shutdown::Write)?;
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut rest = [0; 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        conn.set_read_timeout(Some(left))?;
        if conn.read(&mut rest)? == 0 {
            return Ok(());
        }
    }
}

/// The client's end: asks, and reads the whole answer before anything else is sent. What comes after
/// its head belongs to the calls.
pub fn connect(mut conn: &Conn) -> io::Result<Vec<u8>> {
    conn.write_all(b"CONNECT /_goRPC_ HTTP/1.0\n\n")?;
    let (head, early) = read_head(conn)?;
    let line = head.split(['\r', '\n']).next().unwrap_or_default();
    match line.strip_prefix("HTTP/1.0 ").or(line.strip_prefix("HTTP/1.1 ")) {
        Some(status) if status.trim_start() == CONNECTED => Ok(early),
        _ => Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("the server does not speak net/rpc: it answers {line:?}"),
        )),
    }
}

/// Reads up to the empty line: the head, and what has arrived after it.
fn read_head(mut conn: &Conn) -> io::Result<(String, Vec<u8>)> {
    let timeout = conn.read_timeout()?;
    let deadline = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let mut buf = [0; 1024];
    let end = loop {
        if let Some(end) = end_of_head(&bytes) {
            break end;
        }
        if bytes.len() > MAX_HEAD {
            return Err(io::Error::new(ErrorKind::InvalidData, "an HTTP head that does not end"));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(ErrorKind::TimedOut, "an HTTP head takes too long"));
        }
        conn.set_read_timeout(Some(left))?;
        match conn.read(&mut buf) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => bytes.extend(&buf[..n]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    };
    conn.set_read_timeout(timeout)?;
    let early = bytes.split_off(end);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), early))
}

/// Where the empty line ends; lines may end with LF alone.
pub fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut lines = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        lines += line.len();
        if line == b"\n" || line == b"\r\n" {
            return Some(lines);
        }
    }
    None
}
