//! Foreign peers of the RPC: a real Go at either end, and curl. All of it is ignored by default, for
//! those who lack these programs.

use std::process::Command;

use streamsock::{Addr, Conn};

#[path = "../examples/netrpc/mod.rs"]
mod netrpc;

mod common;

use common::{Server, TempDir, example, run, watchdog};
use netrpc::client::{Client, Error};

fn rpc_server(args: &[&str], addrs: usize) -> Server {
    Server::start(Command::new(example("rpc_server")).args(args), addrs)
}

fn greet(client: &mut Client<Conn>, name: &str) -> Result<String, Error> {
    client.call("Greeter.Greet", &name.to_string())
}

/// The Go peer of this folder, built by the `go` that is in PATH.
fn go_peer(dir: &TempDir) -> Command {
    let peer = dir.join("peer");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go/main.go");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&peer).arg(source).env("GO111MODULE", "off");
    let (code, _, stderr) = run(&mut go);
    assert_eq!(code, Some(0), "{stderr}");
    Command::new(peer)
}

#[test]
#[ignore = "needs go"]
fn a_go_client_calls_our_server() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    for spin in [&[][..], &["--spin=50"]] {
        let path = dir.join("s").display().to_string();
        let server = rpc_server(&[&[&*path, "tcp:127.0.0.1:0"], spin].concat(), 2);
        let Addr::Tcp { port, .. } = &server.addrs[1] else { panic!() };
        for args in [["unix", &path], ["tcp", &format!("127.0.0.1:{port}")]] {
            let (code, stdout, stderr) = run(go_peer(&dir).arg("call").args(args));
            assert_eq!((code, stdout.as_str()), (Some(0), "all is well\n"), "{stderr}");
        }
    }
}

#[test]
#[ignore = "needs go"]
fn our_client_calls_a_go_server() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    for args in [["unix", &dir.join("g").display().to_string()], ["tcp", "127.0.0.1:0"]] {
        let server = Server::start(go_peer(&dir).arg("serve").args(args), 1);
        let mut client = Client::dial(&server.addrs[0]).unwrap();
        for n in 0..100 {
            assert_eq!(greet(&mut client, &n.to_string()).unwrap(), format!("Hello, {n}"));
            match client.call::<String>("Greeter.Shout", &"Joe".to_string()) {
                Err(Error::Server(why)) => assert_eq!(why, "rpc: can't find method Greeter.Shout"),
                other => panic!("{other:?}"),
            }
        }
        let large = "x".repeat(1 << 20);
        assert_eq!(greet(&mut client, &large).unwrap(), format!("Hello, {large}"));
        drop(server);
        assert!(matches!(greet(&mut client, "Joe"), Err(Error::Connection(_))));
    }
}

#[test]
#[ignore = "needs curl"]
fn curl_reads_the_page() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s").display().to_string();
    let _server = rpc_server(&[&path], 1);
    let curl = |args: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "--unix-socket", &path, "-w", " %{http_code}"])
            .args(args);
        run(&mut curl)
    };
    let (code, page, _) = curl(&["http://localhost/debug/rpc"]);
    assert!(
        code == Some(0) && page.ends_with(" 200") && page.contains("Divide(main.Args"),
        "{page}"
    );
    assert!(curl(&["http://localhost/"]).1.ends_with("404 page not found\n 404"));
    assert!(curl(&["http://localhost/_goRPC_"]).1.ends_with("405 must CONNECT\n 405"));
    assert!(curl(&["-X", "DELETE", "http://localhost/debug/rpc"]).1.ends_with(" 405"));
}
