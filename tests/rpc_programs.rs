//! `rpc_server` and `rpc_client` as a person meets them, and their exercises.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

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
}

mod common;

use common::{Server as Process, TempDir, example, read_all, run, watchdog};
use netrpc::arith::{Args, Quotient};
use netrpc::client::{Client, Error};
use netrpc::gob::{Record, Value, record};

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
    for spin in [&[][..], &["--spin", "50"]] {
        let mut server = rpc_server(&[&["tcp:127.0.0.1:0", &*unix], spin].concat(), 2);
        let tcp = server.addrs[0].to_string().replace("tcp:", "http://");
        assert_eq!(server.line(), format!("status page: {tcp}/debug/rpc"));
        for addr in &server.addrs {
            let client = |args: &[&str]| {
                let mut client = Command::new(example("rpc_client"));
                run(client.arg(addr.to_string()).args(args).args(spin))
            };
            assert_eq!(client(&[]), (Some(0), "Hello, Joe\n".into(), "".into()));
            assert_eq!(client(&["Ann"]).1, "Hello, Ann\n");
            // It takes messages of 4 MiB at most.
            let long = "x".repeat(4 << 20);
            let refused = Client::dial(addr).unwrap().call::<String>("Greeter.Greet", &long);
            let refused = refused.unwrap_err().to_string();
            assert!(refused.ends_with("the limit is 4194304"), "{refused}");
            let (code, stdout, _) = client(&["-n", "100"]);
            let lines: Vec<&str> = stdout.lines().collect();
            assert_eq!((code, lines[0]), (Some(0), "Hello, Joe"));
            assert!(
                lines[1].starts_with("100 calls, ") && lines[1].ends_with("s each"),
                "{stdout}"
            );
        }
        drop(server);
    }
    let failed = |program: &str, args: &[&OsStr]| {
        let (code, stdout, stderr) = run(Command::new(example(program)).args(args));
        assert_eq!(stdout, "");
        (code, stderr)
    };
    let (code, stderr) = failed("rpc_client", &[unix.as_ref()]);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with(&format!("rpc_client: {unix}: Connection refused")), "{stderr}");
    assert!(stderr.ends_with(" (start rpc_server first)\n"), "{stderr}");
    let (code, stderr) = failed("rpc_server", &["unix:/nowhere/at/all/s".as_ref()]);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("rpc_server: unix:/nowhere/at/all/s: No such file"), "{stderr}");

    for (program, args) in [
        ("rpc_server", &["--fast"][..]),
        ("rpc_server", &["--spin", "soon"]),
        ("rpc_server", &["nowhere"]),
        ("rpc_client", &["--fast"]),
        ("rpc_client", &["-n"]),
        ("rpc_client", &["/tmp/s", "Joe", "Ann"]),
    ] {
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        let (code, stderr) = failed(program, &args);
        assert_eq!((code, stderr.lines().count()), (Some(2), 2), "{stderr}");
        assert!(stderr.starts_with(&format!("{program}: ")), "{stderr}");
        assert!(stderr.contains(&format!("\nusage: {program} [")), "{stderr}");
        let (code, stderr) = failed(program, &[OsStr::from_bytes(b"/tmp/\xff")]);
        assert_eq!(code, Some(2), "{stderr}");
    }
}

#[test]
fn is_multiply_refused_if_args_has_a_field_c_as_well() {
    record!(Wider = "Args" { c = "C": String, b = "B": i64, a = "A": i64 });
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let server = rpc_server(&[&dir.join("s").display().to_string()], 1);
    let mut client = Client::dial(&server.addrs[0]).unwrap();
    let args = Wider { a: 6, b: 7, c: "nobody reads this".into() };
    assert_eq!(client.call::<i64>("Arith.Multiply", &args).unwrap(), 42);
}

#[test]
fn what_does_divide_return_for_17_by_5_and_then_for_1_by_0() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let server = rpc_server(&[&dir.join("s").display().to_string(), "tcp:127.0.0.1:0"], 2);
    for addr in &server.addrs {
        let mut client = Client::dial(addr).unwrap();
        let mut divide = |a, b| client.call::<Quotient>("Arith.Divide", &Args { a, b });
        assert_eq!(divide(17, 5).unwrap(), Quotient { quo: 3, rem: 2 });
        assert!(matches!(divide(1, 0), Err(Error::Server(why)) if why == "divide by zero"));
    }
}

/// No program panics because nobody reads what it says.
#[test]
fn closed_outputs_harm_nothing() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let unix = format!("unix:{}", dir.join("s").display());
    let mut server = rpc_server(&[&unix], 1);
    server.close_stderr();
    // The server has something to say of this client.
    let mut noise = server.connect();
    noise.write_all(b"CONNECT /_goRPC_ HTTP/1.0\n\n\x80").unwrap();
    noise.shutdown(Shutdown::Write).unwrap();
    assert_eq!(String::from_utf8_lossy(&read_all(noise)).lines().count(), 2);
    let closed = |fd: &str, args: &str| {
        let script = format!("\"$0\" {args} {fd}>&-");
        let mut sh = Command::new("sh");
        run(sh.arg("-c").arg(script).arg(example("rpc_client")))
    };
    assert_eq!(closed("1", &format!("{unix} -n 10")), (Some(0), "".into(), "".into()));
    assert_eq!(closed("2", &unix), (Some(0), "Hello, Joe\n".into(), "".into()));
    assert_eq!(closed("2", "--fast"), (Some(2), "".into(), "".into()));
    assert_eq!(closed("2", "/nowhere/at/all"), (Some(1), "".into(), "".into()));
}
