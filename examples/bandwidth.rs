//! The article's throughput benchmark: how many bytes a second go through a Unix socket, and TCP.
//!
//! ```console
//! $ cargo run --release --example bandwidth
//! 4096 messages of 65536 bytes
//! unix   4.38 GB/s
//! tcp    3.33 GB/s
//! 512 messages of 524288 bytes
//! unix   4.85 GB/s
//! tcp    3.94 GB/s
//! ```
//!
//! The clock stops when the receiver says that it has the last byte. The article's benchmark stops
//! it when the last write returns, while some of the bytes still lie in a buffer in the kernel.
//!
//! Do not trust these numbers too far: the kernel chooses the CPUs, TCP is measured after the
//! Unix socket, and the next run gives other numbers. `sockbench` (`cargo run --release`) measures
//! more carefully. It compares pairs of short blocks, on CPUs that it chooses, and says how sure
//! its answer is.
//!
//! Predict: what does it print if the messages have 1,024 bytes?
//! Change: send one message of 64 KiB (SIZES and TOTAL), and stop the clock before the answer is
//! read. What does it print now?
//! Explain: when may one stop the clock at the last write?

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use streamsock::{Addr, Conn, Listener};

fn main() -> io::Result<()> {
    for &size in SIZES {
        println!("{} messages of {} bytes", TOTAL / size, size);
        let path = env::temp_dir().join(format!("bandwidth-{}.sock", process::id()));
        measure(&Addr::from(path), size)?;
        measure(&"tcp:127.0.0.1:0".parse()?, size)?;
    }
    Ok(())
}

const SIZES: &[usize] = &[64 << 10, 512 << 10];
const TOTAL: usize = 256 << 20;

fn measure(addr: &Addr, size: usize) -> io::Result<()> {
    let listener = Listener::bind(addr)?;
    // This returns before accept is called: the connection waits in a queue, the backlog.
    let mut client = Conn::connect(&listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    let server_thread = thread::spawn(move || receive(server, size));

    let took = send(&mut client, size)?;
    server_thread.join().expect("receive does not panic")?;
    let gigabytes = TOTAL as f64 / 1e9;
    println!("{:4}  {:5.2} GB/s", addr.network(), gigabytes / took.as_secs_f64());
    Ok(())
}

/// Sends all messages, and returns how long it took until they had all arrived.
fn send(conn: &mut Conn, size: usize) -> io::Result<Duration> {
    let message = vec![b'x'; size];
    let start = Instant::now();
    for _ in 0..TOTAL / size {
        conn.write_all(&message)?; // sleeps while the buffer in the kernel is full
    }
    conn.read_exact(&mut [0; 4])?; // the answer: sleeps until the receiver has the last byte
    Ok(start.elapsed())
}

/// The other end reads all messages, and then answers.
fn receive(mut conn: Conn, size: usize) -> io::Result<()> {
    let mut message = vec![0; size];
    for _ in 0..TOTAL / size {
        conn.read_exact(&mut message)?;
    }
    conn.write_all(b"done")
}
