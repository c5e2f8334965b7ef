//! A server on a Unix socket, with nothing but std: it sends back whatever it reads.
//!
//! ```console
//! $ cargo run --example hello_server      # in one terminal
//! listening on /tmp/echo.sock
//! client connected
//! client done: Ok(())
//! $ nc -N -U /tmp/echo.sock               # in another terminal
//! good morning                            # typed here, then Enter; at the end, Ctrl-D
//! good morning
//! ```
//!
//! Predict: press Ctrl-C and start it again. What does it say? And after `rm /tmp/echo.sock`?
//! Change: put `let _ = echo(conn);` in place of the four lines of `std::thread::spawn(…);`, so that
//! the server has no other threads. What does a second client see while the first is there?
//! Predict: a client sends 3,000 bytes at once. How many turns does the loop in `echo` take?

use std::io::{self, Read, Write};
use std::os::unix::net::UnixListener;

fn main() -> io::Result<()> {
    // A socket is one end of a connection, or, like this one, the place where connections arrive.
    // std makes three system calls here: socket(2) creates the socket, bind(2) gives it a name,
    // which is a new file at this path, and listen(2) lets clients connect to that name.
    let listener = UnixListener::bind("/tmp/echo.sock")?;
    eprintln!("listening on /tmp/echo.sock");
    loop {
        // accept(2) waits for a client and returns a second socket, our end of that connection. It
        // also returns the client's address, which we do not need.
        let (conn, _) = listener.accept()?;
        eprintln!("client connected");
        // Another thread serves this client, so that this one is free to accept the next.
        std::thread::spawn(move || {
            let result = echo(conn); // echo owns `conn`: when it returns, our end closes.
            eprintln!("client done: {result:?}");
        });
    }
}

/// The client speaks first, and gets its own bytes back until it has no more to send. `conn` can be
/// of any type that has `read` and `write`; here it is a `UnixStream`.
fn echo(mut conn: impl Read + Write) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        // This waits until something has arrived, and returns its length, 1 to 1,024 bytes, or 0 if
        // nothing will come any more. For `read` std calls recvfrom(2), and for `write` sendto(2).
        // They are made for sockets.
        let n = conn.read(&mut buf)?;
        if n == 0 {
            return Ok(()); // This is end of file: the client will send no more.
        }
        conn.write_all(&buf[..n])?; // This repeats write until the kernel has taken all n bytes.
    }
}
