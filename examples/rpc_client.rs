//! An RPC client that can call Go's `net/rpc`: the other end of `rpc_server`, or of a Go program.
//!
//! ```console
//! $ cargo run --release --example rpc_client                     # Hello, Joe
//! $ cargo run --release --example rpc_client -- unix:/tmp/rpc.sock Ann -n 10000
//! ```

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use streamsock::{Addr, Conn, Spin};

use cli::{Args, Error};
use netrpc::client::Client;

mod cli;
mod netrpc;

const HELP: &str = "\
usage: rpc_client [-n COUNT] [--spin MICROS] [ADDR [NAME]]

Calls Greeter.Greet with NAME (Joe), and prints the reply. Without ADDR it calls unix:/tmp/rpc.sock.

  ADDR             unix:/path, unix:@name or tcp:host:port
  -n COUNT         call so often, one after the other, and print how fast that went
  --spin MICROS    poll for so long before sleeping: sooner, burns CPU
  -h, --help       print this
";

fn main() -> ExitCode {
    cli::main("rpc_client", HELP, run)
}

fn run(args: &mut Args) -> Result<(), Error> {
    let (mut addr, mut name, mut count, mut spin) = (None, None, None, None);
    while let Some(option) = args.next()? {
        match option.as_str() {
            "" if addr.is_none() => addr = Some(args.address()?),
            "" if name.is_none() => {
                name = Some(args.parse("a name", |text| Some(text.to_string()))?)
            }
            "-n" => count = Some(args.parse("a number from 1", at_least_one)?),
            "--spin" => {
                let micros = args.parse("a number of microseconds", |text| text.parse().ok())?;
                spin = Some(Duration::from_micros(micros));
            }
            _ => return Err(args.unknown()),
        }
    }
    let addr = addr.unwrap_or(Addr::Unix("/tmp/rpc.sock".into()));
    let name = name.unwrap_or("Joe".to_string());

    let conn = cli::connect(&addr)?;
    match spin {
        Some(budget) => greet(&addr, conn, |conn| Spin::new(conn, budget), name, count),
        None => greet(&addr, conn, |conn| conn, name, count),
    }
}

fn greet<S: Read + Write>(
    addr: &Addr,
    conn: Conn,
    wrap: impl FnOnce(Conn) -> S,
    name: String,
    count: Option<u32>,
) -> Result<(), Error> {
    let mut client = Client::new(conn, wrap).map_err(|e| cli::failed(addr, e))?;
    let mut call = || -> Result<String, Error> {
        client.call("Greeter.Greet", &name).map_err(|e| Error::Failed(format!("{addr}: {e}")))
    };
    let reply = call()?;
    cli::print(format!("{reply}\n").as_bytes())?;
    let Some(count) = count else { return Ok(()) };

    let start = Instant::now();
    for _ in 0..count {
        call()?;
    }
    let took = start.elapsed();
    let (rate, mean) = (f64::from(count) / took.as_secs_f64(), took / count);
    cli::print(format!("{count} calls, {rate:.0} calls/s, {mean:.1?} each\n").as_bytes())
}

fn at_least_one(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n| *n > 0)
}
