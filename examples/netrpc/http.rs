//! The head of the one HTTP exchange that comes before the calls.

use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

use streamsock::Conn;

/// The one status after which calls may come.
pub const CONNECTED: &str = "200 Connected to Go RPC";
/// How long a head may be, with its empty line.
const MAX_HEAD: usize = 8 << 10;
/// How long it may take, however it is spread.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads up to the empty line: the first line, and what has arrived after the head, which belongs to
/// the calls. The read timeout stays as it was.
pub fn read_head(conn: &Conn) -> io::Result<(String, Vec<u8>)> {
    let timeout = conn.read_timeout()?;
    let deadline = Instant::now() + PATIENCE;
    let (mut bytes, mut buf) = (Vec::new(), [0; 1024]);
    let end = loop {
        match end_of_head(&bytes) {
            Some(end) if end <= MAX_HEAD => break end,
            None if bytes.len() < MAX_HEAD => {}
            _ => return Err(io::Error::new(ErrorKind::InvalidData, "the HTTP head is too long")),
        }
        match read_before(deadline, conn, &mut buf)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n => bytes.extend(&buf[..n]),
        }
    };
    conn.set_read_timeout(timeout)?;
    let early = bytes.split_off(end);
    let head = String::from_utf8_lossy(&bytes);
    Ok((head.lines().next().unwrap_or_default().to_string(), early))
}

/// A read that fails with `TimedOut` at `deadline`. A timeout alone would begin anew with each byte.
pub fn read_before(deadline: Instant, mut conn: &Conn, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        conn.set_read_timeout(Some(left))?;
        match conn.read(buf) {
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            done => return done,
        }
    }
}

/// Where the empty line ends; lines may end with LF alone.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line == b"\n" || line == b"\r\n" {
            return Some(end);
        }
    }
    None
}
