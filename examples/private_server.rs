//! Who may connect, and who did: a private directory, a mode for the socket's file, and credentials.
//!
//! ```console
//! $ cargo run --features sockopt --example private_server
//! listening on unix:/tmp/private/s
//! client: user 1000, group 1000, process 14694
//! $ nc -N -U /tmp/private/s        # as yourself; then try it as another user
//! you are user 1000, group 1000, process 14694
//! ```
//!
//! Predict: which error does another user get, with `sudo -u nobody nc -N -U /tmp/private/s`? And after
//!   `chmod 755 /tmp/private`?
//! Change: (First `rm -r /tmp/private`: the lesson refuses a directory of that mode.) Use `Listener::bind`,
//!   which takes no mode, start it, and `chmod` as before. What keeps others out now?
//! Explain: `bind` and then chmod(2) would end with the same mode. What may happen in between?

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use streamsock::{Addr, Conn, Listener, serve};

fn main() -> io::Result<()> {
    // The first wall, on every system: whoever may not enter a directory reaches nothing in it.
    let dir = std::env::temp_dir().join("private");
    make_private_directory(&dir)?;

    // The second wall, where others may enter the directory: connect(2) requires write permission
    // on the socket's file. The file has this mode from its first moment: 6 for its owner, which is
    // read (4) and write (2), 0 for its group, 0 for others.
    let path = dir.join("s");
    let listener = Listener::bind_with_mode(&Addr::from(path.as_path()), 0o600)?;
    check_owner(&dir, &path)?;

    eprintln!("listening on {}", listener.local_addr()?);
    serve(&[listener], 64, greet)
}

/// In /tmp, anybody may have made a directory of this name before us, so we look at what is there.
/// (Many systems make a private directory for each user. Its path is in $XDG_RUNTIME_DIR.)
fn make_private_directory(dir: &Path) -> io::Result<()> {
    // mkdir(2) makes it with this mode, in one step: 7 for us, which is to list it (4), to change it
    // (2) and to enter it (1); 0 for our group, 0 for others.
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {} // we look at it below
        Err(e) => return Err(e),
    }
    // symlink_metadata tells of what is at this path itself, and does not follow a symbolic link.
    let found = fs::symlink_metadata(dir)?;
    if !found.is_dir() || found.mode() & 0o777 != 0o700 {
        let why = format!("{} is no directory of mode 0700: remove it", dir.display());
        return Err(io::Error::other(why));
    }
    Ok(())
}

/// Is the directory ours? std cannot say who we are, but the file that we have just made is ours: so
/// both must have the same owner. (They can differ if we are root, who may make a file in anybody's
/// directory. The owner of that directory could then put a socket of their own at our path.)
fn check_owner(dir: &Path, path: &Path) -> io::Result<()> {
    if fs::metadata(dir)?.uid() != fs::metadata(path)?.uid() {
        let why = format!("{} is another user's: remove it", dir.display());
        return Err(io::Error::other(why));
    }
    Ok(())
}

fn greet(mut conn: Conn) {
    let peer = who(&conn);
    eprintln!("client: {peer}");
    if let Err(e) = writeln!(conn, "you are {peer}") {
        eprintln!("client lost: {e}");
    }
}

/// The kernel noted who called connect(2), and nobody can forge that: SO_PEERCRED. std cannot ask
/// for it, so the library needs its feature `sockopt`, which brings in the crate libc.
#[cfg(feature = "sockopt")]
fn who(conn: &Conn) -> String {
    match streamsock::sockopt::peer_cred(conn) {
        Ok(peer) => format!("user {}, group {}, process {}", peer.uid, peer.gid, peer.pid),
        Err(e) => format!("somebody: {e}"),
    }
}

#[cfg(not(feature = "sockopt"))]
fn who(_: &Conn) -> String {
    "somebody who may connect (--features sockopt says who)".to_string()
}
