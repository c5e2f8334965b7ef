//! What a request's head asks for: to call, or for a page that a browser shows.

use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use streamsock::Conn;

use super::http::{CONNECTED, read_before, read_head};

/// Answers a request's head. `Some`: calls may come, and this has arrived of them already.
pub fn accept_http(mut conn: &Conn, page: impl FnOnce() -> String) -> io::Result<Option<Vec<u8>>> {
    let (status, early) = match read_head(conn) {
        Ok((line, early)) => (status(&line), early),
        Err(e) if e.kind() == ErrorKind::InvalidData => {
            ("431 Request Header Fields Too Large", Vec::new())
        }
        Err(e) => return Err(e),
    };
    match status {
        CONNECTED => {
            conn.write_all(format!("HTTP/1.0 {status}\n\n").as_bytes())?;
            return Ok(Some(early));
        }
        "200 OK" => answer(conn, status, "text/html", &page())?,
        "404 Not Found" => answer(conn, status, "text/plain", "404 page not found\n")?,
        "405 Method Not Allowed" => answer(conn, status, "text/plain", "405 must CONNECT\n")?,
        _ => answer(conn, status, "text/plain", &format!("{status}\n"))?,
    }
    Ok(None)
}

/// How a request is answered, by its first line.
pub fn status(line: &str) -> &'static str {
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, "HTTP/1.0" | "HTTP/1.1"] = words[..] else { return "400 Bad Request" };
    match (target.split('?').next().unwrap_or_default(), method) {
        ("/_goRPC_", "CONNECT") => CONNECTED,
        ("/" | "/debug/rpc", "GET") => "200 OK",
        ("/" | "/debug/rpc" | "/_goRPC_", _) => "405 Method Not Allowed",
        _ => "404 Not Found",
    }
}

/// After an ordinary answer the client closes, not the server: closing while bytes of the client are
/// unread resets the connection, and the reset may overtake the answer.
fn answer(mut conn: &Conn, status: &str, content_type: &str, body: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    conn.write_all((head + body).as_bytes())?;
    conn.shutdown(Shutdown::Write)?;
    let deadline = Instant::now() + Duration::from_secs(1);
    while read_before(deadline, conn, &mut [0; 1024]).is_ok_and(|n| n > 0) {}
    Ok(())
}
