//! One [`Conn`] over Unix-domain and TCP stream sockets, for programs that talk on one host today and
//! across hosts tomorrow. Synchronous, std only, and written to be read and copied.
//!
//! A server and its client, over whatever address they are given:
//!
//! ```
//! use std::io::{self, Read, Write};
//! use std::net::Shutdown;
//! use std::thread;
//! use streamsock::{Addr, Conn, Listener};
//!
//! fn hello(addr: &Addr) -> io::Result<()> {
//!     let listener = Listener::bind(addr)?;
//!     let addr = listener.local_addr()?;
//!     let server = thread::spawn(move || {
//!         let (conn, _peer) = listener.accept()?;
//!         io::copy(&mut &conn, &mut &conn) // echo, until the client half-closes
//!     });
//!
//!     let mut conn = Conn::connect(&addr)?;
//!     conn.write_all(b"hello")?;
//!     conn.shutdown(Shutdown::Write)?;
//!     let mut answer = String::new();
//!     conn.read_to_string(&mut answer)?;
//!     assert_eq!(answer, "hello");
//!     server.join().unwrap().map(drop)
//! }
//!
//! hello(&"tcp:127.0.0.1:0".parse()?)?; // or "unix:/tmp/hello.sock"
//! # Ok::<(), io::Error>(())
//! ```
//!
//! | item | what it is |
//! | --- | --- |
//! | [`Addr`] | what a person types and a program prints: `unix:/tmp/echo.sock`, `tcp:localhost:13500` |
//! | [`Conn`] | a connection: std's methods, [`Read`](std::io::Read) and [`Write`](std::io::Write), also on `&Conn` |
//! | [`Listener`] | binds and accepts; owns the socket's file and takes over a stale one; [`shutdown`](Listener::shutdown) wakes a blocked accept |
//! | [`serve`] | a thread per connection, over any number of listeners, bounded |
//! | [`Deadline`] | reads and writes that all end by one moment: what bounds a message, where a timeout bounds a read |
//! | [`Spin`] | a `Conn` that busy-waits for a moment before it sleeps: lower latency for CPU time |
//! | [`sockopt`](https://docs.rs/streamsock/latest/streamsock/sockopt/) | buffer sizes, keepalive, and who is at the other end; needs the feature of that name (`features = ["sockopt"]` beside the dependency), which brings in `libc` |
//!
//! Errors are [`std::io::Error`], with the system's code where there is one. None names the address it
//! was given: the caller knows it and prints it, once. Only the parser of [`Addr`] quotes the text that
//! is no address.
//!
//! The [course](https://docs.rs/crate/streamsock/latest/source/examples/README.md) in `examples/`
//! teaches sockets one short program at a time, from the first `bind` to RPC over HTTP over either
//! socket. The program `sockbench` measures what a Unix socket buys on your machine. Start with the
//! [README](https://docs.rs/crate/streamsock/latest/source/README.md), which also lists the files to
//! copy into a project of your own.
#![deny(unsafe_code)]

#[cfg(not(unix))]
compile_error!(
    "streamsock needs Unix-domain sockets: it builds for Linux, macOS and the BSDs, not for this target"
);

#[cfg(unix)]
mod addr;
#[cfg(unix)]
mod conn;
#[cfg(unix)]
mod deadline;
#[cfg(unix)]
mod listener;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod socket_file;
#[cfg(unix)]
#[allow(unsafe_code)]
pub mod sockopt;
#[cfg(unix)]
mod spin;

#[cfg(unix)]
pub use addr::Addr;
#[cfg(unix)]
pub use conn::Conn;
#[cfg(unix)]
pub use deadline::Deadline;
#[cfg(unix)]
pub use listener::{Incoming, Listener};
#[cfg(unix)]
pub use serve::serve;
#[cfg(unix)]
pub use spin::Spin;

/// The README's programs compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
