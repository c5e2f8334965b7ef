//! A request in two small writes can take 40 ms over TCP: Nagle's algorithm, and how to avoid it.
//!
//! ```console
//! $ cargo run --example nagle
//! a request of 8 bytes and its answer, the median of 15:
//!   two writes                43.980 ms
//!   one write                  0.017 ms
//!   two writes, TCP_NODELAY    0.026 ms
//! ```
//!
//! Predict: write "he", "ad" and "body", three writes. Does it take twice as long?
//! Change: bind `unix:/tmp/nagle.sock`, a Unix socket. Which of the three are slow now? (The file
//! stays when the program ends: remove it with `rm`.)
//! Explain: what is Nagle's algorithm good for, and what is a delayed acknowledgement good for?

use std::io::{self, Read, Write};
use std::thread;
use std::time::Instant;

use streamsock::{Addr, Conn, Listener};

fn main() -> io::Result<()> {
    let listener = Listener::bind(&"tcp:127.0.0.1:0".parse()?)?;
    let addr = listener.local_addr()?;
    thread::spawn(move || serve(&listener));

    println!("a request of 8 bytes and its answer, the median of {COUNT}:");
    with_nagles_algorithm("two writes", &addr, two_writes)?;
    with_nagles_algorithm("one write", &addr, one_write)?;
    with_nodelay("two writes, TCP_NODELAY", &addr, two_writes)
}

/// TCP uses Nagle's algorithm unless a program turns it off. The library's connect turns it off,
/// and this turns it on again.
fn with_nagles_algorithm(how: &str, addr: &Addr, request: Request) -> io::Result<()> {
    let conn = Conn::connect(addr)?;
    conn.set_nodelay(false)?;
    measure(how, conn, request)
}

/// The option TCP_NODELAY, tcp(7), turns Nagle's algorithm off: each write goes out at once.
fn with_nodelay(how: &str, addr: &Addr, request: Request) -> io::Result<()> {
    let conn = Conn::connect(addr)?;
    conn.set_nodelay(true)?;
    measure(how, conn, request)
}

/// A way to write a request.
type Request = fn(&mut Conn) -> io::Result<()>;

/// With Nagle's algorithm, the client's kernel sends the first small write at once, and holds the
/// second one back until the server's kernel has acknowledged the first.
fn two_writes(conn: &mut Conn) -> io::Result<()> {
    conn.write_all(b"head")?;
    conn.write_all(b"body")
}

/// One write is one packet, and nothing waits.
fn one_write(conn: &mut Conn) -> io::Result<()> {
    conn.write_all(b"headbody")
}

const COUNT: usize = 15;

fn measure(how: &str, mut conn: Conn, request: Request) -> io::Result<()> {
    let mut times = Vec::new();
    for _ in 0..COUNT {
        let start = Instant::now();
        // The writes always return at once. That a packet waits shows only when the answer comes.
        request(&mut conn)?;
        conn.read_exact(&mut [0; 4])?;
        times.push(start.elapsed());
    }
    times.sort();
    println!("  {how:24} {:7.3} ms", times[COUNT / 2].as_secs_f64() * 1e3);
    Ok(())
}

/// The server waits for the whole request before it answers. Meanwhile its kernel delays the
/// acknowledgement of the head, on Linux for about 40 ms, to send it with the answer.
fn serve(listener: &Listener) -> io::Result<()> {
    loop {
        let (mut conn, _) = listener.accept()?;
        for _ in 0..COUNT {
            conn.read_exact(&mut [0; 8])?;
            conn.write_all(b"done")?;
        }
    }
}
