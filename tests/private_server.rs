//! The lesson `private_server`: who may connect, who did, and what it takes for its own.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

mod common;

use common::{Server, TempDir, as_nobody, example, read_all, run, watchdog};

fn private_server(dir: &TempDir) -> Server {
    Server::start(Command::new(example("private_server")).env("TMPDIR", dir.path()), 1)
}

#[test]
fn private_server_keeps_others_out_and_says_who_came() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    // Also where a killed one has left its directory and its file.
    for _ in 0..2 {
        let server = private_server(&dir);
        let mode = |path: &str| fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("private"), mode("private/s")), (0o700, 0o600));

        let answer = String::from_utf8(read_all(server.connect())).unwrap();
        if cfg!(all(feature = "sockopt", target_os = "linux")) {
            let ours = format!("process {}\n", std::process::id());
            assert!(answer.starts_with("you are user ") && answer.ends_with(&ours), "{answer}");
        } else {
            assert!(answer.starts_with("you are somebody"), "{answer}");
        }
    }
}

#[test]
fn private_server_refuses_a_directory_that_others_may_enter() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    fs::create_dir(dir.join("private")).unwrap();
    for mode in [0o755, 0o777, 0o701] {
        fs::set_permissions(dir.join("private"), Permissions::from_mode(mode)).unwrap();
        let mut command = Command::new(example("private_server"));
        let (code, _, stderr) = run(command.env("TMPDIR", dir.path()));
        assert_eq!(code, Some(1));
        assert!(stderr.contains("remove it"), "{stderr}");
    }
    // Nor is a link to somewhere else taken for it.
    fs::create_dir(dir.join("else")).unwrap();
    fs::set_permissions(dir.join("else"), Permissions::from_mode(0o700)).unwrap();
    fs::remove_dir(dir.join("private")).unwrap();
    symlink("else", dir.join("private")).unwrap();
    let (code, ..) = run(Command::new(example("private_server")).env("TMPDIR", dir.path()));
    assert_eq!(code, Some(1));
}

#[test]
#[ignore = "needs root"]
fn private_server_refuses_a_directory_of_another_user_even_as_root() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    fs::create_dir(dir.join("private")).unwrap();
    fs::set_permissions(dir.join("private"), Permissions::from_mode(0o700)).unwrap();
    chown(dir.join("private"), Some(65534), None).unwrap();
    let (code, _, stderr) = run(Command::new(example("private_server")).env("TMPDIR", dir.path()));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("another user's"), "{stderr}");
    assert!(!dir.join("private/s").exists());
}

// The exercises.

/// Whoever connected while others could is served, whatever the mode is later.
#[test]
fn what_may_happen_between_bind_and_chmod() {
    let dir = TempDir::new();
    let server = UnixListener::bind(dir.join("s")).unwrap();
    let mut early = UnixStream::connect(dir.join("s")).unwrap();
    fs::set_permissions(dir.join("s"), Permissions::from_mode(0o000)).unwrap();
    let (mut conn, _) = server.accept().unwrap();
    conn.write_all(b"secret").unwrap();
    early.read_exact(&mut [0; 6]).unwrap();
}

#[test]
#[ignore = "needs root and setpriv"]
fn which_error_does_another_user_get_from_the_directory_and_which_from_the_socket() {
    let _watchdog = watchdog();
    let (dir, client) = (TempDir::new(), TempDir::new());
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let _server = private_server(&dir);
    // The same from each: EACCES does not say who.
    for mode in [0o700, 0o755] {
        fs::set_permissions(dir.join("private"), Permissions::from_mode(mode)).unwrap();
        let (code, _, stderr) =
            run(as_nobody(&example("echo_client"), &client).arg(dir.join("private/s")));
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains("Permission denied"), "{stderr}");
    }
}

/// Nobody: umask, as it usually is, takes away what others need to connect, write permission. It
/// protects by luck, as it is another program's to set.
#[test]
#[ignore = "needs root and setpriv"]
fn who_says_no_if_the_directory_has_mode_0755_and_bind_is_plain() {
    let _watchdog = watchdog();
    for (umask, refused) in [("022", true), ("000", false)] {
        let (dir, client) = (TempDir::new(), TempDir::new());
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let mut server = Command::new("sh");
        server.args(["-c", &format!("umask {umask} && exec \"$0\" \"$1\"")]);
        let _server = Server::start(server.arg(example("echo_server")).arg(dir.join("s")), 1);
        let (code, _, stderr) = run(as_nobody(&example("echo_client"), &client).arg(dir.join("s")));
        assert_eq!(code != Some(0), refused, "{stderr}");
    }
}
