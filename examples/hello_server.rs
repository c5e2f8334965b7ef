//! A server on a Unix socket, from the system's calls alone: it sends back whatever it reads.
//!
//! ```console
//! $ cargo run --example hello_server
//! $ cargo run --example hello_client      # in another terminal; or: nc -U /tmp/echo.sock
//! ```
//!
//! Predict: press Ctrl-C and start it again. What does it say, and what does `rm` do about it?
//! Change: echo without `thread::spawn`. What does a second client see while the first is there?

use std::io::{self, Read, Write};
use std::os::unix::net::UnixListener;

fn main() -> io::Result<()> {
    // A socket is one end of a connection, or, as here, the place where clients ask for one. Three
    // system calls: socket(2) makes it, bind(2) gives it a name, which is a new file at this path,
    // and listen(2) lets clients connect to that name.
    let listener = UnixListener::bind("/tmp/echo.sock")?;
    println!("listening on /tmp/echo.sock");
    loop {
        // accept(2) waits for a client. Its answer is a second socket: this connection's own end.
        let (conn, _) = listener.accept()?;
        println!("client connected");
        // In a thread of its own, so that the loop is back in accept when the next client comes.
        std::thread::spawn(move || echo(conn));
    }
}

/// The client speaks first; it is answered until it has said all that it wants to say.
fn echo(mut conn: impl Read + Write) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        // read(2) waits until there is something, and takes what is there, up to 1,024 bytes.
        let n = conn.read(&mut buf)?;
        if n == 0 {
            // End of file: the client will send nothing more. Returning closes our end.
            println!("client done");
            return Ok(());
        }
        conn.write_all(&buf[..n])?; // write(2), again and again until all n bytes are on their way
    }
}
