//! The lesson `chat`: its lines, its deaf clients, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use streamsock::{Addr, Conn};

mod common;

use common::{TempDir, connected, example, read_all, watchdog};

/// The chat as a process, with a standard input that ends when it is dropped. Killed with the value.
struct Chat {
    child: Child,
    stderr: BufReader<ChildStderr>,
    addrs: Vec<Addr>,
}

impl Chat {
    fn start(dir: &TempDir) -> Chat {
        Chat::start_with(dir, Stdio::piped())
    }

    fn start_with(dir: &TempDir, stdin: Stdio) -> Chat {
        let mut command = Command::new(example("chat"));
        command.arg(dir.join("s")).arg("tcp:127.0.0.1:0");
        let mut child = command.stdin(stdin).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut chat = Chat { child, stderr, addrs: Vec::new() };
        for _ in 0..2 {
            let line = chat.says();
            chat.addrs.push(line.strip_prefix("listening on ").unwrap().parse().unwrap());
        }
        chat
    }

    /// The next line that it prints itself.
    fn says(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line.trim_end().to_string()
    }

    /// Two clients over Unix and one over TCP, all of them in the room.
    fn three(&self) -> [Conn; 3] {
        let [first, second] = [0, 1].map(|n| Conn::connect(&self.addrs[n]).unwrap());
        // The first is in the room once it hears the second.
        first.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        while (&first).read(&mut [0]).is_err() {
            (&second).write_all(b"?\n").unwrap();
        }
        first.set_read_timeout(None).unwrap();
        (&second).write_all(b"all here\n").unwrap();
        while line(&first) != "all here\n" {}
        let third = self.join(0, &[&first, &second]);
        [first, second, third]
    }

    /// A client who is in the room, as the others have heard it.
    fn join(&self, addr: usize, others: &[&Conn]) -> Conn {
        let conn = Conn::connect(&self.addrs[addr]).unwrap();
        (&conn).write_all(b"hello\n").unwrap();
        others.iter().for_each(|other| assert_eq!(line(other), "hello\n"));
        conn
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next line, byte by byte, so that nothing behind it is taken.
fn line(mut conn: &Conn) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        conn.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

#[test]
fn a_line_goes_to_all_the_others() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let chat = Chat::start(&dir);
    let [first, second, third] = chat.three();
    (&first).write_all(b"in two ").unwrap();
    (&first).write_all(b"pieces\nand a second line\n").unwrap();
    for conn in [&second, &third] {
        assert_eq!(line(conn), "in two pieces\n");
        assert_eq!(line(conn), "and a second line\n");
    }
    // What a client does not end itself is ended for it, and its own lines do not come back.
    (&second).write_all(b"last words").unwrap();
    drop(second);
    assert_eq!((line(&first), line(&third)), ("last words\n".into(), "last words\n".into()));
    // A line without an end comes in pieces.
    (&third).write_all(&[b'x'; 3000]).unwrap();
    (&third).write_all(b"\n").unwrap();
    let lengths: Vec<_> = (0..3).map(|_| line(&first).len()).collect();
    assert_eq!(lengths, [1025, 1025, 953]);
}

/// They could do what they like to the terminals of others.
#[test]
fn control_characters_do_not_go_through() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let chat = Chat::start(&dir);
    let [first, second, third] = chat.three();
    (&first).write_all(b"\x1b[31mred\x07\t caf\xc3\xa9 \x7f\xc2\x9b\xff\r\n\n").unwrap();
    for conn in [&second, &third] {
        assert_eq!(line(conn), "[31mred caf\u{e9} \u{fffd}\n");
        assert_eq!(line(conn), "\n");
    }
}

/// The header's session: what is typed at one terminal is printed at the other, and in no other order.
#[test]
fn what_the_header_shows() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let chat = Chat::start(&dir);
    let source = include_str!("../examples/chat.rs");
    let header: Vec<_> = source.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let header = header.join("\n");
    let block = header.split("```").nth(1).unwrap();
    let [server, unix, tcp] = block.split("\n $ ").skip(1).collect::<Vec<_>>()[..] else {
        panic!("{block}")
    };
    let listening = |addr: &str| format!("\n listening on {addr}");
    let [shown_unix, shown_tcp] = ["unix:/tmp/chat.sock", "tcp:127.0.0.1:13502"];
    assert!(server.starts_with("cargo run --example chat "), "{server}");
    assert!(server.ends_with(&(listening(shown_unix) + &listening(shown_tcp))), "{server}");
    assert!(unix.starts_with("nc -N -U /tmp/chat.sock\n"), "{unix}");
    assert!(tcp.starts_with("nc -N 127.0.0.1 13502\n"), "{tcp}");

    let [first, second, _third] = chat.three();
    let said = |terminal: &str| -> Vec<(String, bool)> {
        let line = |line: &str| match line.split_once(" # typed here") {
            Some((text, _)) => (text.trim().to_string(), true),
            None => (line.trim().to_string(), false),
        };
        terminal.trim_end().lines().skip(1).map(line).collect()
    };
    let (unix, tcp) = (said(unix), said(tcp));
    assert_eq!(unix.len(), tcp.len());
    for ((text, from_unix), (other, from_tcp)) in unix.iter().zip(&tcp) {
        assert_eq!((text, from_unix), (other, &!from_tcp));
        let (from, to) = if *from_unix { (&first, &second) } else { (&second, &first) };
        { from }.write_all(format!("{text}\n").as_bytes()).unwrap();
        assert_eq!(line(to), format!("{text}\n"));
    }
}

#[test]
fn ctrl_d_ends_it_with_idle_clients_connected() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let mut chat = Chat::start(&dir);
    let idle = chat.three();
    drop(chat.child.stdin.take());
    for conn in idle {
        assert_eq!(read_all(conn), b"");
    }
    assert!(chat.child.wait().unwrap().success());
    assert_eq!(dir.names(), [""; 0]);
}

/// As it is if a shell has left O_NONBLOCK on a terminal.
#[test]
fn an_error_of_standard_input_does_not_end_it() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let (_ours, theirs) = Conn::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let mut chat = Chat::start_with(&dir, OwnedFd::from(theirs).into());
    let complaint = chat.says();
    assert!(complaint.starts_with("chat: standard input: "), "{complaint}");
    let [first, second, _third] = chat.three();
    (&first).write_all(b"still here\n").unwrap();
    assert_eq!(line(&second), "still here\n");
    assert!(chat.child.try_wait().unwrap().is_none());
}

// The exercises.

/// Every line, one of them late. The deaf one is sent more than any socket's buffers hold. The others read each line before the next is said,
/// so that it is never they who are late.
#[test]
fn what_does_a_third_client_see_if_one_is_stopped_while_another_talks() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    for network in [0, 1] {
        let chat = Chat::start(&dir);
        let [first, second, third] = chat.three();
        let deaf = chat.join(network, &[&first, &second, &third]);

        let mut readers = [&second, &third].map(BufReader::new);
        let lines = 20_000;
        for number in 0..lines {
            let said = format!("{number:01000}\n");
            (&first).write_all(said.as_bytes()).unwrap();
            for reader in &mut readers {
                let mut heard = String::new();
                reader.read_line(&mut heard).unwrap();
                assert_eq!(heard, said);
            }
        }
        // What was in the buffers is there, and then it ends.
        let heard = read_all(&deaf).len() / 1001;
        assert!(0 < heard && heard < lines, "{heard}");
    }
}

/// Both ends of a connection whose buffers are full, with part of a line at the end.
fn with_a_line_that_is_cut_off(length: usize) -> Option<(Conn, Conn)> {
    let tcp: Addr = "tcp:127.0.0.1:0".parse().unwrap();
    let (near, far) = connected(&tcp);
    near.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let line = [vec![b'x'; length - 1], vec![b'\n']].concat();
    loop {
        match (&near).write(&line) {
            Ok(n) if n == length => {}
            Ok(_) => return Some((near, far)),
            Err(_) => return None,
        }
    }
}

/// Over TCP: a Unix socket takes a line of this size as a whole, or not at all.
#[test]
fn what_may_the_next_line_look_like_of_a_client_whose_write_timed_out() {
    let _watchdog = watchdog();
    // It may be that the buffers end where a line does. They will not with each of these lengths.
    let cut_off =
        [1001, 997, 991, 983].map(with_a_line_that_is_cut_off).into_iter().flatten().next();
    let (near, far) = cut_off.expect("no line was cut off");

    let reader = std::thread::spawn(move || read_all(far));
    near.set_write_timeout(None).unwrap();
    (&near).write_all(b"hello\n").unwrap();
    near.shutdown(Shutdown::Write).unwrap();
    let text = String::from_utf8(reader.join().unwrap()).unwrap();
    assert!(text.ends_with("xxxhello\n"));
}
