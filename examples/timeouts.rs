//! A timeout bounds one read, and a message may take many reads; a deadline bounds the message.
//!
//! ```console
//! $ cargo run --example timeouts
//! a timeout of 200 ms, and a peer that sends a byte every 100 ms:
//!   read_exact: all is here after 901 ms
//! a timeout of 200 ms, and a peer that stops for 400 ms after 5 bytes:
//!   read_exact: WouldBlock after 202 ms
//!   what comes next is "56789"
//! the slow peer, and a deadline that we keep by hand:
//!   read_by, 250 ms: TimedOut after 253 ms
//!   so far we have "012"
//!   read_by, 5000 ms: all is here after 901 ms
//!   now we have "0123456789"
//! the slow peer, and the library's Deadline:
//!   read_exact, 5000 ms: all is here after 400 ms
//!   read_exact, 250 ms more: TimedOut after 655 ms
//! ```
//!
//! Predict: how long can a peer make `read_exact` wait for 1 MiB, if the timeout is 200 ms?
//! Change: let the slow peer send only 5 bytes and close. What do `read_exact` and `read_by` return?
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
    let result = conn.read_exact(&mut [0; 10]); // repeats read until it has 10 bytes or one fails
    report(start, "read_exact", result);
    Ok(())
}

/// One read times out. What read_exact had read before is lost, and the peer does not know that.
fn timeout_and_a_peer_that_stops() -> io::Result<()> {
    let mut conn = peer_that_sends(5, Duration::from_millis(400))?;
    conn.set_read_timeout(Some(Duration::from_millis(200)))?;
    let start = Instant::now();
    let result = conn.read_exact(&mut [0; 10]);
    report(start, "read_exact", result);

    conn.set_read_timeout(None)?; // None is for ever
    let mut buf = [0; 10];
    let n = conn.read(&mut buf)?;
    println!("  what comes next is {:?}", String::from_utf8_lossy(&buf[..n]));
    Ok(())
}

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

/// Deadline does the same for whatever reads or writes: it sets the timeout before each call.
fn deadline_of_the_library() -> io::Result<()> {
    let mut conn = peer_that_sends(1, Duration::from_millis(100))?;
    let start = Instant::now();
    let mut timed = Deadline::new(&mut conn, start + Duration::from_millis(5000));
    let result = timed.read_exact(&mut [0; 5]);
    report(start, "read_exact, 5000 ms", result);
    timed.set(Instant::now() + Duration::from_millis(250)); // another message, another deadline
    let result = timed.read_exact(&mut [0; 5]);
    report(start, "read_exact, 250 ms more", result);
    Ok(())
}

fn report(start: Instant, call: &str, result: io::Result<()>) {
    let ms = start.elapsed().as_millis();
    match result {
        Ok(()) => println!("  {call}: all is here after {ms} ms"),
        Err(error) => println!("  {call}: {:?} after {ms} ms", error.kind()),
    }
}

/// Sends 10 bytes, some at a time, with a pause after each time.
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
