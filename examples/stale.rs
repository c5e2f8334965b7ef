//! A socket's file outlives its server: what each call says of such a file, and of others.
//!
//! ```console
//! $ cargo run --example stale
//! ```
//!
//! Predict: which of the four cases look alike to `connect`, and which to `bind`?
//! Change: ask about `dir` itself, and about `dir.join("no/where")`. Which cases are they like?
//! Explain: what goes wrong if a server removes whatever is at its path before it binds?

use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::{env, fs, io, io::Write, process};

use streamsock::{Addr, Listener};

fn main() -> io::Result<()> {
    let dir = env::temp_dir().join(format!("stale-{}", process::id()));
    fs::create_dir(&dir)?;
    let path = dir.join("s");
    ask("nothing", &path)?;

    // bind(2) makes the file, and from listen(2) on clients can connect. They wait in the backlog,
    // a queue in the kernel, until the server calls accept(2): this one never does.
    let server = UnixListener::bind(&path)?;
    ask("a live server", &path)?;

    // close(2), which is also what the kernel does for a killed process. The file stays.
    drop(server);
    ask("a dead server", &path)?;

    fs::write(&path, "precious")?;
    ask("a regular file", &path)?;
    fs::remove_dir_all(&dir)
}

fn ask(what: &str, path: &Path) -> io::Result<()> {
    let _ = writeln!(io::stdout(), "{what} at the path:"); // println! might panic, and `dir` stay
    say("connect", UnixStream::connect(path));
    // A datagram socket (see `datagram`) cannot connect to a stream socket. But if somebody holds
    // the socket, the error is not "refused", and the server notices nothing.
    say("connect, datagram", UnixDatagram::unbound()?.connect(path));
    let bound = UnixListener::bind(path);
    let made = bound.is_ok();
    say("bind", bound);
    if made {
        fs::remove_file(path)?;
    }
    // The library binds. If the path is in use, it looks at what is there: only a socket that
    // refuses a datagram socket is dead, so only that is removed, and the path bound again.
    say("Listener::bind", Listener::bind(&Addr::from(path)));
    Ok(())
}

fn say<T>(call: &str, result: io::Result<T>) {
    let answer = result.map_or_else(|e| e.to_string(), |_| "works".to_string());
    let _ = writeln!(io::stdout(), "  {call:17}  {answer}");
}
