//! Two ends that write everything before they read anything get stuck once the buffers are full.
//!
//! ```console
//! $ cargo run --example deadlock
//! ```
//!
//! Predict: does it get stuck if only one of the two ends writes first, and the other reads first?
//! Change: 64 KiB works and 16 MiB does not. At what size does it turn, and why is that no promise?
//! Explain: why would a bigger buffer be no cure?

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

fn main() -> io::Result<()> {
    for size in [64 << 10, 16 << 20] {
        run("write, then read", size, write_then_read)?;
    }
    run("write in a thread", 16 << 20, write_while_reading)
}

/// Two ends do the same: each sends `size` bytes and reads the other's.
fn run(how: &str, size: usize, end: fn(UnixStream, usize) -> io::Result<()>) -> io::Result<()> {
    let (near, far) = UnixStream::pair()?;
    // A real program would now wait for ever. Here a write that waits for a second gives up, so
    // that the lesson ends: SO_SNDTIMEO, socket(7).
    for conn in [&near, &far] {
        conn.set_write_timeout(Some(Duration::from_secs(1)))?;
    }
    let other = thread::spawn(move || end(far, size));
    let result = end(near, size);
    let _ = other.join();
    match result {
        Ok(()) => println!("{how:18} {:6} KiB each way: all arrived", size >> 10),
        Err(e) => println!(
            "{how:18} {:6} KiB each way: stuck, both in write ({:?})",
            size >> 10,
            e.kind()
        ),
    }
    Ok(())
}

/// write(2) waits while the buffer between the two ends is full: until the other end reads. Which
/// it does not do, as it waits in write, too: for this end.
fn write_then_read(mut conn: UnixStream, size: usize) -> io::Result<()> {
    conn.write_all(&vec![b'x'; size])?;
    conn.read_exact(&mut vec![0; size])
}

/// The cure: whoever waits in write keeps reading. Both threads use the one socket: `&UnixStream`
/// reads and writes.
fn write_while_reading(conn: UnixStream, size: usize) -> io::Result<()> {
    thread::scope(|scope| {
        let writer = scope.spawn(|| (&conn).write_all(&vec![b'x'; size]));
        (&conn).read_exact(&mut vec![0; size])?;
        writer.join().expect("write_all does not panic")
    })
}
