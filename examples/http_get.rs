//! HTTP over either kind of socket: a protocol does not care what carries it.
//!
//! ```console
//! $ cargo run --example http_get                                        # needs rpc_server running
//! $ cargo run --example http_get -- tcp:example.org:80 /
//! $ cargo run --example http_get -- unix:/var/run/docker.sock /version  # asks the Docker daemon
//! ```
//!
//! Predict: ask echo_server on unix:/tmp/echo.sock for a page. Does the program end?
//! Change: say HTTP/1.1 to example.org. Why may the program not end now, and what marks the end of the page?
//! Explain: why does the request name a host, when the connection has been made already?

use std::env;
use std::io::{self, BufRead, BufReader, Write};

use streamsock::{Addr, Conn};

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let addr: Addr = args.next().unwrap_or("unix:/tmp/rpc.sock".into()).parse()?;
    let path = args.next().unwrap_or("/debug/rpc".into());

    let mut conn = Conn::connect(&addr)?; // socket(2) and connect(2), for either kind
    // The client speaks first. The empty line ends the request, so there is no need to half-close,
    // and some servers would take it for a client that has left. All of it in one write(2).
    let host = if let Addr::Tcp { host, .. } = &addr { host } else { "localhost" };
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    conn.write_all(request.as_bytes())?;

    // The answer: a line with the server's own version and the status, a line for each header, an
    // empty line, the page.
    let mut answer = BufReader::new(conn);
    let mut line = String::new();
    while answer.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        eprint!("{line}");
        line.clear();
    }
    eprintln!();
    // In HTTP/1.0 the page ends with the connection: until read(2) returns 0.
    io::copy(&mut answer, &mut io::stdout())?;
    Ok(())
}
