//! The ways in which a connection can end, and what we see of each, over Unix and over TCP.
//!
//! ```console
//! $ cargo run --example endings
//! the peer half-closes:
//!   unix  read 0, write 1, write 1
//!   tcp   read 0, write 1, write 1
//! the peer shuts down its reading:
//!   unix  read WouldBlock, write BrokenPipe, write BrokenPipe
//!   tcp   read WouldBlock, write 1, write 1
//! the peer closes:
//!   unix  read 0, write BrokenPipe, write BrokenPipe
//!   tcp   read 0, write 1, write BrokenPipe
//! the peer's process is killed:
//!   unix  read 0, write BrokenPipe, write BrokenPipe
//!   tcp   read 0, write 1, write BrokenPipe
//! the peer closes before it has read everything:
//!   unix  read ConnectionReset, write BrokenPipe, write BrokenPipe
//!   tcp   read ConnectionReset, write BrokenPipe, write BrokenPipe
//! ```
//!
//! Each line shows what our read returned, and then two writes of one byte: a number of bytes, or
//! the kind of an error. WouldBlock means here that the read found nothing and would still wait.
//!
//! Predict: we send 10 bytes, and the peer reads 4 of them and closes. Which case is this like?
//! Change: move the read between the two writes. Which call reports ConnectionReset now?
//! Explain: what would we see of a peer whose host loses power, and what would help?

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::thread;
use std::time::Duration;

use streamsock::{Conn, Listener};

fn main() -> io::Result<()> {
    println!("the peer half-closes:");
    over_unix_and_tcp(half_close)?;
    println!("the peer shuts down its reading:");
    over_unix_and_tcp(stop_reading)?;
    println!("the peer closes:");
    over_unix_and_tcp(close)?;
    println!("the peer's process is killed:");
    over_unix_and_tcp(kill)?;
    println!("the peer closes before it has read everything:");
    over_unix_and_tcp(close_with_unread_data)
}

/// Makes a connection of each kind and lets it end. The peer is the other end of the connection. A
/// Conn is one end, of either kind.
fn over_unix_and_tcp(ending: fn(Conn, Conn) -> io::Result<()>) -> io::Result<()> {
    let (ours, theirs) = Conn::pair()?;
    ending(ours, theirs)?;
    let (ours, theirs) = tcp_pair()?;
    ending(ours, theirs)
}

/// End of file: the peer will send no more. It can still read what we write.
fn half_close(ours: Conn, theirs: Conn) -> io::Result<()> {
    theirs.shutdown(Shutdown::Write)?;
    read_then_write_twice(ours)
}

/// Over Unix, our write fails at once. TCP has no packet for this: our writes succeed until the
/// buffers are full.
fn stop_reading(ours: Conn, theirs: Conn) -> io::Result<()> {
    theirs.shutdown(Shutdown::Read)?;
    read_then_write_twice(ours)
}

/// Our read returns 0, as after a half-close, and only a write shows the difference. Over Unix it
/// fails. Over TCP the first write succeeds, the peer's kernel answers its byte with a reset, and
/// the second write fails.
fn close(ours: Conn, theirs: Conn) -> io::Result<()> {
    drop(theirs); // close(2)
    read_then_write_twice(ours)
}

/// The kernel closes all that a killed process had open, so this looks like any other close.
fn kill(ours: Conn, theirs: Conn) -> io::Result<()> {
    let mut command = Command::new("cat");
    command.stdin(OwnedFd::from(theirs)); // `theirs` will be the standard input of cat
    let mut process = command.spawn()?;
    drop(command); // this closes our copy of `theirs`: now only cat has it open
    process.kill()?;
    process.wait()?;
    read_then_write_twice(ours)
}

/// What we had sent is lost, and our read says so: the connection was reset.
fn close_with_unread_data(mut ours: Conn, theirs: Conn) -> io::Result<()> {
    ours.write_all(b"never read")?;
    drop(theirs);
    read_then_write_twice(ours)
}

fn read_then_write_twice(mut ours: Conn) -> io::Result<()> {
    // After this time a read that finds nothing fails with WouldBlock, and waits no longer.
    ours.set_read_timeout(Some(Duration::from_millis(50)))?;
    let read = outcome(ours.read(&mut [0]));
    let first = outcome(ours.write(b"x"));
    thread::sleep(Duration::from_millis(20)); // so that an answer to the first write can arrive
    let second = outcome(ours.write(b"x"));
    println!("  {:4}  read {read}, write {first}, write {second}", ours.network());
    Ok(())
}

/// How many bytes, or the kind of the error. In C, ConnectionReset is ECONNRESET, and BrokenPipe is
/// EPIPE: nobody will read what you write.
fn outcome(result: io::Result<usize>) -> String {
    match result {
        Ok(n) => n.to_string(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn tcp_pair() -> io::Result<(Conn, Conn)> {
    let listener = Listener::bind(&"tcp:127.0.0.1:0".parse()?)?;
    let client = Conn::connect(&listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    Ok((client, server))
}
