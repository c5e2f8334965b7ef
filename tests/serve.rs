//! `serve`: many clients, bad clients, bad luck, its end, on both transports.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener, serve};

mod common;

use common::{Random, Server, ShutDown, example, over_both, read_all, under, with_server};

/// Sends bytes of its own, half-closes, and expects them back.
fn assert_echoed(addr: &Addr, bytes: &[u8]) {
    let conn = Conn::connect(addr).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            (&conn).write_all(bytes).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
        });
        assert!(read_all(&conn) == bytes, "what came back differs");
    });
}

/// So many clients at once, each with 64 KiB of its own.
fn serves(clients: usize) {
    over_both(|addr| {
        with_server(addr, clients, common::echo, |addr| {
            let all_connected = &Barrier::new(clients);
            thread::scope(|scope| {
                for seed in 1..=clients as u64 {
                    scope.spawn(move || {
                        let bytes = Random(seed).bytes(64 << 10);
                        let conn = Conn::connect(addr).unwrap();
                        all_connected.wait();
                        thread::scope(|scope| {
                            scope.spawn(|| {
                                (&conn).write_all(&bytes).unwrap();
                                conn.shutdown(Shutdown::Write).unwrap();
                            });
                            assert!(read_all(&conn) == bytes, "client {seed}: another answer");
                        });
                    });
                }
            });
        });
    });
}

#[test]
fn serves_200_clients_at_once() {
    serves(200);
}

#[test]
#[ignore = "needs 4,100 descriptors and 6,000 threads"]
fn serves_2000_clients_at_once() {
    serves(2000);
}

#[test]
fn no_more_than_max_conns_run_at_once() {
    over_both(|addr| {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let handler = |conn| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            common::echo(conn);
            running.fetch_sub(1, Ordering::SeqCst);
        };
        with_server(addr, 3, handler, |addr| {
            // Three are held, and the fourth's answer can only come after one of them has ended.
            let mut held: Vec<_> = (0..3).map(|_| Conn::connect(addr).unwrap()).collect();
            for conn in &mut held {
                conn.write_all(b"x").unwrap();
                conn.read_exact(&mut [0]).unwrap();
            }
            let mut fourth = Conn::connect(addr).unwrap();
            fourth.write_all(b"x").unwrap();
            fourth.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            assert_eq!(fourth.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
            fourth.set_read_timeout(None).unwrap();
            drop(held);
            fourth.read_exact(&mut [0]).unwrap();
        });
        assert_eq!(most.into_inner(), 3);
    });
}

#[test]
fn bad_clients_and_a_panic_harm_only_themselves() {
    over_both(|addr| {
        let handler = |mut conn: Conn| {
            let mut first = [0];
            if conn.read_exact(&mut first).is_ok() {
                assert_ne!(&first, b"!", "this panic is part of a test");
                let _ = conn.write_all(&first);
                common::echo(conn);
            }
        };
        with_server(addr, 8, handler, |addr| {
            // One that never reads: the server ends up waiting for it to.
            let mut deaf = Conn::connect(addr).unwrap();
            deaf.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
            while deaf.write_all(&[b'x'; 1 << 16]).is_ok() {}

            for _ in 0..20 {
                // One that is gone mid-message, one that says nothing, one that makes it panic.
                Conn::connect(addr).unwrap().write_all(b"half a mess").unwrap();
                drop(Conn::connect(addr).unwrap());
                let mut panicking = Conn::connect(addr).unwrap();
                panicking.write_all(b"!").unwrap();
                assert_eq!(panicking.read(&mut [0]).unwrap_or(0), 0);
                assert_echoed(addr, b"good");
            }
        });
    });
}

#[test]
fn shutdown_ends_it_while_it_waits_and_the_file_goes() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let server = scope.spawn(|| serve(std::slice::from_ref(&listener), 8, common::echo));
            assert_echoed(&bound, b"it runs");
            listener.shutdown().unwrap();
            server.join().unwrap().unwrap();
        });
        drop(listener);
        let gone = Conn::connect(&bound).unwrap_err().kind();
        let file_gone = addr.network() == "unix";
        assert_eq!(
            gone,
            if file_gone { ErrorKind::NotFound } else { ErrorKind::ConnectionRefused }
        );
    });
}

#[test]
fn it_returns_after_the_handlers_that_run() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let mut client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
        let (started, has_started) = mpsc::channel();
        thread::scope(|scope| {
            let server = scope.spawn(|| {
                serve(std::slice::from_ref(&listener), 1, |conn| {
                    started.send(()).unwrap();
                    common::echo(conn);
                })
            });
            // Also while it is at its limit and accepts nobody.
            has_started.recv().unwrap();
            listener.shutdown().unwrap();
            client.write_all(b"last words").unwrap();
            let mut words = [0; 10];
            client.read_exact(&mut words).unwrap();
            assert_eq!(&words, b"last words");
            assert!(!server.is_finished());
            drop(client);
            server.join().unwrap().unwrap();
        });
    });
}

#[test]
fn what_it_refuses() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let error = serve(std::slice::from_ref(&listener), 0, common::echo).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        listener.set_nonblocking(true).unwrap();
        let error = serve(std::slice::from_ref(&listener), 1, common::echo).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    });
}

/// The client's end of 300 connections, each of which wants its echo, at a server process under
/// the given limits.
fn serves_300_under(limits: &str) {
    over_both(|addr| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")]);
        command.arg(example("echo_server")).args(["-q", &addr.to_string()]);
        let mut server = Server::start(&mut command, 1);
        let bound = &server.addrs[0].clone();
        thread::scope(|scope| {
            for seed in 1..=300 {
                scope.spawn(move || assert_echoed(bound, &Random(seed).bytes(100)));
            }
        });
        // It still runs, and has not said a word.
        assert!(server.child.try_wait().unwrap().is_none());
        server.child.kill().unwrap();
        assert_eq!(server.line(), "");
        if let Addr::Unix(path) = addr {
            std::fs::remove_file(path).unwrap();
        }
    });
}

#[test]
fn a_server_out_of_descriptors_serves_everybody_in_the_end() {
    serves_300_under("ulimit -n 64");
}

/// With stacks of 256 MiB, the address space has room for five threads, and for all else.
#[test]
#[cfg(target_os = "linux")]
fn a_server_that_cannot_start_threads_serves_everybody_in_the_end() {
    serves_300_under("export RUST_MIN_STACK=268435456 MALLOC_ARENA_MAX=1 && ulimit -v 1500000");
}

#[test]
fn without_a_descriptor_shutdown_ends_it() {
    if !under("ulimit -n 64", "without_a_descriptor_shutdown_ends_it") {
        return;
    }
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let mut client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
        let mut files = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            files.push(file);
        }
        thread::scope(|scope| {
            let server = scope.spawn(|| serve(std::slice::from_ref(&listener), 8, common::echo));
            let end = ShutDown(&listener);
            // A descriptor for the one that waits; there is none for the next.
            files.pop();
            client.write_all(b"hi").unwrap();
            client.read_exact(&mut [0; 2]).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read_all(&client), b"");
            files.extend(std::fs::File::open("/dev/null"));
            drop(end);
            server.join().unwrap().unwrap();
        });
    });
}
