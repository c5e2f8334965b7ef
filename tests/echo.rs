//! The echo pair as a person meets it: processes with arguments, output and an exit status.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

mod common;
#[path = "common/lesson.rs"]
mod lesson;

use common::{
    MAX_PATH, Random, Server, TempDir, assert_silent, example, over_both, read_all, run,
    wait_until, watchdog,
};
use lesson::{build, source};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

fn program(name: &str) -> Command {
    Command::new(example(name))
}

fn echo_server(addr: &Addr) -> Server {
    Server::start(program("echo_server").arg(addr.to_string()), 1)
}

/// Removes the file that a killed server leaves.
fn clean(addr: &Addr) {
    if let Addr::Unix(path) = addr {
        fs::remove_file(path).unwrap();
    }
}

/// Sends the bytes and half-closes, and takes the answer meanwhile.
fn exchange(conn: &Conn, bytes: &[u8]) -> Vec<u8> {
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut conn = conn;
            conn.write_all(bytes).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
        });
        read_all(conn)
    })
}

#[test]
fn the_pair() {
    over_both(|addr| {
        let server = echo_server(addr);
        let bound = server.addrs[0].to_string();
        for (words, answer) in [
            (&[][..], "hello\n"),
            (&["hello  there", "-"], "hello  there -\n"),
            (&["-n", "--help"], "-n --help\n"),
        ] {
            let result = run(program("echo_client").arg(&bound).args(words));
            assert_eq!(result, (Some(0), answer.into(), "".into()));
        }
        drop(server);
        clean(addr);
    });
}

#[test]
fn what_went_wrong_is_one_sentence() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = |name: &str| dir.join(name).to_str().unwrap().to_string();
    drop(UnixListener::bind(dir.join("stale")).unwrap());
    fs::write(dir.join("regular"), "").unwrap();
    let _live = UnixListener::bind(dir.join("live")).unwrap();
    // Whether a server is running is a good question only where nobody listens.
    let cases = [
        ("echo_client", path("absent"), " (is a server running there?)"),
        ("echo_client", path("stale"), " (is a server running there?)"),
        ("echo_client", path("regular/s"), "(os error 20)"),
        ("echo_client", path(&"x".repeat(200)), "at most 107"),
        ("echo_server", path("no/where"), "(os error 2)"),
        ("echo_server", path("regular"), "and was left as it is"),
        ("echo_server", path("live"), "a live server holds it"),
    ];
    for (name, path, end) in cases {
        let (code, stdout, stderr) = run(program(name).arg(&path));
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with(&format!("{name}: unix:{path}: ")), "{stderr}");
        assert!(
            stderr.trim_end().ends_with(&end.replace("107", &MAX_PATH.to_string())),
            "{stderr}"
        );
    }
}

#[test]
fn an_argument_that_is_no_address_is_answered_with_the_usage() {
    let _watchdog = watchdog();
    for name in ["echo_server", "echo_client", "http_get", "proxy", "chat"] {
        for word in ["--help", "nonsense"] {
            let (code, stdout, stderr) = run(program(name).arg(word));
            assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
            assert!(stderr.starts_with(&format!("{name}: \"{word}\": ")), "{stderr}");
            assert!(stderr.contains(&format!("\nusage: {name} [")), "{stderr}");
        }
    }
}

#[test]
fn the_server_says_over_which_kind_a_client_came() {
    over_both(|addr| {
        let mut server = echo_server(addr);
        assert_eq!(exchange(&server.connect(), b"hi"), b"hi");
        assert_eq!(server.line(), format!("client connected [{}]", addr.network()));
        drop(server);
        clean(addr);
    });
}

#[test]
fn several_addresses_in_one_server() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let unix = Addr::from(dir.join("s"));
    let mut command = program("echo_server");
    command.args([&unix.to_string(), "tcp:127.0.0.1:0", "tcp:127.0.0.1:0"]);
    let server = Server::start(&mut command, 3);
    assert_eq!(server.addrs[0], unix);
    for addr in &server.addrs {
        assert_eq!(exchange(&Conn::connect(addr).unwrap(), b"hi"), b"hi");
    }
}

/// What is bound before one that fails is given back, and nothing is said to be listening.
#[test]
fn of_several_addresses_all_or_none() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let mut command = program("echo_server");
    let (code, _, stderr) = run(command.arg(dir.join("s")).arg(dir.join("no/where")));
    assert_eq!(code, Some(1));
    assert!(!stderr.contains("listening"), "{stderr}");
    assert_eq!(dir.names(), [""; 0]);
}

#[test]
fn a_bare_name() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    // The path is relative, and its directory is `.`.
    let mut command = program("echo_server");
    let server = Server::start(command.arg("unix:bare").current_dir(dir.path()), 1);
    let (code, stdout, _) =
        run(program("echo_client").args(["./bare", "hi"]).current_dir(dir.path()));
    assert_eq!((code, stdout.as_str()), (Some(0), "hi\n"));
    drop(server);
    assert_eq!(dir.names(), ["bare"]);
}

/// Byte for byte, in both directions at once.
#[test]
fn the_client_moves_any_amount() {
    over_both(|addr| {
        let dir = TempDir::new();
        let bytes = Random(5).bytes(20_000_000);
        fs::write(dir.join("in"), &bytes).unwrap();
        let server = echo_server(addr);
        let mut client = program("echo_client");
        client.arg(server.addrs[0].to_string()).arg("-");
        let output = client.stdin(File::open(dir.join("in")).unwrap()).output().unwrap();
        assert!(output.status.success());
        assert!(output.stdout == bytes, "what came back differs");
        drop(server);
        clean(addr);
    });
}

#[test]
fn the_client_says_in_which_direction_it_failed() {
    over_both(|addr| {
        let server = echo_server(addr);
        let bound = server.addrs[0].to_string();
        let mut client = program("echo_client");
        client.args([&bound, "-"]).stdin(File::open("/").unwrap());
        let (code, _, stderr) = run(&mut client);
        assert_eq!(code, Some(1));
        let start = format!("echo_client: {bound}: sending the input: ");
        assert!(stderr.starts_with(&start), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");

        // Nobody reads this, not even a process that another test starts at this moment.
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.shutdown(Shutdown::Both).unwrap();
        let mut client = program("echo_client");
        client.arg(&bound).stdin(Stdio::null()).stdout(OwnedFd::from(theirs));
        let client = client.stderr(Stdio::piped()).spawn().unwrap();
        let output = client.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let start = format!("echo_client: {bound}: printing the answer: ");
        assert!(stderr.starts_with(&start), "{stderr}");
        assert_eq!(output.status.code(), Some(1));
        drop(server);
        clean(addr);
    });
}

/// Runs the client while `answer` is its server, a number of times.
fn with_answer(times: usize, answer: fn(Conn), expected: impl Fn(&str) -> (i32, String, String)) {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap().to_string();
        for _ in 0..times {
            thread::scope(|scope| {
                let client = scope.spawn(|| run(program("echo_client").arg(&bound)));
                answer(listener.accept().unwrap().0);
                let (code, stdout, stderr) = expected(&bound);
                assert_eq!(client.join().unwrap(), (Some(code), stdout, stderr));
            });
        }
    });
}

#[test]
fn the_client_says_when_fewer_bytes_come_back_than_it_sent() {
    let half = |mut conn: Conn| {
        assert_eq!(read_all(&conn), b"hello\n");
        conn.write_all(b"hel").unwrap();
    };
    with_answer(1, half, |bound| {
        (1, "hel".into(), format!("echo_client: {bound}: sent 6 bytes, and 3 came back\n"))
    });
}

/// It need not wait for the client's half-close.
#[test]
fn a_server_may_answer_once_and_close() {
    let once = |mut conn: Conn| {
        let mut line = [0; 6];
        conn.read_exact(&mut line).unwrap();
        conn.write_all(&line).unwrap();
    };
    with_answer(50, once, |_| (0, "hello\n".into(), "".into()));
}

#[test]
fn the_server_survives_its_clients() {
    over_both(|addr| {
        let server = echo_server(addr);
        let mut deaf = server.connect();
        deaf.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        while deaf.write_all(&[b'x'; 1 << 16]).is_ok() {}
        for round in 0..20 {
            // One is killed while it sends, as a process: nothing of it is orderly.
            let mut killed = program("echo_client");
            killed.arg(server.addrs[0].to_string()).arg("-");
            let mut killed = killed.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            killed.stdin.take().unwrap().write_all(b"half\na mess").unwrap();
            if round % 2 == 0 {
                killed.stdout.take().unwrap().read_exact(&mut [0; 4]).unwrap();
            }
            killed.kill().unwrap();
            killed.wait().unwrap();
            assert_eq!(exchange(&server.connect(), b"well"), b"well");
        }
        drop(server);
        clean(addr);
    });
}

// The exercises.

#[test]
fn what_does_echo_server_say_after_ctrl_c_and_what_does_a_second_one_say_beside_it() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let addr = Addr::from(dir.join("s"));
    drop(echo_server(&addr)); // killed: the file is there
    assert_eq!(dir.names(), ["s"]);
    let _again = echo_server(&addr); // and is taken over

    let (code, _, stderr) = run(program("echo_server").arg(addr.to_string()));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("a live server holds it"), "{stderr}");
}

#[test]
fn what_does_the_second_of_two_clients_see_if_max_clients_is_1() {
    over_both(|addr| {
        common::with_server(addr, 1, common::echo, |addr| {
            let mut first = Conn::connect(addr).unwrap();
            first.write_all(b"x").unwrap();
            first.read_exact(&mut [0]).unwrap();

            // It connects, and can write: the kernel does that. Only the answer does not come,
            let mut second = Conn::connect(addr).unwrap();
            second.write_all(b"x").unwrap();
            second.set_read_timeout(Some(MOMENT)).unwrap();
            assert_silent(&second);

            // until the first has left.
            second.set_read_timeout(None).unwrap();
            drop(first);
            second.read_exact(&mut [0]).unwrap();
        });
    });
}

#[test]
fn what_harm_can_clients_do_that_connect_and_say_nothing_and_what_would_prevent_it() {
    over_both(|addr| {
        for timeout in [None, Some(MOMENT)] {
            let (start, started) = mpsc::channel();
            let handler = |conn: Conn| {
                start.send(()).unwrap();
                conn.set_read_timeout(timeout).unwrap();
                common::echo(conn);
            };
            common::with_server(addr, 1, handler, |addr| {
                let _silent = Conn::connect(addr).unwrap();
                started.recv().unwrap();
                let next = || {
                    let mut conn = Conn::connect(addr)?;
                    conn.set_read_timeout(Some(MOMENT))?;
                    conn.write_all(b"x")?;
                    conn.read_exact(&mut [0])
                };
                match timeout {
                    // The silent one keeps its place, the only one, for as long as it likes.
                    None => assert_eq!(next().unwrap_err().kind(), ErrorKind::WouldBlock),
                    // It loses its place, though it is still there. (As does who is slow: again.)
                    Some(_) => wait_until(|| next().is_ok()),
                }
            });
        }
    });
}

/// A client with more on its standard input than any buffers hold.
fn with_big_input(client: &Path, dir: &TempDir, server: &Server) -> Command {
    File::create(dir.join("big")).unwrap().set_len(256 << 20).unwrap();
    let mut command = Command::new(client);
    command.arg(server.addrs[0].to_string()).arg("-");
    command.stdin(File::open(dir.join("big")).unwrap());
    command
}

#[test]
fn what_becomes_of_a_big_file_if_everything_is_sent_before_anything_is_received() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let changed = source(
        "echo_client",
        &[
            ("thread::scope(|scope| {", "thread::scope(|_| {"),
            ("let sender = scope.spawn(|| send(input, conn));", "let result = send(input, conn);"),
            ("let result = sender.join().unwrap();", ""),
            // Or it would hang for ever.
            (
                "let conn = connect(&addr)?;",
                "let conn = connect(&addr)?; \
                 conn.set_write_timeout(Some(std::time::Duration::from_millis(500)))?;",
            ),
        ],
    );
    let client = build(&dir, "echo_client", &changed);
    over_both(|addr| {
        let server = echo_server(addr);
        let (code, received, stderr) = run(&mut with_big_input(&client, &dir, &server));
        // Both waited in write, each for the other to read.
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains("sending the input: Resource temporarily unavailable"), "{stderr}");
        assert!(received.len() < 256 << 20);
        drop(server);
        clean(addr);
    });
}

#[test]
fn what_hangs_without_the_shutdown_if_standard_output_is_closed_early() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let changed = source("echo_client", &[("let _ = conn.shutdown(Shutdown::Both);", "")]);
    let changed = build(&dir, "echo_client", &changed);
    over_both(|addr| {
        let server = echo_server(addr);
        let start = |client: &Path| {
            let mut client = with_big_input(client, &dir, &server);
            let client = client.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut client = client.spawn().unwrap();
            client.stdout.take().unwrap().read_exact(&mut [0]).unwrap(); // and close it
            client
        };
        assert_eq!(start(&example("echo_client")).wait().unwrap().code(), Some(1));
        // The sender waits in write for the server, which waits in write for the receiver.
        let mut hangs = start(&changed);
        thread::sleep(MOMENT * 4);
        assert!(hangs.try_wait().unwrap().is_none());
        hangs.kill().unwrap();
        hangs.wait().unwrap();
        drop(server);
        clean(addr);
    });
}

/// Over Unix, the next write fails. Over TCP, it succeeds and brings back the reset: the one after it fails.
#[test]
fn what_does_echo_client_say_if_the_server_is_killed_while_it_waits_for_input_and_when() {
    over_both(|addr| {
        let server = echo_server(addr);
        let mut client = program("echo_client");
        client.arg(server.addrs[0].to_string()).arg("-").stdin(Stdio::piped());
        let mut client = client.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = client.stdin.take().unwrap();
        input.write_all(b"a line\n").unwrap();
        client.stdout.as_mut().unwrap().read_exact(&mut [0; 7]).unwrap();
        drop(server);
        // One of its threads learns it at once. The other waits for a person who types, and so nothing is said.
        thread::sleep(MOMENT);
        assert!(client.try_wait().unwrap().is_none());

        while client.try_wait().unwrap().is_none() {
            let _ = input.write_all(b"another\n");
            thread::sleep(MOMENT / 10);
        }
        let stderr = String::from_utf8(read_all(client.stderr.take().unwrap())).unwrap();
        assert!(stderr.ends_with(": Broken pipe (os error 32)\n"), "{stderr}");
        assert_eq!(client.wait().unwrap().code(), Some(1));
        clean(addr);
    });
}
