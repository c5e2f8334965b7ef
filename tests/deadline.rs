//! `Deadline`: reads and writes that end by one moment, however the peer behaves.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use streamsock::Deadline;

mod common;

use common::{connected, over_both, read_all, under, wait_until};

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(30)
}

/// So far away that only the watchdog would come first.
fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

#[test]
fn a_peer_that_is_silent_is_left_at_the_moment() {
    over_both(|addr| {
        let (mut client, _server) = connected(addr);
        let moment = soon();
        let error = Deadline::new(&mut client, moment).read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(Instant::now() >= moment, "it gave up early");
    });
}

/// A read timeout would never end this.
#[test]
fn a_peer_that_sends_without_end_is_left_at_the_moment() {
    over_both(|addr| {
        let (mut client, mut server) = connected(addr);
        thread::scope(|scope| {
            scope.spawn(move || while server.write_all(b"x").is_ok() {});
            let mut deadline = Deadline::new(&mut client, soon());
            let error = loop {
                if let Err(e) = deadline.read(&mut [0; 64]) {
                    break e;
                }
            };
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            drop(deadline);
            client.shutdown(Shutdown::Both).unwrap();
        });
    });
}

#[test]
fn a_peer_that_does_not_read_is_left_at_the_moment() {
    over_both(|addr| {
        let (mut client, _server) = connected(addr);
        let more_than_the_buffers_hold = vec![1; 64 << 20];
        let moment = soon();
        let mut deadline = Deadline::new(&mut client, moment);
        let error = deadline.write_all(&more_than_the_buffers_hold).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(Instant::now() >= moment, "it gave up early");
    });
}

#[test]
fn once_the_moment_has_passed_nothing_is_begun() {
    over_both(|addr| {
        let (mut client, mut server) = connected(addr);
        server.write_all(b"here").unwrap();
        let mut late = Deadline::new(&mut client, Instant::now());
        assert_eq!(late.read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(late.write(b"x").unwrap_err().kind(), ErrorKind::TimedOut);
        drop(late);

        let mut four = [0; 4];
        client.read_exact(&mut four).unwrap();
        assert_eq!(&four, b"here");
        drop(client);
        assert_eq!(read_all(server), b"");
    });
}

#[test]
fn it_restores_the_timeouts_of_the_directions_that_it_used() {
    over_both(|addr| {
        let (mut client, mut server) = connected(addr);
        let (for_reads, for_writes) = (Some(Duration::from_secs(7)), Some(Duration::from_secs(9)));
        client.set_read_timeout(for_reads).unwrap();
        client.set_write_timeout(for_writes).unwrap();
        let set_by_others = client.try_clone().unwrap();

        server.write_all(b"ab").unwrap();
        let mut deadline = Deadline::new(&mut client, far_away());
        deadline.read_exact(&mut [0]).unwrap();
        deadline.read_exact(&mut [0]).unwrap();
        assert_ne!(set_by_others.read_timeout().unwrap(), for_reads);
        set_by_others.set_write_timeout(None).unwrap(); // it did not write, and leaves this alone
        drop(deadline);
        assert_eq!(client.read_timeout().unwrap(), for_reads);
        assert_eq!(client.write_timeout().unwrap(), None);

        client.set_write_timeout(for_writes).unwrap();
        let mut deadline = Deadline::new(&mut client, far_away());
        deadline.write_all(b"c").unwrap();
        deadline.write_all(b"d").unwrap();
        drop(deadline);
        assert_eq!(client.write_timeout().unwrap(), for_writes);
    });
}

#[test]
fn a_reader_over_it_reads_message_after_message() {
    over_both(|addr| {
        let (mut client, mut server) = connected(addr);
        let mut reader = BufReader::new(Deadline::new(&mut client, far_away()));
        server.write_all(b"one\ntwo\nth").unwrap();
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        reader.get_mut().set(far_away());
        reader.read_line(&mut line).unwrap();
        assert_eq!(line, "one\ntwo\n");
        reader.get_mut().set(soon());
        assert_eq!(reader.read_line(&mut line).unwrap_err().kind(), ErrorKind::TimedOut);

        drop(server);
        reader.get_mut().set(far_away());
        assert_eq!(reader.read_line(&mut line).unwrap(), 0);
    });
}

#[test]
fn it_shows_its_connection() {
    over_both(|addr| {
        let (mut client, _server) = connected(addr);
        let shown = format!("{:?}", Deadline::new(&mut client, far_away()));
        assert!(shown.starts_with("Deadline { conn: Conn { fd: "), "{shown}");
    });
}

/// A process that is stopped and continued finds its read interrupted if that has a timeout, without
/// a signal handler: signal(7).
#[test]
fn a_signal_does_not_end_it() {
    if !under("true", "a_signal_does_not_end_it") {
        return;
    }
    over_both(|addr| {
        let (mut client, mut server) = connected(addr);
        thread::scope(|scope| {
            let reader = scope.spawn(move || {
                // Not read_exact, which goes on after an interruption by itself.
                let mut byte = [0];
                Deadline::new(&mut client, far_away()).read(&mut byte).map(|_| byte)
            });
            for _ in 0..20 {
                let script = "kill -STOP $PPID; kill -CONT $PPID";
                assert!(Command::new("sh").args(["-c", script]).status().unwrap().success());
            }
            assert!(!reader.is_finished());
            server.write_all(b"x").unwrap();
            wait_until(|| reader.is_finished());
            assert_eq!(reader.join().unwrap().unwrap(), *b"x");
        });
    });
}
