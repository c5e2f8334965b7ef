//! A client for `echo_server` that sends and receives at the same time, so that any amount goes through.
//!
//! ```console
//! $ cargo run --example echo_client      # while echo_server runs in another terminal
//! hello
//! $ cargo run --example echo_client -- unix:/tmp/echo.sock -
//! one                                    # typed here
//! one
//! two                                    # typed here, then Ctrl-D
//! two
//! ```
//!
//! Predict: run it with `-`, type a line, then kill the server. What does the client say, and when?
//! Change: send in the same thread, before receiving: call `send` in place of `scope.spawn`. What becomes of
//!   `head -c 256M /dev/zero | cargo run --example echo_client -- unix:/tmp/echo.sock - | wc -c`?
//! Explain: in the lesson as it is, this ends with `| head -c 1` in place of `| wc -c`, too. What would hang
//!   without `Shutdown::Both`?

use std::env;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::process::ExitCode;
use std::thread;

use streamsock::{Addr, Conn};

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let addr = args.next().unwrap_or("unix:/tmp/echo.sock".to_string());
    let words: Vec<String> = args.collect();
    match run(&addr, &words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("echo_client: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(addr: &str, words: &[String]) -> Result<(), Box<dyn Error>> {
    let addr: Addr =
        addr.parse().map_err(|e| format!("{e}\nusage: echo_client [ADDR [WORD... | -]]"))?;
    let conn = connect(&addr)?;
    let result = match words.join(" ").as_str() {
        "-" => exchange(&conn, io::stdin()),
        "" => exchange(&conn, "hello\n".as_bytes()),
        line => exchange(&conn, format!("{line}\n").as_bytes()),
    };
    let (sent, received) = result.map_err(|e| format!("{addr}: {e}"))?;
    if received < sent {
        return Err(format!("{addr}: sent {sent} bytes, and {received} came back").into());
    }
    Ok(())
}

fn connect(addr: &Addr) -> Result<Conn, String> {
    // socket(2) and connect(2).
    Conn::connect(addr).map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            format!("{addr}: {e} (is a server running there?)")
        }
        _ => format!("{addr}: {e}"),
    })
}

/// Sends in one thread, receives in another, and returns how many bytes each of them moved.
fn exchange(conn: &Conn, input: impl Read + Send) -> Result<(u64, u64), String> {
    // A scope waits for its threads, so they may borrow `conn`.
    thread::scope(|scope| {
        let sender = scope.spawn(|| send(input, conn));
        // An error ends this block at once, but the scope still waits for the sender. That is why
        // `receive` makes the sender's next write fail.
        let received = receive(conn).map_err(|e| format!("printing the answer: {e}"))?;
        let result = sender.join().unwrap(); // unwrap: if the sender has panicked, so do we
        let sent = result.map_err(|e| format!("sending the input: {e}"))?;
        Ok((sent, received))
    })
}

fn send(mut input: impl Read, mut conn: &Conn) -> io::Result<u64> {
    let sent = io::copy(&mut input, &mut conn);
    // The half-close: the server reads end of file, and closes. Without it the server would wait
    // for more, and `receive` for the server, so it is needed after an error of `input` as well.
    let _ = conn.shutdown(Shutdown::Write);
    sent
}

fn receive(conn: &Conn) -> io::Result<u64> {
    let received = print_all(conn);
    if received.is_err() {
        // Nobody reads from now on. The sender may be waiting in write: this makes it fail. A sender
        // that waits for its input is not woken: it fails when it has something to write.
        let _ = conn.shutdown(Shutdown::Both);
    }
    received
}

/// Reads until end of file, as `hello_server` does.
fn print_all(mut conn: &Conn) -> io::Result<u64> {
    let mut stdout = io::stdout();
    let mut buf = [0; 64 * 1024];
    let mut total = 0;
    loop {
        let n = conn.read(&mut buf)?;
        if n == 0 {
            return Ok(total);
        }
        stdout.write_all(&buf[..n])?;
        stdout.flush()?; // it prints only whole lines until it is flushed
        total += n as u64;
    }
}
