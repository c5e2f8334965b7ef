//! `serve` and what accept(2) may say: only what is for good ends it. strace(1) puts the words into the
//! kernel's mouth.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use streamsock::Addr;

mod common;

use common::{Server, assert_echoed, example, over_both};

/// What accept(2) lists, and ECONNRESET, but for what can only be a fault of the program (EBADF,
/// EFAULT, ENOTSOCK).
const PASSING: [&str; 24] = [
    "EAGAIN",
    "ECONNABORTED",
    "ECONNRESET",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "EINTR",
    "EMFILE",
    "ENETDOWN",
    "ENETUNREACH",
    "ENFILE",
    "ENOBUFS",
    "ENOMEM",
    "ENONET",
    "ENOPROTOOPT",
    "ENOSR",
    "EPERM",
    "EPROTO",
    "EPROTONOSUPPORT",
    "ESOCKTNOSUPPORT",
    "ETIMEDOUT",
    "EACCES",
    "EIO",
    "EDQUOT",
    "ENOSPC",
];
const FOR_GOOD: [&str; 2] = ["EINVAL", "EOPNOTSUPP"];

/// The echo server, whose second accept(2) fails with this error.
fn server_that_is_told(errno: &str, addr: &Addr) -> Server {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-o", "/dev/null", "-e", "trace=accept4"]);
    strace.args(["-e", &format!("inject=accept4:error={errno}:when=2")]);
    Server::start(strace.arg(example("echo_server")).arg(addr.to_string()), 1)
}

#[test]
#[ignore = "needs strace"]
fn what_passes_does_not_end_it() {
    over_both(|addr| {
        for errno in PASSING {
            println!("{errno}");
            let server = server_that_is_told(errno, addr);
            for word in [&b"one"[..], b"two", b"three"] {
                assert_echoed(&server.addrs[0], word);
            }
            drop(server);
            if let Addr::Unix(path) = addr {
                fs::remove_file(path).unwrap();
            }
        }
    });
}

#[test]
#[ignore = "needs strace"]
fn what_is_for_good_ends_it() {
    over_both(|addr| {
        for errno in FOR_GOOD {
            println!("{errno}");
            let mut server = server_that_is_told(errno, addr);
            assert_echoed(&server.addrs[0], b"one");
            let status = server.child.wait().unwrap();
            assert_eq!(status.code(), Some(1));
        }
    });
}
