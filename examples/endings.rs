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
//! Predict: we have sent 10 bytes, and the peer reads 4 of them and closes. Which case is this like?
//! Change: write before you read. Which call reports the reset now, over Unix and over TCP?
//! Explain: what would we see of a peer whose host loses power, and what would help?

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::thread;
use std::time::Duration;

use streamsock::{Conn, Listener};

fn main() -> io::Result<()> {
    // A Conn is the library's connection, over Unix or TCP. Each of these pairs is two ends: ours,
    // and the peer's.
    println!("the peer half-closes:");
    half_close(Conn::pair()?)?;
    half_close(tcp_pair()?)?;
    println!("the peer shuts down its reading:");
    stop_reading(Conn::pair()?)?;
    stop_reading(tcp_pair()?)?;
    println!("the peer closes:");
    close(Conn::pair()?)?;
    close(tcp_pair()?)?;
    println!("the peer's process is killed:");
    kill(Conn::pair()?)?;
    kill(tcp_pair()?)?;
    println!("the peer closes before it has read everything:");
    close_with_unread_data(Conn::pair()?)?;
    close_with_unread_data(tcp_pair()?)
}

/// End of file: the peer will send no more. It can still read what we write.
fn half_close((ours, theirs): (Conn, Conn)) -> io::Result<()> {
    theirs.shutdown(Shutdown::Write)?;
    read_then_write_twice(ours)
}

/// A Unix socket tells us at once. TCP does not tell: our writes go out until the buffers are full.
fn stop_reading((ours, theirs): (Conn, Conn)) -> io::Result<()> {
    theirs.shutdown(Shutdown::Read)?;
    read_then_write_twice(ours)
}

/// Our read returns 0, as after a half-close: only a write shows the difference. Over Unix it fails.
/// Over TCP the first write goes out, the peer's kernel answers with a reset, and the second fails.
fn close((ours, theirs): (Conn, Conn)) -> io::Result<()> {
    drop(theirs); // close(2)
    read_then_write_twice(ours)
}

/// The kernel closes all that a killed process had open, so this looks like any other close.
fn kill((ours, theirs): (Conn, Conn)) -> io::Result<()> {
    // A process that has this socket as its standard input. Nobody else has it open: `theirs` is
    // moved into the Command, which is gone at the semicolon.
    let mut process = Command::new("cat").stdin(OwnedFd::from(theirs)).spawn()?;
    process.kill()?;
    process.wait()?;
    read_then_write_twice(ours)
}

/// What we had sent is lost, and our read says so: the connection was reset.
fn close_with_unread_data((mut ours, theirs): (Conn, Conn)) -> io::Result<()> {
    ours.write_all(b"never read")?;
    drop(theirs);
    read_then_write_twice(ours)
}

fn read_then_write_twice(mut ours: Conn) -> io::Result<()> {
    // A read that waits fails with WouldBlock after this time; this is how we see that it waits.
    ours.set_read_timeout(Some(Duration::from_millis(50)))?;
    let read = outcome(ours.read(&mut [0]));
    let first = outcome(ours.write(b"x"));
    thread::sleep(Duration::from_millis(20)); // so that an answer to the first write can arrive
    let second = outcome(ours.write(b"x"));
    println!("  {:4}  read {read}, write {first}, write {second}", ours.network());
    Ok(())
}

/// How many bytes, or the kind of the error. ConnectionReset is ECONNRESET. BrokenPipe is EPIPE:
/// nobody will read this. With EPIPE comes the signal SIGPIPE, which kills a C program that has not
/// arranged for it. A Rust program ignores SIGPIPE from its start, and std's sendto has the flag
/// MSG_NOSIGNAL, which prevents the signal.
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
