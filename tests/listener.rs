//! `Listener`: bind, accept, incoming, shutdown, on both transports.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{self, Command, Stdio};
use std::{env, thread};

use streamsock::{Addr, Conn, Listener, serve};

mod common;

#[cfg(target_os = "linux")]
use common::wait_until_others_sleep;
use common::{
    ShutDown, TempDir, assert_echoed, assert_works, connect_error, exhaust_descriptors, over_both,
    read_all, under,
};

#[test]
fn the_bound_address_can_be_connected_to() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        match &bound {
            Addr::Tcp { host, port } => assert!(host == "127.0.0.1" && *port != 0),
            bound => assert_eq!(bound, addr),
        }
        assert_works(&listener);
        assert!(format!("{listener:?}").ends_with(&format!("local: {bound} }}")), "{listener:?}");
    });
}

#[test]
fn names_and_ipv6_are_bound_and_connected_to() {
    let listener = Listener::bind(&"tcp:localhost:0".parse().unwrap()).unwrap();
    let Addr::Tcp { port, .. } = listener.local_addr().unwrap() else { panic!("{listener:?}") };
    let client = Conn::connect(&Addr::Tcp { host: "localhost".into(), port }).unwrap();
    assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
    match Listener::bind(&"tcp:[::1]:0".parse().unwrap()) {
        Ok(listener) => assert_works(&listener),
        // No IPv6 here: EADDRNOTAVAIL, or EAFNOSUPPORT of Linux or of the BSDs.
        Err(e) => assert!(
            e.kind() == ErrorKind::AddrNotAvailable
                || [47, 97].contains(&e.raw_os_error().unwrap())
        ),
    }
}

#[test]
fn an_address_is_held_until_the_listener_is_dropped() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        assert_eq!(Listener::bind(&bound).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_works(&listener);
        drop(listener);
        connect_error(&bound);
        assert_works(&Listener::bind(&bound).unwrap());
    });
}

#[test]
fn incoming_gives_every_connection() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        let mut clients: Vec<_> = (0..3).map(|_| Conn::connect(&bound).unwrap()).collect();
        for (n, client) in clients.iter_mut().enumerate() {
            client.write_all(&[n as u8]).unwrap();
        }
        for (n, conn) in listener.incoming().take(3).enumerate() {
            let mut byte = [0];
            conn.unwrap().read_exact(&mut byte).unwrap();
            assert_eq!(usize::from(byte[0]), n);
        }
    });
}

#[test]
fn nonblocking_accept_does_not_wait() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        let error = listener.incoming().next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        listener.set_nonblocking(false).unwrap();
        assert_works(&listener);
    });
}

/// Four threads wait, and all of them in accept(2) when it comes.
#[test]
#[cfg(target_os = "linux")]
fn shutdown_wakes_everybody_in_accept() {
    if !under("true", "shutdown_wakes_everybody_in_accept") {
        return;
    }
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        thread::scope(|scope| {
            let accepting: Vec<_> = (0..4).map(|_| scope.spawn(|| listener.accept())).collect();
            wait_until_others_sleep();
            drop(ShutDown(&listener));
            for thread in accepting {
                let error = thread.join().unwrap().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
            }
        });
    });
}

#[test]
fn shutdown_ends_every_incoming_for_good() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let waiting: Vec<_> =
                (0..4).map(|_| scope.spawn(|| listener.incoming().count())).collect();
            drop(ShutDown(&listener));
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), 0);
            }
        });
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(listener.incoming().next().is_none());
        let (file, port) = (ErrorKind::NotFound, ErrorKind::ConnectionRefused);
        let gone = if addr.network() == "unix" { file } else { port };
        assert_eq!(Conn::connect(&bound).unwrap_err().kind(), gone);
        assert_eq!(listener.local_addr().unwrap().network(), addr.network());
    });
}

/// Another process that has the socket shuts it down: this copy of the descriptor stands for it.
#[test]
fn incoming_ends_when_somebody_else_shuts_the_socket_down() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let shared = listener.as_fd().try_clone_to_owned().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| listener.incoming().count());
            UnixStream::from(shared).shutdown(Shutdown::Both).unwrap();
            assert_eq!(waiting.join().unwrap(), 0);
        });
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

/// The socket goes on in other hands, and its file stays with it.
#[test]
fn a_listener_is_handed_to_a_successor_with_its_file() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        let successor = Listener::try_from(OwnedFd::from(listener)).unwrap();
        assert_eq!(successor.local_addr().unwrap(), bound);
        assert_works(&successor);
        drop(successor);
        if let Addr::Unix(path) = addr {
            std::fs::remove_file(path).unwrap();
        }
    });
}

#[test]
fn what_is_no_stream_socket_is_not_adopted() {
    let file = File::open("/dev/null").unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    for fd in [OwnedFd::from(file), OwnedFd::from(datagrams)] {
        let error = Listener::try_from(fd).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("neither a Unix nor a TCP"), "{error}");
    }
}

/// A service for one client, as systemd or inetd starts it: the socket is standard input, which does
/// not block if its parent polls it. It ends without `shutdown`, and is started again.
#[test]
fn an_inherited_listener_that_does_not_block_serves_activation_after_activation() {
    if env::var_os(ACTIVATED).is_some() {
        let stdin = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
        let listener = Listener::try_from(stdin).unwrap();
        serve(&[listener], 8, |conn| {
            common::echo(conn);
            process::exit(0);
        })
        .unwrap();
    }
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        for _ in 0..3 {
            listener.set_nonblocking(true).unwrap();
            let mut service = Command::new(env::current_exe().unwrap());
            let test =
                "an_inherited_listener_that_does_not_block_serves_activation_after_activation";
            service.args(["--exact", test]).env(ACTIVATED, "").stdout(Stdio::null());
            service.stdin(listener.as_fd().try_clone_to_owned().unwrap());
            let mut service = service.spawn().unwrap();
            assert_echoed(&bound, b"activated");
            assert!(service.wait().unwrap().success());
        }
    });
}

const ACTIVATED: &str = "STREAMSOCK_TEST_ACTIVATED";

/// Those who queue are neither left hanging nor handed to a later accept.
#[test]
fn shutdown_disconnects_those_who_queue() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        let mut queue: Vec<_> = (0..5).map(|_| Conn::connect(&bound).unwrap()).collect();
        queue[0].write_all(b"anybody there?").unwrap();
        listener.shutdown().unwrap();
        for conn in &mut queue {
            assert_eq!(conn.read(&mut [0]).unwrap_or(0), 0);
        }
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

/// A successor binds while the last client of the old server is served. What the old one does then,
/// a second shutdown and its drop, is no longer the successor's business.
#[test]
fn a_successor_binds_while_the_last_clients_are_served() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        let mut client = Conn::connect(&bound).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        listener.shutdown().unwrap();

        let successor = Listener::bind(&bound).unwrap();
        successor.set_nonblocking(true).unwrap();
        listener.shutdown().unwrap();
        assert_eq!(successor.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        client.write_all(b"x").unwrap();
        server.read_exact(&mut [0]).unwrap();
        drop(listener);
        successor.set_nonblocking(false).unwrap();
        assert_works(&successor);
    });
}

#[test]
fn what_was_accepted_outlives_the_listener() {
    over_both(|addr| {
        let (mut client, server) = common::connected(addr);
        client.write_all(b"hi").unwrap();
        drop(client);
        assert_eq!(read_all(server), b"hi");
    });
}

#[test]
fn adopted_listeners_work_and_keep_their_file() {
    let dir = TempDir::new();
    let path = dir.join("s");
    let adopted = Listener::from(UnixListener::bind(&path).unwrap());
    assert_eq!(adopted.local_addr().unwrap(), Addr::from(path.as_path()));
    assert_works(&adopted);
    assert!(adopted.as_fd().try_clone_to_owned().is_ok());
    adopted.shutdown().unwrap();
    drop(adopted);
    assert!(path.exists());

    let adopted = Listener::from(TcpListener::bind("127.0.0.1:0").unwrap());
    assert_works(&adopted);
    adopted.shutdown().unwrap();
}

/// `bind` makes a second descriptor for `shutdown` if it can, and does without it if not.
#[test]
fn with_one_descriptor_left_a_port_is_bound_and_a_path_is_not() {
    if !under("ulimit -n 64", "with_one_descriptor_left_a_port_is_bound_and_a_path_is_not") {
        return;
    }
    over_both(|addr| {
        let mut files = exhaust_descriptors();
        files.pop();
        // A path takes one for the lock on its directory as well.
        let Ok(listener) = Listener::bind(addr) else {
            assert_eq!(addr.network(), "unix");
            return;
        };
        assert_eq!(addr.network(), "tcp");
        let error = listener.shutdown().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(24), "EMFILE: {error}");
        drop(files);
        assert_works(&listener); // nothing has changed
        listener.shutdown().unwrap();
        assert!(listener.accept().is_err());
    });
}

#[test]
#[cfg(target_os = "linux")] // elsewhere, shutdown needs a descriptor
fn without_a_descriptor_shutdown_works_and_a_client_can_wait() {
    if !under("ulimit -n 64", "without_a_descriptor_shutdown_works_and_a_client_can_wait") {
        return;
    }
    over_both(|addr| {
        let left = Listener::bind(addr).unwrap();
        let mut queues = Conn::connect(&left.local_addr().unwrap()).unwrap();
        let mut files = exhaust_descriptors();
        left.shutdown().unwrap();
        // The second call needs none, either.
        files.extend(exhaust_descriptors());
        left.shutdown().unwrap();
        assert_eq!(queues.read(&mut [0]).unwrap_or(0), 0);
        drop((left, queues, files));

        let listener = Listener::bind(addr).unwrap();
        let mut client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
        client.write_all(b"patience").unwrap();
        let mut files = exhaust_descriptors();

        let error = listener.accept().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(24), "EMFILE: {error}");
        files.pop();
        let (mut server, _) = listener.accept().unwrap();
        let mut word = [0; 8];
        server.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"patience");

        drop((server, client));
        files.extend(exhaust_descriptors());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| listener.incoming().filter(Result::is_ok).count());
            listener.shutdown().unwrap();
            assert_eq!(waiting.join().unwrap(), 0);
        });
    });
}
