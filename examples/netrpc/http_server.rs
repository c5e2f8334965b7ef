//! What a request's head asks for: to call, or for a page that a browser shows.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use streamsock::Conn;

use super::http::{CONNECTED, read_head};
use super::stream::Buffered;

/// How long a client may take to close after an ordinary answer.
const LINGER: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Debug, PartialEq)]
pub enum Request {
    Calls,
    Page,
    /// Something that is there, by a method that does not get it.
    NotAllowed,
    NotFound,
    NoHttp,
    TooLong,
}

impl Request {
    pub fn parse(line: &str) -> Request {
        let words: Vec<&str> = line.split(' ').collect();
        let [method, target, "HTTP/1.0" | "HTTP/1.1"] = words[..] else { return Request::NoHttp };
        match (target.split('?').next().unwrap_or_default(), method) {
            ("/_goRPC_", "CONNECT") => Request::Calls,
            ("/" | "/debug/rpc", "GET" | "HEAD") => Request::Page,
            ("/" | "/debug/rpc" | "/_goRPC_", _) => Request::NotAllowed,
            _ => Request::NotFound,
        }
    }
}

/// Reads a request's head and answers it. Answers whether calls may come.
pub fn accept(conn: &mut Buffered<Conn>, page: impl FnOnce() -> String) -> io::Result<bool> {
    let line = match read_head(conn) {
        Err(e) if e.kind() == ErrorKind::InvalidData => None,
        line => Some(line?),
    };
    let request = line.as_deref().map_or(Request::TooLong, Request::parse);
    let is_head = line.is_some_and(|line| line.starts_with("HEAD "));
    let text = |status, body: &str| answer(status, "text/plain", body, is_head);
    let answer = match request {
        Request::Calls => format!("HTTP/1.0 {CONNECTED}\n\n"),
        Request::Page => answer("200 OK", "text/html", &page(), is_head),
        Request::NotAllowed => text("405 Method Not Allowed", "405 must CONNECT\n"),
        Request::NotFound => text("404 Not Found", "404 page not found\n"),
        Request::NoHttp => text("400 Bad Request", "400 Bad Request\n"),
        Request::TooLong => text("431 Request Header Fields Too Large", "431 too large\n"),
    };
    conn.get_mut().write_all(answer.as_bytes())?;
    if request != Request::Calls {
        await_close(conn)?;
    }
    Ok(request == Request::Calls)
}

/// The body is left out of an answer to HEAD, but not its length.
fn answer(status: &str, content_type: &str, body: &str, is_head: bool) -> String {
    let (len, body) = (body.len(), if is_head { "" } else { body });
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}; charset=utf-8\r\n\
         Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// After an ordinary answer the client closes, not the server: closing while bytes of the client are
/// unread resets the connection, and the reset may overtake the answer.
fn await_close(conn: &mut Buffered<Conn>) -> io::Result<()> {
    let timed = conn.get_mut();
    timed.restart(Some(LINGER));
    timed.inner.set_read_timeout(Some(LINGER))?;
    timed.inner.shutdown(Shutdown::Write)?;
    while timed.read(&mut [0; 1024]).is_ok_and(|n| n > 0) {}
    Ok(())
}
