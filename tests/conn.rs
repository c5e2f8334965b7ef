//! `Conn`: std's methods, on both transports.

use std::env;
use std::fs::File;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
#[cfg(target_os = "linux")]
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{
    Random, TempDir, assert_silent, connect_error, connected, over_both, read_all, run, watchdog,
};
#[cfg(target_os = "linux")]
use common::{example, wait_until};

#[test]
fn bytes_go_both_ways() {
    over_both(|addr| {
        let (mut client, mut server) = connected(addr);
        client.write_all(b"ping").unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"ping");
        server.write_all(b"pong").unwrap();
        server.flush().unwrap();
        client.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"pong");
    });
}

#[test]
fn several_buffers_go_in_one_call() {
    over_both(|addr| {
        let (mut client, mut server) = connected(addr);
        let sent = client.write_vectored(&[IoSlice::new(b"one"), IoSlice::new(b"two!")]).unwrap();
        assert_eq!(sent, 7);
        let (mut four, mut three) = ([0; 4], [0; 3]);
        let got = server
            .read_vectored(&mut [IoSliceMut::new(&mut four), IoSliceMut::new(&mut three)])
            .unwrap();
        assert_eq!((got, &four, &three), (7, b"onet", b"wo!"));
    });
}

#[test]
fn after_a_half_close_the_other_direction_goes_on() {
    over_both(|addr| {
        let (mut client, mut server) = connected(addr);
        client.write_all(b"all").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&server), b"all");
        server.write_all(b"the answer").unwrap();
        drop(server);
        assert_eq!(read_all(&client), b"the answer");
        assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

/// More than any buffer holds, so that it goes through only if both run at once.
#[test]
fn two_threads_share_one_conn() {
    over_both(|addr| {
        let (client, server) = connected(addr);
        let bytes = Random(7).bytes(20 << 20);
        thread::scope(|scope| {
            scope.spawn(|| common::echo(server));
            scope.spawn(|| {
                (&client).write_all(&bytes).unwrap();
                client.shutdown(Shutdown::Write).unwrap();
            });
            assert!(read_all(&client) == bytes, "what came back differs");
        });
    });
}

#[test]
fn addresses_are_reported() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let bound = listener.local_addr().unwrap();
        let client = Conn::connect(&bound).unwrap();
        let (server, peer) = listener.accept().unwrap();

        assert_eq!(client.network(), addr.network());
        assert_eq!(client.peer_addr().unwrap(), bound);
        assert_eq!(server.local_addr().unwrap(), bound);
        assert_eq!(client.local_addr().unwrap(), peer);
        assert_eq!(server.peer_addr().unwrap(), peer);
        assert_eq!(peer == Addr::Unnamed, addr.network() == "unix");

        let shown = format!("{client:?}");
        let fd = client.as_raw_fd();
        assert_eq!(shown, format!("Conn {{ fd: {fd}, local: {peer}, peer: {bound} }}"));
    });
}

#[test]
fn timeouts_end_a_wait() {
    over_both(|addr| {
        let (mut client, _server) = connected(addr);
        assert_eq!(client.read_timeout().unwrap(), None);
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        client.set_write_timeout(Some(Duration::from_millis(40))).unwrap();
        assert_eq!(client.read_timeout().unwrap(), Some(Duration::from_millis(20)));
        assert_eq!(client.write_timeout().unwrap(), Some(Duration::from_millis(40)));
        assert_silent(&client);
        // Nobody reads: the buffers fill up, and then the write runs out of time.
        let error = (0..1000).find_map(|_| client.write_all(&[0; 1 << 16]).err());
        assert_eq!(error.unwrap().kind(), ErrorKind::WouldBlock);

        let zero = client.set_read_timeout(Some(Duration::ZERO)).unwrap_err();
        assert_eq!(zero.kind(), ErrorKind::InvalidInput);
        client.set_read_timeout(None).unwrap();
        assert_eq!(client.read_timeout().unwrap(), None);
    });
}

#[test]
fn nonblocking_holds_for_the_clones_too() {
    over_both(|addr| {
        let (client, _server) = connected(addr);
        let mut clone = client.try_clone().unwrap();
        client.set_nonblocking(true).unwrap();
        assert_eq!(clone.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_clone_keeps_the_connection_open() {
    over_both(|addr| {
        let (client, mut server) = connected(addr);
        let mut clone = client.try_clone().unwrap();
        drop(client);
        clone.write_all(b"still here").unwrap();
        drop(clone);
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        assert_eq!(text, "still here");
    });
}

#[test]
fn nodelay_is_on_unless_adopted() {
    over_both(|addr| {
        let (client, server) = connected(addr);
        assert!(client.nodelay().unwrap() && server.nodelay().unwrap());
        client.set_nodelay(false).unwrap();
        assert_eq!(client.nodelay().unwrap(), addr.network() == "unix");
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(!Conn::from(stream).nodelay().unwrap());
}

#[test]
fn std_streams_go_in_and_descriptors_come_out() {
    let (near, far) = UnixStream::pair().unwrap();
    let raw = near.as_raw_fd();
    let near = Conn::from(near);
    assert_eq!(near.as_fd().as_raw_fd(), raw);
    let fd = OwnedFd::from(near);
    assert_eq!(fd.as_raw_fd(), raw);
    drop(fd);
    assert_eq!(read_all(Conn::from(far)), b"");
}

/// What systemd and inetd pass to a program is one of these.
#[test]
fn a_descriptor_is_adopted_by_what_it_is() {
    over_both(|addr| {
        let (client, server) = connected(addr);
        let mut adopted = Conn::try_from(OwnedFd::from(client)).unwrap();
        assert_eq!(adopted.network(), addr.network());
        adopted.write_all(b"hi").unwrap();
        drop(adopted);
        assert_eq!(read_all(server), b"hi");
    });
    let file = File::open("/dev/null").unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    for fd in [OwnedFd::from(file), OwnedFd::from(datagrams)] {
        let error = Conn::try_from(fd).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("neither a Unix nor a TCP"), "{error}");
    }
}

/// In a network namespace whose clients have a hundred ports to choose from, one that connects to a
/// port of these gets that very port now and then, and then is connected to itself.
#[test]
#[ignore = "needs root, unshare and ip"]
fn a_client_does_not_connect_to_itself() {
    const INSIDE: &str = "STREAMSOCK_TEST_NAMESPACE";
    if env::var_os(INSIDE).is_none() {
        let script = "ip link set lo up && echo 40000 40099 > /proc/sys/net/ipv4/ip_local_port_range \
                      && exec \"$0\" --exact a_client_does_not_connect_to_itself --ignored";
        let mut inside = Command::new("unshare");
        inside.args(["--net", "sh", "-c", script]).arg(env::current_exe().unwrap()).env(INSIDE, "");
        let (code, stdout, stderr) = run(&mut inside);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        return;
    }
    let _watchdog = watchdog();
    let tries = || (40_000..40_050).flat_map(|port| [port; 200]);
    for port in tries() {
        let error = Conn::connect(&Addr::Tcp { host: "127.0.0.1".into(), port }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    // These are often enough: std's own does.
    let std = |port| TcpStream::connect(("127.0.0.1", port));
    assert!(tries().map(|port| port + 50).any(|port| std(port).is_ok()));
}

#[test]
fn a_pair_is_connected_and_unnamed() {
    let (mut near, far) = Conn::pair().unwrap();
    assert_eq!(near.local_addr().unwrap(), Addr::Unnamed);
    assert_eq!(near.peer_addr().unwrap(), Addr::Unnamed);
    near.write_all(b"hi").unwrap();
    drop(near);
    assert_eq!(read_all(far), b"hi");
}

#[test]
fn connecting_to_nobody_keeps_the_systems_error() {
    let dir = TempDir::new();
    let connect = |path: &str| connect_error(&Addr::from(dir.join(path)));

    let error = connect("absent");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.raw_os_error().is_some());

    drop(UnixListener::bind(dir.join("stale")).unwrap()); // std leaves the file
    std::fs::write(dir.join("regular"), "").unwrap();
    for path in ["stale", "regular"] {
        let error = connect(path);
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{path}");
        assert!(error.raw_os_error().is_some());
    }

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = connect_error(&Addr::Tcp { host: "127.0.0.1".into(), port });
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

/// A peer that closes with unread bytes resets the connection on TCP, and on Linux's Unix sockets.
#[test]
fn a_peer_that_vanishes_mid_message() {
    over_both(|addr| {
        let (mut client, server) = connected(addr);
        client.write_all(b"never read").unwrap();
        drop(server);
        match client.read(&mut [0; 8]) {
            Ok(n) => assert_eq!(n, 0),
            Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionReset),
        }

        let (mut client, server) = connected(addr);
        (&server).write_all(b"half a mess").unwrap();
        drop(server);
        let error = client.read_exact(&mut [0; 12]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
}

/// A signal interrupts a connect that waits for room in the backlog. The handler is the one that std
/// installs for a stack that overflows: it is without SA_RESTART, and goes on after the first time.
#[test]
#[cfg(target_os = "linux")]
fn a_signal_does_not_end_a_connect() {
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let addr = listener.local_addr().unwrap();
        let somaxconn = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        let (backlog, sleeps_in) = match addr.network() {
            "unix" => (somaxconn.trim().parse().unwrap(), "unix_wait_for_peer"),
            _ => (128, "wait_woken"),
        };
        for _ in 0..=backlog {
            Conn::connect(&addr).unwrap();
        }
        let mut client = Command::new(example("echo_client"));
        client.args([&addr.to_string(), "hi"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let client = client.spawn().unwrap();
        let pid = client.id();
        // So that the signal finds it in connect(2).
        wait_until(|| {
            let place = std::fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap();
            place.contains(sleeps_in) || (place == "0" && is_asleep(pid))
        });
        let kill = Command::new("sh").args(["-c", &format!("kill -SEGV {pid}")]).status().unwrap();
        assert!(kill.success());
        wait_until(|| !has_pending_signal(pid));
        for conn in listener.incoming() {
            let conn = conn.unwrap();
            let mut word = [0; 3];
            if (&conn).read_exact(&mut word).is_ok() {
                (&conn).write_all(&word).unwrap();
                assert_eq!(read_all(&conn), b""); // the client half-closes when it has sent all
                break;
            }
        }
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, b"hi\n");
    });
}

#[cfg(target_os = "linux")]
fn is_asleep(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('S')
}

#[cfg(target_os = "linux")]
fn has_pending_signal(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    [of("ShdPnd:"), of("SigPnd:")].iter().any(|set| set.contains(|bit| ('1'..='f').contains(&bit)))
}
