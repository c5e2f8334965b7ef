//! `SocketFile`: the life of the file that a Unix-domain socket is bound to: who holds it, taking
//! over a stale one, its mode, its end.
//!
//! To copy this file, `addr.rs` is needed; `listener.rs` is what uses it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::addr::MAX_PATH;

/// How long a starter waits for the lock on the directory. To take over a stale file under it took
/// 50 µs in the median of 5,000 times and 0.5 ms at most; but flock(2) asks for no permission beyond
/// opening the directory, so anybody may hold it, and for as long as they like.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Each time round, somebody else has bound or removed the path meanwhile.
const BIND_ATTEMPTS: u32 = 16;

/// The file of a bound socket. It is removed once, by [`remove`](SocketFile::remove) or on drop, and
/// before the socket is closed, so that its inode number still is its own.
pub(super) struct SocketFile {
    path: PathBuf,
    dev: u64,
    ino: u64,
    removed: AtomicBool,
}

impl SocketFile {
    /// Binds a listener to `path`, with the mode that is asked for or else what `umask` leaves.
    pub(super) fn bind(path: &Path, mode: Option<u32>) -> io::Result<(UnixListener, SocketFile)> {
        // `/.` keeps a FIFO that is named as a directory from being opened, which would block.
        let dir = match path.parent() {
            Some(parent) => parent.join("."),
            None => PathBuf::from("/."),
        };
        if mode.is_some() && fs::metadata(&dir)?.mode() & 0o1002 == 0o0002 {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "its directory is open to everybody and has no sticky bit, so anybody could replace \
                 the socket and its mode would protect nothing; use another directory",
            ));
        }
        // Held to the end of this function. bind(2) makes the file a moment before the socket can
        // be found through it, and in that moment a live newcomer looks stale.
        let lock = lock_directory(&dir);
        for _ in 0..BIND_ATTEMPTS {
            let bound = match (mode, &lock) {
                (Some(_), _) => bind_beside(path, mode),
                (None, Ok(_)) => UnixListener::bind(path),
                // Starters that have the lock must not see that moment, either.
                (None, Err(_)) => match bind_beside(path, None) {
                    Err(e) if e.kind() != ErrorKind::AddrInUse => UnixListener::bind(path),
                    bound => bound,
                },
            };
            match bound {
                Err(e) if e.kind() == ErrorKind::AddrInUse => remove_if_stale(path, &lock)?,
                Err(e) => return Err(e),
                Ok(listener) => {
                    let made = fs::symlink_metadata(path)?;
                    let (dev, ino) = (made.dev(), made.ino());
                    let removed = AtomicBool::new(false);
                    return Ok((listener, SocketFile { path: path.into(), dev, ino, removed }));
                }
            }
        }
        Err(in_use("others bind and remove it without end"))
    }

    /// The path as it was asked for.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file if it still is the one that was bound, and not one that somebody put there
    /// since. Between the look and the removal a stranger could still exchange it; those who keep
    /// to the rules of this file cannot, as they never displace a live socket.
    pub(super) fn remove(&self) {
        if self.removed.swap(true, Ordering::Relaxed) {
            return;
        }
        match fs::symlink_metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (self.dev, self.ino) => {
                let _ = fs::remove_file(&self.path);
            }
            _ => {}
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Takes the exclusive lock of a directory. It leaves no file behind, and ends with the process at
/// the latest.
fn lock_directory(dir: &Path) -> io::Result<File> {
    let dir = File::open(dir)?;
    let start = Instant::now();
    loop {
        match dir.try_lock() {
            Ok(()) => return Ok(dir),
            Err(TryLockError::Error(e)) => return Err(e),
            Err(TryLockError::WouldBlock) if start.elapsed() >= LOCK_PATIENCE => {
                return Err(io::Error::new(ErrorKind::WouldBlock, "somebody holds the lock"));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Removes the socket at `path` if nobody holds it; otherwise says what is in the way.
fn remove_if_stale(path: &Path, lock: &io::Result<File>) -> io::Result<()> {
    let there = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    // Connecting to a regular file or a directory is refused, too: refusal alone proves nothing.
    if !there.file_type().is_socket() {
        let kind = kind_of(there.file_type());
        return Err(in_use(&format!("{kind} is there, not a socket, and was left as it is")));
    }
    // A datagram socket asks without being seen by the server, and never waits for its backlog: a
    // live stream socket answers EPROTOTYPE, a live datagram socket accepts.
    match UnixDatagram::unbound()?.connect(path) {
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => {}
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            let (owner, mode) = (there.uid(), there.mode() & 0o777);
            return Err(in_use(&if mode & 0o200 == 0 {
                format!(
                    "a socket is there whose mode {mode:03o} shuts out even its owner, user {owner}, \
                     so whether a server holds it cannot be told; if none does, remove it"
                )
            } else {
                format!("a socket of user {owner} is there, closed to this one")
            }));
        }
        _ => return Err(in_use("a live server holds it")),
    }
    if let Err(why) = lock {
        return Err(in_use(&format!(
            "a socket is there that looks stale, but its directory could not be locked ({why}), and \
             only under that lock is it safe to take over; if no server holds it, remove it"
        )));
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(io::Error::new(
            e.kind(),
            format!("a stale socket is there, but cannot be removed: {e}"),
        )),
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
fn bind_beside(path: &Path, mode: Option<u32>) -> io::Result<UnixListener> {
    let dir = create_private_directory(path)?;
    let temporary = dir.join("s");
    let bound = UnixListener::bind(&temporary).and_then(|listener| {
        if let Some(mode) = mode {
            fs::set_permissions(&temporary, Permissions::from_mode(mode))?;
        }
        fs::hard_link(&temporary, path)?;
        Ok(listener)
    });
    let _ = fs::remove_file(&temporary);
    let _ = fs::remove_dir(&dir);
    match bound {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(ErrorKind::AddrInUse.into()),
        bound => bound,
    }
}

/// Makes `.NAME.XXXX` beside `path`, with the name cut to where `.NAME.XXXX/s` fits a socket's path.
fn create_private_directory(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let parent = path.with_file_name("").as_os_str().len();
    let Some(room) = MAX_PATH.checked_sub(parent + "..XXXX/s".len()) else {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "the path of its directory is too long to bind a socket with a mode in it",
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
            Err(e) if e.kind() == ErrorKind::AlreadyExists && attempts_left > 0 => {
                attempts_left -= 1
            }
            Err(e) => return Err(e),
            Ok(()) => return Ok(dir),
        }
    }
}

fn in_use(why: &str) -> io::Error {
    io::Error::new(ErrorKind::AddrInUse, why)
}
