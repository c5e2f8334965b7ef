//! A socket pair instead of two pipes: one end becomes a child process's standard input and output.
//!
//! ```console
//! $ cargo run --example child
//! apple
//! fig
//! pear
//! sort ended: exit status: 0
//! ```
//!
//! Predict: what happens if you remove the line with `shutdown`?
//! Change: keep the `Command`: put `std::mem::forget(command);` before `Ok(child)`, so that it is never
//!   dropped. Who waits for whom now?
//! Explain: `drop(ours)`, too, would give sort its end of file. What would become of its answer? (To try it,
//!   put `drop(ours)` in place of the `shutdown`, and remove the three lines with `sorted`.)

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

fn main() -> io::Result<()> {
    // Two sockets that are connected to each other and have no name, so that nobody else can
    // connect to them: socketpair(2). A process has each of its sockets and files open under a
    // number, the descriptor.
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut child = start_sort(theirs)?;

    ours.write_all(b"pear\nfig\napple\n")?;
    // sort writes nothing before it has read everything. The half-close tells it that this is all.
    ours.shutdown(Shutdown::Write)?;

    // Waits for end of file, which comes when sort ends: the kernel closes what a process had open.
    let mut sorted = String::new();
    ours.read_to_string(&mut sorted)?;
    print!("{sorted}");

    // The kernel keeps the exit status of a child until its parent asks for it: waitpid(2).
    let status = child.wait()?;
    println!("sort ended: {status}");
    Ok(())
}

/// sort gets its socket under two descriptors: 0, its standard input, and 1, its standard output.
fn start_sort(theirs: UnixStream) -> io::Result<Child> {
    // A second descriptor for the same socket, as dup(2) makes it.
    let second = theirs.try_clone()?;
    // An OwnedFd is a descriptor that is closed when it is dropped.
    let mut command = Command::new("sort");
    command.stdin(OwnedFd::from(theirs)).stdout(OwnedFd::from(second));

    // The child begins as a copy of us, with all our descriptors. When it turns into sort, in
    // execve(2), the kernel closes those that are marked close-on-exec. std marks all that it opens,
    // so sort has no descriptor of `ours`. Its 0 and 1 stay, since dup2(2) makes them without the mark.
    let child = command.spawn()?;

    // `command` is dropped at the end of this function, and with it our two descriptors of the
    // child's end. A socket closes with its last descriptor, in whichever process that is: if we
    // kept one, we would never read end of file.
    Ok(child)
}
