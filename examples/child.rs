//! A socket pair instead of two pipes: one end is a child process's standard input and output.
//!
//! ```console
//! $ cargo run --example child
//! ```
//!
//! Predict: what happens without the `shutdown`?
//! Change: keep the `Command` in a variable for the whole of `main`. Why does it hang now?
//! Explain: why would `drop(ours)` not do instead of `shutdown`?

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;

fn main() -> io::Result<()> {
    // socketpair(2): two sockets, connected to each other, without a name that others could use.
    let (mut ours, theirs) = UnixStream::pair()?;

    // A descriptor is a process's number for an open file or socket. The child gets theirs twice,
    // as 0 and 1: standard input and output. std marks all others close-on-exec, so that `ours`
    // closes in the child by itself.
    let mut child = Command::new("sort")
        .stdin(OwnedFd::from(theirs.try_clone()?)) // dup(2): a second descriptor, the same socket
        .stdout(OwnedFd::from(theirs))
        .spawn()?; // fork and exec

    // The `Command` was a temporary and is gone here, and with it this process's two descriptors of
    // `theirs`. A socket closes with its last descriptor, in whatever process: had we kept one, our
    // read below would never see the end of file, not even when the child has ended.

    // sort reads everything before it writes anything. The half-close tells it that this is all.
    ours.write_all(b"pear\nfig\napple\n")?;
    ours.shutdown(Shutdown::Write)?;

    let mut sorted = String::new();
    ours.read_to_string(&mut sorted)?; // waits until the child has closed its end, by ending
    let status = child.wait()?; // waitpid(2): takes the exit status; else it stays as a zombie
    println!("{sorted}sort ended: {status}");
    Ok(())
}
