//! A proxy: what connects here is passed on to another address, of either kind.
//!
//! ```console
//! $ cargo run --example proxy -- tcp:127.0.0.1:13500 unix:/tmp/echo.sock
//! $ nc -N 127.0.0.1 13500     # reaches echo_server on its Unix socket; any two addresses do
//! ```
//!
//! Predict: what does `nc -N` wait for if `one_way` does not pass the half-close on?
//! Change: leave the two shutdowns after an error away. Kill a client: which thread stays?
//! Explain: why would one thread that copies now this way, now that way, get stuck?

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
    serve(&[listener], 512, |client| match Conn::connect(&there) {
        Ok(server) => relay(&client, &server),
        Err(e) => eprintln!("{there}: {e}"), // and the client sees its connection end
    })
}

/// Each direction has a thread, which waits in read(2) for its one side or in write(2) for the other
/// while the other direction goes on.
fn relay(client: &Conn, server: &Conn) {
    thread::scope(|scope| {
        scope.spawn(|| one_way(client, server));
        one_way(server, client);
    });
}

fn one_way(from: &Conn, to: &Conn) {
    // Until end of file, which is passed on as what it was for us: a half-close. The other
    // direction may go on for long.
    let copied = io::copy(&mut BufReader::with_capacity(1 << 16, from), &mut &*to);
    let result = copied.and_then(|_| to.shutdown(Shutdown::Write));
    if result.is_err() {
        // Nothing more can come of this connection. The thread of the other direction may wait in
        // read or write: shutdown(2) of both directions wakes it up.
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
