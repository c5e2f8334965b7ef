//! A Unix socket without a file: Linux's abstract names need no cleaning up, and keep nobody out.
//!
//! ```console
//! $ cargo run --example abstract_name
//! a server is bound to an abstract name:
//!   a client         works
//!   a second server  Address already in use (os error 98)
//!   bind_with_mode   a mode is for the file of a Unix socket, and this address has none
//! the server has closed its socket:
//!   a client         Connection refused (os error 111)
//!   a second server  works
//! ```
//!
//! Predict: which of these answers would be different if the address were a path?
//! Predict: `cargo run --example echo_server -- @lesson /tmp/lesson.sock` runs. Which of its two addresses can
//!   you reach from another network namespace? (That is a view of the network; a container has its own.)
//!   `unshare -rn target/debug/examples/echo_client @lesson hi`, and the same with `/tmp/lesson.sock`.
//! Explain: clients send their password to `@bank`. Who else could receive it, and how could a client notice?

use std::{io, process};

use streamsock::{Addr, Conn, Listener};

fn main() -> io::Result<()> {
    // To the kernel, the address is a zero byte and then the name. People write @ for that byte, and
    // so do ss and this library.
    let addr: Addr = format!("@lesson-{}", process::id()).parse()?;

    let server = Listener::bind(&addr)?;
    println!("a server is bound to an abstract name:");
    print_answers(&addr);
    // There is no file, and so nothing that could have an owner and a mode.
    println!("  bind_with_mode   {}", answer(Listener::bind_with_mode(&addr, 0o600)));

    // drop closes the socket. When a process is killed, the kernel closes its sockets.
    drop(server);
    println!("the server has closed its socket:");
    print_answers(&addr);
    Ok(())
}

fn print_answers(addr: &Addr) {
    println!("  a client         {}", answer(Conn::connect(addr)));
    println!("  a second server  {}", answer(Listener::bind(addr)));
}

fn answer<T>(result: io::Result<T>) -> String {
    match result {
        Ok(_) => "works".to_string(),
        Err(e) => e.to_string(),
    }
}
