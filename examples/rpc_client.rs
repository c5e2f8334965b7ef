//! An RPC client, which can call Go's `net/rpc` too: the other end of `rpc_server`, or of a Go program.
//!
//! ```console
//! $ cargo run --release --example rpc_client                                      # Hello, Joe
//! $ cargo run --release --example rpc_client -- -n 20000 unix:/tmp/rpc.sock Ann   # and how fast
//! ```
//!
//! Predict: how many times faster is a call over `unix:/tmp/rpc.sock` than over `tcp:127.0.0.1:8080`?
//! Change: call `Arith.Divide` with an `Args` of netrpc/arith.rs: 17 by 5, then 1 by 0.
//! Explain: `strace -e write,sendto` shows a first call of 73 bytes and a second one of 28. What is missing?

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use netrpc::client::{Client, Error};
use streamsock::{Addr, Conn, Spin};

mod netrpc {
    pub mod client;
    pub mod decode;
    pub mod definitions;
    pub mod encode;
    pub mod gob;
    pub mod http;
    pub mod stream;
}

fn main() -> ExitCode {
    let Err((status, why)) = run() else { return ExitCode::SUCCESS };
    let _ = io::stderr().write_all(format!("rpc_client: {why}\n").as_bytes());
    ExitCode::from(status)
}

/// An error is an exit status and what to say.
fn run() -> Result<(), (u8, String)> {
    const USAGE: &str = "usage: rpc_client [-n COUNT] [--spin MICROS] [ADDR [NAME]]";
    let usage = |why: String| (2, format!("{why}\n{USAGE}"));
    let (mut count, mut spin, mut rest) = (0, None, Vec::new());
    let mut args = env::args_os().skip(1);
    while let Some(arg) = args.next() {
        let arg = arg.into_string().map_err(|arg| usage(format!("{arg:?} is not UTF-8")))?;
        if arg == "-n" || arg == "--spin" {
            let number = args.next().and_then(|text| text.to_str()?.parse().ok());
            let number: u32 = number.ok_or_else(|| usage(format!("{arg} takes a number")))?;
            match &*arg {
                "-n" => count = number,
                _ => spin = Some(Duration::from_micros(number.into())),
            }
        } else if arg.starts_with('-') || rest.len() == 2 {
            return Err(usage(format!("{arg} is not understood")));
        } else {
            rest.push(arg);
        }
    }
    let addr = rest.first().map_or("unix:/tmp/rpc.sock", String::as_str);
    let addr: Addr = addr.parse().map_err(|e: io::Error| usage(e.to_string()))?;
    let name = rest.get(1).map_or("Joe", String::as_str);
    let absent =
        |e: &io::Error| matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused);
    call(&addr, name, count, spin).map_err(|e| match e {
        Error::Connection(e) if absent(&e) => (1, format!("{addr}: {e} (start rpc_server first)")),
        e => (1, format!("{addr}: {e}")),
    })
}

fn call(addr: &Addr, name: &str, count: u32, spin: Option<Duration>) -> Result<(), Error> {
    let Some(budget) = spin else { return greet(Client::dial(addr)?, name, count) };
    greet(Client::new(Conn::connect(addr)?, |conn| Spin::new(conn, budget))?, name, count)
}

fn greet(mut client: Client<impl Read + Write>, name: &str, count: u32) -> Result<(), Error> {
    let mut call = || client.call::<String>("Greeter.Greet", &name);
    let _ = writeln!(io::stdout(), "{}", call()?); // which may be closed
    let start = Instant::now();
    for _ in 0..count {
        call()?;
    }
    let took = start.elapsed();
    if count > 0 {
        let (rate, mean) = (f64::from(count) / took.as_secs_f64(), took / count);
        let _ = writeln!(io::stdout(), "{count} calls, {rate:.0} calls/s, {mean:.1?} each");
    }
    Ok(())
}
