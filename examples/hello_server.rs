//! A server on a Unix socket, with nothing but std: it sends back whatever it reads.
//!
//! ```console
//! $ cargo run --example hello_server
//! $ cargo run --example hello_client      # in another terminal; or: nc -U /tmp/echo.sock
//! ```
//!
//! Predict: press Ctrl-C and start it again. What does it say? And after `rm /tmp/echo.sock`?
//! Change: call `echo` without `thread::spawn`. What does a second client see, and until when?

use std::io::{self, Read, Write};
use std::os::unix::net::UnixListener;

fn main() -> io::Result<()> {
    // A socket is one end of a connection, or, like this one, the place where connections arrive.
    // Three system calls: socket(2) creates it, bind(2) gives it a name, which is a new file at
    // this path, and listen(2) lets clients connect to that name.
    let listener = UnixListener::bind("/tmp/echo.sock")?;
    eprintln!("listening on /tmp/echo.sock");
    loop {
        // accept(2) waits for a client and returns a second socket: our end of that connection.
        let (conn, _) = listener.accept()?;
        eprintln!("client connected");
        // A thread of its own for each client, so that this one is free to accept the next.
        std::thread::spawn(move || echo(conn));
    }
}

/// The client speaks first, and gets its own bytes back until it has no more to send.
fn echo(mut conn: impl Read + Write) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        // read(2) waits until something has arrived and returns how much: 1 to 1,024 bytes here.
        let n = conn.read(&mut buf)?;
        if n == 0 {
            // 0 is end of file: the client will send nothing more. Our end closes as we return.
            eprintln!("client done");
            return Ok(());
        }
        conn.write_all(&buf[..n])?; // write(2), repeated until all n bytes are on their way
    }
}
