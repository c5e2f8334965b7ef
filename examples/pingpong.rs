//! The article's latency benchmark: how long a message takes over a Unix socket, and over TCP.
//!
//! ```console
//! $ cargo run --release --example pingpong
//! 128 bytes one way, 10000 round trips
//! unix  mean   8.9 µs  p50   8.1 µs  p99  15.4 µs
//! tcp   mean  11.3 µs  p50  10.4 µs  p99  19.0 µs
//! ```
//!
//! The client sends a message, the server sends it back, and half of that round trip is one way. TCP
//! goes over *loopback*: the network interface with which a host talks to itself, 127.0.0.1. This is
//! the benchmark of the article, and about as long. It does not control for
//!
//! - where the two threads run: on one CPU or two, and on which, is the scheduler's choice;
//! - what else the machine does: TCP is measured after the Unix socket, not in turn with it;
//! - chance: it runs once, and does not say how far a second run would differ;
//! - queues: the next message leaves when the last is back. A server that stalls delays one message
//!   here, and in a busy program all that would have been sent meanwhile (*coordinated omission*);
//! - processes: client and server share one, with its memory.
//!
//! `sockbench` (`cargo run --release`) does: it measures in pairs, in turn, on chosen CPUs, with the
//! server in a process of its own, and says how sure its answer is.
//!
//! Predict: how many times as long does it take if SIZE is 64 KiB, 512 times as much?
//! Change: let one thread do both ends: no thread is woken then. How much of the time is left?
//! Explain: why is it not slower on one CPU, with `taskset -c 0 target/release/examples/pingpong`?

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
    // This returns before accept is called: the connection waits in the backlog.
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
        one_way(sum / COUNT as u32),
        one_way(round_trips[COUNT / 2]), // the median: half of them took less
        one_way(round_trips[COUNT * 99 / 100]), // 99 of 100 took less
    );
    Ok(())
}

/// The loop that is timed. The client speaks first. It puts a number into each message, which must
/// come back.
fn ping_pong(conn: &mut Conn, count: usize) -> io::Result<Vec<Duration>> {
    let mut round_trips = Vec::with_capacity(count);
    let mut ping = [0; SIZE];
    let mut pong = [0; SIZE];
    for number in 0..count as u64 {
        ping[..8].copy_from_slice(&number.to_le_bytes());
        let start = Instant::now();
        conn.write_all(&ping)?;
        conn.read_exact(&mut pong)?; // sleeps until the server has answered
        round_trips.push(start.elapsed());
        assert_eq!(ping, pong, "another message came back");
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
