//! Five ways to wait for a byte: how late each of them notices it, and what the waiting costs.
//!
//! ```console
//! $ cargo run --example waiting
//! a byte comes after 100 ms:
//!   block                     1 × read, 0.113 ms late,   0.078 ms of CPU time
//!   block, with timeout       3 × read, 0.114 ms late,   0.162 ms of CPU time
//!   busy-wait            227318 × read, 0.039 ms late, 100.143 ms of CPU time
//!   busy-wait, with naps     95 × read, 0.221 ms late,   0.787 ms of CPU time
//!   Spin                      1 × read, 0.142 ms late,   0.197 ms of CPU time
//! ```
//!
//! Predict: what do the five print if the byte is there before they begin to wait?
//! Change: let a nap take 10 ms. How late can it notice the byte now, and what does it cost?
//! Explain: `Spin` cannot win here. When does it?

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

/// The thread sleeps in read, and uses no CPU, until the kernel wakes it. (poll(2), which is not in
/// std, sleeps in the same way until something comes on one of many sockets. In spite of its name,
/// it does not ask over and over.)
fn block(mut conn: Conn) -> io::Result<u32> {
    conn.read_exact(&mut [0])?;
    Ok(1)
}

/// The same, but the kernel also wakes the thread every 40 ms, so that it can see to other things.
fn block_with_timeout(mut conn: Conn) -> io::Result<u32> {
    conn.set_read_timeout(Some(Duration::from_millis(40)))?;
    let mut reads = 1;
    while nothing_yet(&mut conn)? {
        reads += 1;
    }
    Ok(reads)
}

/// A read of a non-blocking socket (O_NONBLOCK) never waits: it fails with WouldBlock instead. To ask
/// over and over is a busy-wait: it notices the byte soonest, and keeps a CPU busy all the time.
fn busy_wait(mut conn: Conn) -> io::Result<u32> {
    conn.set_nonblocking(true)?;
    let mut reads = 1;
    while nothing_yet(&mut conn)? {
        reads += 1;
    }
    Ok(reads)
}

/// Naps spare the CPU, and cost the time that is left of the nap when the byte comes.
fn busy_wait_with_naps(mut conn: Conn) -> io::Result<u32> {
    conn.set_nonblocking(true)?;
    let mut reads = 1;
    while nothing_yet(&mut conn)? {
        thread::sleep(Duration::from_millis(1));
        reads += 1;
    }
    Ok(reads)
}

/// The library's compromise: a busy-wait for at most 50 µs, and then it blocks. (One read of ours is
/// many of its own.)
fn spin(conn: Conn) -> io::Result<u32> {
    let mut conn = Spin::new(conn, Duration::from_micros(50));
    conn.read_exact(&mut [0])?;
    Ok(1)
}

/// Tries to read the byte.
fn nothing_yet(conn: &mut Conn) -> io::Result<bool> {
    match conn.read(&mut [0]) {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(error),
    }
}

fn measure(how: &str, wait: fn(Conn) -> io::Result<u32>) -> io::Result<()> {
    let (ours, mut theirs) = Conn::pair()?;
    let peer = thread::spawn(move || -> io::Result<Instant> {
        thread::sleep(Duration::from_millis(100));
        let sent = Instant::now();
        theirs.write_all(b"x")?;
        Ok(sent)
    });
    let cpu_before = cpu_time();
    let reads = wait(ours)?;
    let noticed = Instant::now();
    let cpu_after = cpu_time();

    let sent = peer.join().expect("the peer does not panic")?;
    let late = (noticed - sent).as_secs_f64() * 1e3;
    let cpu = match (cpu_before, cpu_after) {
        (Some(before), Some(after)) => format!("{:7.3} ms", (after - before).as_secs_f64() * 1e3),
        _ => "unknown".to_string(),
    };
    println!("  {how:20} {reads:6} × read, {late:.3} ms late, {cpu} of CPU time");
    Ok(())
}

/// How long this thread has run on a CPU. Only Linux has this file.
fn cpu_time() -> Option<Duration> {
    thread::yield_now(); // the kernel does its sums when it switches threads
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = schedstat.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}
