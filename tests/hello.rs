//! The lessons `hello_server` and `hello_client`, at a path of the test's own, and their exercises.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

mod common;
#[path = "common/lesson.rs"]
mod lesson;

use common::{Server, TempDir, assert_silent, read_all, run, watchdog};
use lesson::{build, source};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

#[test]
fn what_does_hello_server_say_after_ctrl_c_and_hello_client_without_a_server() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let [server, client] =
        ["hello_server", "hello_client"].map(|name| build(&dir, name, &source(name, &[])));

    let error = |program: &Path| {
        let (code, _, stderr) = run(&mut Command::new(program));
        assert_eq!(code, Some(1));
        stderr
    };
    assert!(error(&client).contains("kind: NotFound"), "no server was ever started");
    let running = Server::start(&mut Command::new(&server), 1);
    for _ in 0..2 {
        assert_eq!(run(&mut Command::new(&client)), (Some(0), "hello\n".into(), "".into()));
    }
    drop(running);
    assert!(error(&client).contains("kind: ConnectionRefused"), "the file is there, and nobody");
    assert!(error(&server).contains("kind: AddrInUse"));
    fs::remove_file(dir.join("echo.sock")).unwrap();
    Server::start(&mut Command::new(&server), 1);
}

/// The change that the README shows, and what it cures.
#[test]
fn two_lines_make_it_a_server_of_the_library_and_the_stale_file_is_taken_over() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let changed = source(
        "hello_server",
        &[
            ("use std::os::unix::net::UnixListener;", "use streamsock::Listener;"),
            (
                r#"UnixListener::bind("/tmp/echo.sock")?;"#,
                r#"Listener::bind(&"/tmp/echo.sock".parse()?)?;"#,
            ),
        ],
    );
    let server = build(&dir, "hello_server", &changed);
    for _ in 0..3 {
        let _running = Server::start(&mut Command::new(&server), 1);
        let mut conn = UnixStream::connect(dir.join("echo.sock")).unwrap();
        conn.write_all(b"hello").unwrap();
        conn.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(read_all(conn), b"hello");
    }
}

#[test]
fn what_does_a_second_client_see_while_the_first_is_there_without_a_thread() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let lesson = source("hello_server", &[]);
    let (before, rest) = lesson.split_once("\n        std::thread::spawn(").unwrap();
    let (_, after) = rest.split_once("});").unwrap();
    let changed = format!("{before}\nlet _ = echo(conn);{after}");
    let program = build(&dir, "hello_server", &changed);
    let _server = Server::start(&mut Command::new(program), 1);
    let connect = || UnixStream::connect(dir.join("echo.sock")).unwrap();

    let first = connect();
    let mut second = connect(); // the kernel connects it, and queues what it writes
    second.write_all(b"x").unwrap();
    second.set_read_timeout(Some(MOMENT)).unwrap();
    assert_silent(&second);

    second.set_read_timeout(None).unwrap();
    drop(first);
    second.read_exact(&mut [0]).unwrap();
}

#[test]
fn who_waits_for_whom_without_the_half_close() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let changed = source("hello_client", &[("    conn.shutdown(Shutdown::Write)?;\n", "")]);
    let client = build(&dir, "hello_client", &changed);
    let listener = UnixListener::bind(dir.join("echo.sock")).unwrap();
    let mut client = Command::new(client).stdout(Stdio::piped()).spawn().unwrap();

    // A server, as far as its first answer.
    let (mut conn, _) = listener.accept().unwrap();
    let mut line = [0; 6];
    conn.read_exact(&mut line).unwrap();
    conn.write_all(&line).unwrap();
    // It waits in read for more, and the client for it to close.
    conn.set_read_timeout(Some(MOMENT)).unwrap();
    assert_silent(&conn);
    assert!(client.try_wait().unwrap().is_none());
    drop(conn);
    assert_eq!(client.wait_with_output().unwrap().stdout, b"hello\n");
}

#[test]
fn how_many_turns_does_the_loop_take_for_3000_bytes() {
    let (mut client, mut server) = UnixStream::pair().unwrap();
    client.write_all(&[b'x'; 3000]).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut buf = [0; 1024];
    let turns: Vec<_> = (0..4).map(|_| server.read(&mut buf).unwrap()).collect();
    assert_eq!(turns, [1024, 1024, 952, 0]);
}

/// The question of the lesson `timeouts`.
#[test]
#[cfg(target_os = "linux")]
fn what_does_a_client_cost_that_connects_and_is_silent() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let server = Server::start(
        &mut Command::new(build(&dir, "hello_server", &source("hello_server", &[]))),
        1,
    );
    let process = Path::new("/proc").join(server.child.id().to_string());
    let count = |what: &str| fs::read_dir(process.join(what)).unwrap().count();
    let (threads, descriptors) = (count("task"), count("fd"));
    let silent: Vec<_> =
        (0..3).map(|_| UnixStream::connect(dir.join("echo.sock")).unwrap()).collect();
    common::wait_until(|| count("task") == threads + 3 && count("fd") == descriptors + 3);
    drop(silent);
    common::wait_until(|| count("task") == threads && count("fd") == descriptors);
    drop(server);

    // With few descriptors, it ends at one client too many.
    fs::remove_file(dir.join("echo.sock")).unwrap();
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 20 && exec \"$0\""]).arg(dir.join("hello_server"));
    let mut server = Server::start(&mut few, 1);
    let _silent: Vec<_> = (0..20).map(|_| UnixStream::connect(dir.join("echo.sock"))).collect();
    assert_eq!(server.child.wait().unwrap().code(), Some(1));
}
