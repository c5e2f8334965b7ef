//! Proofs of what the course answers to the exercises: each test is named by the question. Those
//! about messages are in `messages.rs`, those of part 3 in `one_host.rs`, and those of hello and
//! some others in files named after them.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

mod common;
#[path = "common/lesson.rs"]
mod lesson;

use common::{TempDir, run, watchdog};
#[cfg(target_os = "linux")]
use common::{connected, over_both};
use lesson::{build, source};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

// stale

#[test]
fn what_are_the_answers_if_the_path_is_a_directory_and_if_its_directory_does_not_exist() {
    let dir = TempDir::new();
    let connect = UnixStream::connect(dir.path()).unwrap_err();
    assert_eq!(connect.kind(), ErrorKind::ConnectionRefused); // as of a regular file
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
fn does_so_reuseaddr_still_help_if_the_first_server_is_there() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let again = TcpListener::bind(server.local_addr().unwrap());
    TcpStream::connect(server.local_addr().unwrap()).unwrap();
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AddrInUse);
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

#[test]
#[cfg(target_os = "linux")]
fn which_case_is_it_like_if_the_peer_reads_4_of_10_bytes_and_closes() {
    over_both(|addr| {
        let (near, far) = connected(addr);
        (&near).write_all(b"0123456789").unwrap();
        (&far).read_exact(&mut [0; 4]).unwrap();
        drop(far);
        assert_eq!((&near).read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn which_call_reports_the_reset_if_you_write_before_you_read() {
    over_both(|addr| {
        let (near, far) = connected(addr);
        (&near).write_all(b"unread").unwrap();
        drop(far);
        let write = loop {
            // Over TCP the reset may come a moment later.
            if let Err(e) = (&near).write(b"x") {
                break e.kind();
            }
        };
        let read = (&near).read(&mut [0]).map_err(|e| e.kind());
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

#[test]
#[cfg(target_os = "linux")]
fn a_rust_program_ignores_sigpipe() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
    assert_ne!(ignored & 1 << (13 - 1), 0, "SIGPIPE is 13");
}

// deadlock

#[test]
fn do_they_get_stuck_if_one_of_them_reads_first_and_then_writes() {
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

/// From one byte more than fits the buffer in one write. The system sizes it
/// (net.core.wmem_default) and fills it with its own bookkeeping, too: in small writes, much less
/// fits.
#[test]
fn from_which_size_on_does_it_fail() {
    let fits = |chunk: usize| {
        let (mut near, _far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(n) = near.write(&vec![b'x'; chunk]) {
            sent += n;
        }
        sent
    };
    let (in_one, in_bytes) = (fits(16 << 20), fits(1));
    println!("{in_one} bytes fit in one write, {in_bytes} in writes of a byte");
    assert!((64 << 10..16 << 20).contains(&in_one), "{in_one}");
    assert!(in_bytes < in_one);

    // Both write first, as in the lesson. A size that fits works, and one byte more is stuck.
    let write_then_read = |mut conn: &UnixStream, size: usize| {
        conn.set_write_timeout(Some(MOMENT)).unwrap();
        conn.write_all(&vec![b'x'; size]).and_then(|()| conn.read_exact(&mut vec![0; size]))
    };
    for (size, stuck) in [(in_one, false), (in_one + 1, true)] {
        let (near, far) = UnixStream::pair().unwrap();
        let ends = thread::scope(|scope| {
            let other = scope.spawn(|| write_then_read(&far, size));
            [write_then_read(&near, size), other.join().unwrap()]
        });
        assert!(ends.iter().all(|end| end.is_err() == stuck), "{size}: {ends:?}");
    }
}

// waiting

#[test]
fn what_do_the_five_print_if_the_byte_is_there_before_they_begin_to_wait() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let changed = source(
        "waiting",
        &[
            ("thread::sleep(Duration::from_millis(100));", ""),
            (
                "let cpu_before",
                "while !peer.is_finished() { thread::yield_now(); }\nlet cpu_before",
            ),
        ],
    );
    let (_, text, _) = run(&mut Command::new(build(&dir, "waiting", &changed)));
    assert_eq!(text.matches("  1 × read, ").count(), 5, "{text}");
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
