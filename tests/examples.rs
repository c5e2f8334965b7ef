//! The example programs as a person meets them: processes with arguments, output and an exit status.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::thread;

use streamsock::{Addr, Conn};

mod common;

use common::{Random, Server, TempDir, example, over_both, read_all, run, watchdog};

const PROGRAMS: [&str; 7] =
    ["echo_server", "echo_client", "pingpong", "bandwidth", "report", "rpc_server", "rpc_client"];

fn program(name: &str) -> Command {
    Command::new(example(name))
}

fn echo_server(addr: &Addr, args: &[&str]) -> Server {
    Server::start(program("echo_server").args(args).arg(addr.to_string()), 1)
}

/// Removes the file that a killed server leaves.
fn clean(addr: &Addr) {
    if let Addr::Unix(path) = addr {
        fs::remove_file(path).unwrap();
    }
}

/// Sends the bytes and half-closes, and takes the answer meanwhile.
fn exchange(conn: &Conn, bytes: &[u8]) -> Vec<u8> {
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut conn = conn;
            conn.write_all(bytes).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
        });
        read_all(conn)
    })
}

#[test]
fn help_goes_to_stdout() {
    for name in PROGRAMS {
        for flag in ["--help", "-h"] {
            let (code, stdout, stderr) = run(program(name).arg(flag));
            assert_eq!((code, stderr.as_str()), (Some(0), ""));
            assert!(stdout.starts_with(&format!("usage: {name} ")), "{stdout}");
        }
    }
}

#[test]
fn a_wrong_argument_is_named_beside_the_usage() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("echo_server", &["--colour"], "there is no option --colour"),
        ("echo_server", &["-q=3"], "-q takes no value"),
        ("echo_server", &["--mode"], "--mode needs a value"),
        ("echo_server", &["--mode=999"], "--mode takes an octal mode up to 777, not \"999\""),
        ("echo_server", &["--mode", "1777"], "--mode takes an octal mode up to 777, not \"1777\""),
        (
            "echo_server",
            &["--max-conns", "0"],
            "--max-conns takes a number from 1 to 1000000, not \"0\"",
        ),
        (
            "echo_server",
            &["--idle", "never"],
            "--idle takes a number of seconds over 0, not \"never\"",
        ),
        ("echo_server", &["--idle", "NaN"], "--idle takes a number of seconds over 0, not \"NaN\""),
        ("echo_server", &["--spin=-1"], "--spin takes a number of microseconds, not \"-1\""),
        ("echo_server", &["nonsense"], "\"nonsense\": this is neither a path nor a host and port"),
        ("echo_client", &["-x"], "there is no option -x"),
        ("echo_client", &["tcp:here"], "\"tcp:here\": this is neither a path nor a host and port"),
        ("pingpong", &["-s", "0"], "-s takes a size from 1 to 64M, not \"0\""),
        ("pingpong", &["-s65M"], "-s takes a size from 1 to 64M, not \"65M\""),
        ("pingpong", &["-s", "99999999999999999999G"], "-s takes a size from 1 to 64M"),
        ("pingpong", &["-n", "ten"], "-n takes a number from 1 to 10000000, not \"ten\""),
        ("pingpong", &["-n", "10000000", "-r", "1000"], "-n times -r is over 100000000"),
        ("pingpong", &["--net=pigeon"], "--net takes unix, tcp or both, not \"pigeon\""),
        ("pingpong", &["--wait", "sleep"], "--wait takes block, spin or both, not \"sleep\""),
        ("pingpong", &["--spin", "0"], "--spin takes a number of microseconds from 1, not \"0\""),
        ("pingpong", &["--csv=yes"], "--csv takes no value"),
        ("pingpong", &["fast"], "\"fast\" is one too many"),
        ("pingpong", &["--serve", "./s", "-n", "5"], "-n is for the client to say"),
        ("bandwidth", &["--serve=./s", "--csv"], "--csv is for the client to say"),
        ("bandwidth", &["-s", "64,,1K"], "-s takes sizes from 1 to 64M, with commas between"),
        ("bandwidth", &["--total", "much"], "--total takes a number of bytes, not \"much\""),
        ("report", &["one.csv"], "two CSV files and a directory are needed"),
        ("report", &["a", "b", "c", "d"], "\"d\" is one too many"),
    ];
    for (name, args, expected) in cases {
        let (code, stdout, stderr) = run(program(name).args(*args));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{name} {args:?}: {stderr}");
        let lines: Vec<_> = stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{stderr}");
        assert!(lines[0].starts_with(&format!("{name}: {expected}")), "{stderr}");
        assert!(lines[1].starts_with(&format!("usage: {name} ")), "{stderr}");
    }
}

#[test]
fn what_went_wrong_is_one_sentence() {
    let dir = TempDir::new();
    let (absent, nowhere) = (dir.join("absent"), dir.join("no/where"));
    let (stale, regular) = (dir.join("stale"), dir.join("regular"));
    drop(UnixListener::bind(&stale).unwrap());
    fs::write(&regular, "").unwrap();
    let cases = [
        ("echo_client", vec![&absent], "(os error 2); start a server there first"),
        ("echo_client", vec![&stale], "(os error 111); start a server there first"),
        ("echo_server", vec![&nowhere], "(os error 2); make its directory first"),
        (
            "echo_server",
            vec![&regular],
            "a regular file is there, not a socket, and was left as it is; free",
        ),
    ];
    for (name, args, expected) in cases {
        let (code, stdout, stderr) = run(program(name).args(&args));
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let path = args[0].display();
        assert!(stderr.starts_with(&format!("{name}: unix:{path}: ")), "{stderr}");
        let expected = if cfg!(target_os = "linux") {
            expected
        } else {
            &expected[expected.find(';').unwrap_or(0)..]
        };
        assert!(stderr.contains(expected), "{stderr}");
    }
    let (code, _, stderr) = run(program("echo_server").args(["--mode=600", "tcp:127.0.0.1:0"]));
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("echo_server: tcp:127.0.0.1:0: a mode is for"), "{stderr}");
}

#[test]
fn the_echo_pair() {
    over_both(|addr| {
        let mut server = echo_server(addr, &[]);
        let bound = server.addrs[0].to_string();

        assert_eq!(run(program("echo_client").arg(&bound)), (Some(0), "hi\n".into(), "".into()));
        let connected = server.line();
        assert!(
            connected.starts_with(&format!("client connected [{}]", addr.network())),
            "{connected}"
        );
        if cfg!(all(feature = "sockopt", target_os = "linux")) && addr.network() == "unix" {
            assert!(connected.contains("] pid ") && connected.contains(" uid "), "{connected}");
        }

        let words = ["--", &bound, "-n", "hello  there", "-"];
        let (code, stdout, _) = run(program("echo_client").args(words));
        assert_eq!((code, stdout.as_str()), (Some(0), "-n hello  there -\n"));
        drop(server);
        clean(addr);
    });
}

#[test]
fn several_addresses_at_once_and_one_limit_for_all() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let unix = Addr::from(dir.join("s"));
    let mut command = program("echo_server");
    command.args(["-q", "--max-conns", "2", &unix.to_string(), "tcp:127.0.0.1:0"]);
    let server = Server::start(&mut command, 2);
    assert_eq!(server.addrs[0], unix);

    let answers =
        |mut conn: &Conn| conn.write_all(b"x").and_then(|()| conn.read_exact(&mut [0])).is_ok();
    let connect = |n: usize| Conn::connect(&server.addrs[n]).unwrap();
    let (first, second) = (connect(0), connect(0));
    assert!(answers(&first) && answers(&second));
    let (third, fourth) = (connect(0), connect(1));
    for waiting in [&third, &fourth] {
        waiting.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
        assert!(!answers(waiting));
        waiting.set_read_timeout(None).unwrap();
    }
    drop((first, second));
    assert!(answers(&fourth) && answers(&third));
}

#[test]
fn a_mode_and_a_bare_name() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    // The path is relative, and its directory is `.`.
    let mut command = program("echo_server");
    command.args(["--mode", "600", "unix:bare"]).current_dir(dir.path());
    let server = Server::start(&mut command, 1);
    let there = fs::symlink_metadata(dir.join("bare")).unwrap();
    assert!(there.file_type().is_socket());
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    let (code, stdout, _) =
        run(program("echo_client").args(["./bare", "hi"]).current_dir(dir.path()));
    assert_eq!((code, stdout.as_str()), (Some(0), "hi\n"));
    drop(server);
    assert_eq!(dir.names(), ["bare"]);
}

/// Byte for byte, in both directions at once, through every way of waiting.
#[test]
fn the_client_moves_any_amount() {
    over_both(|addr| {
        let dir = TempDir::new();
        let bytes = Random(5).bytes(20_000_000);
        fs::write(dir.join("in"), &bytes).unwrap();
        for args in [&["-q"][..], &["-q", "--spin", "50"]] {
            let server = echo_server(addr, args);
            let mut client = program("echo_client");
            client.arg(server.addrs[0].to_string()).arg("-");
            client.stdin(File::open(dir.join("in")).unwrap());
            let output = client.output().unwrap();
            assert!(output.status.success());
            assert!(output.stdout == bytes, "what came back differs");
            drop(server);
        }
        clean(addr);
    });
}

#[test]
fn a_client_says_when_not_all_could_be_sent() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let listener = UnixListener::bind(dir.join("s")).unwrap();
    let mut client = program("echo_client");
    client.arg(dir.join("s")).arg("-").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut client = client.spawn().unwrap();
    drop(listener.accept().unwrap());
    let mut stderr = String::new();
    client.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(1));
    assert!(stderr.ends_with("the server ended before all was sent\n"), "{stderr}");

    let server = echo_server(&Addr::from(dir.join("e")), &["-q"]);
    let mut client = program("echo_client");
    client.arg(server.addrs[0].to_string()).arg("-").stdin(File::open(dir.path()).unwrap());
    let (code, _, stderr) = run(&mut client);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("echo_client: standard input: "), "{stderr}");
}

#[test]
fn a_closed_stdout_ends_a_program_quietly() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let server = echo_server(&Addr::from(dir.join("s")), &["-q"]);
    let addr = server.addrs[0].to_string();
    for (name, args) in [
        ("echo_client", vec![&*addr]),
        ("echo_client", vec!["--help"]),
        ("pingpong", vec!["-n1", "-r1"]),
    ] {
        let mut child = program(name)
            .args(&args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        // The help may be in the pipe before it is closed: that is as quiet.
        assert_eq!(
            (child.wait().unwrap().code(), stderr.as_str()),
            (Some(0), ""),
            "{name} {args:?}"
        );
    }
}

#[test]
fn a_closed_stderr_harms_nothing() {
    over_both(|addr| {
        let mut server = echo_server(addr, &[]);
        server.close_stderr();
        for _ in 0..3 {
            assert_eq!(exchange(&server.connect(), b"still here"), b"still here");
        }
        assert!(server.child.try_wait().unwrap().is_none());
        drop(server);
        clean(addr);
    });
}

#[test]
fn the_server_survives_its_clients() {
    over_both(|addr| {
        let server = echo_server(addr, &["-q", "--max-conns", "100"]);
        let mut deaf = server.connect();
        deaf.set_write_timeout(Some(std::time::Duration::from_millis(100))).unwrap();
        while deaf.write_all(&[b'x'; 1 << 16]).is_ok() {}
        for round in 0..20 {
            // One is killed while it sends, as a process: nothing of it is orderly.
            let mut killed = program("echo_client");
            killed.arg(server.addrs[0].to_string()).arg("-");
            let mut killed = killed.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            killed.stdin.take().unwrap().write_all(b"half a mess").unwrap();
            if round % 2 == 0 {
                killed.stdout.take().unwrap().read_exact(&mut [0; 4]).unwrap();
            }
            killed.kill().unwrap();
            killed.wait().unwrap();
            assert_eq!(exchange(&server.connect(), b"well"), b"well");
        }
        drop(server);
        clean(addr);
    });
}

#[test]
fn an_idle_client_is_dropped() {
    over_both(|addr| {
        let mut server = echo_server(addr, &["--idle", "0.2"]);
        assert_eq!(read_all(server.connect()), b"");
        assert!(server.line().starts_with("client connected ["));
        assert_eq!(server.line(), format!("client dropped [{}]: idle for 200ms", addr.network()));

        // One that sends and never reads, too.
        let mut deaf = server.connect();
        while deaf.write_all(&[b'x'; 1 << 16]).is_ok() {}
        assert!(server.line().starts_with("client connected ["));
        assert_eq!(server.line(), format!("client dropped [{}]: idle for 200ms", addr.network()));
        drop(server);
        clean(addr);
    });
}
