//! A client that calls a function of another program, `rpc_server` or one in Go.
//!
//! ```console
//! $ cargo run --example rpc_client
//! Hello, Joe
//! $ cargo run --example rpc_client -- tcp:127.0.0.1:8080 Ann
//! Hello, Ann
//! ```
//!
//! Predict: which bytes are in a first call that are not in a second? (Above netrpc/gob.rs stand the 73.)
//! Change: call `Arith.Divide`, with the structs of rpc_server.rs: 17 by 5, then 1 by 0.
//! Explain: why does a call over TCP set `TCP_NODELAY`, and send header and argument in one write?

use std::env;
use std::process::ExitCode;

use netrpc::client::{Client, Error, Limits};
use streamsock::Addr;

mod netrpc {
    pub mod client;
    pub mod decode;
    pub mod definitions;
    pub mod encode;
    pub mod gob;
    pub mod http;
    pub mod stream;
    pub mod wire;
}

fn greet(addr: &Addr, name: &str) -> Result<String, Error> {
    let mut client = Client::dial(addr, &Limits::default())?;
    client.call("Greeter.Greet", &name)
}

fn main() -> ExitCode {
    let text = env::args().nth(1).unwrap_or("unix:/tmp/rpc.sock".to_string());
    let name = env::args().nth(2).unwrap_or("Joe".to_string());
    let addr = match text.parse() {
        Ok(addr) => addr,
        Err(e) => {
            eprintln!("rpc_client: {e}");
            return ExitCode::FAILURE;
        }
    };
    match greet(&addr, &name) {
        Ok(greeting) => {
            println!("{greeting}");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("rpc_client: {addr}: {e}");
            ExitCode::FAILURE
        }
    }
}
