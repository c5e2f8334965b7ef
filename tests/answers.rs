//! The answers to the lessons' exercises: each test is named by the question. Those about messages are
//! in `messages.rs`, and those of the echo pair, hello, chat, proxy and private_server in their own
//! files.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{
    TempDir, assert_silent, connected, example, over_both, read_all, run, wait_until, watchdog,
};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

// stale

#[test]
fn which_of_the_four_cases_look_alike_to_connect_and_which_to_bind() {
    let dir = TempDir::new();
    let (_, text, _) = run(Command::new(example("stale")).env("TMPDIR", dir.path()));
    let answers = |call: &str| -> Vec<_> {
        let answer = |line| str::strip_prefix(line, &format!("  {call:17}  "));
        text.lines().filter_map(answer).collect()
    };
    let [nothing, live, dead, regular] = answers("connect")[..] else { panic!("{text}") };
    assert!(dead == regular && live != dead && nothing != dead && nothing != live, "{text}");
    let [nothing, live, dead, regular] = answers("bind")[..] else { panic!("{text}") };
    assert!(live == dead && dead == regular && nothing != live, "{text}");
}

#[test]
fn what_do_connect_and_bind_say_of_a_directory_and_of_a_path_in_no_directory() {
    let dir = TempDir::new();
    let connect = UnixStream::connect(dir.path()).unwrap_err();
    assert_eq!(connect.kind(), ErrorKind::ConnectionRefused); // as of a dead server
    assert_eq!(UnixListener::bind(dir.path()).unwrap_err().kind(), ErrorKind::AddrInUse);
    let library = Listener::bind(&Addr::from(dir.path())).unwrap_err();
    assert_eq!(library.kind(), ErrorKind::AddrInUse);
    assert!(library.to_string().contains("directory"), "{library}");
    assert!(dir.path().is_dir());

    let nowhere = dir.join("no/where");
    assert_eq!(UnixStream::connect(&nowhere).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(UnixListener::bind(&nowhere).unwrap_err().kind(), ErrorKind::NotFound);
    let library = Listener::bind(&Addr::from(nowhere)).unwrap_err();
    assert_eq!(library.kind(), ErrorKind::NotFound);
}

#[test]
fn what_goes_wrong_if_a_server_removes_whatever_is_at_its_path() {
    let dir = TempDir::new();
    let path = dir.join("s");
    let first = UnixListener::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let second = UnixListener::bind(&path).unwrap();
    // The first one still listens. No client will ever find it, and nobody tells it so.
    let _client = UnixStream::connect(&path).unwrap();
    second.accept().unwrap();
    first.set_nonblocking(true).unwrap();
    assert_eq!(first.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

// endings

/// Writes until that fails.
#[cfg(target_os = "linux")]
fn first_error(mut conn: &Conn) -> ErrorKind {
    loop {
        if let Err(e) = conn.write(b"x") {
            return e.kind();
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_does_the_second_write_after_a_close_return_over_unix() {
    let (near, far) = Conn::pair().unwrap();
    drop(far);
    // It is closed now, unless a process that another test starts has it still: until it is executed.
    assert_eq!((&near).read(&mut [0]).unwrap(), 0);
    for _ in 0..2 {
        assert_eq!((&near).write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_does_the_second_write_after_a_close_return_over_tcp() {
    let (near, far) = connected(&"tcp:127.0.0.1:0".parse().unwrap());
    drop(far);
    // The first is sent, as the other end might only have half-closed. The answer is a reset, and
    // once that has come (at once, but not for certain), a write fails.
    assert_eq!((&near).read(&mut [0]).unwrap(), 0);
    assert_eq!((&near).write(b"x").unwrap(), 1);
    assert_eq!(first_error(&near), ErrorKind::BrokenPipe);
}

#[test]
#[cfg(target_os = "linux")]
fn where_does_the_reset_show_if_you_write_before_you_read() {
    over_both(|addr| {
        let (near, far) = connected(addr);
        (&near).write_all(b"unread").unwrap();
        drop(far);
        let after = |kind| (kind, (&near).read(&mut [0]).map_err(|e| e.kind()));
        let (write, read) = after(first_error(&near));
        match addr.network() {
            // The write hears that nobody is there, and the read what became of the earlier bytes.
            "unix" => {
                assert_eq!((write, read), (ErrorKind::BrokenPipe, Err(ErrorKind::ConnectionReset)))
            }
            // Whichever call comes first hears of the reset.
            _ => assert_eq!((write, read), (ErrorKind::ConnectionReset, Ok(0))),
        }
    });
}

// deadlock

#[test]
fn does_it_get_stuck_if_one_end_reads_first() {
    let _watchdog = watchdog();
    let (mut near, mut far) = UnixStream::pair().unwrap();
    let bytes = vec![b'x'; 16 << 20];
    thread::scope(|scope| {
        scope.spawn(|| {
            far.read_exact(&mut vec![0; bytes.len()]).unwrap();
            far.write_all(&bytes).unwrap();
        });
        near.write_all(&bytes).unwrap();
        near.read_exact(&mut vec![0; bytes.len()]).unwrap();
    });
}

/// As much as fits the buffer, which the system sizes (net.core.wmem_default) and fills with its own
/// bookkeeping, too: the more writes, the less. No program may count on it.
#[test]
fn at_which_size_does_a_write_start_to_wait() {
    let (mut near, _far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let mut fits = |chunk: usize| {
        let mut sent = 0;
        while let Ok(n) = near.write(&vec![b'x'; chunk]) {
            sent += n;
        }
        sent
    };
    let large = fits(1 << 20);
    println!("{large} bytes fit");
    assert!((1024..16 << 20).contains(&large), "{large}");
    assert_eq!(fits(1), 0);
}

// waiting

#[test]
fn how_often_does_each_call_read() {
    let _watchdog = watchdog();
    // On a busy machine, the byte may be there before the first read, for which one is enough: again.
    wait_until(|| {
        let (_, text, _) = run(&mut Command::new(example("waiting")));
        let reads = |line: &str| line[16..].split_whitespace().next()?.parse().ok();
        let reads: Vec<u32> = text.lines().filter_map(reads).collect();
        let [block, time_out, poll, nap] = reads[..] else { panic!("{text}") };
        assert_eq!(block, 1, "{text}");
        // The one that never sleeps, which keeps a CPU busy, reads most often.
        1 < time_out && time_out < nap && nap < poll
    });
}

// nagle

#[test]
fn does_nagle_hold_a_small_write_back_on_a_unix_socket() {
    let (mut near, mut far) = Conn::pair().unwrap();
    near.set_nodelay(false).unwrap(); // nothing to turn off
    assert!(near.nodelay().unwrap());
    near.write_all(b"head").unwrap();
    near.write_all(b"body").unwrap();
    // Both are there, though nobody has read or acknowledged anything.
    far.set_nonblocking(true).unwrap();
    let mut request = [0; 8];
    assert_eq!(far.read(&mut request).unwrap(), 8);
    assert_eq!(&request, b"headbody");
}

// child

#[test]
fn what_happens_without_the_shutdown() {
    let _watchdog = watchdog();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut child = Command::new("sort")
        .stdin(OwnedFd::from(theirs.try_clone().unwrap()))
        .stdout(OwnedFd::from(theirs))
        .spawn()
        .unwrap();
    ours.write_all(b"b\na\n").unwrap();
    // Both wait: sort for more, we for its answer.
    ours.set_read_timeout(Some(MOMENT)).unwrap();
    assert_silent(&ours);
    ours.shutdown(Shutdown::Write).unwrap();
    ours.set_read_timeout(None).unwrap();
    assert_eq!(read_all(&ours), b"a\nb\n");
    assert!(child.wait().unwrap().success());
}

#[test]
fn why_does_it_hang_if_the_command_is_kept() {
    let _watchdog = watchdog();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new("true");
    command.stdin(Stdio::null()).stdout(OwnedFd::from(theirs));
    assert!(command.status().unwrap().success());
    // The child has ended, and its end is still open: here, in `command`.
    ours.set_read_timeout(Some(MOMENT)).unwrap();
    assert_silent(&ours);
    drop(command);
    ours.set_read_timeout(None).unwrap();
    assert_eq!(ours.read(&mut [0]).unwrap(), 0);
}

// http_get

#[test]
fn why_does_http_get_hang_at_an_echo_server() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap().to_string();
        thread::scope(|scope| {
            let client = scope.spawn(|| run(Command::new(example("http_get")).arg(&bound)));
            let (conn, _) = listener.accept().unwrap();
            let mut request = [0; 256];
            let n = (&conn).read(&mut request).unwrap();
            (&conn).write_all(&request[..n]).unwrap();
            // The client waits for the end of the answer, and does not end its own direction.
            conn.set_read_timeout(Some(MOMENT)).unwrap();
            assert_silent(&conn);
            drop(conn);
            assert_eq!(client.join().unwrap().0, Some(0));
        });
    });
}
