//! An echo client: sends a message, half-closes, and prints what comes back.
//!
//! ```console
//! $ cargo run --release --example echo_client                             # says hi
//! $ cargo run --release --example echo_client -- unix:/tmp/echo.sock hello there
//! $ cargo run --release --example echo_client -- tcp:127.0.0.1:13500 - <big.iso >copy.iso
//! ```
//!
//! One thread writes while another reads, on the same `&Conn`. A client that sent everything before
//! it read anything would stop half-way, as soon as the buffers of both directions are full.

use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;

use streamsock::{Addr, Conn};

use cli::{Args, Error};

mod cli;

const HELP: &str = "\
usage: echo_client [ADDR [MESSAGE...]]

Sends the words of MESSAGE and a newline, ends its direction, and prints the answer until it ends.
Without ADDR it says hi to unix:/tmp/echo.sock.

  ADDR             unix:/path, unix:@name or tcp:host:port
  MESSAGE          what to say (hi); - sends standard input instead, as it comes
  -h, --help       print this
";

fn main() -> ExitCode {
    cli::main("echo_client", HELP, run)
}

fn run(args: &mut Args) -> Result<(), Error> {
    let mut addr = None;
    let mut words = Vec::new();
    while let Some(arg) = args.next()? {
        match arg.as_str() {
            "" if addr.is_none() => addr = Some(args.address()?),
            "" => words.push(args.value()?),
            _ => return Err(args.unknown()),
        }
    }
    let addr = addr.unwrap_or(Addr::Unix("/tmp/echo.sock".into()));

    let conn = cli::connect(&addr)?;
    if words.len() == 1 && words[0] == "-" {
        return exchange(&addr, conn, io::stdin());
    }
    if words.is_empty() {
        words.push("hi".into());
    }
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    exchange(&addr, conn, Cursor::new([&words.join(&b' ')[..], b"\n"].concat()))
}

/// Sends `input` and prints the answer, both at once.
fn exchange(addr: &Addr, conn: Conn, input: impl Read + Send + 'static) -> Result<(), Error> {
    let conn = Arc::new(conn);
    let (report, outcome) = mpsc::channel();
    // Not a scoped thread: it may still wait for input when the server has ended.
    thread::spawn({
        let (conn, addr) = (conn.clone(), addr.clone());
        move || {
            let _ = report.send(send(&addr, &conn, input));
            let _ = conn.shutdown(Shutdown::Write);
        }
    });

    let mut buf = vec![0; 64 * 1024];
    loop {
        match (&*conn).read(&mut buf) {
            Ok(0) => break,
            Ok(n) => cli::print(&buf[..n])?,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(cli::failed(addr, e)),
        }
    }
    outcome.try_recv().unwrap_or_else(|_| {
        Err(Error::Failed(format!("{addr}: the server ended before all was sent")))
    })
}

fn send(addr: &Addr, mut conn: &Conn, mut input: impl Read) -> Result<(), Error> {
    let mut buf = vec![0; 64 * 1024];
    loop {
        match input.read(&mut buf) {
            Ok(0) => return Ok(()),
            Ok(n) => conn.write_all(&buf[..n]).map_err(|e| cli::failed(addr, e))?,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(cli::failed("standard input", e)),
        }
    }
}
