//! The head of the one HTTP exchange that comes before the calls.

use std::io::{self, BufRead, ErrorKind, Read};

/// The one status after which calls may come.
pub const CONNECTED: &str = "200 Connected to Go RPC";
/// How long a head may be, with its empty line.
const MAX_HEAD: u64 = 8 << 10;

/// Reads up to the empty line, and no further. Answers the first line.
pub fn read_head(from: &mut impl BufRead) -> io::Result<String> {
    let mut from = from.take(MAX_HEAD);
    let mut head = Vec::new();
    while !head.ends_with(b"\n\n") && !head.ends_with(b"\n\r\n") {
        if from.read_until(b'\n', &mut head)? == 0 {
            let why = format!("an HTTP head that is cut off, or longer than {MAX_HEAD} bytes");
            return Err(io::Error::new(ErrorKind::UnexpectedEof, why));
        }
    }
    Ok(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_string())
}
