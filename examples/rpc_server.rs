//! A server whose functions other programs call, in Rust or in Go: RPC, over HTTP, over any sockets.
//!
//! ```console
//! $ cargo run --example rpc_server -- unix:/tmp/rpc.sock tcp:127.0.0.1:8080
//! listening on unix:/tmp/rpc.sock
//! listening on tcp:127.0.0.1:8080
//! ```
//!
//! What a Go programmer will miss:
//!
//! 1. The calls of one connection run in order, each after the one before. Go runs them at once. A Go
//!    client that many goroutines share waits for its slowest call: give each goroutine its own.
//! 2. A method is a function that is registered by name, `Service.Method`, not a method of an object.
//! 3. A client that is silent for a minute is dropped, and so is one whose call takes more than 30 s
//!    to arrive. Go waits for ever.
//! 4. A message has at most 64 MiB (4 MiB here), and what all clients have sent in part, 64 MiB. Go
//!    takes 1 GiB or more of each.
//! 5. No interfaces, arrays, complex numbers, or types with an encoding of their own, such as
//!    `time.Time`, and no nil: a pointer's value is sent, and a missing field is zero.
//! 6. An int has 64 bits. A number that does not fit is refused, as in Go.
//! 7. A `String` is UTF-8; for any bytes there is `GoString`. An error with an empty text reaches the
//!    client as "(no text)", not as success.
//! 8. Our client drops a server that has not answered a call after 10 s, unless its limits say otherwise.
//! 9. No `Go`, no codec of your own, no TLS.
//! 10. `http_get` shows the page of calls: `cargo run --example http_get -- unix:/tmp/rpc.sock /debug/rpc`.
//!
//! Predict: a Go client's `Args` has a field C as well. Is `Arith.Multiply` refused, or what happens to C?
//! Change: register `Arith.Subtract`, call it, and find it on the page of calls.
//! Explain: a wrong argument costs the client one call, and a wrong header its connection. Why?

use std::env;
use std::process::ExitCode;

use netrpc::gob::record;
use netrpc::server::Server;
use streamsock::{Addr, Listener, serve};

mod netrpc {
    pub mod decode;
    pub mod definitions;
    pub mod encode;
    pub mod gob;
    pub mod http;
    pub mod http_server;
    pub mod server;
    pub mod stream;
    pub mod wire;
}

fn main() -> ExitCode {
    let mut server = Server::default();
    server.max_message = 4 << 20;
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server.register("Arith.Multiply", |args: Args| Ok(args.a.wrapping_mul(args.b)));
    server.register("Arith.Divide", divide);
    if let Err(why) = listen(&server) {
        eprintln!("rpc_server: {why}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn divide(args: Args) -> Result<Quotient, String> {
    if args.b == 0 {
        return Err("divide by zero".to_string());
    }
    Ok(Quotient { quo: args.a.wrapping_div(args.b), rem: args.a.wrapping_rem(args.b) })
}

/// The same as Go's `Args` and `Quotient`, whose fields have other names.
#[derive(Default)]
struct Args {
    a: i64,
    b: i64,
}
record!(Args = "Args" { a = "A", b = "B" });

#[derive(Default)]
struct Quotient {
    quo: i64,
    rem: i64,
}
record!(Quotient = "Quotient" { quo = "Quo", rem = "Rem" });

fn listen(server: &Server) -> Result<(), String> {
    let mut addrs: Vec<String> = env::args().skip(1).collect();
    if addrs.is_empty() {
        addrs.push("unix:/tmp/rpc.sock".to_string());
    }
    let mut listeners = Vec::new();
    for text in addrs {
        let addr: Addr = text.parse().map_err(|e| format!("{e}"))?;
        let listener = Listener::bind(&addr).map_err(|e| format!("{addr}: {e}"))?;
        let bound = listener.local_addr().map_err(|e| format!("{addr}: {e}"))?;
        eprintln!("listening on {bound}");
        listeners.push(listener);
    }
    let served = serve(&listeners, 512, |conn| {
        if let Err(e) = server.serve_http(conn) {
            eprintln!("dropped a client: {e}");
        }
    });
    served.map_err(|e| e.to_string())
}
