//! `sockopt`: buffer sizes, keepalive and peer credentials.

#![cfg(feature = "sockopt")]

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
#[cfg(target_os = "linux")]
use std::os::unix::net::UnixDatagram;
use std::process;
use std::time::Duration;

use streamsock::sockopt::{self, Keepalive};
#[cfg(target_os = "linux")]
use streamsock::{Addr, Conn, Listener};

mod common;

#[cfg(target_os = "linux")]
use common::{TempDir, watchdog};
use common::{connected, over_both};

#[test]
fn buffers_are_set_and_read_back() {
    over_both(|addr| {
        let (client, _server) = connected(addr);
        for size in [16 << 10, 64 << 10, 100_000] {
            sockopt::set_send_buffer(&client, size).unwrap();
            sockopt::set_recv_buffer(&client, size).unwrap();
            // Linux doubles, as far as its limits allow; nobody answers with less.
            let times = if cfg!(target_os = "linux") { 2 } else { 1 };
            assert_eq!(sockopt::send_buffer(&client).unwrap(), times * size);
            assert_eq!(sockopt::recv_buffer(&client).unwrap(), times * size);
        }
        let error = sockopt::set_send_buffer(&client, 1 << 31).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn what_is_no_socket_is_an_error_with_its_code() {
    let file = fs::File::open("/dev/null").unwrap();
    for error in [
        sockopt::send_buffer(&file).unwrap_err(),
        sockopt::recv_buffer(&file).unwrap_err(),
        sockopt::set_send_buffer(&file, 65_536).unwrap_err(),
        sockopt::set_recv_buffer(&file, 65_536).unwrap_err(),
    ] {
        assert!(error.raw_os_error().is_some(), "{error:?}");
    }
}

/// As the docs say of Linux: clamped at both ends, without an error.
#[test]
#[cfg(target_os = "linux")]
fn buffers_are_clamped() {
    let (near, _far) = std::os::unix::net::UnixStream::pair().unwrap();
    let limit = |name| {
        let text = fs::read_to_string(format!("/proc/sys/net/core/{name}")).unwrap();
        text.trim().parse::<usize>().unwrap()
    };
    sockopt::set_send_buffer(&near, 0).unwrap();
    sockopt::set_recv_buffer(&near, 0).unwrap();
    assert_eq!(sockopt::send_buffer(&near).unwrap(), 4608);
    assert_eq!(sockopt::recv_buffer(&near).unwrap(), 2304);
    sockopt::set_send_buffer(&near, (1 << 31) - 1).unwrap();
    sockopt::set_recv_buffer(&near, (1 << 31) - 1).unwrap();
    assert_eq!(sockopt::send_buffer(&near).unwrap(), 2 * limit("wmem_max"));
    assert_eq!(sockopt::recv_buffer(&near).unwrap(), 2 * limit("rmem_max"));
}

#[test]
fn the_peer_is_known_on_a_unix_socket_only() {
    over_both(|addr| {
        let (client, server) = connected(addr);
        for conn in [client, server] {
            let cred = sockopt::peer_cred(&conn);
            if addr.network() == "unix" && cfg!(target_os = "linux") {
                let (cred, own) = (cred.unwrap(), fs::metadata("/proc/self").unwrap());
                assert_eq!(cred.pid as u32, process::id());
                assert_eq!((cred.uid, cred.gid), (own.uid(), own.gid()));
            } else {
                let error = cred.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                assert!(error.to_string().contains("SO_PEERCRED"), "{error}");
            }
        }
    });
}

/// `&listener` for `&conn` would name this very process, and pass every check.
#[test]
#[cfg(target_os = "linux")]
fn what_has_no_peer_is_not_connected() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let listener = Listener::bind(&Addr::from(dir.join("s"))).unwrap();
    let errors = [
        sockopt::peer_cred(&listener).unwrap_err(),
        sockopt::peer_cred(UnixDatagram::unbound().unwrap()).unwrap_err(),
        sockopt::peer_cred(UnixDatagram::bind(dir.join("d")).unwrap()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
    }

    // A peer that has gone was there: it is still known who that was.
    let (near, far) = Conn::pair().unwrap();
    drop(far);
    assert_eq!(sockopt::peer_cred(&near).unwrap().pid as u32, process::id());
}

#[test]
fn keepalive_is_for_tcp() {
    let secs = Duration::from_secs;
    over_both(|addr| {
        let (client, _server) = connected(addr);
        if addr.network() == "unix" {
            let error = sockopt::set_keepalive(&client, Some(Keepalive::default())).unwrap_err();
            assert!(error.raw_os_error().is_some(), "{error}");
            let unsupported = error.kind() == ErrorKind::Unsupported;
            assert_eq!(unsupported, cfg!(target_os = "linux"), "{error}");
            assert!(sockopt::keepalive(&client).is_err());
            return;
        }
        assert_eq!(sockopt::keepalive(&client).unwrap(), None);
        let keepalive = Keepalive { idle: secs(7), interval: secs(3), count: 4 };
        for wanted in [Some(keepalive), None, Some(Keepalive::default())] {
            sockopt::set_keepalive(&client, wanted).unwrap();
            assert_eq!(sockopt::keepalive(&client).unwrap(), wanted);
        }

        let sub_second = Duration::from_millis(999);
        for wrong in [
            Keepalive { idle: sub_second, ..keepalive },
            Keepalive { interval: sub_second, ..keepalive },
            Keepalive { count: 0, ..keepalive },
            Keepalive { idle: secs(1 << 40), ..keepalive },
            Keepalive { count: 1_000_000, ..keepalive },
        ] {
            let error = sockopt::set_keepalive(&client, Some(wrong)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{wrong:?}: {error}");
        }
    });
}
