//! A client on a Unix socket: it sends a line, says that this was all, and prints the answer.
//!
//! ```console
//! $ cargo run --example hello_client      # while hello_server runs in another terminal
//! hello
//! ```
//!
//! Predict: what does it say if no server was ever started? And after the server's Ctrl-C?
//! Change: remove the line with `conn.shutdown`. (A warning about `Shutdown` is all right.) Who
//! waits for whom now?

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

fn main() -> io::Result<()> {
    // socket(2) creates our end; connect(2) connects it to the server that listens at this path.
    let mut conn = UnixStream::connect("/tmp/echo.sock")?;
    conn.write_all(b"hello\n")?;

    // The half-close: shutdown(2) ends our direction of the connection and leaves the other open.
    // The server's next read returns 0, end of file, and it can still answer.
    conn.shutdown(Shutdown::Write)?;

    // This reads until a read returns 0: the server will send nothing more.
    let mut answer = String::new();
    conn.read_to_string(&mut answer)?;
    print!("{answer}");
    Ok(())
}
