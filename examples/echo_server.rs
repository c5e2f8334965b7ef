//! `hello_server`, written with the library: one server on many addresses, Unix and TCP at once.
//!
//! ```console
//! $ cargo run --example echo_server -- unix:/tmp/echo.sock tcp:127.0.0.1:13500
//! listening on unix:/tmp/echo.sock
//! listening on tcp:127.0.0.1:13500
//! client connected [unix]
//! client connected [tcp]
//! $ cargo run --example echo_client -- unix:/tmp/echo.sock good morning
//! good morning
//! $ cargo run --example echo_client -- tcp:127.0.0.1:13500 good morning
//! good morning
//! ```
//!
//! Predict: press Ctrl-C and start it again; then start a second one beside it. What does each say?
//! Change: set `MAX_CLIENTS` to 1. What does the second of two `nc -N -U /tmp/echo.sock` see, and until when?
//! Explain: what harm can clients do that connect and then say nothing, and what would prevent it?

use std::error::Error;
use std::process::ExitCode;
use std::{env, io};

use streamsock::{Addr, Conn, Listener, serve};

// In this part of the course, `main` reads the arguments and prints an error. The lesson begins at
// `run`.
fn main() -> ExitCode {
    let mut args: Vec<String> = env::args().skip(1).collect();
    if args.is_empty() {
        args.push("unix:/tmp/echo.sock".to_string());
    }
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("echo_server: {e}");
            ExitCode::FAILURE
        }
    }
}

/// How many clients are served at once. The next ones wait.
const MAX_CLIENTS: usize = 512;

/// `Box<dyn Error>` holds an error of any type. `?` puts an `io::Error` into it, or a `String`.
fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    let mut listeners = Vec::new();
    for arg in args {
        listeners.push(listen(arg)?);
    }
    for listener in &listeners {
        eprintln!("listening on {}", listener.local_addr()?);
    }
    // serve calls accept(2) on every listener, each in a thread, and `echo` in a thread for each
    // client. It goes on after an error that may pass, such as too many open files.
    serve(&listeners, MAX_CLIENTS, echo)?;
    Ok(())
}

fn listen(arg: &str) -> Result<Listener, String> {
    // parse calls `Addr::from_str`, which knows the forms of an address.
    let addr: Addr = arg.parse().map_err(|e| format!("{e}\nusage: echo_server [ADDR...]"))?;
    // socket(2), bind(2) and listen(2). A file that a killed server left behind is taken over.
    Listener::bind(&addr).map_err(|e| format!("{addr}: {e}"))
}

/// The loop of `hello_server`, for either kind of socket. Only what it prints depends on the kind.
fn echo(conn: Conn) {
    eprintln!("client connected [{}]", conn.network());
    // copy wants a reader and a writer. A `&Conn` can do both, so two of them share the connection.
    let mut reader = &conn;
    let mut writer = &conn;
    // It reads, and writes what it has read, until a read returns 0.
    if let Err(e) = io::copy(&mut reader, &mut writer) {
        eprintln!("client lost [{}]: {e}", conn.network());
    }
}
