//! A client for `echo_server` that sends and receives at once, so that any amount goes through.
//!
//! ```console
//! $ cargo run --example echo_client                                      # says hello
//! $ cargo run --example echo_client -- tcp:127.0.0.1:13500 good morning
//! $ cargo run --example echo_client -- unix:/tmp/echo.sock - <big >copy  # standard input
//! ```
//!
//! Predict: run it with `-`, type a line, then kill the server. What does it say, and when?
//! Change: send everything and only then receive, without a thread. What becomes of a big file?
//! Explain: why does the thread report that all is sent before the half-close, and not after?

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, mpsc};
use std::{env, net::Shutdown, process::ExitCode, thread};

use streamsock::{Addr, Conn};

fn main() -> ExitCode {
    let args = env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    match run(args.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "echo_client: {why}"); // eprintln! might panic
            ExitCode::FAILURE
        }
    }
}

fn run(args: Vec<String>) -> Result<(), String> {
    let addr = args.first().map_or("unix:/tmp/echo.sock", |arg| arg);
    let addr: Addr = addr.parse().map_err(|e: io::Error| e.to_string())?;
    let conn = Conn::connect(&addr) // socket(2), connect(2)
        .map_err(|e| format!("{addr}: {e} (is a server running there?)"))?;
    match args[args.len().min(1)..].join(" ").as_str() {
        "-" => exchange(conn, io::stdin()),
        "" => exchange(conn, &b"hello\n"[..]),
        message => exchange(conn, io::Cursor::new(format!("{message}\n"))),
    }
    .map_err(|e| format!("{addr}: {e}"))
}

/// Sends the input and prints the answer. Two threads share the connection: &Conn reads and writes.
fn exchange(conn: Conn, mut input: impl Read + Send + 'static) -> io::Result<()> {
    let conn = Arc::new(conn);
    let (report, sent) = mpsc::channel();
    let writer = conn.clone();
    thread::spawn(move || {
        let _ = report.send(io::copy(&mut input, &mut &*writer)); // read(2) and write(2), in turn
        let _ = writer.shutdown(Shutdown::Write); // the half-close: the server reads end of file
    });
    // Meanwhile this thread reads what comes back, until the server closes its end.
    match io::copy(&mut &*conn, &mut io::stdout()).and_then(|_| io::stdout().flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => return Ok(()), // nobody wants our output
        received => received?,
    }
    // If the thread has not reported yet, it still waits for input: leave it behind.
    sent.try_recv().map_err(|_| io::Error::other("the server ended before all was sent"))??;
    Ok(())
}
