//! Five ways to wait for a byte: how late each of them notices it, and what the waiting costs.
//!
//! ```console
//! $ cargo run --example waiting
//! a byte comes after 100 ms:
//!   block                     1 × read, 0.160 ms late,   0.094 ms of CPU time
//!   block, with timeout       3 × read, 0.219 ms late,   0.188 ms of CPU time
//!   busy-wait            134362 × read, 0.042 ms late, 100.079 ms of CPU time
//!   busy-wait, with naps     94 × read, 0.221 ms late,   1.477 ms of CPU time
//!   Spin                      1 × read, 0.190 ms late,   0.175 ms of CPU time
//! ```
//!
//! "Late" is the time from just before the peer's write until the program goes on after its read.
//! Up to 0.06 ms of each CPU time is not the waiting: it is what measuring this time costs here.
//!
//! Predict: what do the five print if the byte is there before they begin to wait? (Let `measure`
//! sleep for 200 ms just before `wait(ours)`.)
//! Change: let a nap take 10 ms. How late can it notice the byte, and what does it cost?
//! Explain: here `Spin` is not faster than blocking. When is it?

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};
use std::{fs, thread};

use streamsock::{Conn, Spin};

fn main() -> io::Result<()> {
    println!("a byte comes after 100 ms:");
    measure("block", block)?;
    measure("block, with timeout", block_with_timeout)?;
    measure("busy-wait", busy_wait)?;
    measure("busy-wait, with naps", busy_wait_with_naps)?;
    measure("Spin", spin)
}

/// The thread sleeps in read, and uses no CPU, until the kernel wakes it.
fn block(mut conn: Conn) -> io::Result<u32> {
    conn.read_exact(&mut [0])?;
    Ok(1)
}

/// The same, but the kernel also wakes the thread every 40 ms, so that it can do other things.
fn block_with_timeout(mut conn: Conn) -> io::Result<u32> {
    conn.set_read_timeout(Some(Duration::from_millis(40)))?;
    let mut reads = 1;
    while !try_read(&mut conn)? {
        reads += 1;
    }
    Ok(reads)
}

/// A read of a non-blocking socket (O_NONBLOCK) never waits: it fails with WouldBlock instead. A
/// busy-wait asks over and over, and keeps a CPU busy all the time. On a CPU of its own, it notices
/// the byte soonest.
fn busy_wait(mut conn: Conn) -> io::Result<u32> {
    conn.set_nonblocking(true)?;
    let mut reads = 1;
    while !try_read(&mut conn)? {
        reads += 1;
    }
    Ok(reads)
}

/// Naps leave the CPU to others, but the byte waits until the nap ends.
fn busy_wait_with_naps(mut conn: Conn) -> io::Result<u32> {
    conn.set_nonblocking(true)?;
    let mut reads = 1;
    while !try_read(&mut conn)? {
        thread::sleep(Duration::from_millis(1));
        reads += 1;
    }
    Ok(reads)
}

/// The library's compromise: a busy-wait for at most 50 µs, and then it blocks. Spin calls read
/// many times inside; we count one.
fn spin(conn: Conn) -> io::Result<u32> {
    let mut conn = Spin::new(conn, Duration::from_micros(50));
    conn.read_exact(&mut [0])?;
    Ok(1)
}

/// Says whether it has read the byte.
fn try_read(conn: &mut Conn) -> io::Result<bool> {
    match conn.read(&mut [0]) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// Starts a peer that sends a byte after 100 ms, and waits for this byte.
fn measure(how: &str, wait: fn(Conn) -> io::Result<u32>) -> io::Result<()> {
    let (ours, mut theirs) = Conn::pair()?;
    let peer = thread::spawn(move || -> io::Result<Instant> {
        thread::sleep(Duration::from_millis(100));
        let sent = Instant::now();
        theirs.write_all(b"x")?;
        Ok(sent)
    });
    let cpu_before = cpu_milliseconds();
    let reads = wait(ours)?;
    let noticed = Instant::now();
    let cpu = cpu_milliseconds() - cpu_before;

    let sent = peer.join().expect("the peer does not panic")?;
    let late = (noticed - sent).as_secs_f64() * 1e3;
    println!("  {how:20} {reads:6} × read, {late:.3} ms late, {cpu:7.3} ms of CPU time");
    Ok(())
}

/// How the CPU time is read; you may skip this. On Linux, the first number in this file is how many
/// nanoseconds this thread has run on a CPU. The kernel brings it up to date when it may switch
/// threads, as in yield_now. Other systems have no such file, and the lesson prints NaN.
fn cpu_milliseconds() -> f64 {
    thread::yield_now();
    let Ok(text) = fs::read_to_string("/proc/thread-self/schedstat") else {
        return f64::NAN;
    };
    let first = text.split(' ').next().unwrap_or_default();
    let nanoseconds = first.parse().unwrap_or(f64::NAN);
    nanoseconds / 1e6
}
