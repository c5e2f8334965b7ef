//! The head of the one HTTP exchange that comes before the calls.

use std::io::{self, BufRead, ErrorKind, Read};

/// The one status after which calls may come.
pub const CONNECTED: &str = "200 Connected to Go RPC";
/// How long a head may be, with its empty line.
const MAX_HEAD: usize = 8 << 10;

/// Reads up to the empty line, and no further. Answers the first line.
pub fn read_head(from: &mut impl BufRead) -> io::Result<String> {
    let mut from = from.take(MAX_HEAD as u64);
    let mut head = Vec::new();
    loop {
        let start = head.len();
        from.read_until(b'\n', &mut head)?;
        let line = &head[start..];
        if line == b"\n" || line == b"\r\n" {
            break;
        }
        if !line.ends_with(b"\n") {
            return Err(match head.len() {
                MAX_HEAD => io::Error::new(ErrorKind::InvalidData, "the HTTP head is too long"),
                _ => ErrorKind::UnexpectedEof.into(),
            });
        }
    }
    Ok(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_string())
}
