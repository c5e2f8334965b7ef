//! Who may connect, and who did: a directory of its own, a mode for the socket, credentials.
//!
//! ```console
//! $ cargo run --features sockopt --example private_server
//! $ nc -U /tmp/private/s             # in another terminal, as yourself and as another user
//! ```
//!
//! Predict: which error does another user get? And if the directory had mode 0755?
//! Change: `rm -r /tmp/private`, 0o755 in both places, and just `bind`. What keeps others out now?
//! Explain: `bind` and then chmod(2) would end with the same mode. What may happen in between?

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};

use streamsock::{Addr, Conn, Listener, serve};

fn main() -> io::Result<()> {
    // The first wall, on every system: those who may not enter a directory reach nothing in it.
    // mkdir(2) creates it with its mode in one step. In /tmp, anybody may have been there before,
    // so look. (Many systems make such a directory for each user: $XDG_RUNTIME_DIR.)
    let dir = std::env::temp_dir().join("private");
    match DirBuilder::new().mode(0o700).create(&dir) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    if fs::symlink_metadata(&dir)?.permissions().mode() & 0o777 != 0o700 {
        return Err(io::Error::other(format!("{dir:?} does not have mode 0700: remove it")));
    }

    // The second wall: connect(2) requires write permission on the socket's file.
    let path = dir.join("s");
    let listener = Listener::bind_with_mode(&Addr::from(path.as_path()), 0o600)?;
    if fs::metadata(&path)?.uid() != fs::metadata(&dir)?.uid() {
        // Only root gets as far as this in somebody else's directory, where the file is not safe.
        return Err(io::Error::other(format!("{dir:?} is another user's: remove it")));
    }
    eprintln!("listening on {}", listener.local_addr()?);
    serve(&[listener], 64, |mut conn| {
        let _ = writeln!(io::stdout(), "client: {}", who(&conn));
        let _ = writeln!(conn, "you are {}", who(&conn));
    })
}

/// Whose process called connect(2): the kernel noted it then, and nobody can forge it. SO_PEERCRED.
#[cfg(feature = "sockopt")]
fn who(conn: &Conn) -> String {
    match streamsock::sockopt::peer_cred(conn) {
        Ok(peer) => format!("user {}, group {}, process {}", peer.uid, peer.gid, peer.pid),
        Err(e) => format!("somebody ({e})"),
    }
}

#[cfg(not(feature = "sockopt"))]
fn who(_: &Conn) -> &'static str {
    "somebody who may connect (with --features sockopt, it says who)"
}
