//! `serve`: a thread per connection, over any number of listeners, bounded, that outlives bad luck.
//!
//! To copy this file, `conn.rs` and `listener.rs` are needed, with what those need.

use std::io::{self, ErrorKind::*};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Condvar, Mutex};
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
/// descriptor and some 20 KiB. The next clients wait: up to 16 accepted, the rest in the
/// [backlog](Listener::bind). A client that says nothing keeps its place, so a server for strangers
/// sets a [read timeout](Conn::set_read_timeout).
///
/// It outlives a handler that panics (where panics unwind), most network errors, and a shortage of
/// descriptors, memory or threads: it tries again after 5 ms, doubling to 1 s, or when a handler ends.
/// It does not outlive what aborts the process: an allocation that fails, or a new thread for whose
/// signal stack std finds no room, near `vm.max_map_count` (some 16,000 threads) or a limit on memory.
///
/// It returns once all listeners are shut down *and* the running handlers are done: a handler that
/// must come to an end sets a read timeout, or has its connection shut down.
///
/// # Errors
///
/// What `accept` on one of the listeners fails with otherwise, after it has shut down the others:
/// `WouldBlock`, for one, on a non-blocking listener. `InvalidInput` when `max_conns` is 0.
///
/// ```no_run
/// use streamsock::{Listener, serve};
///
/// let unix = Listener::bind(&"unix:/tmp/echo.sock".parse()?)?;
/// let tcp = Listener::bind(&"tcp:127.0.0.1:13500".parse()?)?;
/// serve(&[unix, tcp], 512, |conn| drop(std::io::copy(&mut &conn, &mut &conn)))?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn serve<H>(listeners: &[Listener], max_conns: usize, handler: H) -> io::Result<()>
where
    H: Fn(Conn) + Sync,
{
    if max_conns == 0 {
        return Err(io::Error::new(InvalidInput, "max_conns is 0: nobody is served"));
    }
    let state = Mutex::new(State { waiting: vec![0; listeners.len()], ..State::default() });
    let (changed, turn) = (Condvar::new(), Condvar::new());
    let server = &Server { listeners, max_conns, handler, state, changed, turn };
    // This thread serves nobody. It starts an acceptor where one is missing, after a failure later.
    thread::scope(|scope| {
        let mut state = server.state.lock().unwrap();
        let has_ended = || listeners.iter().all(Listener::is_shut_down);
        while !has_ended() {
            // In this order, as the last one may be shut down meanwhile, with no thread left to say so.
            let is_idle = |state: &mut State| server.missing(state).is_none() && !has_ended();
            state = server.changed.wait_while(state, is_idle).unwrap();
            let pause = LONGEST_PAUSE.min(FIRST_PAUSE * ((1 << state.failures.min(9)) / 2));
            let is_missing = |state: &mut State| server.missing(state).is_some();
            (state, _) = server.changed.wait_timeout_while(state, pause, is_missing).unwrap();
            let Some(at) = server.missing(&state) else { continue };
            state.waiting[at] += 1;
            drop(state);
            let started = thread::Builder::new().spawn_scoped(scope, move || server.work(at));
            state = server.state.lock().unwrap();
            if started.is_err() {
                state.waiting[at] -= 1;
                state.failures += 1;
            }
        }
    });
    let error = server.state.lock().unwrap().error.take();
    error.map_or(Ok(()), Err)
}

struct Server<'a, H> {
    listeners: &'a [Listener],
    max_conns: usize,
    handler: H,
    state: Mutex<State>, // nothing panics under this lock
    /// For the thread that called `serve`: an acceptor may be missing, or all may have ended.
    changed: Condvar,
    /// For a thread that has accepted a connection beyond `max_conns`: a handler has ended.
    turn: Condvar,
}

#[derive(Default)]
struct State {
    /// How many connections were accepted so far, and how many of these are over.
    accepted: usize,
    over: usize,
    /// For each listener, the threads that wait in `accept` or are on their way there.
    waiting: Vec<usize>,
    /// How often in a row no thread could be started, or no connection accepted.
    failures: u32,
    error: Option<io::Error>,
}

impl<H: Fn(Conn) + Sync> Server<'_, H> {
    /// The first listener with nobody in `accept`, from the one after `at` on and all around.
    fn unattended(&self, state: &State, at: usize) -> Option<usize> {
        (at + 1..self.listeners.len())
            .chain(0..=at)
            .find(|at| state.waiting[*at] == 0 && !self.listeners[*at].is_shut_down())
    }

    /// The listener that an acceptor is to be started for.
    fn missing(&self, state: &State) -> Option<usize> {
        self.unattended(state, 0).filter(|_| state.accepted - state.over < self.max_conns)
    }

    /// Serves where nobody else waits, or else where it was, until enough threads wait.
    fn work(&self, mut at: usize) {
        while self.serve_one(at) {
            let mut state = self.state.lock().unwrap();
            let is_idle = state.waiting.iter().sum::<usize>() < MAX_IDLE;
            let stays = (is_idle && !self.listeners[at].is_shut_down()).then_some(at);
            let Some(next) = self.unattended(&state, at).or(stays) else { break };
            state.waiting[next] += 1;
            if self.missing(&state).is_some() {
                self.changed.notify_one();
            }
            at = next;
        }
        self.changed.notify_one();
    }

    /// Whoever accepts serves: to hand over costs a wake-up. Answers whether the thread goes on.
    fn serve_one(&self, at: usize) -> bool {
        let accepted = self.listeners[at].accept();
        let mut state = self.state.lock().unwrap();
        state.waiting[at] -= 1;
        let conn = match accepted {
            Ok((conn, _)) => conn,
            Err(e) if is_passing(&e) || self.listeners[at].is_shut_down() => return true,
            Err(e) if is_shortage(&e) => {
                state.failures += u32::from(state.waiting[at] == 0);
                return false;
            }
            Err(e) => {
                state.error.get_or_insert(e);
                self.listeners.iter().for_each(|listener| drop(listener.shutdown()));
                return false;
            }
        };
        let turn = state.accepted;
        state.accepted += 1;
        state.failures = 0;
        if self.missing(&state).is_some() {
            self.changed.notify_one();
        }
        let mut conn = Some(conn);
        while turn.saturating_sub(state.over) >= self.max_conns {
            (state, _) = self.turn.wait_timeout(state, LONGEST_PAUSE).unwrap();
            // One that a shutdown disconnects keeps its turn: those behind it count on that.
            conn = conn.filter(|_| !self.listeners[at].is_shut_down());
        }
        drop(state);
        if let Some(conn) = conn {
            let ended = panic::catch_unwind(AssertUnwindSafe(|| (self.handler)(conn)));
            // What a handler throws may panic once more when it is dropped.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(ended))).map_err(mem::forget);
        }
        self.state.lock().unwrap().over += 1;
        self.turn.notify_all();
        true
    }
}

/// The fate of one connection: accept(2) says to try again.
fn is_passing(e: &io::Error) -> bool {
    matches!(e.kind(), Interrupted | ConnectionAborted)
}

/// What passes with time. std has no kinds for `ENFILE`, `EMFILE`, `ENOBUFS` and Linux's `EPROTO`.
fn is_shortage(e: &io::Error) -> bool {
    let linux = cfg!(any(target_os = "linux", target_os = "android"));
    let codes = if linux { [23, 24, 105, 71] } else { [23, 24, 55, 55] };
    matches!(e.kind(), NetworkDown | NetworkUnreachable | HostUnreachable | OutOfMemory)
        || codes.map(Some).contains(&e.raw_os_error())
}

#[test]
fn what_is_retried_at_once_later_and_never() {
    let of = |kind: io::ErrorKind| (is_passing(&kind.into()), is_shortage(&kind.into()));
    assert_eq!([Interrupted, ConnectionAborted].map(of), [(true, false); 2]);
    let later = [NetworkDown, NetworkUnreachable, HostUnreachable, OutOfMemory];
    assert_eq!(later.map(of), [(false, true); 4]);
    assert_eq!([WouldBlock, InvalidInput, Unsupported].map(of), [(false, false); 3]);
    #[cfg(target_os = "linux")]
    assert!([23, 24, 105, 71].iter().all(|code| is_shortage(&io::Error::from_raw_os_error(*code))));
}
