//! `serve`: a thread per connection, over any number of listeners, bounded, that outlives bad luck.
//!
//! To copy this file, `conn.rs` and `listener.rs` are needed, with what those need.

use std::io::{self, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;
use std::{mem, thread};

use super::conn::Conn;
use super::listener::Listener;

const MAX_IDLE: usize = 16;
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections from all `listeners` and runs `handler` on each, in a thread per connection,
/// until every listener is [shut down](Listener::shutdown).
///
/// At most `max_conns` handlers run at once; a few hundred is a good start, as each takes a thread, a
/// descriptor and some 20 KiB. Beyond that the next clients wait: up to 16 of them accepted, the rest
/// in the [backlog](Listener::bind). A client that says nothing keeps its place, so a server for
/// strangers sets a [read timeout](Conn::set_read_timeout).
///
/// A connection that was aborted before it was accepted is passed over. After a network error, and
/// when descriptors, memory or threads run out, it pauses, for 5 ms at first and 1 s at most or until
/// a handler ends, and goes on; what it has accepted is served. A handler that panics ends its own
/// connection only (where panics unwind, as they do by default). What aborts the process ends the
/// server: an allocation that fails, or a new thread for whose signal stack std has no room, near
/// `vm.max_map_count` (some 16,000 threads) or under a limit on address space.
///
/// It returns once all listeners are shut down *and* the running handlers are done: a handler that
/// must come to an end sets a read timeout, or has its connection shut down.
///
/// # Errors
///
/// What `accept` on one of the listeners fails with otherwise, after it has shut down the others:
/// `WouldBlock`, for one, on a non-blocking listener. `InvalidInput` when `max_conns` is 0.
///
/// ```
/// use std::io::{Read, Write};
/// use streamsock::{Conn, Listener, serve};
///
/// let listeners = [Listener::bind(&"tcp:127.0.0.1:0".parse()?)?];
/// let addr = listeners[0].local_addr()?;
/// std::thread::scope(|scope| -> std::io::Result<()> {
///     let server = scope.spawn(|| {
///         serve(&listeners, 64, |mut conn| drop(conn.write_all(b"hello\n")))
///     });
///
///     let mut greeting = String::new();
///     Conn::connect(&addr)?.read_to_string(&mut greeting)?;
///     assert_eq!(greeting, "hello\n");
///
///     listeners[0].shutdown()?;
///     server.join().unwrap()
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn serve<H>(listeners: &[Listener], max_conns: usize, handler: H) -> io::Result<()>
where
    H: Fn(Conn) + Sync,
{
    if max_conns == 0 {
        let why = "max_conns is 0: nobody would be served";
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    let state = Mutex::new(State { waiting: vec![0; listeners.len()], ..State::default() });
    let (changed, turn) = (Condvar::new(), Condvar::new());
    let server = &Server { listeners, max_conns, handler, state, changed, turn };
    // This thread serves nobody. It starts an acceptor where one is missing, after a failure later.
    thread::scope(|scope| {
        let mut state = server.lock();
        while !listeners.iter().all(Listener::is_shut_down) {
            if server.missing(&state).is_none() {
                state = server.changed.wait(state).unwrap();
                continue;
            }
            let pause = LONGEST_PAUSE.min(FIRST_PAUSE * ((1 << state.failures.min(9)) / 2));
            let is_missing = |state: &mut State| server.missing(state).is_some();
            (state, _) = server.changed.wait_timeout_while(state, pause, is_missing).unwrap();
            let Some(at) = server.missing(&state) else { continue };
            state.waiting[at] += 1;
            drop(state);
            let started = thread::Builder::new().spawn_scoped(scope, move || server.work(at));
            state = server.lock();
            if started.is_err() {
                state.waiting[at] -= 1;
                state.failures += 1;
            }
        }
    });
    let error = server.lock().error.take();
    error.map_or(Ok(()), Err)
}

struct Server<'a, H> {
    listeners: &'a [Listener],
    max_conns: usize,
    handler: H,
    state: Mutex<State>,
    /// For the thread that called `serve`: an acceptor may be missing, or all may have ended.
    changed: Condvar,
    /// For a thread that has accepted a connection beyond `max_conns`: a handler has ended.
    turn: Condvar,
}

#[derive(Default)]
struct State {
    /// Connections that were accepted and are not done with; `running` of them have a handler.
    taken: usize,
    running: usize,
    /// For each listener, the threads that wait in `accept` or are on their way there.
    waiting: Vec<usize>,
    /// How often in a row no thread could be started, or no connection accepted.
    failures: u32,
    error: Option<io::Error>,
}

impl<H: Fn(Conn) + Sync> Server<'_, H> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }

    /// The first listener with nobody in `accept`, from the one after `at` on and all around.
    fn unattended(&self, state: &State, at: usize) -> Option<usize> {
        (at + 1..self.listeners.len())
            .chain(0..=at)
            .find(|at| state.waiting[*at] == 0 && !self.listeners[*at].is_shut_down())
    }

    /// The listener that an acceptor is to be started for.
    fn missing(&self, state: &State) -> Option<usize> {
        self.unattended(state, 0).filter(|_| state.taken < self.max_conns)
    }

    /// Serves connections where nobody else waits for them, or else where it was, until enough
    /// threads wait.
    fn work(&self, mut at: usize) {
        while self.serve_one(at) {
            let mut state = self.lock();
            let is_spare = state.waiting.iter().sum::<usize>() >= MAX_IDLE;
            let stays = !is_spare && !self.listeners[at].is_shut_down();
            match self.unattended(&state, at).or(stays.then_some(at)) {
                Some(next) => at = next,
                None => break,
            }
            state.waiting[at] += 1;
            if self.missing(&state).is_some() {
                self.changed.notify_one();
            }
        }
        self.changed.notify_one();
    }

    /// Whoever accepts a connection serves it: handing it over would cost a wake-up more. Answers
    /// whether the thread goes on.
    fn serve_one(&self, at: usize) -> bool {
        let accepted = self.listeners[at].accept();
        let mut state = self.lock();
        state.waiting[at] -= 1;
        let conn = match accepted {
            Ok((conn, _)) => conn,
            Err(_) if self.listeners[at].is_shut_down() => return true,
            Err(e) => {
                match pause_after(&e) {
                    Some(Duration::ZERO) => return true,
                    Some(_) => state.failures += 1,
                    None => {
                        state.error.get_or_insert(e);
                        self.listeners.iter().for_each(|listener| drop(listener.shutdown()));
                    }
                }
                return false;
            }
        };
        state.taken += 1;
        state.failures = 0;
        if self.missing(&state).is_some() {
            self.changed.notify_one();
        }
        let mut is_late = false;
        while state.running == self.max_conns && !is_late {
            (state, _) = self.turn.wait_timeout(state, LONGEST_PAUSE).unwrap();
            is_late = self.listeners[at].is_shut_down();
        }
        if !is_late {
            state.running += 1;
            drop(state);
            let ended = panic::catch_unwind(AssertUnwindSafe(|| (self.handler)(conn)));
            // What a handler throws may panic once more when it is dropped.
            let dropped = panic::catch_unwind(AssertUnwindSafe(|| drop(ended)));
            dropped.unwrap_or_else(mem::forget);
            state = self.lock();
            state.running -= 1;
        }
        state.taken -= 1;
        self.turn.notify_one();
        true
    }
}

/// How long to wait until the next `accept`, as accept(2) advises; `None`: it will fail for ever.
fn pause_after(e: &io::Error) -> Option<Duration> {
    use ErrorKind::*;
    // ENFILE, EMFILE, ENOBUFS and, on Linux, EPROTO: std has no `ErrorKind` for them.
    let linux = cfg!(any(target_os = "linux", target_os = "android"));
    let codes = if linux { [23, 24, 105, 71] } else { [23, 24, 55, 55] };
    match e.kind() {
        Interrupted | ConnectionAborted => Some(Duration::ZERO),
        NetworkDown | NetworkUnreachable | HostUnreachable | OutOfMemory => Some(FIRST_PAUSE),
        _ if codes.map(Some).contains(&e.raw_os_error()) => Some(FIRST_PAUSE),
        _ => None,
    }
}

#[test]
fn what_is_retried_at_once_later_and_never() {
    use ErrorKind::*;
    let pauses = |kinds: &[ErrorKind]| -> Vec<_> {
        kinds.iter().map(|kind| pause_after(&io::Error::from(*kind))).collect()
    };
    assert_eq!(pauses(&[Interrupted, ConnectionAborted]), [Some(Duration::ZERO); 2]);
    let later = [NetworkDown, NetworkUnreachable, HostUnreachable, OutOfMemory];
    assert_eq!(pauses(&later), [Some(FIRST_PAUSE); 4]);
    assert_eq!(pauses(&[WouldBlock, InvalidInput, Unsupported]), [None; 3]);
    let codes = [23, 24].map(|code| pause_after(&io::Error::from_raw_os_error(code)));
    assert_eq!(codes, [Some(FIRST_PAUSE); 2]);
}
