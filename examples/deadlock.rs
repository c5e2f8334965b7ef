//! Two ends that write everything before they read anything get stuck once the buffers are full.
//!
//! ```console
//! $ cargo run --example deadlock
//! ```
//!
//! Predict: does it get stuck, too, if one end reads first and then writes?
//! Change: 64 KiB works and 16 MiB does not. At which size does that turn?
//! Explain: why are bigger buffers no cure?

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

/// What an end does: sends so many bytes, and reads as many from the other end.
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
            Err(e) => format!("stuck, both in write ({:?})", e.kind()),
        };
        println!("{how:19}  {:5} KiB each way: {result}", size >> 10);
    }
    Ok(())
}

/// write(2) waits while the buffer between the ends is full, until the other end reads. That one
/// does not: it waits in write, for this end to read.
fn write_then_read(mut conn: &UnixStream, size: usize) -> io::Result<()> {
    // For ever, in a real program. So that this one ends, a write that waits gives up after a while
    // (SO_SNDTIMEO, socket(7)).
    conn.set_write_timeout(Some(Duration::from_millis(500)))?;
    conn.write_all(&vec![b'x'; size])?;
    conn.read_exact(&mut vec![0; size])
}

/// The cure: one thread writes while another reads. Both use the same socket, as `&UnixStream`
/// reads and writes.
fn write_while_reading(mut conn: &UnixStream, size: usize) -> io::Result<()> {
    thread::scope(|scope| {
        let writer = scope.spawn(|| (&mut &*conn).write_all(&vec![b'x'; size]));
        conn.read_exact(&mut vec![0; size])?;
        writer.join().expect("write_all does not panic")
    })
}
