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
//! Change: build the `Command` in `main`, in a variable that lives to its end. Who waits for whom now?
//! Explain: sort needs an end of file. Why not `drop(ours)` instead of `shutdown`?

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

fn main() -> io::Result<()> {
    // Two sockets that are connected to each other and have no name, so that nobody else can
    // connect to them: socketpair(2).
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

/// A descriptor is the number under which a process has a socket open. The child gets the same socket
/// under two of them: 0, its standard input, and 1, its standard output.
fn start_sort(theirs: UnixStream) -> io::Result<Child> {
    // A second descriptor for the same socket, as dup(2) makes it.
    let second = theirs.try_clone()?;
    // The child has no descriptor for `ours`: std marks all that it opens close-on-exec, which
    // means that the kernel closes it in a process that starts another program.
    let child =
        Command::new("sort").stdin(OwnedFd::from(theirs)).stdout(OwnedFd::from(second)).spawn()?;
    // The Command has been dropped, and with it our two descriptors for the child's end. A socket
    // closes with its last descriptor, in whichever process that is: if we kept one, we would never
    // read end of file.
    Ok(child)
}
