//! Fixtures: short fresh directories, both transports, a watchdog, programs as processes.

#![allow(dead_code)] // each test file has a use for its own part

use std::env;
use std::fs::{self, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
#[cfg(target_os = "linux")]
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStderr, Command, Output, Stdio};
use std::slice;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener, serve};

/// A fresh directory with a short name, as a socket's path has about a hundred bytes: where the
/// system's own for such is too long, in /tmp. It goes with the value.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> TempDir {
        let long = env::temp_dir().as_os_str().len() > 60;
        let base = if long { PathBuf::from("/tmp") } else { env::temp_dir() };
        loop {
            let random = RandomState::new().build_hasher().finish() as u32;
            let dir = base.join(format!("ss{random:x}"));
            if fs::DirBuilder::new().mode(0o755).create(&dir).is_ok() {
                return TempDir(dir);
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What is in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Ends the whole process, with a word, if the test still runs after five minutes: a test that
/// hangs says nothing otherwise.
pub fn watchdog() -> Sender<()> {
    let test = thread::current().name().unwrap_or("a test").to_string();
    let (alive, done) = mpsc::channel();
    let watch = move || {
        if done.recv_timeout(Duration::from_secs(300)) == Err(RecvTimeoutError::Timeout) {
            // Not eprintln!, which the harness would keep.
            let _ = writeln!(std::io::stderr(), "{test} hangs: aborted by its watchdog");
            process::abort();
        }
    };
    // A small stack, so that there is room for it where a test leaves little.
    thread::Builder::new().stack_size(64 << 10).spawn(watch).unwrap();
    alive
}

/// Runs a test's body with an address to bind of each kind.
pub fn over_both(body: impl Fn(&Addr)) {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    for addr in [Addr::from(dir.join("s")), "tcp:127.0.0.1:0".parse().unwrap()] {
        println!("over {addr}");
        body(&addr);
        assert_eq!(dir.names(), [""; 0], "left behind");
    }
}

/// The two ends of a connection, the client's first.
pub fn connected(addr: &Addr) -> (Conn, Conn) {
    let listener = Listener::bind(addr).unwrap();
    let client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    (client, server)
}

/// Runs `body` while `serve` serves the address, and shuts it down after.
pub fn with_server<T>(
    addr: &Addr,
    max_conns: usize,
    handler: impl Fn(Conn) + Sync,
    body: impl FnOnce(&Addr) -> T,
) -> T {
    let listener = Listener::bind(addr).unwrap();
    let bound = listener.local_addr().unwrap();
    thread::scope(|scope| {
        let server = scope.spawn(|| serve(slice::from_ref(&listener), max_conns, &handler));
        let end = ShutDown(&listener);
        let result = body(&bound);
        drop(end);
        server.join().unwrap().unwrap();
        result
    })
}

/// Ends a `serve` also when the test that it is for panics, which would wait for it otherwise.
pub struct ShutDown<'a>(pub &'a Listener);

impl Drop for ShutDown<'_> {
    fn drop(&mut self) {
        self.0.shutdown().unwrap();
    }
}

/// Sends back what comes, as the example does.
pub fn echo(conn: Conn) {
    let _ = std::io::copy(&mut &conn, &mut &conn);
}

/// Sends bytes of its own, half-closes, and expects them back.
pub fn assert_echoed(addr: &Addr, bytes: &[u8]) {
    let conn = Conn::connect(addr).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            (&conn).write_all(bytes).unwrap();
            conn.shutdown(Shutdown::Write).unwrap();
        });
        assert!(read_all(&conn) == bytes, "what came back differs");
    });
}

/// A generator of pseudo-random numbers: xorshift64*.
pub struct Random(pub u64);

impl Random {
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.number() >> 32) as usize % end
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.number() as u8).collect()
    }
}

/// Waits, without a pause, until something holds that is sure to come. A watchdog bounds it.
pub fn wait_until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        thread::yield_now();
    }
}

/// Waits until all other threads of this process sleep in a system call: for a test that runs alone.
#[cfg(target_os = "linux")]
pub fn wait_until_others_sleep() {
    let own = fs::read_link("/proc/thread-self").unwrap();
    let all_sleep = || {
        fs::read_dir("/proc/self/task").unwrap().all(|task| {
            let task = task.unwrap().path();
            // One that has ended meanwhile is no longer there.
            let stat = fs::read_to_string(task.join("stat")).unwrap_or(") S".into());
            let state = stat.rsplit(") ").next().unwrap();
            task.file_name() == own.file_name() || state.starts_with('S')
        })
    };
    // One may wake another up that was looked at before it.
    wait_until(|| (0..3).all(|_| all_sleep()));
}

/// Whether the socket of this descriptor is non-blocking now, as the kernel says.
#[cfg(target_os = "linux")]
pub fn is_nonblocking(fd: impl AsFd) -> bool {
    let fd = fd.as_fd().as_raw_fd();
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
    i64::from_str_radix(flags.trim(), 8).unwrap() & 0o4000 != 0
}

/// The longest path that a socket can have here.
pub const MAX_PATH: usize =
    if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// Why nobody can connect, once that is so: a process that another test starts has a copy of a socket
/// that was closed just now, until it runs its program.
pub fn connect_error(addr: &Addr) -> std::io::Error {
    loop {
        if let Err(e) = Conn::connect(addr) {
            return e;
        }
    }
}

/// A socket's file that nobody holds: std leaves it behind.
pub fn stale(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
    connect_error(&Addr::from(path));
    assert!(fs::symlink_metadata(path).unwrap().file_type().is_socket());
}

/// A connection and a word through it, to show that a listener is alive.
pub fn assert_works(listener: &Listener) {
    let mut client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
    client.write_all(b"hi").unwrap();
    drop(client);
    assert_eq!(read_all(listener.accept().unwrap().0), b"hi");
}

/// A program as the user nobody, copied to where that user can reach it.
pub fn as_nobody(program: &Path, dir: &TempDir) -> Command {
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = dir.join("program");
    fs::copy(program, &copy).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
    command
}

/// Takes every descriptor that this process may still have.
pub fn exhaust_descriptors() -> Vec<fs::File> {
    std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect()
}

/// Runs the calling test once more, alone in a process under the limits that the shell's `ulimit`
/// sets, and tells whether this is that process.
pub fn under(limits: &str, test: &str) -> bool {
    if env::var_os("STREAMSOCK_TEST_UNDER").is_some_and(|name| name == test) {
        return true;
    }
    let output = Command::new("sh")
        .args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")])
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1", "--include-ignored"])
        .env("STREAMSOCK_TEST_UNDER", test)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "under {limits}: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// The example program of that name, which cargo built beside this test.
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.parent().unwrap().with_file_name("examples").join(name);
    assert!(path.exists(), "{} is not built: cargo build --examples", path.display());
    path
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A server as a process, which is killed with the value (`SIGKILL`: its file stays).
pub struct Server {
    pub child: Child,
    pub addrs: Vec<Addr>,
    stderr: Option<BufReader<ChildStderr>>,
}

impl Server {
    /// Starts it, and reads `listening on ADDR` from it, `addrs` times.
    pub fn start(command: &mut Command, addrs: usize) -> Server {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut server = Server { child, addrs: Vec::new(), stderr: Some(stderr) };
        for _ in 0..addrs {
            let line = server.line();
            let addr = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}"));
            server.addrs.push(addr.parse().unwrap());
        }
        server
    }

    /// The next line that it prints on standard error, "" when it has ended.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_string()
    }

    pub fn close_stderr(&mut self) {
        self.stderr = None;
    }

    pub fn connect(&self) -> Conn {
        Conn::connect(&self.addrs[0]).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing comes for as long as the read timeout. Unlike a read without one, it may be interrupted:
/// when another thread starts a process, for one.
pub fn assert_silent(mut conn: impl Read) {
    let error = loop {
        match conn.read(&mut [0]) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            read => break read.unwrap_err(),
        }
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

/// What comes until end of file.
pub fn read_all(mut conn: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    conn.read_to_end(&mut bytes).unwrap();
    bytes
}
