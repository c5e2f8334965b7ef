//! A datagram socket keeps messages apart, cuts off what does not fit, and has no end of file.
//!
//! ```console
//! $ cargo run --example datagram
//! ```
//!
//! Predict: what does `recv` return for an empty message? And once the other end has closed?
//! Change: fill the queues with messages of 4,096 bytes. How many does each hold now?
//! Explain: what would UDP do where `send` waits here for the queue to have room?

use std::io;
use std::os::unix::net::UnixDatagram;

fn main() -> io::Result<()> {
    // socketpair(2), as UnixStream::pair, but of type SOCK_DGRAM.
    let (near, far) = UnixDatagram::pair()?;
    let mut buf = [0; 8];

    println!("three messages, and a buffer of 8 bytes:");
    for word in ["one", "two", "three hundred"] {
        near.send(word.as_bytes())?;
    }
    for _ in 0..3 {
        // recv(2) takes one message, never two. Of a longer one, what does not fit is gone.
        let n = far.recv(&mut buf)?;
        println!("  recv returned {n}: {:?}", String::from_utf8_lossy(&buf[..n]));
    }
    drop(near); // close(2): the read of a stream would return 0 now, for end of file.
    far.set_nonblocking(true)?; // where it would wait, it fails with WouldBlock instead
    let error = far.recv(&mut buf).map_err(|e| e.kind());
    println!("the other end has closed; recv: {error:?}");

    let (near, _far) = UnixDatagram::pair()?;
    println!("a pair holds {:12} messages; then send would wait", fill(&near)?);
    // bind(2) gives a server's socket a name, to which anybody may send. A pair's queue is bounded by
    // the sender's buffer, this one on Linux in messages, too: net.unix.max_dgram_qlen, 10 or 512.
    let path = std::env::temp_dir().join(format!("datagram-{}", std::process::id()));
    let server = UnixDatagram::bind(&path)?;
    let client = UnixDatagram::unbound()?;
    client.connect(&path)?;
    std::fs::remove_file(&path)?; // only connect needs the name
    println!("a bound socket holds {:4} messages", fill(&client)?);

    drop(server);
    let error = client.send(b"are you there?").map_err(|e| e.kind());
    println!("the server has closed; send: {error:?}");
    Ok(())
}

/// Sends until that would wait, and returns how many messages were sent.
fn fill(socket: &UnixDatagram) -> io::Result<usize> {
    socket.set_nonblocking(true)?;
    let mut sent = 0;
    loop {
        match socket.send(b"x") {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(sent),
            done => sent += done.map(|_| 1)?,
        }
    }
}
