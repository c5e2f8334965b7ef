//! Two ends that both write before they read get stuck as soon as the buffers are full.
//!
//! ```console
//! $ cargo run --example deadlock
//! ```
//!
//! Predict: do they get stuck if one of them reads first and then writes?
//! Change: 64 KiB works and 16 MiB does not. Where between them does it begin to fail?
//! Explain: why is a bigger buffer no cure?

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

/// What each end does: sends so many bytes, and reads as many.
type End = fn(&UnixStream, usize) -> io::Result<()>;

fn main() -> io::Result<()> {
    for (how, size, end) in [
        ("write, then read", 64 << 10, write_then_read as End),
        ("write, then read", 16 << 20, write_then_read),
        ("write while reading", 16 << 20, write_while_reading),
    ] {
        let (near, far) = UnixStream::pair()?;
        let result = thread::scope(|scope| {
            let other = scope.spawn(|| end(&far, size));
            end(&near, size).and(other.join().expect("an end does not panic"))
        });
        let result = match result {
            Ok(()) => "all arrived".to_string(),
            Err(e) if e.kind() == ErrorKind::WouldBlock => "stuck, both in write".to_string(),
            Err(e) => return Err(e),
        };
        println!("{how:19}  {:5} KiB each way: {result}", size >> 10);
    }
    Ok(())
}

/// write(2) copies into a buffer in the kernel, and waits while that is full, until the other end
/// reads. The other end does not read: it waits in write, for this end to read.
fn write_then_read(mut conn: &UnixStream, size: usize) -> io::Result<()> {
    // A real program would hang here for ever. This one must end, so a write that waits for half
    // a second fails: SO_SNDTIMEO, socket(7).
    conn.set_write_timeout(Some(Duration::from_millis(500)))?;
    conn.write_all(&vec![b'x'; size])?;
    conn.read_exact(&mut vec![0; size])
}

/// The cure: one thread writes while another reads. They share the socket: `&UnixStream` does both.
fn write_while_reading(conn: &UnixStream, size: usize) -> io::Result<()> {
    let (mut reader, mut writer) = (conn, conn);
    thread::scope(|scope| {
        let written = scope.spawn(move || writer.write_all(&vec![b'x'; size]));
        reader.read_exact(&mut vec![0; size])?;
        written.join().expect("write_all does not panic")
    })
}
