//! Five ways to wait for a byte that takes 100 ms: how late each notices it, and what that costs.
//!
//! ```console
//! $ cargo run --example waiting
//! ```
//!
//! Predict: how often does each call read, and which of them keeps a CPU busy all the time?
//! Change: give `Spin` 200 ms to poll. What does that cost, and why not 100 ms of CPU time?
//! Explain: `Spin` (its reads are not counted) cannot win here. When would polling pay?

use std::io::{self, ErrorKind, Read, Write};
use std::{fs, thread, time::Duration, time::Instant};

use streamsock::{Conn, Spin};

fn main() -> io::Result<()> {
    println!("                 read calls   late by  CPU time");
    for how in ["block", "time out, 40 ms", "poll", "poll, nap 1 ms", "Spin"] {
        let (conn, mut far) = Conn::pair()?;
        let peer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            let sent = Instant::now();
            far.write_all(b"x").map(|()| sent)
        });
        let before = cpu_time();
        let (reads, came, after) = (wait(how, conn)?, Instant::now(), cpu_time());
        let reads = if how == "Spin" { "?".into() } else { reads.to_string() };
        let late = came - peer.join().expect("it does not panic")?;
        let cost = after.zip(before).map_or("?".into(), |(a, b)| format!("{:.0?}", a - b));
        println!("{how:15}  {reads:>10}  {late:>8.0?}  {cost:>8}");
    }
    Ok(())
}

fn wait(how: &str, mut conn: Conn) -> io::Result<u32> {
    match how {
        // The thread sleeps in read(2). The kernel wakes it when something comes, or after 40 ms.
        "block" => {}
        "time out, 40 ms" => conn.set_read_timeout(Some(Duration::from_millis(40)))?,
        "Spin" => return Spin::new(conn, Duration::from_micros(50)).read(&mut [0]).map(|_| 0),
        // Poll: with O_NONBLOCK, read returns at once, with the byte or with the error WouldBlock.
        _ => conn.set_nonblocking(true)?,
    }
    let nap = Duration::from_millis(if how == "poll, nap 1 ms" { 1 } else { 0 });
    let mut reads = 1;
    loop {
        match conn.read(&mut [0]) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => thread::sleep(nap),
            done => return done.map(|_| reads),
        }
        reads += 1;
    }
}

/// How long this thread has run on a CPU. Only Linux has this file: "?" elsewhere.
fn cpu_time() -> Option<Duration> {
    thread::yield_now(); // the kernel does its sums when it switches threads
    let nanoseconds = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(nanoseconds.split(' ').next()?.parse().ok()?))
}
