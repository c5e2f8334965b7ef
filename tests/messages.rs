//! The answers to the exercises about messages, of the lessons `framing` and `timeouts`: each test
//! is named by the question.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

mod common;
#[path = "common/lesson.rs"]
mod lesson;

use common::{TempDir, run, watchdog};
use lesson::{build, source};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

// framing

#[test]
fn what_do_the_reads_return_with_room_for_8_bytes() {
    let dir = TempDir::new();
    let changed = source("framing", &[("write_words_and_read(4)", "write_words_and_read(8)")]);
    let (_, text, _) = run(&mut Command::new(build(&dir, "framing", &changed)));
    assert!(text.contains("\n  8 bytes: \"onetwoth\"\n  3 bytes: \"ree\"\n"), "{text}");
}

#[test]
fn what_does_receive_return_if_only_half_of_the_message_comes() {
    let dir = TempDir::new();
    let changed = source(
        "framing",
        &[(
            r#"ours.write_all(b"GET / HTTP/1.0\r\n\r\n")?;"#,
            r#"ours.write_all(b"\0\0\0\x06mes")?; drop(ours);"#,
        )],
    );
    let (_, text, _) = run(&mut Command::new(build(&dir, "framing", &changed)));
    assert!(text.ends_with("  failed to fill whole buffer\n"), "{text}"); // UnexpectedEof

    // And the same if nothing comes.
    let changed = changed.replace(r#"ours.write_all(b"\0\0\0\x06mes")?;"#, "");
    let (_, text, _) = run(&mut Command::new(build(&dir, "framing", &changed)));
    assert!(text.ends_with("  failed to fill whole buffer\n"), "{text}");
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
    let changed = source("timeouts", &[("b\"0123456789\"", "b\"01234\"")]);
    // So that only the peer ends a call.
    let changed = changed.replace("from_millis(2", "from_secs(2");
    let (_, text, _) = run(&mut Command::new(build(&dir, "timeouts", &changed)));
    let after = |call: &str| text.split_once(call).unwrap_or_else(|| panic!("{text}")).1.trim();
    assert!(after("read_exact: ").starts_with("UnexpectedEof"), "{text}");
    assert!(after("read_by, 250 ms: ").starts_with("UnexpectedEof"), "{text}");
    // Only read_by keeps what has arrived.
    assert!(after("so far we have ").starts_with("\"01234\""), "{text}");
}
