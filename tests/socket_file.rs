//! The socket's file: taking over a stale one and nothing else, its mode, its end.

use std::env;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use streamsock::{Addr, Conn, Listener};

mod common;

#[cfg(target_os = "linux")]
use common::wait_until_others_sleep;
use common::{
    MAX_PATH, Server, TempDir, as_nobody, assert_works, example, run, stale, under, watchdog,
};

fn bind(path: &Path) -> std::io::Result<Listener> {
    Listener::bind(&Addr::from(path))
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

/// A FIFO that is named as a directory must not be opened: that would wait for its other end.
#[test]
fn errors_of_the_system_are_kept() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    assert!(Command::new("mkfifo").arg(dir.join("fifo")).status().unwrap().success());
    for (path, kind) in [("absent/s", ErrorKind::NotFound), ("fifo/s", ErrorKind::NotADirectory)] {
        let path = dir.join(path);
        for result in [bind(&path), Listener::bind_with_mode(&Addr::from(path), 0o600)] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.raw_os_error().is_some());
        }
    }
}

/// A bare name's directory is the working directory.
#[test]
fn a_bare_name_is_taken_over_as_well() {
    let dir = TempDir::new();
    stale(&dir.join("s"));
    let shown = dir.path().display();
    if !under(&format!("cd {shown}"), "a_bare_name_is_taken_over_as_well") {
        assert_eq!(dir.names(), [""; 0]);
        return;
    }
    let (bare, own) = (Path::new("s"), env::current_dir().unwrap().join("s"));
    assert!(own.exists());
    assert_works(&bind(bare).unwrap());
    assert!(!own.exists());
}

/// Also when the program has gone elsewhere since: a daemon changes its directory to `/`.
#[test]
fn a_relative_path_is_found_again_after_a_change_of_directory() {
    let dir = TempDir::new();
    let test = "a_relative_path_is_found_again_after_a_change_of_directory";
    if !under(&format!("cd {}", dir.path().display()), test) {
        assert_eq!(dir.names(), [""; 0]);
        return;
    }
    let own = env::current_dir().unwrap();
    for path in ["s", "./s", "sub/../s"] {
        fs::create_dir("sub").unwrap();
        let addr = Addr::from(Path::new(path));
        let listener = Listener::bind(&addr).unwrap();
        assert_eq!(listener.local_addr().unwrap(), addr);
        env::set_current_dir("/").unwrap();
        drop(listener);
        assert!(!own.join("s").exists(), "{path}");
        env::set_current_dir(&own).unwrap();
        fs::remove_dir("sub").unwrap();
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

    // It waits for the lock, though.
    let start = Instant::now();
    assert_works(&bind(&fresh).unwrap());
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    let error = bind(&old).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains("could not be locked"), "{error}");
    assert!(old.exists());

    drop(lock);
    assert_works(&bind(&old).unwrap());
}

/// Who finds the lock held tries again, and takes over once it is released.
#[test]
#[cfg(target_os = "linux")]
fn it_waits_for_the_lock_to_be_released() {
    if !under("true", "it_waits_for_the_lock_to_be_released") {
        return;
    }
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s");
    // On a busy machine its second may be over when the lock is released: then once more.
    let takes_over = |_| {
        stale(&path);
        let lock = File::open(dir.path()).unwrap();
        lock.lock().unwrap();
        let bound = std::thread::scope(|scope| {
            let starter = scope.spawn(|| bind(&path));
            wait_until_others_sleep();
            drop(lock);
            starter.join().unwrap()
        });
        let _ = bound.is_err().then(|| fs::remove_file(&path));
        bound.is_ok()
    };
    assert!((0..20).any(takes_over), "a lock that was released is not taken");
}

/// A starter without the lock shows its file only when the socket can be found: it binds beside the
/// path, as the name that its clients see tells, and links. Where that cannot be done, it binds at
/// the path.
#[test]
fn without_the_lock_the_file_never_shows_before_its_socket() {
    if !under("umask 027", "without_the_lock_the_file_never_shows_before_its_socket") {
        return;
    }
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let lock = File::open(dir.path()).unwrap();
    lock.lock().unwrap();
    let path = dir.join("s");
    let listener = bind(&path).unwrap();
    assert_eq!(dir.names(), ["s"]);
    // umask decides the mode, as everywhere.
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    let client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
    let Addr::Unix(bound) = client.peer_addr().unwrap() else { panic!("{client:?}") };
    let beside = format!("{}.", dir.join(".s").display());
    assert!(bound.to_str().unwrap().starts_with(&beside) && bound.ends_with("s"), "{bound:?}");
    drop((client, listener));

    let room = MAX_PATH - dir.path().as_os_str().len() - 1;
    let deep = dir.join(&"d".repeat(room - 2));
    fs::create_dir(&deep).unwrap();
    let deep_lock = File::open(&deep).unwrap();
    deep_lock.lock().unwrap();
    assert_works(&bind(&deep.join("s")).unwrap());
    fs::remove_dir(deep).unwrap();
    assert_eq!(dir.names(), [""; 0]);
}

#[test]
fn the_file_goes_once_and_if_it_is_still_its_own() {
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
    fs::remove_file(&path).unwrap();

    // By shutdown, and then no more: here the file comes back, as the same one.
    let third = bind(&path).unwrap();
    fs::hard_link(&path, dir.join("kept")).unwrap();
    third.shutdown().unwrap();
    assert_eq!(dir.names(), ["kept", "moved"]);
    fs::rename(dir.join("kept"), &path).unwrap();
    drop(third);
    assert_eq!(dir.names(), ["moved", "s"]);
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
                command.arg(addr.to_string()).stdin(Stdio::null()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();

        let mut winners = Vec::new();
        for mut child in starters {
            let mut line = String::new();
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            stderr.read_line(&mut line).unwrap();
            if line.starts_with("listening on ") {
                winners.push((child, stderr)); // it still writes to it
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
        for (mut winner, _) in winners {
            winner.kill().unwrap();
            winner.wait().unwrap();
        }
        assert_eq!(dir.names(), ["s"], "round {round}");
    }
}

#[test]
#[ignore = "needs root and setpriv"]
fn a_strangers_socket_is_named_with_its_owner() {
    let _watchdog = watchdog();
    let (dir, program) = (TempDir::new(), TempDir::new());
    fs::set_permissions(dir.path(), Permissions::from_mode(0o1777)).unwrap();
    let path = dir.join("s");
    let roots = Listener::bind_with_mode(&Addr::from(path.as_path()), 0o600).unwrap();
    let mut command = as_nobody(&example("echo_server"), &program);
    let (code, _, message) = run(command.arg(&path));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("a socket of user 0 is there, closed to this one"), "{message}");
    assert_works(&roots);
    drop(roots);

    // The user's own stale socket, whose mode shuts out the user, too.
    stale(&path);
    std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    let mut command = as_nobody(&example("echo_server"), &program);
    let (code, _, message) = run(command.arg(&path));
    assert_eq!(code, Some(1), "{message}");
    let expected = "mode 444 shuts out even its owner, user 65534";
    assert!(message.contains(expected) && message.contains("remove it"), "{message}");

    // One that is stale for certain, where the user may not remove it.
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let mut command = as_nobody(&example("echo_server"), &program);
    let (code, _, message) = run(command.arg(&path));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("stale socket is there, but cannot be removed"), "{message}");
    fs::set_permissions(dir.path(), Permissions::from_mode(0o1777)).unwrap();
    fs::remove_file(&path).unwrap();

    // Root may connect to anybody's, and so sees that it is alive.
    let mut command = as_nobody(&example("echo_server"), &program);
    let _nobodys = Server::start(command.arg(&path), 1);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    refused(&path, "a live server holds it");
}
