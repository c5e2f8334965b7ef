//! A socket pair instead of two pipes: one end is a child process's standard input and output.
//!
//! ```console
//! $ cargo run --example child
//! ```
//!
//! Predict: what happens without the `shutdown`?
//! Change: keep the `Command` in a variable until the end of `main`. Why does it hang now?
//! Explain: why would closing `ours` not do in place of `shutdown`?

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;

fn main() -> io::Result<()> {
    // socketpair(2): two connected sockets, without a name by which anybody else could reach them.
    let (mut ours, theirs) = UnixStream::pair()?;

    // A descriptor is the number under which a process has a socket open. The child gets `theirs`
    // under two: 0 and 1, standard input and output. It does not get `ours`, as std marks all that
    // it opens close-on-exec: closed when the process starts another program.
    let mut child = Command::new("sort")
        .stdin(OwnedFd::from(theirs.try_clone()?)) // dup(2): the same socket, another descriptor
        .stdout(OwnedFd::from(theirs))
        .spawn()?; // fork(2) and execve(2)

    // A socket closes with its last descriptor, whichever process has that. Our two for `theirs`
    // were in the Command, and went with it at the semicolon. Had we kept one, the read below would
    // never see end of file, not even after the child's death.

    // sort reads everything before it writes anything. The half-close tells it that this is all.
    ours.write_all(b"pear\nfig\napple\n")?;
    ours.shutdown(Shutdown::Write)?;

    let mut sorted = String::new();
    ours.read_to_string(&mut sorted)?; // until end of file: sort has ended, and so closed its end
    let status = child.wait()?; // waitpid(2) fetches the exit status; until then, it is a zombie
    println!("{sorted}sort ended: {status}");
    Ok(())
}
