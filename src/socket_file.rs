//! `SocketFile`: the life of the file that a Unix-domain socket is bound to: who holds it, taking
//! over a stale one, its mode, its end.
//!
//! To copy this file, `addr.rs` is needed; `listener.rs` is what uses it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::addr::MAX_PATH;

/// How long a starter waits for the lock on the directory; whoever binds holds it for less than a
/// millisecond.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Each time round, somebody else has bound or removed the path meanwhile.
const BIND_ATTEMPTS: u32 = 16;

/// The file of a bound socket, which is removed when this is dropped: before the socket is closed,
/// so that its inode number still is its own.
pub(super) struct SocketFile {
    path: PathBuf,
    dev: u64,
    ino: u64,
}

impl SocketFile {
    /// Binds a listener to `path`, with the mode that is asked for or else what `umask` leaves.
    pub(super) fn bind(path: &Path, mode: Option<u32>) -> io::Result<(UnixListener, SocketFile)> {
        // Held to the end of this function. bind(2) makes the file a moment before the socket can
        // be found through it, and in that moment a live newcomer looks stale.
        let lock = lock_directory(path);
        for _ in 0..BIND_ATTEMPTS {
            let bound = match mode {
                None => UnixListener::bind(path),
                Some(mode) => bind_beside(path, mode),
            };
            match bound {
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => remove_if_stale(path, &lock)?,
                Err(e) => return Err(e),
                Ok(listener) => {
                    let made = fs::symlink_metadata(path)?;
                    let file = SocketFile { path: path.into(), dev: made.dev(), ino: made.ino() };
                    return Ok((listener, file));
                }
            }
        }
        Err(in_use(format!("others bind and remove {} without end", path.display())))
    }

    /// The path as it was asked for.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    /// Removes the file if it still is the one that was bound, and not one that somebody put there
    /// since. Between the look and the removal a stranger could still exchange it; those who keep
    /// to the rules of this file cannot, as they never displace a live socket.
    fn drop(&mut self) {
        match fs::symlink_metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (self.dev, self.ino) => {
                let _ = fs::remove_file(&self.path);
            }
            _ => {}
        }
    }
}

/// Takes the exclusive lock of the directory that `path` is in. It leaves no file behind, and ends
/// with the process at the latest.
fn lock_directory(path: &Path) -> io::Result<File> {
    let dir = File::open(match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    })?;
    let start = Instant::now();
    loop {
        match dir.try_lock() {
            Ok(()) => return Ok(dir),
            Err(TryLockError::Error(e)) => return Err(e),
            Err(TryLockError::WouldBlock) if start.elapsed() >= LOCK_PATIENCE => {
                return Err(io::Error::new(io::ErrorKind::WouldBlock, "somebody holds the lock"));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Removes the socket at `path` if nobody holds it; otherwise says what is in the way.
fn remove_if_stale(path: &Path, lock: &io::Result<File>) -> io::Result<()> {
    let shown = path.display();
    let there = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    // Connecting to a regular file or a directory is refused, too: refusal alone proves nothing.
    if !there.file_type().is_socket() {
        let kind = kind_of(there.file_type());
        return Err(in_use(format!("{shown} is {kind}, not a socket, and was left as it is")));
    }
    // A datagram socket asks without being seen by the server, and never waits for its backlog: a
    // live stream socket answers EPROTOTYPE, a live datagram socket accepts.
    match UnixDatagram::unbound()?.connect(path) {
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            let owner = there.uid();
            return Err(in_use(format!("{shown} is a socket of user {owner}, closed to this one")));
        }
        _ => return Err(in_use(format!("a live server holds {shown}"))),
    }
    if let Err(why) = lock {
        return Err(in_use(format!(
            "{shown} looks stale, but its directory could not be locked ({why}), and only under \
             that lock is it safe to take the path over",
        )));
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(io::Error::new(e.kind(), format!("{shown} is stale, but cannot be removed: {e}")))
        }
        _ => Ok(()),
    }
}

fn kind_of(file_type: fs::FileType) -> &'static str {
    if file_type.is_symlink() {
        "a symbolic link"
    } else if file_type.is_dir() {
        "a directory"
    } else if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_file() {
        "a regular file"
    } else {
        "a device"
    }
}

/// Binds where nobody else can reach, sets the mode, and only then shows the socket at `path`.
/// The other way, umask(2), is the whole process's, and would reach files of other threads.
fn bind_beside(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let dir = create_private_directory(path)?;
    let temporary = dir.join("s");
    let bound = UnixListener::bind(&temporary).and_then(|listener| {
        fs::set_permissions(&temporary, Permissions::from_mode(mode))?;
        fs::hard_link(&temporary, path)?;
        Ok(listener)
    });
    let _ = fs::remove_file(&temporary);
    let _ = fs::remove_dir(&dir);
    match bound {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(io::ErrorKind::AddrInUse.into()),
        bound => bound,
    }
}

/// Makes `.NAME.XXXX` beside `path`, with the name cut to where `.NAME.XXXX/s` fits a socket's path.
fn create_private_directory(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let parent = path.with_file_name("").as_os_str().len();
    let Some(room) = MAX_PATH.checked_sub(parent + "..XXXX/s".len()) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "the directory of {} is too long to bind a socket with a mode in it",
                path.display()
            ),
        ));
    };
    let mut attempts_left = 100;
    loop {
        let random = RandomState::new().build_hasher().finish() as u16;
        let mut dir_name = OsString::from(".");
        dir_name.push(OsStr::from_bytes(&name[..name.len().min(room)]));
        dir_name.push(format!(".{random:04x}"));
        let dir = path.with_file_name(dir_name);
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && attempts_left > 0 => {
                attempts_left -= 1
            }
            Err(e) => return Err(e),
            Ok(()) => return Ok(dir),
        }
    }
}

fn in_use(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, why)
}
