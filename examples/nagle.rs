//! A request in two small writes can take 40 ms over TCP: Nagle's algorithm, and how to avoid it.
//!
//! ```console
//! $ cargo run --example nagle
//! the median of 15 calls, with a request of 8 bytes:
//!   two writes                43.980 ms
//!   one write                  0.017 ms
//!   two writes, TCP_NODELAY    0.026 ms
//! ```
//!
//! Predict: write "he", "ad" and "body", three writes. Does the call take twice as long?
//! Change: bind `unix:/tmp/nagle.sock`, a Unix socket. Which of the calls are slow now?
//! Explain: what is Nagle's algorithm good for, and what is a delayed acknowledgement good for?

use std::io::{self, Read, Write};
use std::thread;
use std::time::Instant;

use streamsock::{Addr, Conn, Listener};

fn main() -> io::Result<()> {
    let listener = Listener::bind(&"tcp:127.0.0.1:0".parse()?)?;
    let addr = listener.local_addr()?;
    thread::spawn(move || serve_calls(&listener));

    println!("the median of {CALLS} calls, with a request of 8 bytes:");
    measure("two writes", &addr, two_writes)?;
    measure("one write", &addr, one_write)?;
    measure("two writes, TCP_NODELAY", &addr, two_writes_with_nodelay)
}

/// With Nagle's algorithm, the client's kernel sends the first small write at once, and holds the
/// second one back until the server's kernel has acknowledged the first.
fn two_writes(conn: &mut Conn) -> io::Result<()> {
    // Nagle's algorithm is on unless a program turns it off, as the library's connect has done.
    conn.set_nodelay(false)?;
    conn.write_all(b"head")?;
    conn.write_all(b"body")
}

/// One write is one packet, and nothing waits.
fn one_write(conn: &mut Conn) -> io::Result<()> {
    conn.set_nodelay(false)?;
    conn.write_all(b"headbody")
}

/// The option TCP_NODELAY, tcp(7), turns Nagle's algorithm off: each write goes out at once.
fn two_writes_with_nodelay(conn: &mut Conn) -> io::Result<()> {
    conn.set_nodelay(true)?;
    conn.write_all(b"head")?;
    conn.write_all(b"body")
}

const CALLS: usize = 15;

fn measure(how: &str, addr: &Addr, request: fn(&mut Conn) -> io::Result<()>) -> io::Result<()> {
    let mut conn = Conn::connect(addr)?;
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let start = Instant::now();
        request(&mut conn)?;
        conn.read_exact(&mut [0; 4])?;
        times.push(start.elapsed());
    }
    times.sort();
    println!("  {how:24} {:7.3} ms", times[CALLS / 2].as_secs_f64() * 1e3);
    Ok(())
}

/// The server waits for the whole request before it answers. Meanwhile its kernel delays the
/// acknowledgement of the head, on Linux for 40 ms or a little more, to send it with the answer.
fn serve_calls(listener: &Listener) -> io::Result<()> {
    loop {
        let (mut conn, _) = listener.accept()?;
        for _ in 0..CALLS {
            conn.read_exact(&mut [0; 8])?;
            conn.write_all(b"done")?;
        }
    }
}
