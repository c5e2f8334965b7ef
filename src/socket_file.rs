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
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{self, Path, PathBuf};
use std::process;
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
    /// As it was asked for.
    pub(super) path: PathBuf,
    /// Where that is, also when the program has changed its working directory since.
    pub(super) absolute: PathBuf,
    dev: u64,
    ino: u64,
    /// The process that bound it. A forked child has a copy of this value, and drops it.
    owner: u32,
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
        let absolute = path::absolute(path)?;
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
                Err(e) if e.kind() == ErrorKind::AddrInUse => remove_if_stale(path, &lock, probe)?,
                Err(e) => return Err(e),
                Ok(listener) => {
                    let made = fs::symlink_metadata(path)?;
                    let file = SocketFile {
                        path: path.into(),
                        absolute,
                        dev: made.dev(),
                        ino: made.ino(),
                        owner: process::id(),
                        removed: AtomicBool::new(false),
                    };
                    return Ok((listener, file));
                }
            }
        }
        Err(in_use("others bind and remove it without end"))
    }

    /// Removes the file if it still is the one that was bound, and not one that somebody put there
    /// since. Between the look and the removal a stranger could still exchange it; those who keep
    /// to the rules of this file cannot, as they never displace a live socket.
    pub(super) fn remove(&self) {
        if self.removed.swap(true, Ordering::Relaxed) {
            return;
        }
        match fs::symlink_metadata(&self.absolute) {
            Ok(there) if (there.dev(), there.ino()) == (self.dev, self.ino) => {
                let _ = fs::remove_file(&self.absolute);
            }
            _ => {}
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.owner == process::id() {
            self.remove();
        }
    }
}

/// The exclusive lock of a directory. It leaves no file behind.
struct DirectoryLock(File);

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Closing would not do: a process that another thread forked meanwhile has the descriptor, too.
        let _ = self.0.unlock();
    }
}

fn lock_directory(dir: &Path) -> io::Result<DirectoryLock> {
    let dir = File::open(dir)?;
    let start = Instant::now();
    loop {
        match dir.try_lock() {
            Ok(()) => return Ok(DirectoryLock(dir)),
            Err(TryLockError::Error(e)) => return Err(e),
            Err(TryLockError::WouldBlock) if start.elapsed() >= LOCK_PATIENCE => {
                return Err(io::Error::new(ErrorKind::WouldBlock, "somebody holds the lock"));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// What a stranger is told at a path: [`probe`], or in a test one that lies.
type Probe = fn(&Path) -> io::Result<io::Result<()>>;

/// Removes the socket at `path` if nobody holds it; otherwise says what is in the way.
fn remove_if_stale(path: &Path, lock: &io::Result<DirectoryLock>, probe: Probe) -> io::Result<()> {
    let there = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    // Connecting to a regular file or a directory is refused, too: refusal alone proves nothing.
    if !there.file_type().is_socket() {
        let kind = kind_of(there.file_type());
        return Err(in_use(&format!("{kind} is there, not a socket, and was left as it is")));
    }
    match probe(path)? {
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

/// Connects to the socket at `path`, as a stranger would: it is refused if nobody holds the socket.
///
/// A datagram socket asks first, as the server does not see it and its backlog does not make it wait:
/// a live stream socket answers EPROTOTYPE, a live datagram socket accepts. That is enough on Linux. But
/// gVisor refuses it at a live stream socket, too, so what is refused asks once more, as a stream.
///
/// An error of the probe itself says nothing about the path: that there is no descriptor left.
fn probe(path: &Path) -> io::Result<io::Result<()>> {
    let socket = UnixDatagram::unbound()?;
    Ok(connect_unless_refused(socket.connect(path), path))
}

fn connect_unless_refused(datagram: io::Result<()>, path: &Path) -> io::Result<()> {
    match datagram {
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => UnixStream::connect(path).map(drop),
        answer => answer,
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
        publish(&temporary, path, mode, probe).map_err(explained)?;
        Ok(listener)
    });
    let _ = fs::remove_file(&temporary);
    let _ = fs::remove_dir(&dir);
    bound
}

/// Gives the socket its mode, shows it at `path` and looks at it there, as a stranger would: on FUSE
/// file systems, a hard link to a socket is there and refuses everybody.
fn publish(temporary: &Path, path: &Path, mode: Option<u32>, probe: Probe) -> io::Result<()> {
    if let Some(mode) = mode {
        fs::set_permissions(temporary, Permissions::from_mode(mode))?;
    }
    fs::hard_link(temporary, path)?;
    let error = match probe(path) {
        Ok(Err(e)) if e.kind() == ErrorKind::ConnectionRefused => ErrorKind::Unsupported.into(),
        Ok(_) => return Ok(()),
        Err(e) => e,
    };
    let _ = fs::remove_file(path);
    Err(error)
}

/// In words what a file system says that knows no modes of sockets (virtiofs) or no links to them.
fn explained(e: io::Error) -> io::Error {
    match e.kind() {
        ErrorKind::AlreadyExists => ErrorKind::AddrInUse.into(),
        ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported => {
            let why = "this file system cannot publish a socket with a mode; make a directory of \
                       mode 0700 for the socket, and bind it there without a mode";
            io::Error::new(e.kind(), why)
        }
        _ => e,
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
    for _ in 0..100 {
        let random = RandomState::new().build_hasher().finish() as u16;
        let mut dir_name = OsString::from(".");
        dir_name.push(OsStr::from_bytes(&name[..name.len().min(room)]));
        dir_name.push(format!(".{random:04x}"));
        let dir = path.with_file_name(dir_name);
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            created => return created.map(|()| dir),
        }
    }
    Err(io::Error::other("a hundred names for a temporary directory are taken"))
}

fn in_use(why: &str) -> io::Error {
    io::Error::new(ErrorKind::AddrInUse, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for each test, which goes with the value.
    struct TempDir(PathBuf);

    impl TempDir {
        fn new() -> TempDir {
            let random = RandomState::new().build_hasher().finish() as u32;
            let dir = PathBuf::from(format!("/tmp/ssf{random:x}"));
            fs::create_dir(&dir).unwrap();
            TempDir(dir)
        }

        fn is_empty(&self) -> bool {
            fs::read_dir(&self.0).unwrap().next().is_none()
        }
    }

    impl Drop for TempDir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn refused(_: &Path) -> io::Result<io::Result<()>> {
        Ok(Err(ErrorKind::ConnectionRefused.into()))
    }

    fn kind(result: io::Result<()>) -> ErrorKind {
        result.unwrap_err().kind()
    }

    /// gVisor refuses a datagram socket at a live stream socket: that must not pass for a stale file.
    #[test]
    fn a_live_socket_is_not_stale_because_one_kind_of_socket_is_refused() {
        let dir = TempDir::new();
        let path = dir.0.join("s");
        let refused = || Err(ErrorKind::ConnectionRefused.into());
        let listener = UnixListener::bind(&path).unwrap();
        connect_unless_refused(refused(), &path).unwrap();
        assert_ne!(kind(probe(&path).unwrap()), ErrorKind::ConnectionRefused);
        drop(listener);
        assert_eq!(kind(connect_unless_refused(refused(), &path)), ErrorKind::ConnectionRefused);
        assert_eq!(kind(probe(&path).unwrap()), ErrorKind::ConnectionRefused);
        fs::remove_file(&path).unwrap();

        let _datagrams = UnixDatagram::bind(&path).unwrap();
        probe(&path).unwrap().unwrap();
        assert_ne!(kind(connect_unless_refused(refused(), &path)), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn only_what_is_refused_under_the_lock_is_removed() {
        let dir = TempDir::new();
        let path = dir.0.join("s");
        drop(UnixListener::bind(&path).unwrap());
        let locked = lock_directory(&dir.0);
        let unlocked = Err(ErrorKind::WouldBlock.into());
        let remove = |lock, probe| remove_if_stale(&path, lock, probe);

        // It went meanwhile, and bind(2) is to try again; this one is another's that came since.
        remove(&locked, |_| Ok(Err(ErrorKind::NotFound.into()))).unwrap();
        let answers: [Probe; 3] = [
            |_| Ok(Ok(())),
            |_| Ok(Err(ErrorKind::PermissionDenied.into())),
            |_| Ok(Err(io::Error::from_raw_os_error(91))), // EPROTOTYPE on Linux
        ];
        for answer in answers {
            assert_eq!(kind(remove(&locked, answer)), ErrorKind::AddrInUse);
        }
        // Without a descriptor to ask with, the system's own error is the answer.
        let error = remove(&locked, |_| Err(io::Error::from_raw_os_error(24))).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(24));
        assert_eq!(kind(remove(&unlocked, refused)), ErrorKind::AddrInUse);
        assert!(path.exists());
        remove(&locked, refused).unwrap();
        assert!(!path.exists());
        remove(&locked, refused).unwrap(); // it is gone already
    }

    #[test]
    fn a_link_that_refuses_everybody_is_undone_and_explained() {
        let dir = TempDir::new();
        let (temporary, path) = (dir.0.join("t"), dir.0.join("s"));
        let _listener = UnixListener::bind(&temporary).unwrap();
        let error = publish(&temporary, &path, Some(0o600), refused).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(!path.exists());

        publish(&temporary, &path, Some(0o600), probe).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn a_mode_or_a_link_that_is_not_to_be_had_is_explained() {
        for code in [1, 22, 95] {
            let error = io::Error::from_raw_os_error(code); // EPERM, EINVAL, EOPNOTSUPP on Linux
            let kind = error.kind();
            let explained = explained(error);
            assert_eq!(explained.kind(), kind);
            let says = explained.to_string().contains("a directory of mode 0700");
            assert_eq!(says, code != 95 || cfg!(target_os = "linux"), "{code}");
        }
        assert_eq!(explained(ErrorKind::AlreadyExists.into()).kind(), ErrorKind::AddrInUse);
        let full = explained(ErrorKind::StorageFull.into());
        assert!(!full.to_string().contains("0700"), "{full}");
    }

    #[test]
    fn the_copy_of_a_forked_child_removes_nothing_when_it_is_dropped() {
        let dir = TempDir::new();
        let path = dir.0.join("s");
        let (_listener, mut file) = SocketFile::bind(&path, None).unwrap();
        file.owner += 1;
        drop(file);
        assert!(path.exists());
        fs::remove_file(&path).unwrap();

        let (_listener, mut file) = SocketFile::bind(&path, None).unwrap();
        file.owner += 1;
        file.remove(); // by shutdown, which ends the socket for all
        assert!(dir.is_empty());
    }

    /// A process that is forked meanwhile shares the open directory, as this copy does.
    #[test]
    fn the_lock_ends_with_bind_whoever_has_its_descriptor() {
        let dir = TempDir::new();
        let lock = lock_directory(&dir.0).unwrap();
        let _inherited = lock.0.try_clone().unwrap();
        drop(lock);
        File::open(&dir.0).unwrap().try_lock().unwrap();
    }
}
