//! Proofs of what the course answers to the exercises of part 3, each test named by the question. Those of
//! private_server are in a file of their own.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{TempDir, assert_silent, connect_error, read_all, watchdog};

/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(50);

// child

/// Our end of a pair, and the child that has the other.
fn sort() -> (UnixStream, Child) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let second = OwnedFd::from(theirs.try_clone().unwrap());
    let child = Command::new("sort").stdin(OwnedFd::from(theirs)).stdout(second).spawn();
    (ours, child.unwrap())
}

#[test]
fn what_happens_without_the_shutdown() {
    let _watchdog = watchdog();
    let (mut ours, mut child) = sort();
    ours.write_all(b"b\na\n").unwrap();
    // Both wait: sort for more, we for its answer.
    ours.set_read_timeout(Some(MOMENT)).unwrap();
    assert_silent(&ours);
    ours.shutdown(Shutdown::Write).unwrap();
    ours.set_read_timeout(None).unwrap();
    assert_eq!(read_all(&ours), b"a\nb\n");
    assert!(child.wait().unwrap().success());
}

#[test]
fn who_waits_for_whom_if_the_command_is_kept() {
    let _watchdog = watchdog();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new("true");
    command.stdin(Stdio::null()).stdout(OwnedFd::from(theirs));
    assert!(command.status().unwrap().success());
    // The child has ended, and its end is still open: here, in `command`.
    ours.set_read_timeout(Some(MOMENT)).unwrap();
    assert_silent(&ours);
    drop(command);
    ours.set_read_timeout(None).unwrap();
    assert_eq!(ours.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_happens_if_our_end_is_dropped_instead() {
    let _watchdog = watchdog();
    let (mut ours, mut child) = sort();
    ours.write_all(b"b\na\n").unwrap();
    drop(ours);
    // It reads end of file, too, but nobody is there to read what it writes: SIGPIPE.
    assert_eq!(child.wait().unwrap().signal(), Some(13));
}

// abstract_name

#[test]
fn which_answers_would_be_different_for_a_path() {
    let dir = TempDir::new();
    let path = dir.join("s");
    let addr = Addr::from(path.as_path());

    let server = Listener::bind(&addr).unwrap();
    Conn::connect(&addr).unwrap();
    assert_eq!(Listener::bind(&addr).unwrap_err().kind(), ErrorKind::AddrInUse);
    // It is refused for the live server, not for the mode.
    let refused = Listener::bind_with_mode(&addr, 0o600).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AddrInUse);
    drop(server);
    assert_eq!(Conn::connect(&addr).unwrap_err().kind(), ErrorKind::NotFound);
    Listener::bind_with_mode(&addr, 0o600).unwrap();

    // A server that was killed leaves its file, as std does.
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(connect_error(&addr).kind(), ErrorKind::ConnectionRefused);
    assert_eq!(UnixListener::bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[cfg(target_os = "linux")]
fn abstract_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("@streamsock-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed))
}

#[test]
#[ignore = "needs unshare, and the permission to make a network namespace"]
#[cfg(target_os = "linux")]
fn which_address_can_be_reached_from_another_network_namespace() {
    use common::{Server, example, run};

    let _watchdog = watchdog();
    let dir = TempDir::new();
    let (name, path) = (abstract_name(), dir.join("s").to_str().unwrap().to_string());
    let mut command = Command::new(example("echo_server"));
    let _server = Server::start(command.args([&name, &path]), 2);
    let ask = |addr: &str| {
        let mut client = Command::new("unshare");
        run(client.arg("-rn").arg(example("echo_client")).arg(addr))
    };
    assert_eq!(ask(&path), (Some(0), "hello\n".into(), "".into()));
    let (code, _, stderr) = ask(&name);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("Connection refused"), "{stderr}");
}

/// Whoever is first has the name, and his user is what a client can ask for.
#[test]
#[ignore = "needs root and setpriv"]
#[cfg(all(target_os = "linux", feature = "sockopt"))]
fn who_can_get_what_is_sent_to_an_abstract_name_and_how_could_a_client_notice() {
    use common::{Server, as_nobody, example};
    use streamsock::sockopt::peer_cred;

    let _watchdog = watchdog();
    let dir = TempDir::new();
    let name = abstract_name();
    let server = Server::start(as_nobody(&example("echo_server"), &dir).arg(&name), 1);
    assert_eq!(Listener::bind(&server.addrs[0]).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(peer_cred(server.connect()).unwrap().uid, 65534);
}

// datagram

#[test]
fn what_do_recv_and_read_return_for_an_empty_message() {
    let (near, far) = UnixDatagram::pair().unwrap();
    near.send(b"").unwrap();
    assert_eq!(far.recv(&mut [0; 8]).unwrap(), 0); // so 0 cannot mean the end

    // On a stream, it is nothing at all.
    let (mut near, mut far) = UnixStream::pair().unwrap();
    assert_eq!(near.write(b"").unwrap(), 0);
    far.set_nonblocking(true).unwrap();
    assert_eq!(far.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
#[cfg(target_os = "linux")]
fn how_many_messages_fit_the_queue() {
    let fill = |socket: &UnixDatagram, size: usize| {
        socket.set_nonblocking(true).unwrap();
        (0..).take_while(|_| socket.send(&vec![0; size]).is_ok()).count()
    };
    let pair = |size| fill(&UnixDatagram::pair().unwrap().0, size);
    let bound = |size| {
        let dir = TempDir::new();
        let _server = UnixDatagram::bind(dir.join("s")).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        client.connect(dir.join("s")).unwrap();
        fill(&client, size)
    };
    let (small, large) = (pair(5), pair(4096));
    println!("{small} of 5 bytes, {large} of 4,096"); // 278 and 26, unless wmem_default was changed
    assert!(0 < large && large < small);
    assert!(large * 4096 > small * 5, "the bookkeeping for a message outweighs five bytes by far");

    // One more than the system's limit, of any size, unless the sender's buffer is full before.
    let limit = std::fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
    let limit = limit.trim().parse::<usize>().unwrap() + 1;
    assert_eq!((bound(5), bound(4096)), (limit.min(small), limit.min(large)));
}

/// On one host as well: nobody makes the sender wait.
#[test]
fn what_does_udp_do_when_the_receiver_does_not_keep_up() {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.connect(receiver.local_addr().unwrap()).unwrap();
    let sent = 20_000;
    for _ in 0..sent {
        sender.send(&[0; 1000]).unwrap();
    }
    receiver.set_nonblocking(true).unwrap();
    let received = (0..).take_while(|_| receiver.recv(&mut [0; 1000]).is_ok()).count();
    println!("{received} of {sent}");
    assert!((1..sent).contains(&received));
}
