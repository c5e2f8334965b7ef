//! `serve`: many clients, bad clients, several listeners, its bound, its end, on both transports.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::time::Duration;
use std::{panic, slice, thread};

use streamsock::{Addr, Conn, Listener, serve};

mod common;

#[cfg(target_os = "linux")]
use common::wait_until_others_sleep;
use common::{
    Random, ShutDown, TempDir, assert_echoed, assert_silent, over_both, read_all, under,
    wait_until, watchdog, with_server,
};

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

/// Says that the client is served, and waits until it leaves.
#[cfg(target_os = "linux")]
fn keep_a_place(mut conn: Conn) {
    conn.write_all(b"!").unwrap();
    assert_eq!(conn.read(&mut [0]).unwrap(), 0);
}

/// Both kinds of listener at once, for the tests below.
fn over_two(body: impl FnOnce([Listener; 2])) {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let addrs = [Addr::from(dir.join("s")), "tcp:127.0.0.1:0".parse().unwrap()];
    body(addrs.map(|addr| Listener::bind(&addr).unwrap()));
    assert_eq!(dir.names(), [""; 0], "left behind");
}

#[test]
fn several_listeners_share_the_bound_and_end_together() {
    over_two(|listeners| {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let handler = |conn| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            common::echo(conn);
            running.fetch_sub(1, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            let server = scope.spawn(|| serve(&listeners, 2, handler));
            let (_unix, tcp) = (ShutDown(&listeners[0]), ShutDown(&listeners[1]));
            let addrs = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
            // Both places at once, one by each listener.
            let mut held = addrs.each_ref().map(|addr| Conn::connect(addr).unwrap());
            for conn in &mut held {
                conn.write_all(b"x").unwrap();
                conn.read_exact(&mut [0]).unwrap();
            }
            drop(held);
            thread::scope(|scope| {
                for seed in 1..=40 {
                    let addr = &addrs[seed as usize % 2];
                    scope.spawn(move || assert_echoed(addr, &Random(seed).bytes(1000)));
                }
            });
            // The end of one is not the end of the other.
            drop(tcp);
            assert_echoed(&addrs[0], b"still here");
            assert!(!server.is_finished());
            drop(_unix);
            server.join().unwrap().unwrap();
        });
        assert_eq!(most.into_inner(), 2);
    });
}

/// All at once, so that each client takes a thread that is started after the one listener's end.
#[test]
fn with_one_listener_gone_threads_still_start_for_the_other() {
    for [gone, other] in [[0, 1], [1, 0]] {
        over_two(|listeners| {
            let addr = listeners[other].local_addr().unwrap();
            thread::scope(|scope| {
                let server = scope.spawn(|| serve(&listeners, 8, common::echo));
                let end = ShutDown(&listeners[other]);
                listeners[gone].shutdown().unwrap();
                let mut clients: Vec<_> = (0..8).map(|_| Conn::connect(&addr).unwrap()).collect();
                for client in &mut clients {
                    client.write_all(b"x").unwrap();
                    client.read_exact(&mut [0]).unwrap();
                }
                assert!(!server.is_finished());
                drop((clients, end));
                server.join().unwrap().unwrap();
            });
        });
    }
}

/// The only place is taken by a client of one listener. A client of the other has been accepted, and
/// waits for its turn with others in the backlog: a shutdown disconnects them all.
#[test]
#[cfg(target_os = "linux")]
fn a_shutdown_disconnects_those_who_wait_for_their_turn() {
    if !under("true", "a_shutdown_disconnects_those_who_wait_for_their_turn") {
        return;
    }
    for [busy, other] in [[0, 1], [1, 0]] {
        over_two(|listeners| {
            let addrs = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
            thread::scope(|scope| {
                let server = scope.spawn(|| serve(&listeners, 1, common::echo));
                let (end, busy_end) = (ShutDown(&listeners[other]), ShutDown(&listeners[busy]));
                wait_until_others_sleep(); // in accept
                let mut served = Conn::connect(&addrs[busy]).unwrap();
                served.write_all(b"x").unwrap();
                served.read_exact(&mut [0]).unwrap();
                let waiting: Vec<_> = (0..3).map(|_| Conn::connect(&addrs[other])).collect();
                wait_until_others_sleep(); // the first one's thread, until its turn comes
                drop(end);
                for conn in waiting {
                    assert_eq!(conn.unwrap().read(&mut [0]).unwrap_or(0), 0);
                }
                served.write_all(b"y").unwrap();
                served.read_exact(&mut [0]).unwrap();
                assert!(!server.is_finished());
                drop((served, busy_end));
                server.join().unwrap().unwrap();
            });
        });
    }
}

/// Two clients are served, one of each listener, and another of each waits for its turn. The second
/// of these is disconnected, and that frees no place for the first.
#[test]
#[cfg(target_os = "linux")]
fn a_shutdown_lets_nobody_in_beyond_the_bound() {
    if !under("true", "a_shutdown_lets_nobody_in_beyond_the_bound") {
        return;
    }
    for [stays, ends] in [[0, 1], [1, 0]] {
        over_two(|listeners| {
            let client = |at: usize| Conn::connect(&listeners[at].local_addr().unwrap()).unwrap();
            let served = |at| {
                let mut conn = client(at);
                conn.read_exact(&mut [0]).unwrap();
                conn
            };
            thread::scope(|scope| {
                let server = scope.spawn(|| serve(&listeners, 2, keep_a_place));
                let end = ShutDown(&listeners[stays]);
                let ended = ShutDown(&listeners[ends]);
                // Two at once through each leave two threads that accept there.
                for at in [stays, ends] {
                    let both = [served(at), served(at)];
                    drop(both);
                    wait_until_others_sleep();
                }
                let both = [served(stays), served(ends)];
                let mut first = client(stays);
                wait_until_others_sleep();
                let mut second = client(ends);
                wait_until_others_sleep();
                drop(ended);
                assert_eq!(second.read(&mut [0]).unwrap_or(0), 0);
                wait_until_others_sleep();
                first.set_nonblocking(true).unwrap();
                assert_eq!(first.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
                first.set_nonblocking(false).unwrap();
                drop(both);
                first.read_exact(&mut [0]).unwrap();
                drop((first, end));
                server.join().unwrap().unwrap();
            });
        });
    }
}

/// Of two places, a client of one listener keeps one. The clients of the other listener use the
/// second in turn, and the next clients of the first must not wait until all of them are done.
#[test]
#[cfg(target_os = "linux")]
fn no_listener_is_stranded_at_the_bound() {
    if !under("true", "no_listener_is_stranded_at_the_bound") {
        return;
    }
    for [busy, other] in [[0, 1], [1, 0]] {
        over_two(|listeners| {
            let client = |at: usize, name: &'static str| {
                (name, Conn::connect(&listeners[at].local_addr().unwrap()).unwrap())
            };
            thread::scope(|scope| {
                let server = scope.spawn(|| serve(&listeners, 2, keep_a_place));
                let ends = listeners.each_ref().map(ShutDown);
                let mut keeps = client(other, "keeps");
                keeps.1.read_exact(&mut [0]).unwrap();
                let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
                let mut clients: Vec<_> = names.map(|name| client(busy, name)).into();
                clients.extend(["x", "y", "z"].map(|name| client(other, name)));
                let mut order = Vec::new();
                while !clients.is_empty() {
                    wait_until_others_sleep();
                    let is_served = |(_, conn): &mut (_, Conn)| {
                        conn.set_nonblocking(true).unwrap();
                        conn.read(&mut [0]).is_ok()
                    };
                    let served = clients.iter_mut().position(is_served).expect("nobody is served");
                    order.push(clients.remove(served).0);
                }
                drop(keeps);
                drop(ends);
                server.join().unwrap().unwrap();
                // They take turns, but for one or two of the busy listener.
                assert!(order[..8].contains(&"z"), "{order:?}");
            });
        });
    }
}

/// A listener that does not block fails in the middle of serving, as soon as nobody waits. A client
/// of the other one is being served meanwhile, and keeps `serve` from returning.
#[test]
fn a_listener_that_fails_shuts_the_others_down() {
    for bad in [0, 1] {
        over_two(|listeners| {
            let good = &listeners[1 - bad];
            let mut client = Conn::connect(&good.local_addr().unwrap()).unwrap();
            let (started, has_started) = mpsc::channel();
            let handler = |conn| {
                started.send(()).unwrap();
                common::echo(conn);
            };
            thread::scope(|scope| {
                let server = scope.spawn(|| serve(&listeners, 8, handler));
                has_started.recv().unwrap();
                // A thread that is in accept(2) already is told by a client. Where it comes later, it
                // fails at once, and this client may be refused.
                listeners[bad].set_nonblocking(true).unwrap();
                drop(Conn::connect(&listeners[bad].local_addr().unwrap()));
                // Nobody queues behind a server that neither accepts nor returns.
                let addr = good.local_addr().unwrap();
                wait_until(|| Conn::connect(&addr).is_err());
                client.write_all(b"last words").unwrap();
                client.read_exact(&mut [0; 10]).unwrap();
                assert!(!server.is_finished());
                drop(client);
                assert_eq!(server.join().unwrap().unwrap_err().kind(), ErrorKind::WouldBlock);
            });
        });
    }
}

#[test]
fn what_it_refuses() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let error = serve(slice::from_ref(&listener), 0, common::echo).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        listener.set_nonblocking(true).unwrap();
        let error = serve(slice::from_ref(&listener), 1, common::echo).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
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
fn idle_threads_go_but_for_sixteen() {
    if !under("true", "idle_threads_go_but_for_sixteen") {
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
            assert_eq!(threads(), others + 16);
            assert_echoed(addr, b"and it still serves");
        });
    });
}
