//! `serve` with several listeners: one bound over all of them, turns, and the end of each.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use streamsock::{Addr, Conn, Listener, serve};

mod common;

use common::{Random, ShutDown, TempDir, assert_echoed, wait_until, watchdog};
#[cfg(target_os = "linux")]
use common::{under, wait_until_others_sleep};

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

/// Another process that shares a listener shuts it down, in the middle of serving. A client of the
/// other one is being served meanwhile, and keeps `serve` from returning.
#[test]
fn a_listener_that_stops_listening_shuts_the_others_down() {
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
                let shared = listeners[bad].as_fd().try_clone_to_owned().unwrap();
                UnixStream::from(shared).shutdown(Shutdown::Both).unwrap();
                // Nobody queues behind a server that neither accepts nor returns.
                let addr = good.local_addr().unwrap();
                wait_until(|| Conn::connect(&addr).is_err());
                client.write_all(b"last words").unwrap();
                client.read_exact(&mut [0; 10]).unwrap();
                assert!(!server.is_finished());
                drop(client);
                assert_eq!(server.join().unwrap().unwrap_err().kind(), ErrorKind::InvalidInput);
            });
        });
    }
}
