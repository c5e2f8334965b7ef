//! HTTP over either kind of socket: a protocol does not care what carries it.
//!
//! ```console
//! $ cargo run --example rpc_server -- unix:/tmp/rpc.sock
//! listening on unix:/tmp/rpc.sock
//! $ cargo run --example http_get -- unix:/tmp/rpc.sock /debug/rpc
//! HTTP/1.1 200 OK
//! Content-Type: text/html; charset=utf-8
//! Content-Length: 268
//! Connection: close
//!
//! <!DOCTYPE html>
//! <title>Methods</title>
//! <table>
//! <tr><th align=left>Method</th><th>Calls</th></tr>
//! <tr><td>Arith.Divide</td><td align=right>0</td></tr>
//! <tr><td>Arith.Multiply</td><td align=right>0</td></tr>
//! <tr><td>Greeter.Greet</td><td align=right>0</td></tr>
//! </table>
//! ```
//!
//! Predict: start `cargo run --example echo_server` and ask it for a page,
//!   `cargo run --example http_get -- unix:/tmp/echo.sock /`. What is printed, and does it end?
//! Change: remove the check of the path, and ask `echo_server` for another page, in bash:
//!   `cargo run --example http_get -- unix:/tmp/echo.sock $'/ HTTP/1.0\r\nCookie: me'`. What did you send?
//! Explain: a.example and b.example have the same IP address. How does a server there know whose page you want?

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
    // A space or a line end in the path would end it early, and what follows would be read as another
    // part of the request.
    if !path.starts_with('/') || path.contains(|c: char| c == ' ' || c.is_control()) {
        let why = "a path begins with / and has no control characters, and %20 for a space";
        return Err(format!("{path:?}: {why}").into());
    }
    let mut conn = Conn::connect(&addr).map_err(|e| format!("{addr}: {e}"))?;

    // The client speaks first. The empty line tells the server that the request is complete. A
    // half-close is not needed, and some servers would take it for a client that has left.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", host(&addr));
    conn.write_all(request.as_bytes()).map_err(|e| format!("{addr}: {e}"))?;

    let mut answer = BufReader::new(conn);
    print_head(&mut answer).map_err(|e| format!("{addr}: {e}"))?;
    // The request says HTTP/1.0, so the server closes after the page, and read returns 0.
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
    // `take` is a reader that ends after so many bytes, whatever follows.
    let mut head = answer.take(MAX_HEAD);
    loop {
        let mut line = Vec::new();
        head.read_until(b'\n', &mut line)?;
        // Without a newline, the line is not complete: there are no more bytes.
        if !line.ends_with(b"\n") {
            let why = match head.limit() {
                0 => "the head of the answer is longer than 64 KiB",
                _ => "the connection ended before the head of the answer did",
            };
            return Err(io::Error::other(why));
        }
        // The bytes need not be UTF-8. Those that are not are shown as a replacement character.
        let text = String::from_utf8_lossy(&line);
        eprint!("{text}");
        if text.trim_end().is_empty() {
            return Ok(());
        }
    }
}
