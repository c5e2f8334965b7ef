//! The article's throughput benchmark: how many bytes a second go through a Unix socket, and TCP.
//!
//! ```console
//! $ cargo run --release --example bandwidth
//! 4096 messages of 65536 bytes
//! unix   4.65 GB/s
//! tcp    2.83 GB/s
//! 512 messages of 524288 bytes
//! unix   5.85 GB/s
//! tcp    4.63 GB/s
//! 16 messages of 16777216 bytes
//! unix   3.30 GB/s
//! tcp    3.23 GB/s
//! ```
//!
//! The clock stops when the receiver says that it has the last byte. The article's benchmark stops it
//! when the last write returns: part of what was sent then still lies in a buffer in the kernel, or
//! all of it, if it is little. This one does not control for
//!
//! - where the two threads run: on one CPU or two, and on which, is the scheduler's choice;
//! - what else the machine does: TCP is measured after the Unix socket, not in turn with it;
//! - chance: each size runs once, and nothing says how far a second run would differ;
//! - the receiver's buffer, which is as long as a message here, and whose length matters;
//! - processes: client and server share one, with its memory.
//!
//! `sockbench` (`cargo run --release`) does: it measures in pairs, in turn, on chosen CPUs, with the
//! server in a process of its own, and says how sure its answer is.
//!
//! Predict: what does it print if the messages have 1,024 bytes?
//! Change: SIZES and TOTAL to one message of 64 KiB, and stop the clock before the answer is read.
//! Explain: when does it make no difference that the article's clock stops at the last write?

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use streamsock::{Addr, Conn, Listener};

fn main() -> io::Result<()> {
    for size in SIZES {
        println!("{} messages of {} bytes", TOTAL / size, size);
        let path = env::temp_dir().join(format!("bandwidth-{}.sock", process::id()));
        measure(&Addr::from(path), size)?;
        measure(&"tcp:127.0.0.1:0".parse()?, size)?;
    }
    Ok(())
}

const SIZES: [usize; 3] = [64 << 10, 512 << 10, 16 << 20];
const TOTAL: usize = 256 << 20;

fn measure(addr: &Addr, size: usize) -> io::Result<()> {
    let listener = Listener::bind(addr)?;
    // This returns before accept is called: the connection waits in the backlog.
    let mut client = Conn::connect(&listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    let server_thread = thread::spawn(move || receive(server, size));

    let took = send(&mut client, size)?;
    server_thread.join().expect("receive does not panic")?;
    let gigabytes = TOTAL as f64 / 1e9;
    println!("{:4}  {:5.2} GB/s", addr.network(), gigabytes / took.as_secs_f64());
    Ok(())
}

/// What is timed. Each message begins with its number, and the answer says how many have arrived.
fn send(conn: &mut Conn, size: usize) -> io::Result<Duration> {
    let count = (TOTAL / size) as u64;
    let mut message = vec![0; size];
    let mut answer = [0; 8];
    let start = Instant::now();
    for number in 0..count {
        message[..8].copy_from_slice(&number.to_le_bytes());
        conn.write_all(&message)?; // sleeps while the buffer in the kernel is full
    }
    conn.read_exact(&mut answer)?; // sleeps until the receiver has the last byte
    let took = start.elapsed();
    assert_eq!(u64::from_le_bytes(answer), count, "not all of them arrived");
    Ok(took)
}

/// The other end takes every message whole and in order, and then says how many they were.
fn receive(mut conn: Conn, size: usize) -> io::Result<()> {
    let count = (TOTAL / size) as u64;
    let mut message = vec![0; size];
    for number in 0..count {
        conn.read_exact(&mut message)?;
        if message[..8] != number.to_le_bytes() {
            return Err(io::Error::new(ErrorKind::InvalidData, "a message is missing"));
        }
    }
    conn.write_all(&count.to_le_bytes())
}
