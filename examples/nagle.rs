//! Two small writes and a read over TCP: Nagle's algorithm and delayed acknowledgements, 40 ms.
//!
//! ```console
//! $ cargo run --example nagle
//! ```
//!
//! Predict: how long does a call take over a Unix socket, as two writes and as one?
//! Change: let the client read an answer after each of its two writes. Does Nagle still harm?
//! Explain: why does the server's kernel hold its acknowledgement back, and for whose good?

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
        let mut conn = Conn::connect(&addr)?; // connect and accept here turn TCP_NODELAY on
        conn.set_nodelay(nodelay)?; // off is what a socket starts with
        let mut times = [Duration::ZERO; 15];
        for time in &mut times {
            let start = Instant::now();
            for part in b"headbody".chunks(if how == "1 write" { 8 } else { 4 }) {
                // With Nagle's algorithm (TCP_NODELAY off), the body waits in this kernel until the
                // other one has acknowledged the head, as several small writes could then share a
                // packet.
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

/// The server waits for the body before it answers; and its kernel holds the acknowledgement of
/// the head back, for up to 40 ms, since the answer could carry it. So the client's kernel waits
/// for the server's kernel, that waits for the server, and that for the client's kernel.
fn answer(mut conn: Conn) {
    while conn.read_exact(&mut [0; 8]).is_ok() && conn.write_all(b"done").is_ok() {}
}
