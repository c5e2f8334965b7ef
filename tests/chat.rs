//! The lesson `chat`: its lines, its deaf clients, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use streamsock::{Addr, Conn};

mod common;

use common::{TempDir, connected, example, over_both, read_all, watchdog};

/// The chat as a process, with a standard input that ends when it is dropped. Killed with the value.
struct Chat {
    child: Child,
    addrs: Vec<Addr>,
}

impl Chat {
    fn start(dir: &TempDir) -> Chat {
        let mut command = Command::new(example("chat"));
        command.arg(dir.join("s")).arg("tcp:127.0.0.1:0");
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
        let addrs = (0..2).map(|_| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix("listening on ").unwrap().parse().unwrap()
        });
        let addrs = addrs.collect();
        Chat { child, addrs }
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

/// What the others see of a `nc` that was stopped while `yes` talks: every line, one of them late.
/// The deaf one is sent more than any socket's buffers hold. The others read each line before the next is said,
/// so that it is never they who are late.
#[test]
fn a_client_that_does_not_read_is_dropped_and_the_others_miss_nothing() {
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

// The exercises.

#[test]
fn what_may_the_next_line_look_like_of_a_client_whose_write_timed_out() {
    over_both(|addr| {
        let (near, far) = connected(addr);
        near.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
        // The client does not read, and part of a line fits the buffers.
        let line = [&vec![b'x'; 32 << 20][..], b"\n"].concat();
        let sent = (&near).write(&line).unwrap();
        assert!(0 < sent && sent < line.len());

        let reader = std::thread::spawn(move || read_all(far));
        near.set_write_timeout(None).unwrap();
        (&near).write_all(b"hello\n").unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        let text = String::from_utf8(reader.join().unwrap()).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(text.ends_with("xxxhello\n"));
    });
}
