//! A connection carries a stream of bytes, not messages: a message has to say where it ends.
//!
//! ```console
//! $ cargo run --example framing
//! "one", "two" and "three" are written; each read has room for 100 bytes:
//!   11 bytes: "onetwothree"
//! the same, and each read has room for 4 bytes:
//!   4 bytes: "onet"
//!   4 bytes: "woth"
//!   3 bytes: "ree"
//! the same in frames, each word after its length:
//!   3 bytes: "one"
//!   3 bytes: "two"
//!   5 bytes: "three"
//! a client that speaks HTTP, not frames:
//!   a message of 1195725856 bytes, over the limit of 1048576
//! ```
//!
//! Predict: what do the reads return with room for 8 bytes?
//! Change: in `receive_what_is_no_frame`, write a length and half of a message, and then drop
//! `ours`. What does `receive` return? And what if you write nothing and drop `ours`?
//! Explain: why does `receive` check the length before it makes room for the message?

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

fn main() -> io::Result<()> {
    println!("\"one\", \"two\" and \"three\" are written; each read has room for 100 bytes:");
    write_words_and_read(100)?;
    println!("the same, and each read has room for 4 bytes:");
    write_words_and_read(4)?;
    println!("the same in frames, each word after its length:");
    send_words_and_receive()?;
    println!("a client that speaks HTTP, not frames:");
    receive_what_is_no_frame()
}

fn write_words_and_read(room: usize) -> io::Result<()> {
    let (mut ours, mut theirs) = UnixStream::pair()?; // two connected sockets, socketpair(2)
    for word in ["one", "two", "three"] {
        ours.write_all(word.as_bytes())?;
    }
    drop(ours); // close(2): once everything has been read, the next read returns 0, end of file

    let mut buf = vec![0; room];
    loop {
        // A read takes what is there, as far as it has room, no matter how many writes brought it.
        // Here all three writes are done. In another program, some of these bytes may come later.
        let n = theirs.read(&mut buf)?;
        if n == 0 {
            return Ok(());
        }
        println!("  {n} bytes: {:?}", String::from_utf8_lossy(&buf[..n]));
    }
}

fn send_words_and_receive() -> io::Result<()> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    for word in ["one", "two", "three"] {
        send(&mut ours, word.as_bytes())?;
    }
    for _ in 0..3 {
        let message = receive(&mut theirs)?;
        println!("  {} bytes: {:?}", message.len(), String::from_utf8_lossy(&message));
    }
    Ok(())
}

fn receive_what_is_no_frame() -> io::Result<()> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    ours.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    match receive(&mut theirs) {
        Ok(message) => println!("  {} bytes", message.len()),
        Err(error) => println!("  {error}"),
    }
    Ok(())
}

/// No message may have more bytes than this: 1 MiB.
const LIMIT: usize = 1 << 20;

/// Sends a frame: four bytes of length, the most significant first, and then the message.
fn send(conn: &mut UnixStream, message: &[u8]) -> io::Result<()> {
    check_length(message.len())?;
    let length = message.len() as u32; // it fits, after this check
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend(message);
    conn.write_all(&frame) // in one write (the lesson `nagle` says why)
}

/// Waits for a whole message. At end of file it fails, with UnexpectedEof.
fn receive(conn: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length_bytes = [0; 4];
    conn.read_exact(&mut length_bytes)?; // repeats read until the buffer is full, or fails
    let length = u32::from_be_bytes(length_bytes) as usize;
    check_length(length)?;
    let mut message = vec![0; length];
    conn.read_exact(&mut message)?;
    Ok(message)
}

fn check_length(length: usize) -> io::Result<()> {
    if length > LIMIT {
        let why = format!("a message of {length} bytes, over the limit of {LIMIT}");
        return Err(io::Error::other(why));
    }
    Ok(())
}
