//! What a request's head asks for: to call, or for a page that a browser shows.

use std::io::{self, Write};
use std::net::Shutdown;

use streamsock::Conn;

use super::http::{CONNECTED, read_head};
use super::stream::Buffered;

/// What is asked for.
#[derive(Debug, PartialEq)]
pub enum Request {
    Calls,
    Page,
    /// Something that is there, by a method that does not get it.
    NotAllowed,
    NotFound,
    NoHttp,
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
    let line = read_head(conn)?;
    let (status, kind, body) = match Request::parse(&line) {
        Request::Calls => {
            write!(conn.get_mut(), "HTTP/1.0 {CONNECTED}\n\n")?;
            return Ok(true);
        }
        Request::Page => ("200 OK", "html", page()),
        Request::NotAllowed => {
            ("405 Method Not Allowed", "plain", "405 must CONNECT\n".to_string())
        }
        Request::NotFound => ("404 Not Found", "plain", "404 page not found\n".to_string()),
        Request::NoHttp => ("400 Bad Request", "plain", "400 Bad Request\n".to_string()),
    };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if !line.starts_with("HEAD ") {
        answer += &body;
    }
    conn.get_mut().write_all(answer.as_bytes())?;
    // The client closes, not the server: closing while bytes of the client are unread resets the
    // connection, and the reset may overtake the answer.
    conn.get_ref().inner.shutdown(Shutdown::Write)?;
    let _ = io::copy(conn, &mut io::sink()); // if it does not close in time, that is no matter
    Ok(false)
}
