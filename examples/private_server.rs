//! Who may connect, and who did: a directory of its own, a mode for the socket, credentials.
//!
//! ```console
//! $ cargo run --features sockopt --example private_server
//! $ nc -U /tmp/private/s             # in another terminal, as you and as another user
//! ```
//!
//! Predict: which error does another user get, and who says no: the directory or the socket?
//! Change: make the directory with mode 0755. Who says no now? And if you call plain `bind`, too?
//! Explain: `bind` and then chmod(2) would end with the same mode. What could happen in between?

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

use streamsock::{Addr, Conn, Listener, serve};

fn main() -> io::Result<()> {
    // The first wall, and on every system: who may not enter a directory reaches nothing in it.
    // mkdir(2) makes it with its mode in one step. Somebody may have made it before, since /tmp is
    // everybody's; so look. ($XDG_RUNTIME_DIR is such a directory, where the system made one.)
    let dir = std::env::temp_dir().join("private");
    match DirBuilder::new().mode(0o700).create(&dir) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    if fs::symlink_metadata(&dir)?.permissions().mode() & 0o777 != 0o700 {
        return Err(io::Error::other(format!("{dir:?} has not the mode 0700: remove it")));
    }

    // The second wall: connect(2) needs write permission for the socket's file, here its owner's.
    let listener = Listener::bind_with_mode(&Addr::from(dir.join("s").as_path()), 0o600)?;
    eprintln!("listening on {}", listener.local_addr()?);
    serve(&[listener], 64, |mut conn| {
        let _ = writeln!(io::stdout(), "client: {}", who(&conn));
        let _ = writeln!(conn, "you are {}", who(&conn));
    })
}

/// SO_PEERCRED: whose process called connect(2), as the kernel noted then. It cannot be forged.
#[cfg(feature = "sockopt")]
fn who(conn: &Conn) -> String {
    match streamsock::sockopt::peer_cred(conn) {
        Ok(peer) => format!("user {}, group {}, process {}", peer.uid, peer.gid, peer.pid),
        Err(e) => format!("somebody ({e})"),
    }
}

#[cfg(not(feature = "sockopt"))]
fn who(_: &Conn) -> &'static str {
    "somebody who may connect (who? that takes --features sockopt)"
}
