//! `hello_server` built on the library: any address, several at once, errors that people can read.
//!
//! ```console
//! $ cargo run --example echo_server                         # on unix:/tmp/echo.sock
//! $ cargo run --example echo_server -- unix:/tmp/echo.sock tcp:127.0.0.1:13500
//! ```
//!
//! Predict: press Ctrl-C and start it again; then start a second one beside it. What do they say?
//! Change: set MAX_CONNS to 1. What does the second of two clients see, and until when?
//! Explain: what harm can clients do that connect and then say nothing, and what would prevent it?

use std::io::{self, ErrorKind, Write};
use std::{env, process::ExitCode};

use streamsock::{Addr, Listener, serve};

/// How many clients are served at once. Those beyond wait in the backlog, a queue in the kernel.
const MAX_CONNS: usize = 512;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "echo_server: {why}"); // eprintln! might panic
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut args: Vec<_> = env::args_os().skip(1).collect();
    if args.is_empty() {
        args.push("unix:/tmp/echo.sock".into());
    }
    let mut listeners = Vec::new();
    for arg in args {
        let text = arg.into_string().map_err(|arg| format!("{arg:?} is not UTF-8"))?;
        let addr: Addr = text.parse().map_err(|e: io::Error| e.to_string())?;
        // socket(2), bind(2), listen(2). A file that a killed server left behind is taken over.
        listeners.push(Listener::bind(&addr).map_err(|e| format!("{addr}: {e}{}", hint(&e)))?);
    }
    for listener in &listeners {
        let addr = listener.local_addr().map_err(|e| e.to_string())?;
        let _ = writeln!(io::stderr(), "listening on {addr}");
    }
    // serve calls accept(2) on all of them, and this closure in a thread for each client. copy is
    // the loop of hello_server: read, write what was read, until end of file. It gets the connection
    // twice, to read from and to write to: &Conn does both.
    serve(&listeners, MAX_CONNS, |conn| drop(io::copy(&mut &conn, &mut &conn)))
        .map_err(|e| e.to_string())
}

fn hint(e: &io::Error) -> &'static str {
    match e.kind() {
        ErrorKind::NotFound => " (make its directory first)",
        ErrorKind::AddrInUse => " (free this address or choose another)",
        _ => "",
    }
}
