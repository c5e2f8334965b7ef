//! Datagram sockets: they keep messages apart, cut off what does not fit, and have no end of file.
//!
//! ```console
//! $ cargo run --example datagram
//! two messages, and a buffer of 8 bytes:
//!   recv: 3 bytes, "one"
//!   recv: 8 bytes, "three hu"
//! the other end has closed:
//!   recv: WouldBlock
//!   send: ConnectionRefused
//! nobody receives:
//!   send: WouldBlock
//! a server answers:
//!   from a client without a name: no answer is possible
//!   from a client with a name: answered
//!   recv: 7 bytes, "welcome"
//! ```
//!
//! Predict: what does `recv` return for an empty message? And `read` on a stream, after `write(b"")`?
//! Change: count the messages that `fill_the_queue` sends. How many does it send if each has 4,096 bytes?
//! Explain: UDP, the datagrams of the Internet, loses messages where `send` waits here. Why can a Unix socket
//!   do better?

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::{env, fs, io, process};

fn main() -> io::Result<()> {
    keep_messages_apart()?;
    close_without_a_word()?;
    fill_the_queue()?;

    // A directory for the sockets that have a name.
    let dir = env::temp_dir().join(format!("datagram-{}", process::id()));
    fs::create_dir(&dir)?;
    let result = answer_by_name(&dir);
    fs::remove_dir_all(&dir)?;
    result
}

fn keep_messages_apart() -> io::Result<()> {
    println!("two messages, and a buffer of 8 bytes:");
    // socketpair(2), as for UnixStream::pair, but with the type SOCK_DGRAM. What is sent at one end
    // arrives at the other, so these two need no names.
    let (near, far) = UnixDatagram::pair()?;
    near.send(b"one")?;
    near.send(b"three hundred")?;
    // recv takes one message, never two. What does not fit the buffer is lost.
    print_recv(&far);
    print_recv(&far);
    Ok(())
}

fn close_without_a_word() -> io::Result<()> {
    println!("the other end has closed:");
    let (near, far) = UnixDatagram::pair()?;
    drop(near);
    // There is no connection that could end, so recv would wait for ever. On a non-blocking socket,
    // a call that would wait fails instead, with WouldBlock.
    far.set_nonblocking(true)?;
    print_recv(&far);
    print_send(&far);
    Ok(())
}

fn fill_the_queue() -> io::Result<()> {
    println!("nobody receives:");
    let (near, _far) = UnixDatagram::pair()?;
    // The kernel keeps messages up to a limit. At the limit, send would wait for room. On a
    // non-blocking socket it fails.
    near.set_nonblocking(true)?;
    while near.send(b"hello").is_ok() {}
    print_send(&near);
    Ok(())
}

/// A server's socket has a name. Whoever may write to its file may send to it. A client that wants an
/// answer needs a name as well: bind(2) gives it one.
fn answer_by_name(dir: &Path) -> io::Result<()> {
    println!("a server answers:");
    let server = UnixDatagram::bind(dir.join("server"))?;

    let client = UnixDatagram::unbound()?;
    client.send_to(b"hello", dir.join("server"))?;
    receive_and_answer(&server)?;

    let client = UnixDatagram::bind(dir.join("client"))?;
    client.send_to(b"hello", dir.join("server"))?;
    receive_and_answer(&server)?;
    print_recv(&client);
    Ok(())
}

/// An answer needs a name to which it can be sent.
fn receive_and_answer(server: &UnixDatagram) -> io::Result<()> {
    let mut buf = [0; 8];
    let (_, client) = server.recv_from(&mut buf)?;
    match client.as_pathname() {
        None => println!("  from a client without a name: no answer is possible"),
        Some(path) => {
            server.send_to(b"welcome", path)?;
            println!("  from a client with a name: answered");
        }
    }
    Ok(())
}

fn print_recv(socket: &UnixDatagram) {
    let mut buf = [0; 8];
    match socket.recv(&mut buf) {
        Ok(n) => println!("  recv: {n} bytes, {:?}", String::from_utf8_lossy(&buf[..n])),
        Err(e) => println!("  recv: {:?}", e.kind()),
    }
}

fn print_send(socket: &UnixDatagram) {
    match socket.send(b"hello") {
        Ok(_) => println!("  send: works"),
        Err(e) => println!("  send: {:?}", e.kind()),
    }
}
