//! `Spin`: what it reads and writes is what a `Conn` does, whether it busy-waits or sleeps.

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use streamsock::{Conn, Spin};

mod common;

use common::{Random, assert_silent, connected, over_both, under, with_server};
#[cfg(target_os = "linux")]
use common::{is_nonblocking, wait_until};

/// Never busy-waits, hardly does, and does until the answer is there.
const BUDGETS: [Duration; 3] =
    [Duration::ZERO, Duration::from_micros(1), Duration::from_secs(3600)];

fn spin(conn: Conn) -> Spin {
    Spin::new(conn, Duration::from_micros(50))
}

#[test]
fn ping_pong_between_two_that_busy_wait() {
    over_both(|addr| {
        for budget in BUDGETS {
            let (client, server) = connected(addr);
            thread::scope(|scope| {
                scope.spawn(move || {
                    let (mut server, mut message) = (Spin::new(server, budget), [0; 128]);
                    while server.read_exact(&mut message).is_ok() {
                        server.write_all(&message).unwrap();
                    }
                });
                let mut client = Spin::new(client, budget);
                for n in 0..1000 {
                    let mut message = [n as u8; 128];
                    client.write_all(&message).unwrap();
                    message.fill(!n as u8);
                    client.read_exact(&mut message).unwrap();
                    assert_eq!(message, [n as u8; 128]);
                }
                // The server busy-waits for an hour, but end of file ends that.
                client.shutdown(Shutdown::Both).unwrap();
            });
        }
    });
}

/// More than the buffers hold, so that writes wait as well.
#[test]
fn a_write_waits_for_a_slow_reader() {
    over_both(|addr| {
        for budget in BUDGETS {
            let (client, mut server) = connected(addr);
            let bytes = Random(11).bytes(8 << 20);
            thread::scope(|scope| {
                scope.spawn(|| Spin::new(client, budget).write_all(&bytes).unwrap());
                let mut got = Vec::new();
                server.read_to_end(&mut got).unwrap();
                assert!(got == bytes, "what arrived differs");
            });
        }
    });
}

#[test]
fn several_buffers_go_in_one_call() {
    over_both(|addr| {
        let (client, server) = connected(addr);
        let (mut client, mut server) = (spin(client), spin(server));
        let sent = client.write_vectored(&[IoSlice::new(b"one"), IoSlice::new(b"two!")]).unwrap();
        client.flush().unwrap();
        let (mut four, mut three) = ([0; 4], [0; 3]);
        let mut bufs = [IoSliceMut::new(&mut four), IoSliceMut::new(&mut three)];
        assert_eq!((sent, server.read_vectored(&mut bufs).unwrap()), (7, 7));
        assert_eq!((&four, &three), (b"onet", b"wo!"));
    });
}

#[test]
fn timeouts_and_errors_come_through() {
    over_both(|addr| {
        let (client, server) = connected(addr);
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut client = spin(client);
        assert_silent(&mut client);
        drop(server);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        let error = (0..100).find_map(|_| client.write(b"x").err()).unwrap();
        assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset));
    });
}

#[test]
fn into_inner_gives_a_conn_that_blocks() {
    over_both(|addr| {
        let (client, mut server) = connected(addr);
        let mut client = Spin::new(client, Duration::from_secs(3600));
        server.write_all(b"x").unwrap();
        client.read_exact(&mut [0]).unwrap();

        let mut client = client.into_inner().unwrap();
        // A socket that does not block fails at once, and one that does fails after its timeout.
        let timeout = Duration::from_millis(30);
        client.set_read_timeout(Some(timeout)).unwrap();
        let start = Instant::now();
        assert_silent(&mut client);
        assert!(start.elapsed() >= timeout / 2);
    });
}

/// Far more than there are CPUs to busy-wait on.
#[test]
fn fifty_connections_that_busy_wait() {
    over_both(|addr| {
        let handler = |conn| {
            let (mut conn, mut byte) = (spin(conn), [0]);
            while conn.read_exact(&mut byte).is_ok() {
                conn.write_all(&byte).unwrap();
            }
        };
        with_server(addr, 50, handler, |addr| {
            thread::scope(|scope| {
                for n in 0..50 {
                    scope.spawn(move || {
                        let mut conn = spin(Conn::connect(addr).unwrap());
                        for _ in 0..200 {
                            let mut byte = [n];
                            conn.write_all(&byte).unwrap();
                            conn.read_exact(&mut byte).unwrap();
                            assert_eq!(byte, [n]);
                        }
                    });
                }
            });
        });
    });
}

/// It busy-waits unless the budget is zero, also where a process may use one CPU only: pinned, or in a
/// container. Taken apart, it blocks again.
#[test]
#[cfg(target_os = "linux")]
fn it_busy_waits_also_with_one_cpu() {
    let pinned = "cpus=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\\([0-9]*\\).*/\\1/p' /proc/self/status) \
                  && taskset -cp $cpus $$ >/dev/null";
    let test = "it_busy_waits_also_with_one_cpu";
    if !under("true", test) && !under(pinned, test) {
        return;
    }
    over_both(|addr| {
        for budget in BUDGETS {
            let (mut client, server) = connected(addr);
            let mut server = Spin::new(server, budget);
            let mut exchange = || {
                client.write_all(b"x").unwrap();
                server.read_exact(&mut [0]).unwrap();
                is_nonblocking(&server)
            };
            if budget.is_zero() {
                assert!((0..100).all(|_| !exchange()));
            } else {
                wait_until(exchange);
            }
            assert!(!is_nonblocking(server.into_inner().unwrap()));
        }
    });
}

#[test]
fn a_reset_is_told_of_while_it_busy_waits() {
    if !under("true", "a_reset_is_told_of_while_it_busy_waits") {
        return; // there it has the place to busy-wait for itself
    }
    over_both(|addr| {
        for (budget, busy_already) in BUDGETS.into_iter().flat_map(|b| [(b, false), (b, true)]) {
            let (mut client, mut server) = connected(addr);
            client.write_all(b"never read").unwrap();
            let mut client = Spin::new(client, budget);
            if busy_already {
                server.write_all(b"x").unwrap();
                client.read_exact(&mut [0]).unwrap();
            }
            drop(server);
            let error = client.read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{budget:?}");
        }
    });
}

#[test]
fn it_lends_what_does_not_read_or_write() {
    over_both(|addr| {
        let (client, mut server) = connected(addr);
        let peer = client.peer_addr().unwrap();
        let mut client = spin(client);
        let shown = format!("{client:?}");
        assert!(shown.starts_with("Spin { conn: Conn { fd: "), "{shown}");
        assert!(shown.ends_with(&format!("peer: {peer} }}, budget: 50µs }}")), "{shown}");

        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_silent(&mut client);
        client.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        let error = (0..1000).find_map(|_| client.write_all(&[0; 1 << 16]).err());
        assert_eq!(error.unwrap().kind(), ErrorKind::WouldBlock);
        client.shutdown(Shutdown::Write).unwrap();
        std::io::copy(&mut server, &mut std::io::sink()).unwrap();
    });
}
