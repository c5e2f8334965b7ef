//! Two ends that both write before they read wait for each other, as soon as the buffers are full.
//!
//! ```console
//! $ cargo run --example deadlock
//! both ends write 64 KiB and then read:
//!   ours: all arrived
//!   theirs: all arrived
//! both ends write 16 MiB and then read:
//!   ours: stuck in write (WouldBlock)
//!   theirs: stuck in write (WouldBlock)
//! both ends write 16 MiB while they read:
//!   ours: all arrived
//!   theirs: all arrived
//! we write 16 MiB to a peer that reads nothing:
//!   the first write returns after 504 ms and has sent 214 KiB
//!   the next one fails after 511 ms: WouldBlock
//! ```
//!
//! WouldBlock is the error of a write that has waited for as long as its timeout allows, half a
//! second here, and has sent nothing.
//!
//! Predict: do they get stuck if one of them reads first and then writes?
//! Change: 64 KiB works and 16 MiB does not. From which size on does it fail? Search by halving.
//! Explain: why is a bigger buffer no cure?

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

fn main() -> io::Result<()> {
    println!("both ends write 64 KiB and then read:");
    at_both_ends(write_then_read, 64 << 10)?;
    println!("both ends write 16 MiB and then read:");
    at_both_ends(write_then_read, 16 << 20)?;
    println!("both ends write 16 MiB while they read:");
    at_both_ends(write_while_reading, 16 << 20)?;
    println!("we write 16 MiB to a peer that reads nothing:");
    write_to_a_peer_that_reads_nothing(16 << 20)
}

/// Runs `act` at both ends of a connection at the same time, each in a thread.
fn at_both_ends(act: fn(&UnixStream, usize) -> io::Result<()>, size: usize) -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    thread::scope(|scope| {
        let peer = scope.spawn(|| act(&theirs, size));
        println!("  ours: {}", outcome(act(&ours, size)));
        println!("  theirs: {}", outcome(peer.join().expect("it does not panic")));
    });
    Ok(())
}

/// A write copies into a buffer in the kernel, and while that buffer is full, the write waits until
/// the other end reads. But the other end waits in a write of its own until this end reads.
fn write_then_read(mut conn: &UnixStream, size: usize) -> io::Result<()> {
    conn.set_write_timeout(Some(PATIENCE))?;
    conn.write_all(&vec![b'x'; size])?; // std lets a `&UnixStream` write and read, too
    conn.read_exact(&mut vec![0; size])
}

/// Without a timeout, a program that is stuck waits for ever. With this one, SO_SNDTIMEO in
/// socket(7), a write gives up.
const PATIENCE: Duration = Duration::from_millis(500);

/// The cure: one thread writes while another reads.
fn write_while_reading(conn: &UnixStream, size: usize) -> io::Result<()> {
    let mut reader = conn; // both are references to the same socket
    let mut writer = conn;
    thread::scope(|scope| {
        let written = scope.spawn(move || writer.write_all(&vec![b'x'; size]));
        reader.read_exact(&mut vec![0; size])?;
        written.join().expect("write_all does not panic")
    })
}

/// A write that times out after it has sent something is a *short write*: it returns how much that
/// was. The next one can send nothing, and fails. In write_all, above, both happened: its first
/// write was short, and its second failed.
fn write_to_a_peer_that_reads_nothing(size: usize) -> io::Result<()> {
    let (mut ours, _theirs) = UnixStream::pair()?;
    ours.set_write_timeout(Some(PATIENCE))?;
    let data = vec![b'x'; size];

    let start = Instant::now();
    let sent = ours.write(&data)?;
    let ms = start.elapsed().as_millis();
    println!("  the first write returns after {ms} ms and has sent {} KiB", sent >> 10);

    let start = Instant::now();
    let error = ours.write(&data[sent..]).expect_err("the buffer is still full");
    let ms = start.elapsed().as_millis();
    println!("  the next one fails after {ms} ms: {:?}", error.kind());
    Ok(())
}

fn outcome(result: io::Result<()>) -> String {
    match result {
        Ok(()) => "all arrived".to_string(),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            "stuck in write (WouldBlock)".to_string()
        }
        Err(error) => error.to_string(),
    }
}
