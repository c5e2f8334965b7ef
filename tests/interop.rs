//! Foreign peers of the echo pair: nc, socat and Python at the other end of the same sockets. All of it is ignored by
//! default, for those who lack these programs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{Random, Server, TempDir, example, read_all, watchdog, with_server};

/// Gives a program its input, and takes its output meanwhile.
fn pipe(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    })
}

fn assert_echoes(command: &mut Command) {
    let bytes = Random(3).bytes(1_000_000);
    let output = pipe(command, &bytes);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout == bytes, "{command:?}: what came back differs");
}

/// Our client's `-`, as a command.
fn our_client(addr: &str) -> Command {
    let mut client = Command::new(example("echo_client"));
    client.args([addr, "-"]);
    client
}

/// A foreign server as a process, which is killed with the value.
struct Foreign(Child);

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_both_kinds(body: impl Fn(&str, &str)) {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let unix = dir.join("s").to_str().unwrap().to_string();
    let mut command = Command::new(example("echo_server"));
    command.args([&unix, "tcp:127.0.0.1:0"]);
    let server = Server::start(&mut command, 2);
    let Addr::Tcp { port, .. } = &server.addrs[1] else { panic!("{:?}", server.addrs) };
    body(&unix, &port.to_string());
}

#[test]
#[ignore = "needs nc of OpenBSD"]
fn nc_is_echoed() {
    with_both_kinds(|unix, port| {
        assert_echoes(Command::new("nc").args(["-N", "-U", unix]));
        assert_echoes(Command::new("nc").args(["-N", "127.0.0.1", port]));
    });
}

#[test]
#[ignore = "needs socat"]
fn socat_is_echoed_after_its_half_close() {
    with_both_kinds(|unix, port| {
        // Ten seconds is how long it waits, after its half-close, for the rest.
        assert_echoes(Command::new("socat").args(["-t10", "-", &format!("UNIX-CONNECT:{unix}")]));
        assert_echoes(Command::new("socat").args(["-t10", "-", &format!("TCP:127.0.0.1:{port}")]));
    });
}

#[test]
#[ignore = "needs socat"]
#[cfg(target_os = "linux")]
fn socat_is_echoed_through_an_abstract_name() {
    let _watchdog = watchdog();
    let name = format!("streamsock-{}", std::process::id());
    let mut command = Command::new(example("echo_server"));
    let _server = Server::start(command.arg(format!("@{name}")), 1);
    let socat = format!("ABSTRACT-CONNECT:{name}");
    assert_echoes(Command::new("socat").args(["-t10", "-", &socat]));
}

/// socat as the server: it says when it listens, with `-dd`.
#[test]
#[ignore = "needs socat"]
fn our_client_talks_to_socat() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let unix = dir.join("s");
    let mut listen = vec![
        (format!("UNIX-LISTEN:{}", unix.display()), format!("unix:{}", unix.display())),
        ("TCP-LISTEN:0,bind=127.0.0.1".to_string(), "tcp:127.0.0.1:".to_string()),
    ];
    if cfg!(target_os = "linux") {
        let name = format!("streamsock-socat-{}", std::process::id());
        listen.push((format!("ABSTRACT-LISTEN:{name}"), format!("@{name}")));
    }
    for (listen, mut addr) in listen {
        let mut socat = Command::new("socat");
        socat.args(["-dd", "-t10", &listen, "EXEC:cat"]).stderr(Stdio::piped());
        let mut socat = Foreign(socat.spawn().unwrap());
        let mut lines = BufReader::new(socat.0.stderr.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("listening on")).unwrap();
        thread::spawn(move || lines.for_each(drop));
        if addr.ends_with(':') {
            addr += line.rsplit(':').next().unwrap();
        }
        assert_echoes(&mut our_client(&addr));
    }
}

/// A Python script that prints what the test waits for.
fn python(script: &str, args: &[&str]) -> (Foreign, BufReader<ChildStdout>) {
    let mut command = Command::new("python3");
    command.args(["-c", script]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (Foreign(child), stdout)
}

#[test]
#[ignore = "needs python3"]
fn python_is_echoed() {
    const CLIENT: &str = "
import os, socket, sys, threading
def run(conn):
    data = os.urandom(1000000)
    def send():
        conn.sendall(data)
        conn.shutdown(socket.SHUT_WR)
    threading.Thread(target=send).start()
    got = bytearray()
    while chunk := conn.recv(65536):
        got += chunk
    assert got == data
unix = socket.socket(socket.AF_UNIX)
unix.connect(sys.argv[1])
run(unix)
run(socket.create_connection(('127.0.0.1', int(sys.argv[2]))))
print('same')
";
    with_both_kinds(|unix, port| {
        let (_python, stdout) = python(CLIENT, &[unix, port]);
        assert_eq!(read_all(stdout), b"same\n");
    });
}

#[test]
#[ignore = "needs python3"]
fn our_client_talks_to_python() {
    const SERVER: &str = "
import socket, sys
unix = socket.socket(socket.AF_UNIX)
unix.bind(sys.argv[1])
tcp = socket.create_server(('127.0.0.1', 0))
unix.listen()
print(tcp.getsockname()[1], flush=True)
for listener in unix, tcp:
    conn, _ = listener.accept()
    while chunk := conn.recv(65536):
        conn.sendall(chunk)
    conn.close()
";
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let unix = dir.join("s").to_str().unwrap().to_string();
    let (_python, mut stdout) = python(SERVER, &[&unix]);
    let mut port = String::new();
    stdout.read_line(&mut port).unwrap();
    assert_echoes(&mut our_client(&unix));
    assert_echoes(&mut our_client(&format!("127.0.0.1:{}", port.trim())));
}

/// Python's `listen(0)` has a backlog of one, and what has not called `listen` yet has none at all:
/// both are alive.
#[test]
#[ignore = "needs python3"]
fn a_foreign_server_is_not_displaced() {
    const SERVER: &str = "
import socket, sys
full = socket.socket(socket.AF_UNIX)
full.bind(sys.argv[1])
full.listen(0)
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
early = socket.socket(socket.AF_UNIX)
early.bind(sys.argv[2])
print('ready', flush=True)
sys.stdin.read()
";
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let (full, early) = (dir.join("full"), dir.join("early"));
    let args = [full.to_str().unwrap(), early.to_str().unwrap()];
    let (server, mut stdout) = python(SERVER, &args);
    stdout.read_line(&mut String::new()).unwrap();
    for path in [&full, &early] {
        let refused = Listener::bind(&Addr::from(path.as_path())).unwrap_err();
        assert!(refused.to_string().contains("a live server holds"), "{refused}");
    }
    drop(server);
    for path in [&full, &early] {
        Listener::bind(&Addr::from(path.as_path())).unwrap();
    }
    assert_eq!(dir.names(), [""; 0]);
}

/// A request by hand, to show that any protocol goes over either kind of socket.
#[test]
#[ignore = "needs curl"]
fn curl_gets_an_answer_over_both() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let answer = |mut conn: Conn| {
        let mut request = BufReader::new(&conn).lines().map_while(Result::ok);
        let first = request.next().unwrap();
        assert!(request.any(|line| line.is_empty()));
        let body = format!("over {}: {first}\n", conn.network());
        let _ = write!(conn, "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let _ = conn.shutdown(Shutdown::Write);
        let _ = conn.read(&mut [0]);
    };
    let curl = |args: &[&str]| {
        let output = Command::new("curl").arg("-sS").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let unix = dir.join("s");
    with_server(&Addr::from(Path::new(&unix)), 4, answer, |_| {
        let text = curl(&["--unix-socket", unix.to_str().unwrap(), "http://localhost/hello"]);
        assert_eq!(text, "over unix: GET /hello HTTP/1.1\n");
    });
    with_server(&"tcp:127.0.0.1:0".parse().unwrap(), 4, answer, |addr| {
        let Addr::Tcp { port, .. } = addr else { panic!("{addr}") };
        let text = curl(&["--noproxy", "*", &format!("http://127.0.0.1:{port}/hello")]);
        assert_eq!(text, "over tcp: GET /hello HTTP/1.1\n");
    });
}
