//! The article's latency benchmark: how long a message takes over a Unix socket, and over TCP.
//!
//! ```console
//! $ cargo run --release --example pingpong
//! 128 bytes one way, 10000 round trips
//! unix  mean   6.9 µs  p50   5.7 µs  p99  13.6 µs
//! tcp   mean   8.9 µs  p50   8.6 µs  p99  16.2 µs
//! ```
//!
//! The client sends a message, the server sends it back, and half of that round trip is one way.
//! TCP goes over *loopback*: the network interface with which a host talks to itself, 127.0.0.1.
//!
//! Do not trust these numbers too far: the kernel chooses the CPUs, TCP is measured after the
//! Unix socket, and the next run gives other numbers. `sockbench` (`cargo run --release`) measures
//! more carefully. It compares pairs of short blocks, on CPUs that it chooses, and says how sure
//! its answer is.
//!
//! Predict: how many times as long does it take if SIZE is 64 KiB, 512 times as much?
//! Change: let one thread do both ends, so that no thread is woken. (Start no thread, pass `server`
//! to `ping_pong`, and let it read and write there, between the client's write and the client's
//! read.) How much of the time is left?
//! Explain: one CPU is about as good as two: `taskset -c 0 target/release/examples/pingpong`. Why?

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use streamsock::{Addr, Conn, Listener};

fn main() -> io::Result<()> {
    println!("{SIZE} bytes one way, {COUNT} round trips");
    let path = env::temp_dir().join(format!("pingpong-{}.sock", process::id()));
    measure(&Addr::from(path))?;
    measure(&"tcp:127.0.0.1:0".parse()?)
}

const SIZE: usize = 128;
const WARM_UP: usize = 1_000;
const COUNT: usize = 10_000;

fn measure(addr: &Addr) -> io::Result<()> {
    let listener = Listener::bind(addr)?;
    // This returns before accept is called: the connection waits in a queue, the backlog.
    let mut client = Conn::connect(&listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    let server_thread = thread::spawn(move || send_back(server));

    ping_pong(&mut client, WARM_UP)?; // not counted
    let mut round_trips = ping_pong(&mut client, COUNT)?;
    server_thread.join().expect("send_back does not panic")?;

    round_trips.sort();
    let sum: Duration = round_trips.iter().sum();
    println!(
        "{:4}  mean {:5.1} µs  p50 {:5.1} µs  p99 {:5.1} µs",
        addr.network(),
        one_way(sum / (COUNT as u32)),
        one_way(round_trips[COUNT / 2]), // the median: half of the round trips took less
        one_way(round_trips[COUNT * 99 / 100]), // 99 of 100 round trips took less
    );
    Ok(())
}

/// The loop that is timed. The client speaks first.
fn ping_pong(conn: &mut Conn, count: usize) -> io::Result<Vec<Duration>> {
    let mut round_trips = Vec::with_capacity(count);
    let mut message = [b'x'; SIZE];
    for _ in 0..count {
        let start = Instant::now();
        conn.write_all(&message)?;
        conn.read_exact(&mut message)?; // sleeps until the server has answered
        round_trips.push(start.elapsed());
    }
    Ok(round_trips)
}

/// The other end sends each message back.
fn send_back(mut conn: Conn) -> io::Result<()> {
    let mut message = [0; SIZE];
    for _ in 0..WARM_UP + COUNT {
        conn.read_exact(&mut message)?;
        conn.write_all(&message)?;
    }
    Ok(())
}

/// In microseconds.
fn one_way(round_trip: Duration) -> f64 {
    round_trip.as_secs_f64() * 1e6 / 2.0
}
