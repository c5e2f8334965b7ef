//! `serve`: many clients, bad clients, its bound, its end, on both transports. Several listeners at once
//! are in `serve_listeners.rs`, and what happens under limits in `serve_limits.rs`.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, mpsc};
use std::time::Duration;
use std::{panic, slice, thread};

use streamsock::{Conn, Listener, serve};

mod common;

use common::{
    Random, ShutDown, assert_echoed, assert_silent, over_both, read_all, wait_until, with_server,
};
#[cfg(target_os = "linux")]
use common::{under, wait_until_others_sleep};

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
            assert_silent(&fourth);
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

/// What a handler throws may panic again when it is dropped: that must not cost a place.
#[test]
fn what_a_panic_throws_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic::panic_any(Bomb);
        }
    }
    over_both(|addr| {
        let handler = |mut conn: Conn| {
            let mut first = [0];
            conn.read_exact(&mut first).unwrap();
            if &first == b"!" {
                panic::panic_any(Bomb);
            }
            conn.write_all(&first).unwrap();
        };
        with_server(addr, 2, handler, |addr| {
            for _ in 0..4 {
                let mut panicking = Conn::connect(addr).unwrap();
                panicking.write_all(b"!").unwrap();
                assert_eq!(panicking.read(&mut [0]).unwrap_or(0), 0);
            }
            let mut good = Conn::connect(addr).unwrap();
            good.write_all(b"x").unwrap();
            good.read_exact(&mut [0]).unwrap();
        });
    });
}

/// However early it comes, with no thread in `accept` yet: the server is about to start one, or to wait.
#[test]
fn a_shutdown_may_come_at_any_moment() {
    over_both(|addr| {
        for moments in 0..400 {
            let listener = Listener::bind(addr).unwrap();
            let begins = AtomicBool::new(false);
            thread::scope(|scope| {
                let server = scope.spawn(|| {
                    begins.store(true, Ordering::SeqCst);
                    serve(slice::from_ref(&listener), 4, drop)
                });
                wait_until(|| begins.load(Ordering::SeqCst));
                (0..moments).for_each(|_| std::hint::spin_loop());
                listener.shutdown().unwrap();
                server.join().unwrap().unwrap();
            });
        }
    });
}

#[test]
fn shutdown_ends_it_while_it_waits_and_the_file_goes() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let server = scope.spawn(|| serve(slice::from_ref(&listener), 8, common::echo));
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
                serve(slice::from_ref(&listener), 1, |conn| {
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
    assert_eq!(serve(&[], 1, common::echo).unwrap_err().kind(), ErrorKind::InvalidInput);
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let error = serve(slice::from_ref(&listener), 0, common::echo).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

/// One that was inherited may be so, as from a parent that polls it.
#[test]
fn a_listener_that_does_not_block_is_served() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        listener.set_nonblocking(true).unwrap();
        let bound = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let server = scope.spawn(|| serve(slice::from_ref(&listener), 8, common::echo));
            let end = ShutDown(&listener);
            assert_echoed(&bound, b"one");
            // Otherwise it would be asked over and over.
            #[cfg(target_os = "linux")]
            assert!(!common::is_nonblocking(&listener));
            drop(end);
            server.join().unwrap().unwrap();
        });
    });
}

/// A burst leaves few threads, and the next connections are served by these: a new thread for each
/// would cost more than the connection.
#[test]
fn threads_are_used_again() {
    over_both(|addr| {
        let threads = Mutex::new(HashSet::new());
        let handler = |conn: Conn| {
            threads.lock().unwrap().insert(thread::current().id());
            common::echo(conn);
        };
        with_server(addr, 8, handler, |addr| {
            for _ in 0..100 {
                assert_echoed(addr, b"x");
            }
        });
        // One serves while another may already wait for the next, and so on, but never a hundred.
        let threads = threads.into_inner().unwrap().len();
        assert!(threads <= 50, "{threads} threads for 100 connections, one at a time");
    });
}

/// The threads of this process.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// After many clients at once, as few threads stay as its docs say.
#[test]
#[cfg(target_os = "linux")]
fn idle_threads_go_but_for_four() {
    if !under("true", "idle_threads_go_but_for_four") {
        return;
    }
    // And the watchdog, and the caller of `serve`.
    let others = threads() + 2;
    over_both(|addr| {
        with_server(addr, 200, common::echo, |addr| {
            wait_until_others_sleep();
            assert_eq!(threads(), others + 1); // in accept
            let mut clients: Vec<_> = (0..100).map(|_| Conn::connect(addr).unwrap()).collect();
            for client in &mut clients {
                client.write_all(b"x").unwrap();
                client.read_exact(&mut [0]).unwrap();
            }
            assert!(threads() >= others + 100);
            drop(clients);
            wait_until_others_sleep();
            assert_eq!(threads(), others + 4);
            assert_echoed(addr, b"and it still serves");
        });
    });
}
