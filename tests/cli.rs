//! What the programs share at their edge.

use std::io;

use streamsock::{Addr, Conn, Listener};

#[path = "../examples/cli/mod.rs"]
mod cli;
mod common;

use common::{TempDir, watchdog};

/// A listener that does not block fails in the middle of serving, as soon as nobody waits.
#[test]
fn a_listener_that_fails_ends_the_others() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let addrs = [Addr::from(dir.join("good")), Addr::from(dir.join("bad"))];
    for order in [[0, 1], [1, 0]] {
        let addrs = order.map(|n| addrs[n].clone());
        let listeners = addrs.each_ref().map(|addr| Listener::bind(addr).unwrap());
        let bad = order.iter().position(|n| *n == 1).unwrap();
        listeners[bad].set_nonblocking(true).unwrap();
        let echo = |conn: Conn| drop(io::copy(&mut &conn, &mut &conn));
        match cli::serve_all(&listeners, &addrs, 8, echo) {
            Err(cli::Error::Failed(why)) => {
                assert!(why.starts_with(&format!("{}: ", addrs[bad])), "{why}");
            }
            _ => panic!("the failure was not told"),
        }
        assert!(Conn::connect(&addrs[1 - bad]).is_err(), "the other still listens");
    }
    assert_eq!(dir.names(), [""; 0]);
}

#[test]
fn sizes_take_suffixes() {
    for (text, size) in [
        ("0", Some(0)),
        ("128", Some(128)),
        ("64K", Some(65_536)),
        ("64k", Some(65_536)),
        ("16M", Some(1 << 24)),
        ("1G", Some(1 << 30)),
        ("", None),
        ("K", None),
        ("1.5K", None),
        ("-1", None),
        ("1KB", None),
        ("1é", None),
        ("18446744073709551615G", None),
    ] {
        assert_eq!(cli::size(text), size, "{text:?}");
    }
}
