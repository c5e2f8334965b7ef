//! An RPC server that Go's `net/rpc` can call: RPC, over HTTP, over a Unix socket or TCP.
//!
//! ```console
//! $ cargo run --release --example rpc_server                     # on unix:/tmp/rpc.sock
//! $ cargo run --release --example rpc_server -- unix:/tmp/rpc.sock tcp:127.0.0.1:8080
//! $ curl --unix-socket /tmp/rpc.sock http://localhost/debug/rpc
//! ```

use std::process::ExitCode;
use std::time::Duration;

use streamsock::{Addr, Conn, Spin, serve};

use cli::{Args, Error};
use netrpc::gob::{Record, Value};
use netrpc::server::Server;

mod cli;
mod netrpc;

const HELP: &str = "\
usage: rpc_server [--spin MICROS] [ADDR...]

Serves Greeter.Greet, Arith.Multiply and Arith.Divide to clients of Go's net/rpc, and a page at
/debug/rpc. Without ADDR it serves unix:/tmp/rpc.sock.

  ADDR             unix:/path, unix:@name or tcp:host:port; several are served at once
  --spin MICROS    poll for so long before sleeping: answers sooner, burns CPU
  -h, --help       print this
";

/// Connections served at once.
const MAX_CONNS: usize = 512;

fn main() -> ExitCode {
    cli::main("rpc_server", HELP, run)
}

fn run(args: &mut Args) -> Result<(), Error> {
    let mut addrs: Vec<Addr> = Vec::new();
    let mut spin = None;
    while let Some(option) = args.next()? {
        match option.as_str() {
            "" => addrs.push(args.address()?),
            "--spin" => {
                let micros = args.parse("a number of microseconds", |text| text.parse().ok())?;
                spin = Some(Duration::from_micros(micros));
            }
            _ => return Err(args.unknown()),
        }
    }
    if addrs.is_empty() {
        addrs.push(Addr::Unix("/tmp/rpc.sock".into()));
    }

    let mut server = Server::default();
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server.register("Arith.Multiply", |args: Operands| Ok(args.a.wrapping_mul(args.b)));
    server.register("Arith.Divide", divide);

    let listeners = cli::listen(&addrs, None)?;
    let handler = |conn: Conn| match spin {
        Some(budget) => server.serve(conn, |conn| Spin::new(conn, budget)),
        None => server.serve(conn, |conn| conn),
    };
    serve(&listeners, MAX_CONNS, handler).map_err(|e| Error::Failed(e.to_string()))
}

fn divide(args: Operands) -> Result<Quotient, String> {
    if args.b == 0 {
        return Err("divide by zero".to_string());
    }
    Ok(Quotient { quo: args.a.wrapping_div(args.b), rem: args.a.wrapping_rem(args.b) })
}

/// What Go's documentation calls `Args`.
#[derive(Default)]
struct Operands {
    a: i64,
    b: i64,
}

impl Record for Operands {
    const NAME: &'static str = "Args";
    const FIELDS: &'static [&'static str] = &["A", "B"];

    fn values(&self) -> Vec<&dyn Value> {
        vec![&self.a, &self.b]
    }

    fn values_mut(&mut self) -> Vec<&mut dyn Value> {
        vec![&mut self.a, &mut self.b]
    }
}

#[derive(Default)]
struct Quotient {
    quo: i64,
    rem: i64,
}

impl Record for Quotient {
    const NAME: &'static str = "Quotient";
    const FIELDS: &'static [&'static str] = &["Quo", "Rem"];

    fn values(&self) -> Vec<&dyn Value> {
        vec![&self.quo, &self.rem]
    }

    fn values_mut(&mut self) -> Vec<&mut dyn Value> {
        vec![&mut self.quo, &mut self.rem]
    }
}
