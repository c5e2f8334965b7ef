//! The ways a connection can end, and what you see of each at your end, over Unix and over TCP.
//!
//! ```console
//! $ cargo run --example endings
//! ```
//!
//! Predict: the other end has closed. What do your read and two writes return? And if killed?
//! Change: write before you read. Which call sees the reset now, over Unix and over TCP?
//! Explain: what would the row look like for a peer whose host loses power, and what would help?

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::Duration;

use streamsock::{Conn, Listener};

fn main() -> io::Result<()> {
    println!("                     over a Unix socket:                     over TCP:");
    println!("{:19}{1}{1}", "the other end", "  read            write      write      ");
    for how in ["half-closes", "reads no more", "closes", "is killed", "closes, byte unread"] {
        print!("{how:19}");
        for pair in [Conn::pair, tcp_pair] {
            let (mut near, far) = pair()?;
            near.set_read_timeout(Some(Duration::from_millis(50)))?; // WouldBlock: it waits
            if how == "closes, byte unread" {
                near.write_all(b"x")?;
            }
            match how {
                "half-closes" => far.shutdown(Shutdown::Write)?,
                "reads no more" => far.shutdown(Shutdown::Read)?, // which TCP tells nobody
                "is killed" => {
                    // A process with this end as its standard input, which nobody else has open.
                    let mut process = Command::new("cat").stdin(OwnedFd::from(far)).spawn()?;
                    process.kill()?;
                    process.wait()?;
                }
                _ => drop(far), // close(2), as the kernel does for a killed process
            }
            print!("  {:15} {:10}", word(near.read(&mut [0])), word(near.write(b"x")));
            std::thread::sleep(Duration::from_millis(20)); // a reset answers TCP's first write
            print!(" {:10}", word(near.write(b"x")));
        }
        println!();
    }
    Ok(())
}

/// 0 from a read is end of file. BrokenPipe (EPIPE): nobody is left to read this. ConnectionReset
/// (ECONNRESET): the other end is gone, and threw away unread what you had sent.
fn word(result: io::Result<usize>) -> String {
    result.map_or_else(|e| format!("{:?}", e.kind()), |n| n.to_string())
}

fn tcp_pair() -> io::Result<(Conn, Conn)> {
    let listener = Listener::bind(&"tcp:127.0.0.1:0".parse()?)?;
    let near = Conn::connect(&listener.local_addr()?)?;
    Ok((near, listener.accept()?.0))
}
