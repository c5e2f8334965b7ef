//! `rpc_server` and `rpc_client` as a person meets them, and their exercises.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::process::Command;

use streamsock::{Addr, Conn};

#[path = "../examples/netrpc"]
mod netrpc {
    pub mod arith;
    pub mod client;
    pub mod decode;
    pub mod definitions;
    pub mod encode;
    pub mod gob;
    pub mod http;
    pub mod stream;
    pub mod wire;
}

mod common;
#[macro_use]
#[path = "common/structs.rs"]
mod structs;

use common::{Server as Process, TempDir, example, run, watchdog};
use netrpc::arith::{Args, Quotient};
use netrpc::client::{Client, Error, Limits};
use netrpc::gob::record;

fn dial(addr: &Addr) -> Client<Conn> {
    Client::dial(addr, &Limits::default()).unwrap()
}

fn rpc_server(args: &[&str], addrs: usize) -> Process {
    Process::start(Command::new(example("rpc_server")).args(args), addrs)
}

/// A process that goes on after it was stopped finds its reads interrupted, if they have a timeout:
/// signal(7). This one reads a head.
#[test]
fn a_server_that_is_stopped_and_continued_reads_on() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let server = rpc_server(&[&dir.join("s").display().to_string()], 1);
    let mut conn = server.connect();
    conn.write_all(b"CONNECT ").unwrap();
    let again = "for n in 1 2 3 4 5 6 7 8 9; do kill -STOP $0; kill -CONT $0; done";
    run(Command::new("sh").args(["-c", again, &server.child.id().to_string()]));
    conn.write_all(b"/_goRPC_ HTTP/1.0\n\n").unwrap();
    conn.read_exact(&mut [0; 34]).unwrap();
}

#[test]
fn the_programs() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let unix = format!("unix:{}", dir.join("s").display());
    let mut server = rpc_server(&["tcp:127.0.0.1:0", &unix], 2);
    for addr in &server.addrs.clone() {
        let client = |args: &[&str]| {
            let mut client = Command::new(example("rpc_client"));
            run(client.arg(addr.to_string()).args(args))
        };
        assert_eq!(client(&[]), (Some(0), "Hello, Joe\n".into(), "".into()));
        assert_eq!(client(&["Ann"]).1, "Hello, Ann\n");
        // It takes messages of 4 MiB at most.
        let long = "x".repeat(4 << 20);
        let refused = dial(addr).call::<String>("Greeter.Greet", &long);
        assert!(refused.is_err(), "{refused:?}");
        assert!(server.line().ends_with("the limit is 4194304"));
    }
    drop(server);
    let failed = |program: &str, arg: &str| {
        let (code, stdout, stderr) = run(Command::new(example(program)).arg(arg));
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        stderr
    };
    let stderr = failed("rpc_client", &unix);
    assert!(stderr.starts_with(&format!("rpc_client: {unix}: Connection refused")), "{stderr}");
    let stderr = failed("rpc_server", "unix:/nowhere/at/all/s");
    assert!(stderr.starts_with("rpc_server: unix:/nowhere/at/all/s: No such file"), "{stderr}");
    for program in ["rpc_server", "rpc_client"] {
        let stderr = failed(program, "nowhere");
        assert!(stderr.starts_with(&format!("{program}: \"nowhere\"")), "{stderr}");
    }
}

/// What the server says of a client that is dropped has a reason.
#[test]
fn the_server_says_why_it_drops_a_client() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let mut server = rpc_server(&[&dir.join("s").display().to_string()], 1);
    let mut noise = server.connect();
    noise.write_all(b"CONNECT /_goRPC_ HTTP/1.0\n\n\x80").unwrap();
    noise.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.line(), "dropped a client: gob: a number of more than 8 bytes");
}

#[test]
fn is_multiply_refused_if_args_has_a_field_c_as_well() {
    go_struct!(Wider = "Args" { c = "C": String, b = "B": i64, a = "A": i64 });
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let server = rpc_server(&[&dir.join("s").display().to_string()], 1);
    let mut client = dial(&server.addrs[0]);
    let args = Wider { a: 6, b: 7, c: "nobody reads this".into() };
    assert_eq!(client.call::<i64>("Arith.Multiply", &args).unwrap(), 42);
}

#[test]
fn what_does_divide_return_for_17_by_5_and_then_for_1_by_0() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let server = rpc_server(&[&dir.join("s").display().to_string(), "tcp:127.0.0.1:0"], 2);
    for addr in &server.addrs {
        let mut client = dial(addr);
        let mut divide = |a, b| client.call::<Quotient>("Arith.Divide", &Args { a, b });
        assert_eq!(divide(17, 5).unwrap(), Quotient { quo: 3, rem: 2 });
        assert!(matches!(divide(1, 0), Err(Error::Server(why)) if why == "divide by zero"));
    }
}
