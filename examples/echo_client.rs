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
//! Change: send first and receive then, in one thread. What becomes of `-` and a file of 256 MiB?
//! Explain: standard output is closed early (`| head`). What would hang without `Shutdown::Both`?

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
    let (sent, received) = match words.join(" ").as_str() {
        "-" => exchange(&conn, &addr, io::stdin())?,
        "" => exchange(&conn, &addr, "hello\n".as_bytes())?,
        line => exchange(&conn, &addr, format!("{line}\n").as_bytes())?,
    };
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

/// Sends in one thread and receives in another, and returns how many bytes each of them moved.
fn exchange(conn: &Conn, addr: &Addr, input: impl Read + Send) -> Result<(u64, u64), String> {
    // Both threads may use `conn`, because the scope does not end before they have.
    thread::scope(|scope| {
        let sender = scope.spawn(|| send(conn, addr, input));
        let received = receive(conn, addr)?;
        let sent = sender.join().unwrap()?;
        Ok((sent, received))
    })
}

fn send(conn: &Conn, addr: &Addr, input: impl Read) -> Result<u64, String> {
    let sent = copy(input, "standard input", conn, &addr.to_string());
    // The half-close: the server reads end of file, and closes. After an error, too, since the
    // receiver waits for that.
    let _ = conn.shutdown(Shutdown::Write);
    sent
}

fn receive(conn: &Conn, addr: &Addr) -> Result<u64, String> {
    let received = copy(conn, &addr.to_string(), io::stdout(), "standard output");
    if received.is_err() {
        // Nobody reads from now on. The sender may be waiting in write: this makes it fail.
        let _ = conn.shutdown(Shutdown::Both);
    }
    received
}

/// Copies until end of file, as `hello_server` does. An error says which of the two has failed.
fn copy(mut from: impl Read, source: &str, mut to: impl Write, sink: &str) -> Result<u64, String> {
    let mut buf = [0; 64 * 1024];
    let mut total = 0;
    loop {
        let n = from.read(&mut buf).map_err(|e| format!("{source}: {e}"))?;
        if n == 0 {
            return Ok(total);
        }
        to.write_all(&buf[..n]).map_err(|e| format!("{sink}: {e}"))?;
        // Standard output would keep an unfinished line to itself.
        to.flush().map_err(|e| format!("{sink}: {e}"))?;
        total += n as u64;
    }
}
