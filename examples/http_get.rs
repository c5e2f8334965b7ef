//! HTTP over either kind of socket: a protocol does not care what carries it.
//!
//! ```console
//! $ cargo run --example rpc_server -- unix:/tmp/rpc.sock
//! listening on unix:/tmp/rpc.sock
//! $ cargo run --example http_get -- unix:/tmp/rpc.sock /hello
//! HTTP/1.1 404 Not Found
//! Content-Type: text/plain; charset=utf-8
//! Content-Length: 19
//! Connection: close
//!
//! 404 page not found
//! ```
//!
//! Predict: ask `echo_server` for the page `/`. What is printed, and does it end?
//! Change: remove the check of the path, and ask `echo_server` for $'/ HTTP/1.0\r\nCookie: me'. What did you send?
//! Explain: why does the request name a host, when the connection has been made already?

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use streamsock::{Addr, Conn};

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let addr = args.next().unwrap_or("unix:/tmp/rpc.sock".to_string());
    let path = args.next().unwrap_or("/debug/rpc".to_string());
    match get(&addr, &path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("http_get: {e}");
            ExitCode::FAILURE
        }
    }
}

fn get(addr: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let addr: Addr = addr.parse().map_err(|e| format!("{e}\nusage: http_get [ADDR [PATH]]"))?;
    // The path must stay in its place in the request: a space would end it, and so would a new line.
    if !path.starts_with('/') || path.contains(|c: char| c == ' ' || c.is_control()) {
        let why = "a path begins with / and has no control characters, and %20 for a space";
        return Err(format!("{path:?}: {why}").into());
    }
    let mut conn = Conn::connect(&addr).map_err(|e| format!("{addr}: {e}"))?;

    // The client speaks first. The empty line ends the request, so no half-close is needed, and
    // some servers would take it for a client that has left.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", host(&addr));
    conn.write_all(request.as_bytes()).map_err(|e| format!("{addr}: {e}"))?;

    let mut answer = BufReader::new(conn);
    print_head(&mut answer).map_err(|e| format!("{addr}: {e}"))?;
    // In HTTP/1.0 the page ends with the connection: when read returns 0.
    io::copy(&mut answer, &mut io::stdout())
        .map_err(|e| format!("the page of {addr}, to standard output: {e}"))?;
    Ok(())
}

/// The host and the port, with brackets around an IPv6 address. A Unix socket has neither.
fn host(addr: &Addr) -> String {
    match addr.to_string().strip_prefix("tcp:") {
        Some(host_and_port) => host_and_port.to_string(),
        None => "localhost".to_string(),
    }
}

/// A server that never ends the head must not fill our memory.
const MAX_HEAD: u64 = 64 * 1024;

/// The head of the answer: a line with the status, a line for each header, an empty line.
fn print_head(answer: &mut impl BufRead) -> io::Result<()> {
    let mut head = answer.take(MAX_HEAD);
    loop {
        let mut line = Vec::new();
        head.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Err(io::Error::other("the answer has no head, or one of more than 64 KiB"));
        }
        // The bytes need not be UTF-8. Those that are not are shown as a replacement character.
        let text = String::from_utf8_lossy(&line);
        eprint!("{text}");
        if text.trim_end().is_empty() {
            return Ok(());
        }
    }
}
