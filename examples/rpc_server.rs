//! An RPC server, which Go's `net/rpc` can call too: RPC, over HTTP, over a Unix socket or TCP.
//!
//! ```console
//! $ cargo run --release --example rpc_server -- unix:/tmp/rpc.sock tcp:127.0.0.1:8080
//! ```
//!
//! It drops a client that is silent for a minute, and takes messages of 4 MiB at most.
//!
//! Predict: a Go client's `Args` has a field C as well. Is `Arith.Multiply` refused, or what happens to C?
//! Change: register `Arith.Subtract`, call it, and find it on the page that is printed for TCP.
//! Explain: a wrong argument costs the client one call, and a wrong header its connection. Why?

use std::io::{self, Write};
use std::process::ExitCode;
use std::{env, time::Duration};

use netrpc::arith::{Args, Quotient};
use netrpc::server::Server;
use streamsock::{Addr, Listener, Spin, serve};

mod netrpc {
    pub mod arith;
    pub mod decode;
    pub mod definitions;
    pub mod encode;
    pub mod gob;
    pub mod http;
    pub mod http_server;
    pub mod server;
    pub mod stream;
}

fn main() -> ExitCode {
    let Err((status, why)) = run() else { return ExitCode::SUCCESS };
    say(&format!("rpc_server: {why}"));
    ExitCode::from(status)
}

/// An error is an exit status and what to say.
fn run() -> Result<(), (u8, String)> {
    let usage = |why: String| (2, format!("{why}\nusage: rpc_server [--spin MICROS] [ADDR...]"));
    let (mut addrs, mut spin) = (Vec::new(), None);
    let mut args = env::args_os().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--spin") => match args.next().and_then(|micros| micros.to_str()?.parse().ok()) {
                Some(micros) => spin = Some(Duration::from_micros(micros)),
                None => return Err(usage("--spin takes microseconds".into())),
            },
            Some(addr) if !addr.starts_with('-') => {
                addrs.push(addr.parse().map_err(|e: io::Error| usage(e.to_string()))?);
            }
            _ => return Err(usage(format!("{arg:?} is not understood"))),
        }
    }
    if addrs.is_empty() {
        addrs.push(Addr::Unix("/tmp/rpc.sock".into()));
    }
    let mut server = Server::default();
    server.max_message = 4 << 20;
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server.register("Arith.Multiply", |args: Args| Ok(args.a.wrapping_mul(args.b)));
    server.register("Arith.Divide", |args: Args| match args.b {
        0 => Err("divide by zero".to_string()),
        b => Ok(Quotient { quo: args.a.wrapping_div(b), rem: args.a.wrapping_rem(b) }),
    });
    let mut listeners = Vec::new();
    for addr in &addrs {
        let bound = Listener::bind(addr);
        listeners.push(bound.map_err(|e| (1, format!("{addr}: {e} (choose another address)")))?);
    }
    let bound: Vec<Addr> = listeners.iter().flat_map(Listener::local_addr).collect();
    bound.iter().for_each(|addr| say(&format!("listening on {addr}")));
    for addr in bound.iter().filter(|addr| addr.network() == "tcp") {
        say(&format!("status page: {}/debug/rpc", addr.to_string().replacen("tcp:", "http://", 1)));
    }
    let served = serve(&listeners, 512, |conn| {
        let ended = match spin {
            Some(budget) => server.serve(conn, |conn| Spin::new(conn, budget)),
            None => server.serve(conn, |conn| conn),
        };
        ended.unwrap_or_else(|e| say(&format!("dropped a client: {e}")));
    });
    served.map_err(|e| (1, e.to_string()))
}

/// A line on standard error, which may be closed.
fn say(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
