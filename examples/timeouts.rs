//! A timeout bounds one read, and a message may take many; a deadline bounds the whole message.
//!
//! ```console
//! $ cargo run --example timeouts
//! ```
//!
//! Predict: how long can a peer make `read_exact` wait for 1 MiB if the timeout is 200 ms?
//! Change: let the peer close after 5 bytes. What do `read_exact` and `read_by` return?
//! Explain: why is a connection of little use once `read_exact` on it has timed out?

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

fn main() -> io::Result<()> {
    let (drip, stall) = ([100; 10], [0, 0, 0, 0, 0, 400, 0, 0, 0, 0]);
    println!("after    the peer           we call                     we have   result");
    for (does, pauses) in [("byte every 100 ms", drip), ("stalls for 400 ms", stall)] {
        let (mut conn, start) = (peer(pauses)?, Instant::now());
        // From here on, a read that has waited 200 ms fails, with WouldBlock: SO_RCVTIMEO.
        conn.set_read_timeout(Some(Duration::from_millis(200)))?;
        let result = conn.read_exact(&mut [0; 10]); // read(2) until it has 10, or one fails
        let (ms, result) = (start.elapsed().as_millis(), result.map_err(|e| e.kind()));
        println!("{ms:4} ms  {does:17}  read_exact, timeout 200 ms   ? bytes  {result:?}");
    }
    let (mut conn, start, mut got) = (peer(stall)?, Instant::now(), Vec::new());
    for (does, by) in [("stalls for 400 ms", 200), ("(the same, again)", 2000)] {
        let result = read_by(&mut conn, &mut got, start + Duration::from_millis(by));
        let (ms, result) = (start.elapsed().as_millis(), result.map_err(|e| e.kind()));
        let n = got.len();
        println!("{ms:4} ms  {does}  read_by, deadline {by:4} ms  {n:2} bytes  {result:?}");
    }
    Ok(())
}

/// Reads until `got` is a whole message. Past the deadline it fails; `got` keeps what has arrived.
fn read_by(conn: &mut UnixStream, got: &mut Vec<u8>, deadline: Instant) -> io::Result<()> {
    let mut buf = [0; 10];
    while got.len() < 10 {
        let left = deadline.saturating_duration_since(Instant::now());
        conn.set_read_timeout(Some(left)).map_err(|_| ErrorKind::WouldBlock)?; // zero is refused
        match conn.read(&mut buf[..10 - got.len()])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n => got.extend(&buf[..n]),
        }
    }
    Ok(())
}

/// Sends a message of 10 bytes, each after a pause of so many milliseconds.
fn peer(pauses: [u64; 10]) -> io::Result<UnixStream> {
    let (near, mut far) = UnixStream::pair()?;
    std::thread::spawn(move || {
        for pause in pauses {
            std::thread::sleep(Duration::from_millis(pause));
            let _ = far.write_all(b"x");
        }
    });
    Ok(near)
}
