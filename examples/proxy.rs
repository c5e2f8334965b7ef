//! A proxy: makes a Unix socket reachable over TCP, or the other way round.
//!
//! ```console
//! $ cargo run --example proxy -- tcp:127.0.0.1:13500 unix:/tmp/echo.sock
//! $ nc -N 127.0.0.1 13500     # in another terminal; echo_server runs in a third
//! ```
//!
//! Predict: `nc -N` half-closes on Ctrl-D. What does it wait for if the proxy keeps that to itself?
//! Change: empty the `if result.is_err()` block. A client is reset while its server waits: who hangs?
//! Explain: why can one thread not copy in both directions by turns, with blocking reads?

use std::io::{self, BufReader};
use std::net::Shutdown;
use std::{env, thread};

use streamsock::{Addr, Conn, Listener, serve};

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let here: Addr = args.next().unwrap_or("tcp:127.0.0.1:13500".into()).parse()?;
    let there: Addr = args.next().unwrap_or("unix:/tmp/echo.sock".into()).parse()?;

    let listener = Listener::bind(&here)?;
    eprintln!("listening on {}", listener.local_addr()?);
    // accept(2), and a thread for each client, in which it is connected to the other address.
    serve(&[listener], 512, |client| match Conn::connect(&there) {
        Ok(server) => relay(&client, &server),
        Err(e) => eprintln!("cannot connect to {there}: {e}"), // and drops the client
    })
}

/// A thread for each direction: it waits in read(2) for one end or in write(2) for the other, and
/// must not hold up the other direction meanwhile.
fn relay(client: &Conn, server: &Conn) {
    thread::scope(|scope| {
        scope.spawn(|| one_way(client, server));
        one_way(server, client);
    });
}

fn one_way(from: &Conn, to: &Conn) {
    // Copies until end of file, 64 KiB at a time. That is passed on as well, as a half-close, since
    // the other direction may go on.
    let copied = io::copy(&mut BufReader::with_capacity(1 << 16, from), &mut &*to);
    let result = copied.and_then(|_| to.shutdown(Shutdown::Write));
    if result.is_err() {
        // One end is gone, so the other must go, too. The thread of the other direction may be
        // waiting for either: shutdown(2) of both directions wakes it up.
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}
