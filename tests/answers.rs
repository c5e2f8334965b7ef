//! The answers to the lessons' exercises: each test is named by the question. Those to the echo pair,
//! hello, chat, proxy and private_server are in their own files.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{TempDir, connected, example, over_both, read_all, run, watchdog};

/// Long enough for what has happened to show, and what has not happened does not come later.
const MOMENT: Duration = Duration::from_millis(50);

// stale

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

// framing

/// Three writes, read with a buffer of so many bytes.
fn reads(buffer: usize) -> Vec<String> {
    let (mut near, mut far) = UnixStream::pair().unwrap();
    for word in ["one", "two", "three"] {
        near.write_all(word.as_bytes()).unwrap();
    }
    drop(near);
    let mut buf = vec![0; buffer];
    let mut reads = Vec::new();
    while let n @ 1.. = far.read(&mut buf).unwrap() {
        reads.push(String::from_utf8(buf[..n].to_vec()).unwrap());
    }
    reads
}

#[test]
fn what_do_the_reads_return_if_the_buffer_has_3_bytes_and_if_it_has_100() {
    assert_eq!(reads(3), ["one", "two", "thr", "ee"]);
    assert_eq!(reads(100), ["onetwothree"]);
}

#[test]
fn what_does_receive_return_if_the_message_never_comes() {
    let (mut near, mut far) = UnixStream::pair().unwrap();
    near.write_all(&5u32.to_be_bytes()).unwrap();
    near.write_all(b"one").unwrap();
    drop(near);
    far.read_exact(&mut [0; 4]).unwrap();
    let error = far.read_exact(&mut [0; 5]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

// timeouts

#[test]
fn how_long_can_a_peer_make_read_exact_wait_for_1_mib_if_the_timeout_is_200_ms() {
    // A byte every 200 ms, or a moment before: each read returns one, and starts a new timeout.
    let longest = Duration::from_millis(200) * (1 << 20);
    assert_eq!(longest.as_secs() / 3600, 58);

    // The same, smaller: it waits for longer than its timeout, and does not fail.
    let (mut near, mut far) = UnixStream::pair().unwrap();
    far.set_read_timeout(Some(MOMENT)).unwrap();
    let start = std::time::Instant::now();
    thread::spawn(move || {
        while near.write_all(b"x").is_ok() {
            thread::sleep(MOMENT / 10);
        }
    });
    match far.read_exact(&mut [0; 20]) {
        Ok(()) => assert!(start.elapsed() > MOMENT),
        Err(e) => assert_eq!(e.kind(), ErrorKind::WouldBlock, "and only on a very busy machine"),
    }
}

#[test]
fn what_does_read_exact_return_if_the_peer_closes_after_5_bytes() {
    let (mut near, mut far) = UnixStream::pair().unwrap();
    far.set_read_timeout(Some(Duration::from_secs(100))).unwrap();
    near.write_all(b"01234").unwrap();
    drop(near);
    assert_eq!(far.read_exact(&mut [0; 10]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn why_is_a_connection_of_little_use_once_read_exact_on_it_has_timed_out() {
    over_both(|addr| {
        let (mut near, mut far) = connected(addr);
        far.set_read_timeout(Some(MOMENT)).unwrap();
        near.write_all(b"01234").unwrap();
        assert_eq!(far.read_exact(&mut [0; 10]).unwrap_err().kind(), ErrorKind::WouldBlock);
        // The next ten bytes are no message.
        near.write_all(b"56789abcdefghij").unwrap();
        far.set_read_timeout(None).unwrap();
        let mut message = [0; 10];
        far.read_exact(&mut message).unwrap();
        assert_eq!(&message, b"56789abcde");
    });
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
    for _ in 0..2 {
        assert_eq!((&near).write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
    assert_eq!((&near).read(&mut [0]).unwrap(), 0);
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
fn how_often_does_each_way_of_waiting_call_read() {
    // A blocking read is called once, however long it takes; one that may not wait, until it pays.
    let (near, mut far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    for _ in 0..1000 {
        assert_eq!((&near).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    far.write_all(b"x").unwrap();
    assert_eq!((&near).read(&mut [0]).unwrap(), 1);
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
    assert_eq!(ours.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
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
    assert_eq!(ours.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(command);
    assert_eq!(ours.read(&mut [0]).unwrap(), 0);
}

// datagram

#[test]
fn what_does_recv_return_for_an_empty_message_and_once_the_other_end_has_closed() {
    let (near, far) = UnixDatagram::pair().unwrap();
    near.send(b"").unwrap();
    assert_eq!(far.recv(&mut [0; 8]).unwrap(), 0); // so 0 cannot mean the end
    drop(near);
    far.set_read_timeout(Some(MOMENT)).unwrap();
    assert_eq!(far.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock); // it waits
}

#[test]
#[cfg(target_os = "linux")]
fn how_many_messages_of_4096_bytes_does_a_pair_hold() {
    let fill = |size: usize| {
        let (near, _far) = UnixDatagram::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        (0..).take_while(|_| near.send(&vec![0; size]).is_ok()).count()
    };
    let (small, large) = (fill(1), fill(4096));
    println!("{small} of 1 byte, {large} of 4,096"); // 278 and 26, unless wmem_default was changed
    assert!(0 < large && large < small);
    assert!(large * 4096 > small, "the bookkeeping for a message outweighs a byte by far");
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
            assert_eq!((&conn).read(&mut request).unwrap_err().kind(), ErrorKind::WouldBlock);
            drop(conn);
            assert_eq!(client.join().unwrap().0, Some(0));
        });
    });
}
