//! The lesson `proxy`, from each kind of socket to each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{Random, TempDir, example, read_all, watchdog};

struct Proxy {
    child: Child,
    stderr: BufReader<ChildStderr>,
    addr: Addr,
}

impl Proxy {
    fn start(here: &Addr, there: &Addr) -> Proxy {
        let mut command = Command::new(example("proxy"));
        command.args([here.to_string(), there.to_string()]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let addr = line.trim_end().strip_prefix("listening on ").unwrap().parse().unwrap();
        Proxy { child, stderr, addr }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The client's end and the server's of a connection through the proxy, for each pair of kinds.
fn over_all(body: impl Fn(Conn, Conn)) {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let tcp: Addr = "tcp:127.0.0.1:0".parse().unwrap();
    let (here, there) = (Addr::from(dir.join("here")), Addr::from(dir.join("there")));
    for (here, there) in [(&here, &tcp), (&tcp, &there), (&here, &there), (&tcp, &tcp)] {
        println!("from {here} to {there}");
        let server = Listener::bind(there).unwrap();
        let proxy = Proxy::start(here, &server.local_addr().unwrap());
        let client = Conn::connect(&proxy.addr).unwrap();
        let (server, _) = server.accept().unwrap();
        body(client, server);
    }
}

/// What `nc -N` would wait for otherwise: a server that has not seen the end does not end, either.
#[test]
fn a_half_close_is_passed_on_and_the_other_direction_goes_on() {
    over_all(|client, server| {
        for (one, other) in [(&client, &server), (&server, &client)] {
            let (mut one, mut back) = (one, other);
            one.write_all(b"all there is").unwrap();
            one.shutdown(Shutdown::Write).unwrap();
            let mut text = [0; 12];
            back.read_exact(&mut text).unwrap();
            assert_eq!((&text, back.read(&mut [0]).unwrap()), (b"all there is", 0));
        }
    });
}

/// Without the two shutdowns, two wait for each other: the server, in `read` below, for the client's
/// next bytes, and the proxy's thread that reads from the server.
#[test]
fn who_hangs_if_a_client_is_reset_while_its_server_waits() {
    over_all(|client, server| {
        // It goes with something unread, which is a reset. The server learns that it is gone.
        (&server).write_all(b"unread").unwrap();
        (&client).read_exact(&mut [0]).unwrap();
        drop(client);
        let _ = (&server).read(&mut [0]);
        while (&server).write_all(&[0; 1 << 16]).is_ok() {}
    });
}

#[test]
fn a_server_that_vanishes_ends_the_client() {
    over_all(|client, server| {
        (&client).write_all(b"unread").unwrap();
        (&server).read_exact(&mut [0]).unwrap();
        drop(server);
        let _ = (&client).read_to_end(&mut Vec::new());
        while (&client).write_all(&[0; 1 << 16]).is_ok() {}
    });
}

#[test]
fn nobody_at_the_other_address() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let nobody = Addr::from(dir.join("nobody"));
    let mut proxy = Proxy::start(&"tcp:127.0.0.1:0".parse().unwrap(), &nobody);
    for _ in 0..2 {
        assert_eq!(read_all(Conn::connect(&proxy.addr).unwrap()), b"");
        let mut line = String::new();
        proxy.stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("cannot connect to {nobody}: ")), "{line}");
    }
}

/// A MiB of noise that says which it is.
fn block(noise: &[u8], number: u64) -> Vec<u8> {
    [&number.to_le_bytes(), &noise[8..]].concat()
}

/// Sends `blocks` and half-closes, and takes as many from the other end, at once.
fn exchange(conn: &Conn, blocks: u64, ours: &[u8], theirs: &[u8]) {
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..blocks {
                (&mut &*conn).write_all(&block(ours, number)).unwrap();
            }
            conn.shutdown(Shutdown::Write).unwrap();
        });
        let mut got = vec![0; theirs.len()];
        for number in 0..blocks {
            (&mut &*conn).read_exact(&mut got).unwrap();
            assert!(got == block(theirs, number), "block {number} differs");
        }
        assert_eq!((&mut &*conn).read(&mut [0]).unwrap(), 0);
    });
}

fn intact(blocks: u64) {
    let [one, two] = [1, 2].map(|seed| Random(seed).bytes(1 << 20));
    over_all(|client, server| {
        thread::scope(|scope| {
            scope.spawn(|| exchange(&client, blocks, &one, &two));
            exchange(&server, blocks, &two, &one);
        });
    });
}

#[test]
fn both_ways_at_once_64_mib_arrive_intact() {
    intact(64);
}

#[test]
#[ignore = "moves 8 GiB: some 20 s"]
fn both_ways_at_once_1_gib_arrives_intact() {
    intact(1024);
}
