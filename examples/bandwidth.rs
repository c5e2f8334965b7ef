//! The article's throughput benchmark: how many bytes a second go through a Unix socket, and through TCP.
//!
//! ```console
//! $ cargo run --release --example bandwidth
//! ```
//!
//! The clock stops when the receiver says that it has the last byte. The article's benchmark stops it
//! when the last write returns: part of what was sent then still lies in the socket's buffer, or all of
//! it, if it is little. This one does not control for
//!
//! - where the two threads run: on one CPU or two, and on which, is the scheduler's choice;
//! - what else the machine does: TCP is measured after the Unix socket, not alternately with it;
//! - chance: each size runs once, and nothing says how far a second run would differ;
//! - caches: the receiver reads into a buffer of the message's size, and 16 MiB fit into few of them;
//! - processes: client and server share one, with its memory.
//!
//! `sockbench` (`cargo run --release`) takes turns and several rounds, and runs the server as a process
//! of its own, for sizes from 64 bytes to 32 MiB.
//!
//! Predict: at which size is TCP closest to the Unix socket?
//! Change: `SIZES` and `TOTAL` to one message of 64 KiB, and stop the clock before the answer is read.
//! Explain: why are 64 KiB messages not simply 8 times as slow as 512 KiB ones, with 8 times the calls?

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use streamsock::{Addr, Conn, Listener};

const SIZES: [usize; 3] = [64 << 10, 512 << 10, 16 << 20];
const TOTAL: usize = 256 << 20;

fn main() -> io::Result<()> {
    for size in SIZES {
        println!("{} messages of {} KiB", TOTAL / size, size >> 10);
        let path = env::temp_dir().join(format!("bandwidth-{}.sock", process::id()));
        measure(&Addr::from(path), size)?;
        measure(&"tcp:127.0.0.1:0".parse()?, size)?;
    }
    Ok(())
}

/// What is timed. Each message begins with its number, and the answer says how many have arrived.
fn send(conn: &mut Conn, size: usize) -> io::Result<Duration> {
    let mut message = vec![0; size];
    let count = (TOTAL / size) as u64;
    let mut answer = [0; 8];
    let start = Instant::now();
    for number in 0..count {
        message[..8].copy_from_slice(&number.to_le_bytes());
        conn.write_all(&message)?; // sleeps while the socket's buffer is full
    }
    conn.read_exact(&mut answer)?; // sleeps until the receiver has the last byte
    let took = start.elapsed();
    assert_eq!(u64::from_le_bytes(answer), count, "not all of them arrived");
    Ok(took)
}

/// The other end: takes every message whole and in order, and then says how many they were.
fn receive(mut conn: Conn, size: usize) -> io::Result<()> {
    let mut message = vec![0; size];
    for number in 0..(TOTAL / size) as u64 {
        conn.read_exact(&mut message)?;
        if message[..8] != number.to_le_bytes() {
            return Err(io::Error::new(ErrorKind::InvalidData, "a message is missing"));
        }
    }
    conn.write_all(&((TOTAL / size) as u64).to_le_bytes())
}

fn measure(addr: &Addr, size: usize) -> io::Result<()> {
    let listener = Listener::bind(addr)?;
    let mut client = Conn::connect(&listener.local_addr()?)?; // waits in the backlog for accept
    let (server, _) = listener.accept()?;
    let server = thread::spawn(move || receive(server, size));

    let took = send(&mut client, size)?;
    server.join().expect("receive does not panic")?;
    println!("{:4}  {:5.2} GB/s", addr.network(), TOTAL as f64 / 1e9 / took.as_secs_f64());
    Ok(())
}
