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

/// A thread in accept(2) holds a descriptor on Linux, which another listener's clients may need.
const MAX_IDLE: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections from all `listeners` and runs `handler` on each, in a thread per connection,
/// until every listener is [shut down](Listener::shutdown).
///
/// At most `max_conns` handlers run at once; a few hundred is a good start, as each takes a thread, a
/// descriptor and some 20 KiB. The next clients wait in the [backlog](Listener::bind). A client that
/// says nothing keeps its place, so a server for strangers sets a [read
/// timeout](Conn::set_read_timeout). A thread serves one connection after another, so thread-local
/// values outlive a connection. The listeners are made blocking, for all who share them.
///
/// It goes on after a handler that panics (where panics unwind), and without a word after whatever may
/// pass: network errors, firewalls, a shortage of descriptors, memory or threads. It tries again after
/// 5 ms, doubling to 1 s, or when a handler ends. (An allocation that fails aborts the process.)
///
/// # Errors
///
/// `InvalidInput` without a listener and for a bound of 0. What `accept` fails with if it is for good,
/// after the other listeners are shut down: `InvalidInput` if the socket does not listen, as after a
/// shutdown by another process that shares it, and `Unsupported` if it is no stream.
///
/// # A complete stop
///
/// It returns once all listeners are shut down *and* the running handlers are done. So a handler sets
/// a read timeout, or has its connection shut down, as here. (std cannot catch SIGTERM.)
///
/// ```no_run
/// # use std::{io, net::Shutdown, sync::{Arc, Mutex}, thread, time::Duration}; use streamsock::*;
/// let listeners = [Listener::bind(&"unix:/tmp/echo.sock".parse()?)?]; // or several
/// let open = Mutex::new(Vec::<Arc<Conn>>::new());
/// let echo = |conn: Conn| {
///     let conn = Arc::new(conn);
///     open.lock().unwrap().push(conn.clone());
///     let _ = io::copy(&mut conn.as_ref(), &mut conn.as_ref());
///     open.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &conn));
/// };
/// thread::scope(|scope| {
///     let server = scope.spawn(|| serve(&listeners, 512, echo));
///     let _ = io::copy(&mut io::stdin(), &mut io::sink()); // until somebody types Ctrl-D
///     while !server.is_finished() { // once more for one that came at the last moment
///         listeners.iter().for_each(|listener| _ = listener.shutdown());
///         open.lock().unwrap().iter().for_each(|conn| _ = conn.shutdown(Shutdown::Both));
///         thread::sleep(Duration::from_millis(10));
///     }
///     server.join().unwrap()
/// })?;
/// # Ok::<(), io::Error>(())
/// ```
pub fn serve<H>(listeners: &[Listener], max_conns: usize, handler: H) -> io::Result<()>
where
    H: Fn(Conn) + Sync,
{
    if listeners.is_empty() || max_conns == 0 {
        let why = if max_conns == 0 { "max_conns is 0" } else { "there is no listener" };
        return Err(io::Error::new(InvalidInput, format!("{why}, so nobody is served")));
    }
    // An inherited one may not block, and would be asked over and over.
    listeners.iter().try_for_each(|listener| listener.set_nonblocking(false))?;
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
    accepted: u64,
    over: u64,
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
        self.unattended(state, 0).filter(|_| state.accepted - state.over < self.max_conns as u64)
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
        let mut conn = match accepted {
            Ok((conn, _)) => Some(conn),
            Err(_) if self.listeners[at].is_shut_down() => return true,
            // A signal came, or the client went while it queued.
            Err(e) if matches!(e.kind(), Interrupted | ConnectionAborted) => return true,
            // The socket does not listen, or cannot.
            Err(e) if matches!(e.kind(), InvalidInput | Unsupported) => {
                state.error.get_or_insert(e);
                self.listeners.iter().for_each(|listener| drop(listener.shutdown()));
                return false;
            }
            // What else accept(2) lists, of networks, firewalls and shortages, may pass.
            Err(_) => {
                state.failures += u32::from(state.waiting[at] == 0);
                return false;
            }
        };
        let turn = state.accepted;
        state.accepted += 1;
        state.failures = 0;
        if self.missing(&state).is_some() {
            self.changed.notify_one();
        }
        while turn.saturating_sub(state.over) >= self.max_conns as u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_to_accept_is_counted_and_a_connection_ends_the_count() {
        let addr = &"tcp:127.0.0.1:0".parse().unwrap();
        let listeners = &[Listener::bind(addr).unwrap()];
        let state = Mutex::new(State { waiting: vec![1], failures: 7, ..State::default() });
        let (changed, turn) = (Condvar::new(), Condvar::new());
        let server = Server { listeners, max_conns: 1, handler: drop, state, changed, turn };

        listeners[0].set_nonblocking(true).unwrap();
        assert!(!server.serve_one(0));
        assert_eq!(server.state.lock().unwrap().failures, 8);

        server.state.lock().unwrap().waiting[0] = 1;
        listeners[0].set_nonblocking(false).unwrap();
        let _client = Conn::connect(&listeners[0].local_addr().unwrap()).unwrap();
        assert!(server.serve_one(0));
        assert_eq!(server.state.lock().unwrap().failures, 0);
    }
}
