//! The answers to the exercises about messages, of the lessons `framing`, `timeouts` and `datagram`:
//! each test is named by the question.

#[cfg(target_os = "linux")]
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

mod common;
#[path = "common/lesson.rs"]
mod lesson;

use common::{TempDir, connected, over_both, run, watchdog};
use lesson::{build, source};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

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
fn what_do_the_reads_return_if_the_buffer_has_4_bytes_and_if_it_has_100() {
    assert_eq!(reads(4), ["onet", "woth", "ree"]);
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
    let start = Instant::now();
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
fn what_do_read_exact_and_read_by_return_if_the_peer_closes_after_5_bytes() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let changed = source(
        "timeouts",
        &[
            ("in pauses {", "in pauses.into_iter().take(5) {"),
            // So that only the peer can end a call.
            ("from_millis(200)", "from_secs(200)"),
            ("from_millis(by)", "from_secs(by)"),
        ],
    );
    let (_, text, _) = run(&mut Command::new(build(&dir, "timeouts", &changed)));
    let calls: Vec<_> = text.lines().skip(1).collect();
    assert_eq!(calls.len(), 4, "{text}");
    assert!(calls.iter().all(|call| call.ends_with("Err(UnexpectedEof)")), "{text}");
    // Only of read_by is it known how much has arrived.
    let known = |call: &&str| call.contains("read_by") && call.contains(" 5 bytes ");
    assert!(calls[2..].iter().all(known), "{text}");
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

// datagram

#[test]
fn what_does_recv_return_for_an_empty_message_and_once_the_other_end_has_closed() {
    let (near, far) = UnixDatagram::pair().unwrap();
    near.send(b"").unwrap();
    assert_eq!(far.recv(&mut [0; 8]).unwrap(), 0); // so 0 cannot mean the end
    drop(near);
    far.set_nonblocking(true).unwrap();
    assert_eq!(far.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock); // it would wait
}

#[test]
#[cfg(target_os = "linux")]
fn how_many_messages_of_4096_bytes_does_each_queue_hold() {
    let fill = |socket: &UnixDatagram, size: usize| {
        socket.set_nonblocking(true).unwrap();
        (0..).take_while(|_| socket.send(&vec![0; size]).is_ok()).count()
    };
    let pair = |size| fill(&UnixDatagram::pair().unwrap().0, size);
    let bound = |size| {
        let dir = TempDir::new();
        let _server = UnixDatagram::bind(dir.join("s")).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        client.connect(dir.join("s")).unwrap();
        fill(&client, size)
    };
    let (small, large) = (pair(1), pair(4096));
    println!("{small} of 1 byte, {large} of 4,096"); // 278 and 26, unless wmem_default was changed
    assert!(0 < large && large < small);
    assert!(large * 4096 > small, "the bookkeeping for a message outweighs a byte by far");

    // One more than the system's limit, of any size, unless the sender's buffer is full before.
    let limit = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
    let limit = limit.trim().parse::<usize>().unwrap() + 1;
    assert_eq!((bound(1), bound(4096)), (limit.min(small), limit.min(large)));
}
