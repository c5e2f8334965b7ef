//! `hello_server` through the library: any addresses, several at once, with one-sentence errors.
//!
//! ```console
//! $ cargo run --example echo_server                         # on unix:/tmp/echo.sock
//! $ cargo run --example echo_server -- unix:/tmp/echo.sock tcp:127.0.0.1:13500
//! ```
//!
//! Predict: press Ctrl-C and start it again; then start a second one beside it. What do they say?
//! Change: let MAX_CONNS be 1. What does the second of two clients see, and until when?
//! Explain: what can clients do to this server that connect and say nothing, and what would help?

use std::io::{self, ErrorKind, Write};
use std::{env, process::ExitCode};

use streamsock::{Addr, Listener, serve};

const MAX_CONNS: usize = 512; // clients served at once; the next ones wait in the backlog

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "echo_server: {why}"); // eprintln! can panic
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
        // socket(2), bind(2), listen(2), and a file that a killed server left is taken over.
        listeners.push(Listener::bind(&addr).map_err(|e| format!("{addr}: {e}{}", hint(&e)))?);
    }
    for listener in &listeners {
        let addr = listener.local_addr().map_err(|e| e.to_string())?;
        let _ = writeln!(io::stderr(), "listening on {addr}");
    }
    // accept(2) on all of them, and a thread for each client. `copy` is the loop of hello_server: it
    // reads, and writes what it read, until end of file. For that, &Conn is both ends.
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
