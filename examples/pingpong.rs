//! The article's latency benchmark: how long a message takes over a Unix socket, and over TCP loopback.
//!
//! ```console
//! $ cargo run --release --example pingpong
//! ```
//!
//! The client sends a message, the server sends it back, and half of that round trip is one way. This
//! is the benchmark of the article, and about as long. It does not control for
//!
//! - where the two threads run: on one CPU or two, and on which, is the scheduler's choice;
//! - what else the machine does: TCP is measured after the Unix socket, not alternately with it;
//! - chance: it runs once, and does not say how far a second run would differ;
//! - queues: the next message leaves when the last is back, so a server that stalls delays one message
//!   here, and in a busy program all that would have been sent meanwhile (coordinated omission);
//! - processes: client and server share one, with its memory.
//!
//! `sockbench` (`cargo run --release`) takes turns and several rounds, runs the server as a process of
//! its own, sends on a schedule with `--rate`, and shows what sleeping in `read` costs.
//!
//! Predict: how many times as long does TCP take? Is p99 near p50, the median?
//! Change: `SIZE` to 64 KiB, 512 times as much. How many times as long does it take now?
//! Explain: with `taskset -c 0` before the program, one CPU is often faster than two. Why?

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use streamsock::{Addr, Conn, Listener};

const SIZE: usize = 128;
const COUNT: usize = 10_000;

fn main() -> io::Result<()> {
    println!("{SIZE} bytes one way, {COUNT} round trips");
    let path = env::temp_dir().join(format!("pingpong-{}.sock", process::id()));
    measure(&Addr::from(path))?;
    measure(&"tcp:127.0.0.1:0".parse()?)
}

/// The loop that is timed. The client speaks first, and the number that it puts into a message has to
/// come back.
fn ping_pong(conn: &mut Conn, count: usize) -> io::Result<Vec<Duration>> {
    let mut round_trips = Vec::with_capacity(count);
    let (mut ping, mut pong) = ([0; SIZE], [0; SIZE]);
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

/// The other end: each message back, until the client closes.
fn send_back(mut conn: Conn) -> io::Result<()> {
    let mut message = [0; SIZE];
    loop {
        match conn.read_exact(&mut message) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        conn.write_all(&message)?;
    }
}

fn measure(addr: &Addr) -> io::Result<()> {
    let listener = Listener::bind(addr)?;
    let mut client = Conn::connect(&listener.local_addr()?)?; // waits in the backlog for accept
    let (server, _) = listener.accept()?;
    let server = thread::spawn(move || send_back(server));

    ping_pong(&mut client, COUNT / 10)?; // to warm up, not counted
    let mut round_trips = ping_pong(&mut client, COUNT)?;
    drop(client);
    server.join().expect("send_back does not panic")?;

    round_trips.sort();
    let one_way = |round_trip: Duration| round_trip.as_secs_f64() * 1e6 / 2.0;
    println!(
        "{:4}  mean {:5.1} µs  p50 {:5.1} µs  p99 {:5.1} µs",
        addr.network(),
        one_way(round_trips.iter().sum::<Duration>() / COUNT as u32),
        one_way(round_trips[COUNT / 2]),
        one_way(round_trips[COUNT * 99 / 100]),
    );
    Ok(())
}
