//! A socket's file outlives its server: what each call says of such a file, and of others.
//!
//! ```console
//! $ cargo run --example stale
//! ```
//!
//! Predict: which two of the four does `connect` not tell apart, and which call does?
//! Change: fill the live server's backlog first. Which call waits for ever now, and which does not?
//! Explain: what goes wrong if a server removes whatever is at its path before it binds?

use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::{env, fs, io, process};

use streamsock::{Addr, Listener};

fn main() -> io::Result<()> {
    let dir = env::temp_dir().join(format!("stale-{}", process::id()));
    fs::create_dir(&dir)?;
    let path = dir.join("s");
    ask("nothing", &path)?;

    // bind(2) makes the file; from listen(2) on, clients can connect. They wait in the backlog, a
    // queue in the kernel, until the server calls accept: this one never does.
    let server = UnixListener::bind(&path)?;
    ask("a live server", &path)?;

    // close(2). That is all that the kernel does for a killed process, too: the file stays.
    drop(server);
    ask("a dead server", &path)?;

    fs::write(&path, "precious")?;
    ask("a regular file", &path)?;
    fs::remove_dir_all(&dir)
}

fn ask(what: &str, path: &Path) -> io::Result<()> {
    println!("{what} at the path:");
    say("connect", UnixStream::connect(path));
    // A datagram socket cannot connect to a stream socket. But the kernel looks for somebody first
    // who holds the path, and "wrong type" is as good an answer as any. The server notices nothing.
    say("connect, datagram", UnixDatagram::unbound()?.connect(path));
    let free = !path.exists();
    say("bind", UnixListener::bind(path));
    if free {
        fs::remove_file(path)?; // bind made it
    }
    // This one binds; in use? it looks: no socket, left alone; a socket, asked by datagram; refused,
    // nobody holds it: removed, and bound again.
    say("Listener::bind", Listener::bind(&Addr::from(path)));
    Ok(())
}

fn say<T>(call: &str, result: io::Result<T>) {
    let answer = result.map_or_else(|e| e.to_string(), |_| "works".to_string());
    println!("  {call:17}  {answer}");
}
