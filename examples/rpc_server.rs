//! A server whose functions other programs call, in Rust or in Go: RPC, over HTTP, over any sockets.
//!
//! ```console
//! $ cargo run --example rpc_server -- unix:/tmp/rpc.sock tcp:127.0.0.1:8080
//! listening on unix:/tmp/rpc.sock
//! listening on tcp:127.0.0.1:8080
//! $ cargo run --example rpc_client -- unix:/tmp/rpc.sock
//! Hello, Joe
//! $ cargo run --example rpc_client -- tcp:127.0.0.1:8080 Ann
//! Hello, Ann
//! ```
//!
//! What a Go programmer will miss (skip this list if you do not know Go's `net/rpc`):
//!
//! 1. The calls of one connection run in order, one after another; Go runs them at once. Goroutines that
//!    share a client wait for its slowest call: give each a client of its own.
//! 2. A method is a function that is registered under a name, not a method of an object.
//! 3. A client is dropped that is silent for a minute, or takes 30 s over a call. Go waits for ever.
//! 4. A message has 4 MiB at most here; a client that sends more is dropped. All clients together may
//!    hold 64 MiB in messages and arguments. Go has no such limits.
//! 5. There are no interfaces, arrays or complex numbers, nor types that encode themselves, `time.Time`
//!    for one. A field of such a type is skipped where nobody asks for it.
//! 6. There is no nil: a pointer travels as its value, and a field that is missing is zero.
//! 7. A `String` is UTF-8. For a string of any bytes, ask for a `GoString`.
//! 8. An error whose text is empty reaches the client as "(no text)"; in Go, it is success.
//! 9. Our client gives up a call after 10 s, unless its `Limits` say otherwise, and makes one at a time.
//! 10. There is no other codec, and no TLS.
//!
//! Predict: a Go client's `Args` has a field C as well. Is `Arith.Multiply` refused, or what happens to C?
//! Change: register `Arith.Subtract`, call it, and find it on the page `/debug/rpc` (with `http_get`).
//! Explain: a wrong argument costs the client one call, and a wrong header its connection. Why?

use std::env;
use std::error::Error;
use std::process::ExitCode;

use netrpc::arith::{Args, Quotient};
use netrpc::server::Server;
use streamsock::{Addr, Listener, serve};

// Modules in the order in which to read them.
#[rustfmt::skip]
mod netrpc {
    pub mod wire;
    pub mod gob;
    pub mod definitions;
    pub mod encode;
    pub mod decode;
    pub mod stream;
    pub mod http;
    pub mod http_server;
    pub mod server;
    pub mod arith;
}

fn main() -> ExitCode {
    let mut server = Server::default();
    // Each name, and the function that a call of this name runs. The function gets the argument of the
    // call, and what it returns goes back to the client: a result, or the text of an error.
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server.register("Arith.Multiply", |args: Args| Ok(args.a.wrapping_mul(args.b)));
    server.register("Arith.Divide", |args: Args| match args.b {
        0 => Err("divide by zero".to_string()),
        b => Ok(Quotient { quo: args.a.wrapping_div(b), rem: args.a.wrapping_rem(b) }),
    });
    server.max_message = 4 << 20;
    if let Err(e) = run(&server) {
        eprintln!("rpc_server: {e}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(server: &Server) -> Result<(), Box<dyn Error>> {
    let mut addrs: Vec<String> = env::args().skip(1).collect();
    if addrs.is_empty() {
        addrs.push("unix:/tmp/rpc.sock".to_string());
    }
    let mut listeners = Vec::new();
    for text in addrs {
        let addr: Addr = text.parse()?;
        let listener = Listener::bind(&addr).map_err(|e| format!("{addr}: {e}"))?;
        eprintln!("listening on {}", listener.local_addr()?);
        listeners.push(listener);
    }
    // At most 512 clients at once. Each has a thread, in which its calls run one after another.
    serve(&listeners, 512, |conn| {
        if let Err(e) = server.serve_http(conn) {
            eprintln!("dropped a client: {e}");
        }
    })?;
    Ok(())
}
