//! How many calls a second: our client and our server in two threads, blocking and busy-waiting, over
//! both transports. It is ignored, since a figure cannot fail: `cargo test --release --test rpc_speed --
//! --ignored --nocapture`, on a quiet machine.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use streamsock::{Conn, Spin};

#[path = "../examples/netrpc"]
mod netrpc {
    pub mod client;
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

mod common;

use common::{connected, over_both, with_server};
use netrpc::client::{Client, Limits};
use netrpc::server::Server;
use netrpc::stream::buffered;

const RUN: Duration = Duration::from_millis(500);
const BUDGET: Duration = Duration::from_micros(50);

fn server() -> Server {
    let mut server = Server::default();
    server.register("Greeter.Greet", |name: String| Ok(format!("Hello, {name}")));
    server
}

/// Calls for a while.
fn measure(client: &mut Client<impl Read + Write>, what: &str) {
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < RUN {
        for _ in 0..100 {
            let greeting: String = client.call("Greeter.Greet", &"Joe").unwrap();
            assert_eq!(greeting, "Hello, Joe");
        }
        calls += 100;
    }
    println!("{what} {:.0}", f64::from(calls) / start.elapsed().as_secs_f64());
}

#[test]
#[ignore = "measures"]
fn calls_a_second() {
    let server = server();
    over_both(|addr| {
        let name = addr.network();
        let serve = |conn: Conn| server.serve_http(conn).unwrap();
        with_server(addr, 4, serve, |addr| {
            let mut client = Client::dial(addr, &Limits::default()).unwrap();
            measure(&mut client, &format!("{name} block"));
        });
        let (near, far) = connected(addr);
        thread::scope(|scope| {
            scope.spawn(|| server.serve_calls(buffered(Spin::new(far, BUDGET))).unwrap());
            let near = Spin::new(near, BUDGET);
            let mut client = Client::new(buffered(near), &Limits::default());
            measure(&mut client, &format!("{name} spin"));
        });
    });
}
