//! Two small writes and then a read over TCP can take 40 ms instead of 20 µs: Nagle's algorithm.
//!
//! ```console
//! $ cargo run --example nagle
//! ```
//!
//! Predict: does it make a difference if the request goes out in one write?
//! Change: let `conn` be one end of `Conn::pair()`, a Unix socket, and answer at the other.
//! Explain: what is Nagle's algorithm good for, and what is a delayed acknowledgement good for?

use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use streamsock::{Conn, Listener};

fn main() -> io::Result<()> {
    let listener = Listener::bind(&"tcp:127.0.0.1:0".parse()?)?;
    let addr = listener.local_addr()?;
    thread::spawn(move || listener.incoming().flatten().for_each(answer));

    println!("TCP_NODELAY  a request is  a call takes (median of 15)");
    for (nodelay, how) in [(false, "2 writes"), (true, "2 writes"), (false, "1 write")] {
        let mut conn = Conn::connect(&addr)?;
        conn.set_nodelay(nodelay)?; // the system's default is off; connect and accept turn it on
        let mut times = [Duration::ZERO; 15];
        for time in &mut times {
            let start = Instant::now();
            for part in b"headbody".chunks(if how == "1 write" { 8 } else { 4 }) {
                // Off, that is with Nagle's algorithm, the body waits in this host's kernel until
                // the other host has acknowledged the head.
                conn.write_all(part)?;
            }
            conn.read_exact(&mut [0; 4])?;
            *time = start.elapsed();
        }
        times.sort();
        println!("{:11}  {how:12}  {:.1?}", if nodelay { "on" } else { "off" }, times[7]);
    }
    Ok(())
}

/// The server waits for the body before it answers. Its kernel waits for the answer, for up to 40
/// ms, to send the acknowledgement of the head along with it. And the client's kernel waits for
/// that acknowledgement before it sends the body.
fn answer(mut conn: Conn) {
    while conn.read_exact(&mut [0; 8]).is_ok() && conn.write_all(b"done").is_ok() {}
}
