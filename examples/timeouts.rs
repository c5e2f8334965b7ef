//! A timeout limits one read. A message may take many reads, and a deadline limits them all.
//!
//! ```console
//! $ cargo run --example timeouts
//! a timeout of 200 ms, and a peer that sends a byte every 100 ms:
//!   read_exact: all is here after 901 ms
//! a timeout of 200 ms, and a peer that stops for 400 ms after 5 bytes:
//!   read_exact: WouldBlock after 202 ms
//!   its buffer: "01234....."
//!   what the next read returns: "56789"
//! the slow peer, and a deadline that we keep by hand:
//!   read_by, 250 ms: TimedOut after 253 ms
//!   so far we have "012"
//!   read_by, 5000 ms: all is here after 901 ms
//!   now we have "0123456789"
//! the slow peer, and the library's Deadline:
//!   read_exact, 5000 ms: all is here after 400 ms
//!   read_exact, 650 ms: TimedOut after 655 ms
//! ```
//!
//! All times count from the start. A timeout has two names here: WouldBlock is what the kernel
//! says, and TimedOut is what `read_by` and `Deadline` say.
//!
//! Predict: how long can a peer make `read_exact` wait for 1 MiB, if the timeout is 200 ms?
//! Change: let the peer send only `b"01234"` and close. What do `read_exact` and `read_by` return?
//! Explain: `hello_server` has no timeout. What does a client cost it that connects and is silent?

use std::io::{self, ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use streamsock::{Conn, Deadline};

fn main() -> io::Result<()> {
    println!("a timeout of 200 ms, and a peer that sends a byte every 100 ms:");
    timeout_and_a_slow_peer()?;
    println!("a timeout of 200 ms, and a peer that stops for 400 ms after 5 bytes:");
    timeout_and_a_peer_that_stops()?;
    println!("the slow peer, and a deadline that we keep by hand:");
    deadline_by_hand()?;
    println!("the slow peer, and the library's Deadline:");
    deadline_of_the_library()
}

/// Each read gets a byte in time. None times out, and the message takes as long as the peer likes.
fn timeout_and_a_slow_peer() -> io::Result<()> {
    let mut conn = peer_that_sends(1, Duration::from_millis(100))?;
    conn.set_read_timeout(Some(Duration::from_millis(200)))?; // SO_RCVTIMEO, socket(7)
    let start = Instant::now();
    let result = conn.read_exact(&mut [0; 10]); // repeats read until it has 10 bytes or a read fails
    report(start, "read_exact", result);
    Ok(())
}

/// One read times out. read_exact does not say how many bytes it had read before. A program cannot
/// use them, and the next read goes on after them.
fn timeout_and_a_peer_that_stops() -> io::Result<()> {
    let mut conn = peer_that_sends(5, Duration::from_millis(400))?;
    conn.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut message = [b'.'; 10];
    let start = Instant::now();
    let result = conn.read_exact(&mut message);
    report(start, "read_exact", result);
    println!("  its buffer: {:?}", String::from_utf8_lossy(&message));

    conn.set_read_timeout(None)?; // this read waits until something comes
    let mut next = [0; 10];
    let n = conn.read(&mut next)?;
    println!("  what the next read returns: {:?}", String::from_utf8_lossy(&next[..n]));
    Ok(())
}

/// A deadline is a moment. Each read gets what is left until then as its timeout.
fn deadline_by_hand() -> io::Result<()> {
    let mut conn = peer_that_sends(1, Duration::from_millis(100))?;
    let mut message = Vec::new();
    let start = Instant::now();
    let result = read_by(start + Duration::from_millis(250), &mut conn, &mut message);
    report(start, "read_by, 250 ms", result);
    println!("  so far we have {:?}", String::from_utf8_lossy(&message));
    let result = read_by(start + Duration::from_millis(5000), &mut conn, &mut message);
    report(start, "read_by, 5000 ms", result);
    println!("  now we have {:?}", String::from_utf8_lossy(&message));
    Ok(())
}

/// Reads until the message has 10 bytes. If it fails, `message` keeps what has arrived.
fn read_by(deadline: Instant, conn: &mut Conn, message: &mut Vec<u8>) -> io::Result<()> {
    let mut buf = [0; 10];
    // Each read may take only what is left of the time.
    while message.len() < 10 {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        conn.set_read_timeout(Some(left))?;
        let room = 10 - message.len();
        match conn.read(&mut buf[..room]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => message.extend(&buf[..n]),
            // The time is up, or a signal has interrupted the wait: the clock says which.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Deadline does the same for whatever reads or writes: it sets the timeout before each call. It
/// does not save bytes. "5" and "6" come in time for the second read_exact here, which loses them.
fn deadline_of_the_library() -> io::Result<()> {
    let mut conn = peer_that_sends(1, Duration::from_millis(100))?;
    let start = Instant::now();
    let mut timed = Deadline::new(&mut conn, start + Duration::from_millis(5000));
    let result = timed.read_exact(&mut [0; 5]);
    report(start, "read_exact, 5000 ms", result);
    timed.set(start + Duration::from_millis(650)); // another message, another deadline
    let result = timed.read_exact(&mut [0; 5]);
    report(start, "read_exact, 650 ms", result);
    Ok(())
}

fn report(start: Instant, call: &str, result: io::Result<()>) {
    let ms = start.elapsed().as_millis();
    match result {
        Ok(()) => println!("  {call}: all is here after {ms} ms"),
        Err(error) => println!("  {call}: {:?} after {ms} ms", error.kind()),
    }
}

/// Sends 10 bytes, some at a time, with a pause after each time. The last pause delays no byte: ten
/// single bytes have nine pauses between them.
fn peer_that_sends(at_a_time: usize, pause: Duration) -> io::Result<Conn> {
    let (ours, mut theirs) = Conn::pair()?;
    thread::spawn(move || -> io::Result<()> {
        for bytes in b"0123456789".chunks(at_a_time) {
            theirs.write_all(bytes)?; // fails once our end is closed
            thread::sleep(pause);
        }
        Ok(())
    });
    Ok(ours)
}
