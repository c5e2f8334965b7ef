//! A stream has no messages: three writes arrive in two reads, unless each message carries its length.
//!
//! ```console
//! $ cargo run --example framing
//! ```
//!
//! Predict: what do the reads return if `buf` has 4 bytes? And if it has 100?
//! Change: send a length and half the message, then drop `near`. What does `receive` return?
//! Explain: why does `receive` check the length before it makes room for the message?

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

fn main() -> io::Result<()> {
    println!("three writes into a stream, \"one\", \"two\" and \"three\":");
    let (mut near, mut far) = UnixStream::pair()?; // two connected sockets: socketpair(2)
    for word in ["one", "two", "three"] {
        near.write_all(word.as_bytes())?;
    }
    drop(near); // close(2): once far has read everything, read returns 0, end of file
    let mut buf = [0; 8];
    // read(2) takes what is there, n = 1 to 8 bytes, no matter how many writes brought it.
    while let n @ 1.. = far.read(&mut buf)? {
        println!("  read      {:?}", String::from_utf8_lossy(&buf[..n]));
    }

    println!("the same in frames, each message after its length:");
    let (mut near, mut far) = UnixStream::pair()?;
    for word in ["one", "two", "three"] {
        send(&mut near, word.as_bytes())?;
    }
    for _ in 0..3 {
        println!("  received  {:?}", String::from_utf8_lossy(&receive(&mut far)?));
    }
    near.write_all(b"GET / HTTP/1.0\r\n\r\n")?; // a client that speaks another protocol
    if let Err(e) = receive(&mut far) {
        println!("  refused   {e}");
    }
    Ok(())
}

/// Sends four bytes of length, the most significant first, and the message, all in one write.
fn send(mut conn: impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(|_| ErrorKind::InvalidInput)?;
    conn.write_all(&[&length.to_be_bytes(), message].concat())
}

/// Waits for a whole message: read_exact repeats read(2) until its buffer is full.
fn receive(mut conn: impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    conn.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > 1 << 20 {
        let why = format!("a message of {length} bytes, over the limit of 1 MiB");
        return Err(io::Error::other(why));
    }
    let mut message = vec![0; length];
    conn.read_exact(&mut message)?;
    Ok(message)
}
