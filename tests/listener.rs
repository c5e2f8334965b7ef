//! `Listener`: bind, accept, incoming, shutdown, on both transports.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::thread;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{ShutDown, TempDir, over_both, read_all, under};

/// A connection and a word through it, to show that a listener is alive.
fn works(listener: &Listener) {
    let mut client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.write_all(b"hi").unwrap();
    drop(client);
    assert_eq!(read_all(server), b"hi");
}

/// Takes every descriptor that this process may still have.
fn exhaust_descriptors() -> Vec<File> {
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    files
}

#[test]
fn the_bound_address_can_be_connected_to() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        match &bound {
            Addr::Tcp { host, port } => assert!(host == "127.0.0.1" && *port != 0),
            bound => assert_eq!(bound, addr),
        }
        works(&listener);
        assert!(format!("{listener:?}").ends_with(&format!("local: {bound} }}")), "{listener:?}");
    });
}

#[test]
fn names_and_ipv6_are_bound() {
    works(&Listener::bind(&"tcp:localhost:0".parse().unwrap()).unwrap());
    match Listener::bind(&"tcp:[::1]:0".parse().unwrap()) {
        Ok(listener) => works(&listener),
        Err(e) => assert_eq!(e.kind(), ErrorKind::AddrNotAvailable), // no IPv6 here
    }
}

#[test]
fn an_address_is_held_until_the_listener_is_dropped() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        assert_eq!(Listener::bind(&bound).unwrap_err().kind(), ErrorKind::AddrInUse);
        works(&listener);
        drop(listener);
        assert!(Conn::connect(&bound).is_err());
        works(&Listener::bind(&bound).unwrap());
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
        for (n, conn) in (&listener).into_iter().take(3).enumerate() {
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
        works(&listener);
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
        listener.shutdown().unwrap();
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
    works(&adopted);
    assert!(adopted.as_fd().try_clone_to_owned().is_ok());
    adopted.shutdown().unwrap();
    drop(adopted);
    assert!(path.exists());

    let adopted = Listener::from(TcpListener::bind("127.0.0.1:0").unwrap());
    works(&adopted);
    adopted.shutdown().unwrap();
}

#[test]
fn without_a_descriptor_shutdown_works_and_a_client_can_wait() {
    if !under("ulimit -n 64", "without_a_descriptor_shutdown_works_and_a_client_can_wait") {
        return;
    }
    over_both(|addr| {
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
