//! The mode of the socket's file: it holds from the first moment, and only where it protects.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{MAX_PATH, TempDir, as_nobody, assert_works, stale, under, watchdog};

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

/// In a directory where others may rename, a mode is no protection.
#[test]
fn a_mode_is_refused_where_everybody_may_write() {
    let dir = TempDir::new();
    let addr = Addr::from(dir.join("s"));
    for (mode, is_refused) in [(0o777, true), (0o703, true), (0o1777, false), (0o770, false)] {
        fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
        match Listener::bind_with_mode(&addr, 0o600) {
            Ok(listener) => assert!(!is_refused && listener.local_addr().unwrap() == addr),
            Err(e) => {
                assert!(is_refused, "{mode:o}: {e}");
                assert_eq!(e.kind(), ErrorKind::InvalidInput);
                assert!(e.to_string().contains("no sticky bit"), "{e}");
            }
        }
        assert!(Listener::bind(&addr).is_ok());
        assert_eq!(dir.names(), [""; 0]);
    }
}

/// Looks again and again, from outside, while sockets are bound: nobody else may enter the directory
/// that they are made in.
#[test]
fn what_a_socket_is_made_in_is_private() {
    if !under("umask 0", "what_a_socket_is_made_in_is_private") {
        return;
    }
    let _watchdog = watchdog();
    let dir = TempDir::new();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let addr = Addr::from(dir.join("s"));
    thread::scope(|scope| {
        let (seen_enough, has_seen_enough) = mpsc::channel();
        scope.spawn(move || {
            while has_seen_enough.try_recv().is_err() {
                drop(Listener::bind_with_mode(&addr, 0o600).unwrap());
            }
        });
        let mut seen = 0;
        while seen < 20 {
            for entry in fs::read_dir(dir.path()).unwrap().flatten() {
                match entry.metadata() {
                    Ok(there) if there.is_dir() => {
                        assert_eq!(there.permissions().mode() & 0o777, 0o700);
                        seen += 1;
                    }
                    _ => {} // the socket, or gone by now
                }
            }
        }
        seen_enough.send(()).unwrap();
    });
}

#[test]
fn a_mode_works_for_the_longest_path() {
    let dir = TempDir::new();
    let room = MAX_PATH - dir.path().as_os_str().len() - 1;
    for len in [1, room - 9, room - 8, room - 7, room] {
        let path = dir.join(&"x".repeat(len));
        assert_works(&Listener::bind_with_mode(&Addr::from(path), 0o600).unwrap());
    }

    // The deepest directory with room for what it is made in.
    let deep = dir.join(&"d".repeat(room - 9));
    fs::create_dir(&deep).unwrap();
    assert_works(&Listener::bind_with_mode(&Addr::from(deep.join("s")), 0o600).unwrap());

    // One byte more, and the path itself fits, but not what it is made in.
    let deep = dir.join(&"d".repeat(room - 8));
    fs::create_dir(&deep).unwrap();
    let path = deep.join("s");
    drop(Listener::bind(&Addr::from(path.as_path())).unwrap());
    let error = Listener::bind_with_mode(&Addr::from(path), 0o600).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("too long"), "{error}");
    assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
}

/// The same, with a mode, in one process.
#[test]
fn of_many_starters_with_a_mode_one_wins() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.join("s");
    let addr = &Addr::from(path.as_path());
    for round in 0..50 {
        stale(&path);
        let results: Vec<_> = thread::scope(|scope| {
            let start = || scope.spawn(|| Listener::bind_with_mode(addr, 0o600));
            let starters: Vec<_> = (0..16).map(|_| start()).collect();
            starters.into_iter().map(|starter| starter.join().unwrap()).collect()
        });
        let (winners, losers): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(winners.len(), 1, "round {round}");
        for loser in losers {
            assert_eq!(loser.unwrap_err().to_string(), "a live server holds it", "round {round}");
        }
        assert_works(winners[0].as_ref().unwrap());
        assert_eq!(dir.names(), ["s"], "round {round}");
        drop(winners);
    }
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
