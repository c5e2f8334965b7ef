//! The lesson `proxy`, from each kind of socket to each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

mod common;
#[path = "common/lesson.rs"]
mod lesson;

use common::{Random, TempDir, assert_silent, example, read_all, watchdog};
use lesson::{build, source};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

struct Proxy {
    child: Child,
    stderr: BufReader<ChildStderr>,
    addr: Addr,
}

impl Proxy {
    fn start(program: &Path, here: &Addr, there: &Addr) -> Proxy {
        let mut command = Command::new(program);
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
    over_all_with(&example("proxy"), body);
}

fn over_all_with(program: &Path, body: impl Fn(Conn, Conn)) {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let tcp: Addr = "tcp:127.0.0.1:0".parse().unwrap();
    let (here, there) = (Addr::from(dir.join("here")), Addr::from(dir.join("there")));
    for (here, there) in [(&here, &tcp), (&tcp, &there), (&here, &there), (&tcp, &tcp)] {
        println!("from {here} to {there}");
        let server = Listener::bind(there).unwrap();
        let proxy = Proxy::start(program, here, &server.local_addr().unwrap());
        let client = Conn::connect(&proxy.addr).unwrap();
        let (server, _) = server.accept().unwrap();
        body(client, server);
    }
}

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

/// The client goes with something unread, which is a reset.
fn reset(mut client: Conn, mut server: &Conn) {
    server.write_all(b"unread").unwrap();
    client.read_exact(&mut [0]).unwrap();
    drop(client);
}

#[test]
fn a_client_that_is_reset_ends_the_server() {
    over_all(|client, server| {
        reset(client, &server);
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
    let mut proxy = Proxy::start(&example("proxy"), &"tcp:127.0.0.1:0".parse().unwrap(), &nobody);
    for _ in 0..2 {
        assert_eq!(read_all(Conn::connect(&proxy.addr).unwrap()), b"");
        let mut line = String::new();
        proxy.stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("proxy: {nobody}: ")), "{line}");
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
            let mut writer = conn;
            for number in 0..blocks {
                writer.write_all(&block(ours, number)).unwrap();
            }
            conn.shutdown(Shutdown::Write).unwrap();
        });
        let mut reader = conn;
        let mut got = vec![0; theirs.len()];
        for number in 0..blocks {
            reader.read_exact(&mut got).unwrap();
            assert!(got == block(theirs, number), "block {number} differs");
        }
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
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

// The exercises.

#[test]
fn what_would_a_client_wait_for_if_the_proxy_kept_its_half_close_to_itself() {
    let dir = TempDir::new();
    let changed = source("proxy", &[("let _ = to.shutdown(Shutdown::Write);", "")]);
    over_all_with(&build(&dir, "proxy", &changed), |client, server| {
        client.shutdown(Shutdown::Write).unwrap();
        // For the answer of a server that still waits for more of the question.
        server.set_read_timeout(Some(MOMENT)).unwrap();
        assert_silent(&server);
    });
}

#[test]
fn what_stays_open_without_the_shutdowns_if_a_client_is_reset() {
    let dir = TempDir::new();
    let both = "            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
";
    let changed = build(&dir, "proxy", &source("proxy", &[(both, "")]));
    over_all_with(&changed, |client, server| {
        reset(client, &server);
        // The server waits for the client, and the proxy's other thread for the server,
        server.set_read_timeout(Some(MOMENT)).unwrap();
        assert_silent(&server);
        // until the server says something: there is nobody to pass it on to.
        server.set_read_timeout(None).unwrap();
        while (&server).write_all(&[0; 1 << 16]).is_ok() {}
    });
}

#[test]
fn when_does_it_end_if_a_client_half_closes_and_its_server_neither_answers_nor_closes() {
    let half_close = |client: &Conn, server: &Conn| {
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!({ server }.read(&mut [0]).unwrap(), 0);
        client.set_read_timeout(Some(MOMENT)).unwrap();
        assert_silent(client);
        client.set_read_timeout(None).unwrap();
    };
    // Once the server closes,
    over_all(|client, server| {
        half_close(&client, &server);
        drop(server);
        assert_eq!((&client).read(&mut [0]).unwrap(), 0);
    });
    // or, though the client has closed long ago, once it sends something.
    over_all(|client, server| {
        half_close(&client, &server);
        drop(client);
        thread::sleep(MOMENT);
        // Over a Unix socket, this says that the proxy has not closed. TCP would not notice.
        (&server).write_all(b"x").unwrap();
        while (&server).write_all(&[0; 1 << 16]).is_ok() {}
    });
}
