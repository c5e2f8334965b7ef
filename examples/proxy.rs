//! A proxy: it makes a Unix socket reachable over TCP, or the other way round.
//!
//! ```console
//! $ cargo run --example echo_server -- unix:/tmp/echo.sock
//! listening on unix:/tmp/echo.sock
//! client connected [unix]
//! $ cargo run --example proxy -- tcp:127.0.0.1:13501 unix:/tmp/echo.sock
//! listening on tcp:127.0.0.1:13501
//! $ cargo run --example echo_client -- tcp:127.0.0.1:13501 there and back
//! there and back
//! ```
//!
//! Predict: the client half-closes. What would it wait for if the proxy kept that to itself?
//! Change: remove the two lines with `Shutdown::Both`. Start `nc -l -U /tmp/quiet.sock` as the server, the
//!   proxy with `tcp:127.0.0.1:13501 unix:/tmp/quiet.sock`, and `nc 127.0.0.1 13501` as the client. Press
//!   Ctrl-Z at the client, type a line at the server, and then `kill -9 %1` in the client's terminal. What
//!   stays open, and for how long?
//! Explain: a client half-closes, and its server neither answers nor closes. When does that end?

use std::error::Error;
use std::net::Shutdown;
use std::process::ExitCode;
use std::{env, io, thread};

use streamsock::{Addr, Conn, Listener, serve};

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let here = args.next().unwrap_or("tcp:127.0.0.1:13501".to_string());
    let there = args.next().unwrap_or("unix:/tmp/echo.sock".to_string());
    match run(&here, &there) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("proxy: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(here: &str, there: &str) -> Result<(), Box<dyn Error>> {
    let here = parse(here)?;
    let there = parse(there)?;
    let listener = Listener::bind(&here).map_err(|e| format!("{here}: {e}"))?;
    eprintln!("listening on {}", listener.local_addr()?);
    // At most 512 clients at once, each in a thread, which opens a connection to the other address.
    serve(&[listener], 512, |client| match Conn::connect(&there) {
        Ok(server) => relay(&client, &server),
        // `client` is dropped at the end of this closure, so its other end reads end of file.
        Err(e) => eprintln!("proxy: {there}: {e}"),
    })?;
    Ok(())
}

fn parse(text: &str) -> Result<Addr, String> {
    text.parse().map_err(|e| format!("{e}\nusage: proxy [HERE [THERE]]"))
}

/// Each direction has a thread, because it waits: in read at one end, or in write at the other. In a
/// single thread, the second direction would have to wait, too.
fn relay(client: &Conn, server: &Conn) {
    thread::scope(|scope| {
        scope.spawn(|| one_way(client, server));
        one_way(server, client);
    });
}

/// Copies until end of file or an error, and passes that on.
fn one_way(from: &Conn, to: &Conn) {
    let mut reader = from;
    let mut writer = to;
    match io::copy(&mut reader, &mut writer) {
        // End of file: a half-close, since the other direction may go on.
        Ok(_) => {
            let _ = to.shutdown(Shutdown::Write);
        }
        // We do not know which of the two has failed, so both are shut down. This also wakes the
        // thread of the other direction, if it is waiting for one of them.
        Err(_) => {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        }
    }
}
