//! A client that calls a function of another program: of `rpc_server`, or of one in Go.
//!
//! ```console
//! $ cargo run --example rpc_client      # while rpc_server runs in another terminal
//! Hello, Joe
//! $ cargo run --example rpc_client -- unix:/tmp/rpc.sock Ann
//! Hello, Ann
//! ```
//!
//! Predict: a method takes 12 seconds. What does this client say, and when?
//! Change: call `Arith.Divide`, with the structs of netrpc/arith.rs: 17 by 5, then 1 by 0.
//! Explain: a first call of `Greeter.Greet` with "Joe" has 73 bytes, a second one 28. What is missing?

use std::env;
use std::error::Error;
use std::process::ExitCode;

use netrpc::client::{Client, Limits};
use streamsock::Addr;

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
    pub mod client;
}

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let addr = args.next().unwrap_or("unix:/tmp/rpc.sock".to_string());
    let name = args.next().unwrap_or("Joe".to_string());
    match greet(&addr, &name) {
        Ok(greeting) => {
            println!("{greeting}");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("rpc_client: {e}");
            ExitCode::FAILURE
        }
    }
}

fn greet(addr: &str, name: &str) -> Result<String, Box<dyn Error>> {
    let addr: Addr = addr.parse()?;
    // It connects, and asks for RPC with one request of HTTP. A call is refused or answered in time.
    let mut client = Client::dial(&addr, &Limits::default())
        .map_err(|e| format!("{addr}: {e} (is a server running there?)"))?;
    // This sends the name of a method and its argument, and waits for the greeting.
    let greeting: String =
        client.call("Greeter.Greet", &name).map_err(|e| format!("{addr}: {e}"))?;
    Ok(greeting)
}
