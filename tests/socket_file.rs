//! The socket's file: taking over a stale one and nothing else, its mode, its end.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{Server, TempDir, example, read_all, run, under, watchdog};

fn bind(path: &Path) -> std::io::Result<Listener> {
    Listener::bind(&Addr::from(path))
}

/// A socket's file that nobody holds: std leaves it behind.
fn stale(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
    assert!(fs::symlink_metadata(path).unwrap().file_type().is_socket());
}

fn assert_works(listener: &Listener) {
    let mut client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
    client.write_all(b"hi").unwrap();
    drop(client);
    assert_eq!(read_all(listener.accept().unwrap().0), b"hi");
}

fn refused(path: &Path, because: &str) {
    for result in [bind(path), Listener::bind_with_mode(&Addr::from(path), 0o600)] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let message = error.to_string();
        assert!(message.contains(because), "{message:?} does not say {because:?}");
        assert!(!message.contains(path.to_str().unwrap()), "{message:?} names the path");
    }
}

#[test]
fn a_stale_file_is_taken_over() {
    let dir = TempDir::new();
    let path = dir.join("s");
    stale(&path);
    assert_works(&bind(&path).unwrap());
    stale(&path);
    assert_works(&Listener::bind_with_mode(&Addr::from(path.as_path()), 0o600).unwrap());
    assert_eq!(dir.names(), [""; 0]);
}

#[test]
fn a_live_server_is_not_displaced() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s");
    let live = bind(&path).unwrap();
    refused(&path, "a live server holds it");
    assert_works(&live);
    drop(live);

    let foreign = UnixListener::bind(&path).unwrap();
    refused(&path, "a live server holds it");
    assert_works(&Listener::from(foreign));
    fs::remove_file(&path).unwrap();

    let _datagrams = UnixDatagram::bind(&path).unwrap();
    refused(&path, "a live server holds it");
    assert_eq!(dir.names(), ["s"]);
}

/// To connect to it would hang. On Linux std's backlog is `net.core.somaxconn`, and takes one more;
/// a client that has gone still fills its place.
#[test]
#[cfg(target_os = "linux")]
fn a_live_server_whose_backlog_is_full_is_not_displaced() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s");
    let live = bind(&path).unwrap();
    let backlog = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    for _ in 0..=backlog.trim().parse::<u32>().unwrap() {
        Conn::connect(&Addr::from(path.as_path())).unwrap();
    }
    refused(&path, "a live server holds it");
    drop(live);
}

#[test]
fn what_is_no_socket_is_named_and_left_as_it_was() {
    let dir = TempDir::new();
    let file = |name: &str| dir.join(name);
    fs::write(file("regular"), "precious").unwrap();
    fs::create_dir(file("directory")).unwrap();
    assert!(Command::new("mkfifo").arg(file("fifo")).status().unwrap().success());
    stale(&file("socket"));
    let targets = ["regular", "directory", "fifo", "socket", "nothing"];
    for target in targets {
        symlink(target, file(&format!("to-{target}"))).unwrap();
    }
    let before = dir.names();

    refused(&file("regular"), "a regular file is there, not a socket");
    refused(&file("directory"), "a directory is there, not a socket");
    refused(&file("fifo"), "a FIFO is there, not a socket");
    for target in targets {
        refused(&file(&format!("to-{target}")), "a symbolic link is there, not a socket");
        assert_eq!(fs::read_link(file(&format!("to-{target}"))).unwrap(), Path::new(target));
    }

    assert_eq!(dir.names(), before);
    assert_eq!(fs::read_to_string(file("regular")).unwrap(), "precious");
    assert!(fs::symlink_metadata(file("fifo")).unwrap().file_type().is_fifo());
    assert!(fs::symlink_metadata(file("socket")).unwrap().file_type().is_socket());
}

#[test]
fn errors_of_the_system_are_kept() {
    let dir = TempDir::new();
    let path = dir.join("absent/s");
    for result in [bind(&path), Listener::bind_with_mode(&Addr::from(path), 0o600)] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.raw_os_error().is_some());
    }
}

/// Somebody who holds the lock on the directory keeps nobody from binding, only from taking over.
#[test]
fn without_the_lock_nothing_is_taken_over() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let lock = File::open(dir.path()).unwrap();
    lock.lock().unwrap();
    let (fresh, old) = (dir.join("fresh"), dir.join("old"));
    stale(&old);

    assert_works(&bind(&fresh).unwrap());
    let error = bind(&old).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains("could not be locked"), "{error}");
    assert!(old.exists());

    drop(lock);
    assert_works(&bind(&old).unwrap());
}

#[test]
fn the_file_goes_with_the_listener_if_it_is_still_its_own() {
    let dir = TempDir::new();
    let path = dir.join("s");
    drop(bind(&path).unwrap());
    assert_eq!(dir.names(), [""; 0]);

    let first = bind(&path).unwrap();
    fs::rename(&path, dir.join("moved")).unwrap();
    let second = bind(&path).unwrap();
    drop(first);
    assert_eq!(dir.names(), ["moved", "s"]);
    assert_works(&second);

    fs::remove_file(&path).unwrap();
    fs::write(&path, "somebody else's").unwrap();
    drop(second);
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
}

#[test]
fn a_mode_is_set_whatever_the_umask() {
    if !under("umask 077", "a_mode_is_set_whatever_the_umask") {
        return;
    }
    let dir = TempDir::new();
    for mode in [0o600, 0o660, 0o777, 0o666, 0o200] {
        let addr = Addr::from(dir.join("s"));
        let listener = Listener::bind_with_mode(&addr, mode).unwrap();
        let there = fs::symlink_metadata(dir.join("s")).unwrap();
        assert_eq!(there.permissions().mode() & 0o7777, mode);
        assert_eq!(listener.local_addr().unwrap(), addr);
        assert_works(&listener);
        assert_eq!(dir.names(), ["s"]);
    }
    assert_eq!(dir.names(), [""; 0]);
}

#[test]
fn a_mode_needs_a_file_and_nine_bits() {
    let dir = TempDir::new();
    for (addr, mode) in [
        ("tcp:127.0.0.1:0".parse().unwrap(), 0o600),
        (Addr::Abstract(b"streamsock".into()), 0o600),
        (Addr::Unnamed, 0o600),
        (Addr::from(dir.join("s")), 0o1000),
        (Addr::from(Path::new("")), 0o600),
    ] {
        let error = Listener::bind_with_mode(&addr, mode).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{addr}");
    }
}

#[test]
fn a_mode_works_for_the_longest_path() {
    let dir = TempDir::new();
    let limit = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };
    let room = limit - dir.path().as_os_str().len() - 1;
    for len in [1, room - 9, room - 8, room - 7, room] {
        let path = dir.join(&"x".repeat(len));
        assert_works(&Listener::bind_with_mode(&Addr::from(path), 0o600).unwrap());
    }

    // With two bytes left the path itself fits, and what it is made in does not.
    let deep = dir.join(&"d".repeat(room - 2));
    fs::create_dir(&deep).unwrap();
    let path = deep.join("s");
    drop(bind(&path).unwrap());
    let error = Listener::bind_with_mode(&Addr::from(path), 0o600).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("too long"), "{error}");
    assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
}

/// Each round, sixteen servers start at the file that the last one left.
#[test]
fn of_many_starters_one_wins() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s");
    let addr = Addr::from(path.as_path());
    stale(&path);
    for round in 0..50 {
        let starters: Vec<_> = (0..16)
            .map(|_| {
                let mut command = Command::new(example("echo_server"));
                command.arg("-q").arg(addr.to_string()).stdin(Stdio::null()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();

        let mut winners = Vec::new();
        for mut child in starters {
            let mut line = String::new();
            BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
            if line.starts_with("listening on ") {
                winners.push(child);
            } else {
                let expected = format!("{addr}: a live server holds it");
                assert!(line.contains(&expected), "round {round}: {line:?}");
                assert_eq!(child.wait().unwrap().code(), Some(1));
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");

        let mut client = Conn::connect(&addr).unwrap();
        client.write_all(b"hi").unwrap();
        let mut word = [0; 2];
        client.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"hi");
        for mut winner in winners {
            winner.kill().unwrap();
            winner.wait().unwrap();
        }
        assert_eq!(dir.names(), ["s"], "round {round}");
    }
}

/// A program as the user nobody, copied to where that user can reach it.
fn as_nobody(program: &Path, dir: &TempDir) -> Command {
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = dir.join("program");
    fs::copy(program, &copy).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
    command
}

/// Another user tries to connect, without a pause, while servers come and go.
#[test]
#[ignore = "needs root and setpriv"]
fn a_mode_leaves_no_moment_to_those_it_shuts_out() {
    if let Some(path) = env::var_os("STREAMSOCK_TEST_HAMMER") {
        return hammer(&Addr::from(Path::new(&path)));
    }
    if !under("umask 0", "a_mode_leaves_no_moment_to_those_it_shuts_out") {
        return;
    }
    let _watchdog = watchdog();
    let (dir, program) = (TempDir::new(), TempDir::new());
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let path = dir.join("s");
    let mut hammer = as_nobody(&env::current_exe().unwrap(), &program)
        .args(["--exact", "a_mode_leaves_no_moment_to_those_it_shuts_out"])
        .args(["--ignored", "--nocapture"])
        .env("STREAMSOCK_TEST_HAMMER", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(hammer.stdout.take().unwrap()).lines().map(Result::unwrap);
    output.find(|line| line == "ready").unwrap();
    for _ in 0..5_000 {
        let listener = Listener::bind_with_mode(&Addr::from(path.as_path()), 0o600).unwrap();
        thread::yield_now();
        drop(listener);
    }
    drop(hammer.stdin.take());
    let tries: Vec<String> = output.collect();
    assert!(hammer.wait().unwrap().success(), "{tries:?}");
    assert!(!tries.iter().any(|line| line == "connected"), "{tries:?}");
    assert!(tries.iter().any(|line| line == "PermissionDenied"), "never refused: {tries:?}");
}

/// Connects until standard input ends, then prints every result that there was.
fn hammer(addr: &Addr) {
    println!("\nready");
    let done = thread::spawn(|| std::io::stdin().read(&mut [0]));
    let mut results = BTreeSet::new();
    while !done.is_finished() {
        results.insert(match Conn::connect(addr) {
            Ok(_) => "connected".to_string(),
            Err(e) => format!("{:?}", e.kind()),
        });
    }
    for result in results {
        println!("{result}");
    }
}

#[test]
#[ignore = "needs root and setpriv"]
fn a_strangers_socket_is_named_with_its_owner() {
    let _watchdog = watchdog();
    let (dir, program) = (TempDir::new(), TempDir::new());
    fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
    let path = dir.join("s");
    let roots = Listener::bind_with_mode(&Addr::from(path.as_path()), 0o600).unwrap();
    let mut command = as_nobody(&example("echo_server"), &program);
    let (code, _, message) = run(command.arg(&path));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("is a socket of user 0, closed to this one"), "{message}");
    assert_works(&roots);
    drop(roots);

    // Root may connect to anybody's, and so sees that it is alive.
    let mut command = as_nobody(&example("echo_server"), &program);
    let _nobodys = Server::start(command.args(["--mode", "600"]).arg(&path), 1);
    refused(&path, "a live server holds it");
}
