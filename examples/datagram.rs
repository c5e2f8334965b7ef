//! A datagram socket keeps messages apart, cuts off what does not fit, and never says "the end".
//!
//! ```console
//! $ cargo run --example datagram
//! ```
//!
//! Predict: what does `recv` return for an empty message, and what once the other end has closed?
//! Change: send messages of 4,096 bytes. How many does a pair's queue hold now?
//! Explain: which of the differences would a UDP socket show too, and what would it do when full?

use std::io;
use std::os::unix::net::UnixDatagram;

fn main() -> io::Result<()> {
    // Two sockets, connected to each other, as the stream's pair: socketpair(2), SOCK_DGRAM.
    let (near, far) = UnixDatagram::pair()?;
    let mut buf = [0; 8];

    println!("three messages, and a buffer of 8 bytes:");
    for word in ["one", "two", "three hundred"] {
        near.send(word.as_bytes())?;
    }
    for _ in 0..3 {
        // recv(2) takes one message, never two and never the rest of one: what does not fit is gone.
        let n = far.recv(&mut buf)?;
        println!("  recv returned {n}: {:?}", String::from_utf8_lossy(&buf[..n]));
    }

    println!("nobody receives, until the queue is full and a send would wait:");
    println!("  a pair holds {:12} messages", fill(&near)?);
    // A server's socket has a name, and anybody may send to it. Its queue is bounded by a number of
    // messages (net.unix.max_dgram_qlen, 10 unless changed), a pair's by the sender's buffer.
    let path = std::env::temp_dir().join(format!("datagram-{}", std::process::id()));
    let server = UnixDatagram::bind(&path)?;
    let client = UnixDatagram::unbound()?;
    client.connect(&path)?;
    println!("  a bound socket holds {:4} messages", fill(&client)?);

    drop(server);
    let error = client.send(b"are you there?").map_err(|e| e.kind());
    println!("nobody holds the other end any more: {error:?}");
    std::fs::remove_file(&path)
}

/// Sends until that would wait, and says how many went.
fn fill(socket: &UnixDatagram) -> io::Result<usize> {
    socket.set_nonblocking(true)?; // a call that would wait fails with WouldBlock instead
    let mut sent = 0;
    loop {
        match socket.send(b"x") {
            Ok(_) => sent += 1,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(sent),
            Err(e) => return Err(e),
        }
    }
}
