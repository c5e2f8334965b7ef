//! `serve`: a thread per connection, bounded, that outlives bad luck.
//!
//! To copy this file, `conn.rs` and `listener.rs` are needed, with what those need.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use super::conn::Conn;
use super::listener::Listener;

/// `ENFILE`, `EMFILE`, `ENOBUFS`: std has no `ErrorKind` for them.
const OUT_OF_RESOURCES: [i32; 3] =
    [23, 24, if cfg!(any(target_os = "linux", target_os = "android")) { 105 } else { 55 }];

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections and runs `handler` on each, in a thread of its own, until the listener is
/// [shut down](Listener::shutdown).
///
/// At most `max_conns` handlers run at once. Beyond that it stops accepting, and the backlog of the
/// kernel holds the next clients: 128 on TCP, `net.core.somaxconn` (4096) on a Unix socket, as std
/// sets them. Beyond the backlog, connecting over TCP times out in the end; over a Unix socket a
/// blocking `connect` waits, and a non-blocking one gets `EAGAIN`.
///
/// Bad luck does not end it. A connection that was aborted before it was accepted is passed over.
/// When descriptors, memory or threads run out, it pauses, for 5 ms at first and 1 s at the most or
/// until a handler ends, and goes on; no accepted connection is lost to that. A handler that panics
/// ends its own connection only (where panics unwind, as they do by default).
///
/// It returns once the listener is shut down *and* the running handlers are done: a handler that
/// must come to an end sets a [read timeout](Conn::set_read_timeout).
///
/// # Errors
///
/// What `accept` fails with otherwise: `WouldBlock`, for one, on a non-blocking listener.
/// `InvalidInput` when `max_conns` is 0.
///
/// ```
/// use std::io::{Read, Write};
/// use std::thread;
/// use streamsock::{Conn, Listener, serve};
///
/// let listener = Listener::bind(&"tcp:127.0.0.1:0".parse()?)?;
/// let addr = listener.local_addr()?;
/// thread::scope(|scope| -> std::io::Result<()> {
///     let server = scope.spawn(|| serve(&listener, 64, |mut conn| {
///         let _ = conn.write_all(b"hello\n");
///     }));
///
///     let mut greeting = String::new();
///     Conn::connect(&addr)?.read_to_string(&mut greeting)?;
///     assert_eq!(greeting, "hello\n");
///
///     listener.shutdown()?;
///     server.join().unwrap()
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn serve<H>(listener: &Listener, max_conns: usize, handler: H) -> io::Result<()>
where
    H: Fn(Conn) + Sync,
{
    if max_conns == 0 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "max_conns is 0: nobody would be served",
        ));
    }
    let slots = &Slots { taken: Mutex::new(0), freed: Condvar::new() };
    let handler = &handler;
    thread::scope(|scope| {
        let mut incoming = listener.incoming();
        let mut pause = FIRST_PAUSE;
        loop {
            slots.take(max_conns);
            // The thread is there before its connection, so that none is lost when it cannot start.
            let seat = loop {
                let (seat, conn) = mpsc::channel();
                let thread = move || {
                    if let Ok(conn) = conn.recv() {
                        let _ = panic::catch_unwind(AssertUnwindSafe(|| handler(conn)));
                    }
                    slots.free();
                };
                match thread::Builder::new().spawn_scoped(scope, thread) {
                    Ok(_) => break seat,
                    Err(_) if listener.is_shut_down() => return Ok(()),
                    Err(_) => slots.back_off(&mut pause),
                }
            };
            let conn = loop {
                match incoming.next() {
                    None => return Ok(()),
                    Some(Ok(conn)) => break conn,
                    Some(Err(e)) if is_shortage(&e) => slots.back_off(&mut pause),
                    Some(Err(e)) if is_passing(&e) => {}
                    Some(Err(e)) => return Err(e),
                }
            };
            pause = FIRST_PAUSE;
            let _ = seat.send(conn); // fails only when the thread is gone
        }
    })
}

/// A counting semaphore: the handlers that run, or may start to.
struct Slots {
    taken: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().expect("nothing panics under this lock")
    }

    fn take(&self, max: usize) {
        let mut taken =
            self.freed.wait_while(self.lock(), |taken| *taken >= max).expect("as above");
        *taken += 1;
    }

    fn free(&self) {
        *self.lock() -= 1;
        self.freed.notify_one();
    }

    /// Waits for `pause`, or until a handler that ends gives back what it held, and doubles it.
    fn back_off(&self, pause: &mut Duration) {
        let _ = self.freed.wait_timeout(self.lock(), *pause);
        *pause = (*pause * 2).min(LONGEST_PAUSE);
    }
}

fn is_shortage(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::OutOfMemory
        || e.raw_os_error().is_some_and(|code| OUT_OF_RESOURCES.contains(&code))
}

/// Whether this was the fate of one connection alone.
fn is_passing(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted)
}
