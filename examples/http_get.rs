//! HTTP over either kind of socket: a protocol does not care what carries it.
//!
//! ```console
//! $ cargo run --example http_get                                        # from rpc_server
//! $ cargo run --example http_get -- tcp:example.org:80 /
//! $ cargo run --example http_get -- unix:/var/run/docker.sock /version  # from a daemon
//! ```
//!
//! Predict: ask echo_server, on unix:/tmp/echo.sock, for a page. Why does that hang, or why not?
//! Change: say HTTP/1.1. Why does the program not end now, and how would it find the page's end?
//! Explain: which part of the request names a host, and why does a Unix socket need it, too?

use std::env;
use std::io::{self, BufRead, BufReader, Write};

use streamsock::{Addr, Conn};

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let addr: Addr = args.next().unwrap_or("unix:/tmp/rpc.sock".into()).parse()?;
    let path = args.next().unwrap_or("/debug/rpc".into());

    let mut conn = Conn::connect(&addr)?; // socket(2) and connect(2), for either kind
    // The client speaks first. The empty line ends the request: no half-close is needed, and some
    // servers take one for a client that has gone. Formatted first, so that it is one write(2).
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    conn.write_all(request.as_bytes())?;

    // The answer's head: a line with the status, a line for each header, an empty line.
    let mut answer = BufReader::new(conn);
    let mut line = String::new();
    while answer.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        eprint!("{line}");
        line.clear();
    }
    eprintln!();
    // The page. In HTTP/1.0 it ends with the connection: read(2) returns 0.
    io::copy(&mut answer, &mut io::stdout())?;
    Ok(())
}
